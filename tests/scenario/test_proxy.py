#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: sanitized
# dnsdrill-test: timeout=240
"""The standalone proxy between dig, raw sockets and a real knotd, all in one network namespace of their own."""
import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import proxy_bed  # noqa: E402
from proxy_bed import (CONTROL, FOLDER, PROXY, SERVER, ask_tcp, ask_udp, connect, control, dig, proxy, query, read_framed,  # noqa: E402
                       send_framed, until)
from drill import case, main, run  # noqa: E402

proxy_bed.go_inside()
OPT = proxy_bed.OPT
ZONE = """\
$ORIGIN example.com.
$TTL 300
@    SOA ns hostmaster 1 3600 600 86400 5
@    NS ns
ns   A 192.0.2.1
www  A 192.0.2.80
*    A 192.0.2.81
many MX 10 a.mail\n     MX 20 b.mail\n     MX 30 www
big  TXT """ + " ".join('"' + "x" * 200 + '"' for _ in range(20)) + "\n" + \
    "".join(f"h{i} TXT \"{'y' * 200}\"\n" for i in range(1000))


def start_knot(port=SERVER[1]):
    return proxy_bed.start_knot({"example.com": ZONE}, port)


RAW = {
    "plain": query("www.example.com"),
    "mixed case": query("wWw.ExAmPlE.cOm", ident=0xFFFF),
    "an unknown EDNS option": query("many.example.com", 15, extra=OPT, additional=1),
    "names that compress": query("many.example.com", 15),
    "no such zone": query("example.org"),
    "another opcode": query("www.example.com", flags=0x2000),
    "two questions": struct.pack("!6H", 7, 0, 2, 0, 0, 0) + query("www.example.com")[12:] * 2,
    "half a question": query("www.example.com")[:20],
    "bytes behind the end": query("www.example.com") + b"junk",
    "a large answer": query("big.example.com", 16, extra=OPT, additional=1),
    "larger than a slot of the table": query("www.example.com", extra=b"\0" + struct.pack(
        "!HHIH", 41, 1232, 0, 1004) + struct.pack("!HH", 65001, 1000) + b"z" * 1000, additional=1),
}


def outcome(ask, *arguments):
    try:
        return ask(*arguments)
    except (OSError, AssertionError):
        return None


@case
def what_passes_through_is_the_same_to_the_byte():
    answered = 0
    with proxy():
        for ask in (ask_udp, lambda a, m, _: ask_tcp(a, m)):
            for name, message in RAW.items():
                direct = outcome(ask, SERVER, message, 1)
                through = outcome(ask, PROXY, message, 5 if direct else 0.3)
                answered += direct is not None
                assert direct == through, f"{name}: {direct} became {through}"
    assert answered >= 16, answered  # the comparison is of answers, not of silence


@case
def both_families_and_the_wildcard_answer_from_the_address_that_was_asked():
    with proxy(listen="[::1]:5300", upstream="[::1]:5301"):
        assert ask_udp(("::1", 5300), RAW["plain"]) == ask_udp(SERVER, RAW["plain"])
        assert ask_tcp(("::1", 5300), RAW["plain"]) == ask_udp(SERVER, RAW["plain"])
    with proxy(listen="0.0.0.0:5300"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.sendto(RAW["plain"], ("127.0.0.77", 5300))
        assert sock.recvfrom(512)[1] == ("127.0.0.77", 5300)


@case
def pipelined_queries_are_all_answered_and_keep_their_ids():
    with proxy(), connect(PROXY) as sock:
        send_framed(sock, *(query(f"p{i}.example.com", ident=i) for i in range(1000)))
        seen = [read_framed(sock) for _ in range(1000)]
    assert sorted(struct.unpack("!H", answer[:2])[0] for answer in seen) == list(range(1000))
    for answer in seen:
        name = b"p%d" % struct.unpack("!H", answer[:2])[0]
        assert answer[13:13 + len(name)] == name, answer


@case
def a_delayed_answer_is_overtaken_on_the_same_connection():
    with proxy("- {match: {qname: slow.example.com}, do: {delay: 300ms}}"), connect(PROXY) as sock:
        send_framed(sock, query("slow.example.com", ident=1), query("fast.example.com", ident=2))
        assert [read_framed(sock)[:2] for _ in range(2)] == [b"\0\2", b"\0\1"]


@case
def a_message_in_single_bytes_is_put_together_and_stalls_nobody():
    with proxy(), connect(PROXY) as slow, connect(PROXY) as other:
        message = struct.pack("!H", len(RAW["plain"])) + RAW["plain"]
        for i in range(len(message)):
            slow.sendall(message[i:i + 1])
            if i % 10 == 0:
                send_framed(other, RAW["plain"])
                assert read_framed(other)[3] & 15 == 0
        assert read_framed(slow)[:2] == RAW["plain"][:2]


@case
def a_client_that_does_not_read_stalls_nobody():
    with proxy(), connect(PROXY) as deaf, connect(PROXY) as other:
        deaf.setblocking(False)
        big = query("big.example.com", 16)
        with contextlib.suppress(BlockingIOError):
            for _ in range(20000):
                deaf.send(struct.pack("!H", len(big)) + big)
        for _ in range(20):
            send_framed(other, RAW["plain"])
            assert read_framed(other)[:2] == RAW["plain"][:2]


@case
def a_zone_transfer_of_many_messages_passes():
    with proxy():
        text = dig("+tcp", "example.com", "AXFR")[2]
    assert len(re.findall(r"^h\d+\.example\.com\.", text, re.MULTILINE)) == 1000
    assert len(re.findall(r"\tSOA\t", text)) == 2


@case
def delays_are_what_they_say_over_udp_and_tcp():
    def fastest(sock_kind, count=21):  # what the machine adds when it is busy is not the proxy's
        taken = []
        for _ in range(count):
            with socket.socket(socket.AF_INET, sock_kind) as sock:
                sock.settimeout(2)
                sock.connect(PROXY)
                begin = time.monotonic()
                sock.send(RAW["plain"] if sock_kind == socket.SOCK_DGRAM else
                          struct.pack("!H", len(RAW["plain"])) + RAW["plain"])
                sock.recv(512)
                taken.append(time.monotonic() - begin)
        return min(taken)

    with proxy():
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            before = fastest(kind)
            number = control("add", "{do: {delay: 50ms}}").stdout.strip()
            late = fastest(kind) - before
            control("remove", number)
            assert 0.0495 <= late <= 0.051, f"{kind}: {late}"


@case
def a_share_of_queries_is_answered_servfail():
    with proxy("- {share: 30%, do: {rcode: SERVFAIL}}", "--seed", "7"), \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.connect(PROXY)
        wrong = 0
        for i in range(4000):
            sock.send(query("www.example.com", ident=i))
            wrong += sock.recv(512)[3] & 15 == 2
        counts = control("count").stdout
    assert 1085 <= wrong <= 1315, wrong  # 1200 ± 4 standard deviations of 29
    assert re.search(rf"seen \d+\tmatched 4000\tdone {wrong}\t", counts), counts


@case
def dropped_queries_are_silence_and_truncated_answers_come_again_over_tcp():
    with proxy("- {match: {qname: gone.example.com}, do: {drop: query}}\n- {match: {transport: udp}, do: {tc: set}}\n"):
        assert dig("gone.example.com", "+time=1")[0] == ""
        assert "flags: qr aa tc" in dig("www.example.com", "+ignore")[2]
        status, _, text = dig("www.example.com")
        assert status == "NOERROR" and "(TCP)" in text and " tc" not in text, text


@case
def rules_change_under_load_without_losing_a_query():
    with proxy("- {do: {delay: 20ms}}"):
        load = subprocess.Popen([sys.executable, "-c", LOAD], stdout=subprocess.PIPE, text=True)
        swaps = 0
        while load.poll() is None and swaps < 400:
            number = control("add", "{match: {qname: nobody.example.com}, do: {drop: query}}").stdout.strip()
            control("remove", number)
            swaps += 1
        lost = load.communicate(timeout=60)[0]
    assert swaps >= 3 and lost.strip() == "0", f"{swaps} changes, {lost} lost"


LOAD = f"""
import socket, struct, sys, time
sys.dont_write_bytecode = True
message = {RAW['plain'][2:]!r}
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect({PROXY!r})
sock.settimeout(3)
lost = 0
for _ in range(100):
    for i in range(50):
        sock.send(struct.pack("!H", i) + message)
    for i in range(50):
        try:
            sock.recv(512)
        except OSError:
            lost += 1
print(lost)
"""


@case
def an_upstream_that_is_gone_is_servfail_or_silence_as_asked():
    nobody = "127.0.0.1:5399"
    with proxy(None, upstream=nobody):
        for transport in ((), ("+tcp",)):
            status, taken, text = dig("www.example.com", *transport)
            assert status == "SERVFAIL" and taken < 1000 and "www.example.com" in text, text
    with proxy(None, "--on-upstream-failure", "silence", upstream=nobody):
        assert dig("www.example.com", "+time=1")[0] == ""
    with proxy(None, "--upstream-timeout", "300ms", upstream=nobody), \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 5399))  # takes queries and says nothing
        status, taken, _ = dig("www.example.com")
        assert status == "SERVFAIL" and 290 <= taken < 1000, (status, taken)


@case
def an_upstream_that_comes_back_is_used_again():
    with proxy(upstream="127.0.0.1:5302"):
        assert dig("www.example.com")[0] == "SERVFAIL"
        server = start_knot(5302)
        try:
            assert dig("www.example.com")[0] == "NOERROR" and dig("+tcp", "www.example.com")[0] == "NOERROR"
        finally:
            server.terminate()
            server.wait(20)


@case
def sigterm_answers_what_is_in_flight_first():
    with proxy("- {do: {delay: 700ms}}") as child, connect(PROXY) as sock:
        send_framed(sock, RAW["plain"])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.settimeout(3)
            datagrams.sendto(RAW["plain"], PROXY)
            until("both are matched", lambda: "matched 2" in control("count").stdout)
            child.send_signal(signal.SIGTERM)
            assert datagrams.recv(512)[:2] == RAW["plain"][:2]
        assert read_framed(sock)[:2] == RAW["plain"][:2]
        child.wait(5)
        assert not os.path.exists(CONTROL)


def is_sanitized():
    return os.environ.get("DNSDRILL") == os.environ.get("DNSDRILL_SANITIZED")


@case
def it_has_no_privileges_once_it_serves_and_its_live_view_works_on():
    with proxy() as child:
        assert dig("www.example.com")[0] == "NOERROR"  # it listens before it serves
        with open(f"/proc/{child.pid}/status", encoding="ascii") as file:
            status = file.read()
        filtered = 0 if is_sanitized() else 2  # sanitizers need calls that the filter forbids
        for line in ("CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1", f"Seccomp:\t{filtered}"):
            assert line in status, status
        control("add", "do: {rcode: REFUSED}")
        assert dig("www.example.com")[0] == "REFUSED"


@case
def wrong_rules_and_options_are_errors_with_their_place():
    with open(os.path.join(FOLDER, "wrong.yaml"), "w", encoding="utf-8") as file:
        file.write("- {match: {qtype: A}, do: {rcode: SERVFAIL}}\n- {do: {dealy: 5ms}}\n- {share: 30, do: {tc: set}}\n")
    path = os.path.join(FOLDER, "wrong.yaml")
    ends = ("--listen", "127.0.0.1:5300", "--upstream", "127.0.0.1:5301")
    said = run("proxy", *ends, "--rules", path, check=2).stderr
    assert f"{path}:2:" in said and "delay" in said and f"{path}:3:" in said, said
    for wrong in (["--listen", "5300"], ["--threads", "0"], ["--upstream-timeout", "5"], ["--on-upstream-failure", "no"]):
        assert run("proxy", *ends, *wrong, check=2).stderr.startswith("dnsdrill: proxy: " + wrong[0])
    with proxy():
        assert "127.0.0.1:5300: Address already in use" in run("proxy", *ends, check=3).stderr  # not shared, although the workers share it
        assert "delay" in control("add", "{do: {dealy: 5ms}}", check=1).stderr
        assert "id" in control("remove", "99", check=1).stderr
        assert "the file is empty" in control("add", "", check=1).stderr
    assert "itself" in run("proxy", "--listen", "127.0.0.1:5300", "--upstream", "127.0.0.1:5300", check=2).stderr


@case
def the_live_view_shows_rules_as_they_are_written_and_outlives_bad_clients():
    with proxy("- {name: first, match: {qname: '*.example.com'}, do: {drop: answer}, share: 30%}\n"), contextlib.ExitStack() as open_ones:
        control("add", "- {match: {qname: gone.example}, do: {delay: 50ms}}\n- {do: {drop: query}}\n")
        rows = [line.split("\t") for line in control("list").stdout.splitlines()]
        assert rows[0][2] == "first" and "drop: answer" in rows[0][3] and "30%" in rows[0][3], rows
        assert [row[0] for row in rows] == ["1", "2", "3"] and "gone.example" in rows[1][3] and "drop: query" in rows[2][3], rows
        assert "rule 3 takes all" in control("add", "{match: {qtype: A}, do: {twice: true}}").stderr
        assert not control("add", "{match: {client: 192.0.2.1}, do: {twice: true}}", check=0).stderr.count("rule 1 ")
        for garbage, says in ((b"a" * (1 << 21), b"1 MiB"), (os.urandom(5000).replace(b"\n", b"") + b"\n", b"not JSON"), (b"{}\n", b"none of")):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10)
                client.connect(CONTROL)
                with contextlib.suppress(ConnectionError):
                    client.sendall(garbage)
                assert says in client.recv(4096)
        for _ in range(16):  # as many as it talks to
            client = open_ones.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(CONTROL)
        assert "more clients" in control("list", check=1).stderr
        open_ones.close()
        until("there is room again", lambda: run("proxy", "ctl", CONTROL, "list").returncode == 0)


server = start_knot()
try:
    main()
finally:
    server.terminate()
    server.wait(20)
