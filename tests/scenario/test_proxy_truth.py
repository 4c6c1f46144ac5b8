#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: timeout=180
"""What a rule says is what happens: shares counted by dnsperf over many queries, and delays that are never shorter than they say, on every transport.

That delays are not longer either, and how fast all of it is, depends on the machine: tests/bench/.
"""
import json
import math
import os
import socket
import ssl
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import proxy_bed  # noqa: E402
from drill import case  # noqa: E402
from flood import flood  # noqa: E402
from proxy_bed import FOLDER, control, proxy, read_framed, send_framed  # noqa: E402

proxy_bed.go_inside()
RECORDS = "$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 5\n@ NS ns\nns A 192.0.2.1\nwww A 192.0.2.80\n* A 192.0.2.81\n"
QUERIES, LINES = os.path.join(FOLDER, "queries"), 1000
DOT, DOH = 8853, 8443
TLS = os.path.join(FOLDER, "tls")
CA = os.path.join(TLS, "ca.pem")
DELAY_S = 0.05
ASKS = 8

LAB = """\
include: {scenarios}/40-message/lab.yaml
name: A share of answers
seed: 3
baseline: 0%
recovery: 300ms
probes: {{udp: {{every: 200ms}}, tcp: {{every: 200ms}}, six: {{every: 200ms}}, other: {{every: 200ms}}, users: {{every: 200ms}}}}
timeline:
  - {{at: 1s, for: 9s, fault: dns, target: alpha.ns1, do: {{rcode: SERVFAIL}}, share: 30%}}
  - {{at: 1500ms, do: run, target: office, timeout: 30s, command: "{flood}"}}
expect: []
"""


def score(hits, count, share):
    """How many standard deviations of a binomial distribution hits is away from what share says."""
    return (hits - count * share) / math.sqrt(count * share * (1 - share))


def share_of(result, count):
    """The share that was SERVFAIL; all others were answered as ever, from a wildcard."""
    hits, codes = result["rcodes"].get("SERVFAIL", 0), result["rcodes"]
    assert result["completed"] >= count and hits + codes["NOERROR"] == result["completed"], result
    print(f"        {hits} of {result['completed']} SERVFAIL: {score(hits, result['completed'], 0.3):+.2f} standard deviations", flush=True)
    return hits / result["completed"]


@case
def a_share_of_100000_is_what_it_says_over_udp_and_tcp():
    # One thread: each query draws once from one stream, so that the seed makes the count the same in every run.
    # Half a point is 3.45 standard deviations: 1 seed in 1,800 would miss it.
    with proxy("- {share: 30%, do: {rcode: SERVFAIL}}", "--seed", "1", "--threads", "1"):
        for mode in ("udp", "tcp"):
            result = flood("127.0.0.1", QUERIES, "-p", "5300", "-m", mode, "-n", str(100000 // LINES), "-c", "4", "-q", "40", "-t", "20")
            assert abs(share_of(result, 99990) - 0.3) <= 0.005, result


@case
def a_share_is_what_it_says_in_a_lab_too():
    command = f"python3 {drill.ROOT}/tests/lib/flood.py 192.0.2.1 {QUERIES} -- -n 4 -c 2 -q 10"
    result = drill.drill(drill.write_plan(LAB.format(scenarios=drill.SCENARIOS, flood=command)), check=None)
    text = next(event["text"] for event in result.events("step.host"))
    ended, reverted = (result.events(kind)[-1]["t_ns"] for kind in ("step.ended", "fault.reverted"))
    assert ended < reverted, "the fault ended before the flood did: the machine is far too busy"
    counted = json.loads(text[text.index("{"):])
    share = share_of(counted, 3000)
    # 4.9 standard deviations: one seed in a million
    assert abs(score(share * counted["completed"], counted["completed"], 0.3)) <= 4.9, counted


def timed(sock, ask):
    taken = []
    for _ in range(ASKS):
        begin = time.monotonic()
        assert ask(sock)[3] & 15 == 0
        taken.append(time.monotonic() - begin)
    return taken


def ask_datagram(sock):
    sock.send(proxy_bed.query("www.example.com"))
    return sock.recv(2048)


def ask_stream(sock):
    send_framed(sock, proxy_bed.query("www.example.com"))
    return read_framed(sock)


def connected(host, port, kind):
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    sock.settimeout(10)
    sock.connect((host, port))
    return sock


def over_udp(host):
    with connected(host, 5300, socket.SOCK_DGRAM) as sock:
        return timed(sock, ask_datagram)


def over_tcp(host):
    with connected(host, 5300, socket.SOCK_STREAM) as sock:
        return timed(sock, ask_stream)


def over_dot(host):
    context = ssl.create_default_context(cafile=CA)
    with context.wrap_socket(connected(host, DOT, socket.SOCK_STREAM), server_hostname="localhost") as sock:
        return timed(sock, ask_stream)


def over_doh(host):
    asks = [f"https://localhost:{DOH}/dns-query", "-o", os.devnull] * ASKS
    at = f"[{host}]" if ":" in host else host
    done = subprocess.run(["curl", "-sS", "--fail", "--http2", "--cacert", CA, "--resolve", f"localhost:{DOH}:{at}", "-H",
                           "content-type: application/dns-message", "-w", "%{time_total} %{time_pretransfer}\n", "--data-binary", "@-", *asks],
                          input=proxy_bed.query("www.example.com"), stdout=subprocess.PIPE, timeout=60, check=True)
    return [float(end) - float(begun) for end, begun in (line.split() for line in done.stdout.split(b"\n")[:-1])]


WAYS = (over_udp, over_tcp, over_dot, over_doh)


@case
def a_delay_is_never_shorter_than_it_says_on_any_transport_of_either_family():
    for host in ("127.0.0.1", "::1"):
        at = f"[{host}]" if ":" in host else host
        with proxy(None, "--listen-dot", f"{at}:{DOT}", "--listen-doh", f"{at}:{DOH}", "--tls-self-made", TLS, listen=f"{at}:5300"):
            quick = {over: over(host) for over in WAYS}
            control("add", "{do: {delay: 50ms}}")
            late = {over: over(host) for over in WAYS}
        for over in WAYS:
            assert len(quick[over]) == len(late[over]) == ASKS, over
            assert min(quick[over]) < DELAY_S <= min(late[over]), f"{over.__name__} to {host}: {quick[over]}, then {late[over]}"


with open(QUERIES, "w", encoding="ascii") as file:
    file.writelines(f"n{i}.fresh.example.com A\n" for i in range(LINES))
os.chmod(FOLDER, 0o755)  # the lab's hosts read it
server = proxy_bed.start_knot({"example.com": RECORDS})
try:
    drill.main()
finally:
    server.terminate()
    server.wait(20)
