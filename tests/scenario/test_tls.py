#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills
"""Encrypted DNS in labs: every server that offers it, asked with kdig, curl and openssl; the probes, looked at in the capture."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import pcap  # noqa: E402

ZONE = """\
$ORIGIN example.com.
$TTL 300
@        IN SOA ns1.alpha-dns.net. hostmaster.example.com. 1 3600 600 86400 5
@        IN NS  ns1.alpha-dns.net.
www      IN A   192.0.2.80
web      IN A   203.0.113.1
*.fresh  IN A   192.0.2.81
"""

LAB = """\
plan: 1
name: Encrypted
lab:
  zones:
    example.com: {file: example.com.zone}
  providers:
    alpha:
      nameservers:
        ns1: {hostname: ns1.alpha-dns.net, address: [192.0.2.1, "2001:db8:1::1"], server: bind, encrypted: [dot, doh]}
  resolvers:
    u1: {address: [203.0.113.1, "2001:db8::1"], server: unbound, encrypted: [dot, doh]}
    k1: {address: [203.0.113.2, "2001:db8::2"], server: knot-resolver, encrypted: [dot, doh]}
    b1: {address: [203.0.113.3, "2001:db8::3"], server: bind, encrypted: [dot, doh]}
    d1: {address: [203.0.113.4, "2001:db8::4"], server: dnsdist, encrypted: [dot, doh], forward: b1}
  clients:
    office: {address: [203.0.113.9, "2001:db8::9"], resolvers: [u1]}
"""

SERVERS = {"ns1.alpha-dns.net": ("192.0.2.1", "2001:db8:1::1"), "u1": ("203.0.113.1", "2001:db8::1"), "k1": ("203.0.113.2", "2001:db8::2"),
           "b1": ("203.0.113.3", "2001:db8::3"), "d1": ("203.0.113.4", "2001:db8::4")}
OFFICE = ("203.0.113.9", "2001:db8::9")
TCP, SYN = 6, 2


def in_lab(script, text=LAB):
    """What a shell on the office's machine says, in lines."""
    plan = drill.write_plan(text, **{"example.com.zone": ZONE})
    return drill.run("lab", plan, "--on", "office", "--", "sh", "-c", script, check=0).stdout.splitlines()


@drill.case
def every_server_answers_over_tls_and_https_with_a_certificate_of_the_lab():
    script = []
    for name, addresses in SERVERS.items():
        for address in addresses:
            for way, port in (("+tls", 853), ("+https", 443)):
                at = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
                script.append(f"echo {name} {address} {way} $(openssl s_client -connect {at} -verify_return_error -verify_ip {address} "
                              f"-brief </dev/null >/dev/null 2>&1 && kdig @{address} {way} +tls-ca=$SSL_CERT_FILE "
                              f"+tls-hostname={name} +short www.example.com A 2>&1)")
    lines = in_lab("\n".join(script))
    assert len(lines) == 2 * 2 * len(SERVERS), lines
    bad = [line for line in lines if not line.endswith(" 192.0.2.80")]
    assert not bad, "\n".join(bad)


@drill.case
def openssl_and_curl_trust_the_lab_and_nobody_else():
    client = "openssl s_client -connect 203.0.113.1:853 -verify_return_error -brief </dev/null >/dev/null 2>&1; echo $?"
    lines = in_lab(f"""
        {client.replace('-brief', '-brief -verify_hostname u1')}
        {client.replace('-brief', '-brief -verify_hostname k1')}
        unset SSL_CERT_DIR; export SSL_CERT_FILE_OF_THE_LAB=$SSL_CERT_FILE
        SSL_CERT_FILE=/dev/null; export SSL_CERT_FILE
        {client.replace('-brief', '-brief -verify_hostname u1')}
        export SSL_CERT_FILE=$SSL_CERT_FILE_OF_THE_LAB
        curl -sS --http2 --doh-url https://k1/dns-query --resolve k1:443:203.0.113.2 -k -o /dev/null \\
             -w '%{{http_version}} %{{http_code}} %{{remote_ip}}\\n' https://web.example.com/
        stat -c %a "$(dirname "$SSL_CERT_FILE")"/u1.key
    """)
    # https://web.example.com/ is u1's own HTTPS listener, which knows /dns-query only
    assert lines == ["0", "1", "1", "2 404 203.0.113.1", "600"], lines


def make_certificate(folder):
    """A key and a certificate for x1 that the lab's authority knows nothing of."""
    key, certificate = os.path.join(folder, "own.key"), os.path.join(folder, "own.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=x1",
                    "-addext", "subjectAltName=DNS:x1", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key, certificate


DRILL = LAB.replace("  clients:", """\
    x1: {address: 203.0.113.5, server: unbound, encrypted: dot, options: "tls-service-key: KEY\\ntls-service-pem: CERTIFICATE"}
    u2: {address: [203.0.113.6, "2001:db8::6"], server: unbound, forward: b1, forward_transport: dot}
    k2: {address: [203.0.113.7, "2001:db8::7"], server: knot-resolver, forward: b1, forward_transport: dot}
    d2: {address: [203.0.113.8, "2001:db8::8"], server: dnsdist, forward: b1, forward_transport: dot}
  clients:""") + """\
baseline: 0%   # some of these are meant to be refused
recovery: 1s
probes:
  plain: {from: office, via: u1, query: fresh.example.com A, unique: true, every: 50ms, timeout: 1s}
  dot: {from: office, via: u1, query: fresh.example.com A, unique: true, every: 50ms, timeout: 500ms, transport: dot}
  dot6: {from: office, via: b1, query: www.example.com A, every: 100ms, timeout: 5s, transport: dot, family: ipv6}
  doh: {from: office, via: u1, query: fresh.example.com A, unique: true, every: 50ms, timeout: 5s, transport: doh}
  doh6: {from: office, via: d1, query: www.example.com A, every: 100ms, timeout: 5s, transport: doh, family: ipv6}
  slow: {from: office, via: k1, query: www.example.com A, every: 100ms, timeout: 5s, transport: dot}
  slow-kept: {from: office, via: k1, query: www.example.com A, every: 100ms, timeout: 5s, transport: dot, connection: keep, family: ipv6}
  slow-not: {from: office, via: k1, query: www.example.com A, every: 100ms, timeout: 5s}
  auth: {from: office, via: alpha.ns1, query: www.example.com A, every: 100ms, timeout: 5s, transport: dot, good: {aa: true}}
  auth-kept: {from: office, via: alpha.ns1, query: www.example.com A, every: 100ms, timeout: 5s, transport: doh, connection: keep, good: {aa: true}}
  stranger: {from: office, via: x1, query: www.example.com A, every: 100ms, timeout: 5s, transport: dot}
  misnamed: {from: office, via: d1, query: www.example.com A, every: 100ms, timeout: 5s, transport: dot, tls_name: d2}
  misnamed-doh: {from: office, via: d1, query: www.example.com A, every: 100ms, timeout: 5s, transport: doh, tls_name: d2}
  through-u2: {from: office, via: u2, query: fresh.example.com A, unique: true, every: 100ms, timeout: 5s}
  through-k2: {from: office, via: k2, query: fresh.example.com A, unique: true, every: 100ms, timeout: 5s}
  through-d2: {from: office, via: d2, query: fresh.example.com A, unique: true, every: 100ms, timeout: 5s}
timeline:
  - {at: 1s, for: 2s, fault: blackhole, target: u1, protocol: tcp, port: 853, name: dot dark}
  - {at: 1s, for: 2s, fault: latency, target: k1, protocol: tcp, port: 853, direction: to, delay: 50ms, name: dot slow}
"""
state = {}


def result():
    """The one drill that the cases below look at."""
    if "result" not in state:
        key, certificate = make_certificate(drill.scratch())
        text = DRILL.replace("KEY", key).replace("CERTIFICATE", certificate)
        state["result"] = drill.drill(drill.write_plan(text, **{"example.com.zone": ZONE}))
        assert not state["result"].events("fault.failed", "error")
    return state["result"]


def outcomes(probe, samples=None):
    return {(sample["outcome"], sample.get("detail")) for sample in (result().samples(probe) if samples is None else samples)}


def during(probe, fault):
    """Samples due while the fault stood, but for the 200 ms at either end."""
    number = next(event["id"] for event in result().events("plan.fault") if event["name"] == fault)
    begin, end = (next(event["t_ns"] for event in result().events(kind) if event["id"] == number) for kind in ("fault.applied", "fault.reverted"))
    return [sample for sample in result().samples(probe) if begin + 2e8 <= sample["due_ns"] < end - 2e8]


def latencies_ms(samples):
    return [(sample["done_ns"] - sample["due_ns"]) / 1e6 for sample in samples]


@drill.case
def probes_over_tls_and_https_get_right_answers_from_all():
    for probe in ("dot6", "doh", "doh6", "auth", "auth-kept", "slow", "slow-kept", "through-u2", "through-k2", "through-d2"):
        assert outcomes(probe) == {("ok", None)}, (probe, outcomes(probe))


@drill.case
def a_fault_of_port_853_hits_the_encrypted_probe_and_no_other():
    assert outcomes("dot", during("dot", "dot dark")) == {("timeout", "no answer within 500ms: no TCP connection")}
    before = [sample for sample in result().samples("dot") if sample["i"] < 10]
    assert ("ok", None) in outcomes("dot", before), outcomes("dot", before)
    assert {outcome for outcome, _ in outcomes("plain")} == {"ok"}
    assert {outcome for outcome, _ in outcomes("doh")} == {"ok"}


@drill.case
def a_delay_of_50_ms_costs_a_new_connection_three_of_them_and_a_kept_one_one():
    assert min(latencies_ms(during("slow", "dot slow"))) >= 150  # TCP's handshake, TLS's, the question
    kept = latencies_ms(during("slow-kept", "dot slow"))
    assert 50 <= min(kept) < 150, kept
    assert min(latencies_ms(during("slow-not", "dot slow"))) < 50


@drill.case
def a_certificate_of_another_authority_or_for_another_name_is_refused_and_the_evidence_says_why():
    assert outcomes("stranger") == {("timeout", "refused: TLS handshake failed: self-signed certificate")}, outcomes("stranger")
    assert outcomes("misnamed") == {("timeout", "refused: TLS handshake failed: hostname mismatch")}, outcomes("misnamed")
    (outcome, detail), = outcomes("misnamed-doh")
    assert outcome == "timeout" and "TLS handshake failed" in detail and "d2" in detail, detail


def packets():
    """Each once: as it left the core."""
    return [packet for packet in pcap.packets(result().path("capture.pcap")) if packet.outgoing]


def connections(source, target, port):
    """First SYNs, by address family alike."""
    return {(packet.source, packet.source_port) for packet in packets()
            if packet.protocol == TCP and packet.source in source and packet.target in target and packet.target_port == port
            and packet.behind_ip[13] & 0x12 == SYN}


@drill.case
def a_question_has_a_connection_of_its_own_unless_one_is_kept():
    assert len(connections(OFFICE, SERVERS["b1"], 853)) == len(result().samples("dot6"))
    assert len(connections(OFFICE, SERVERS["d1"][1:], 443)) == len(result().samples("doh6"))
    assert len(connections(OFFICE, SERVERS["k1"][1:], 853)) == 1
    assert len(connections(OFFICE, SERVERS["ns1.alpha-dns.net"], 443)) == 1


@drill.case
def resolvers_that_forward_over_tls_never_speak_plain_dns_to_their_forwarder():
    for last in (6, 7, 8):
        source = (f"203.0.113.{last}", f"2001:db8::{last}")
        ports = {packet.target_port for packet in packets() if packet.source in source and packet.target in SERVERS["b1"]}
        assert ports == {853}, (last, ports)
        assert connections(source, SERVERS["b1"], 853)


drill.main()
