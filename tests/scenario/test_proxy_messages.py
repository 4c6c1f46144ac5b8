#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: parallel sanitized
# dnsdrill-test: timeout=120
"""What the proxy's message faults look like on the wire, to dig, delv and raw sockets, with a signing knotd behind it."""
import contextlib
import os
import re
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import proxy_bed  # noqa: E402
from proxy_bed import (FOLDER, PROXY, SERVER, ask_tcp, ask_udp, connect, control, dig, proxy, query, read_exactly,  # noqa: E402
                       read_framed, send_framed)
import drill  # noqa: E402
from drill import case, main  # noqa: E402

proxy_bed.go_inside()
RECORDS = """\
$TTL 300
@    SOA ns hostmaster 1 3600 600 86400 5
@    NS ns
ns   A 192.0.2.1
www  A 192.0.2.80
www  AAAA 2001:db8::80
*.wild A 192.0.2.81
a.b.deep A 192.0.2.82
mail MX 10 www
sub  NS ns.sub
ns.sub A 192.0.2.3
ns.sub AAAA 2001:db8::3
big  TXT """ + " ".join('"' + "x" * 200 + '"' for _ in range(15)) + "\n"
POLICY = """mod-cookies:
  - id: default
policy:
  - id: nsec
    algorithm: ecdsap256sha256
    single-type-signing: on
  - id: nsec3
    algorithm: ecdsap256sha256
    single-type-signing: on
    nsec3: on
"""


@contextlib.contextmanager
def rule(*texts):
    """The one proxy with these rules; yields their numbers."""
    numbers = [control("add", text).stdout.strip() for text in texts]
    try:
        yield numbers
    finally:
        for number in numbers:
            control("remove", number)


def section(text, name):
    """The records dig shows of a section, fields between single spaces, without TTLs."""
    found = re.search(rf";; {name} SECTION:\n(.*?)\n\n", text, re.DOTALL)
    rows = [line.split() for line in (found.group(1).splitlines() if found else [])]
    return [" ".join([row[0].lower(), *row[3:]]) for row in rows]


def through(todo, *arguments, name="www.example.com", match=""):
    with rule(f"{{match: {{{match}}}, do: {{{todo}}}}}"):
        return dig(name, *arguments)[2]


def counts(number):
    return re.search(rf"^{number}\b.*", control("count").stdout, re.MULTILINE).group(0)


@case
def records_are_added_replaced_and_chained():
    text = through('add: ["@ 60 IN TXT more"], add_authority: ["example.com. NS x.example.com."], '
                   'add_additional: ["x.example.com. A 198.51.100.7"]')
    assert section(text, "ANSWER") == ["www.example.com. A 192.0.2.80", 'www.example.com. TXT "more"'], text
    assert section(text, "AUTHORITY")[-1] == "example.com. NS x.example.com.", text
    assert "x.example.com. A 198.51.100.7" in section(text, "ADDITIONAL"), text
    text = through('replace: ["@ MX 5 evil.example.net."]', "MX", name="mail.example.com")
    assert section(text, "ANSWER") == ["mail.example.com. MX 5 evil.example.net."], text
    text = through('replace: ["@ MX 5 evil.example.net."]')
    assert section(text, "ANSWER") == ["www.example.com. A 192.0.2.80"], text
    text = through("cname_chain: 2")
    assert section(text, "ANSWER") == ["www.example.com. CNAME c1.example.com.", "c1.example.com. CNAME c2.example.com.",
                                       "c2.example.com. A 192.0.2.80"], text
    text = through("cname_loop: 2")
    assert section(text, "ANSWER") == ["www.example.com. CNAME c1.example.com.",
                                       "c1.example.com. CNAME www.example.com."], text
    assert section(through("cname_loop: 1"), "ANSWER") == ["www.example.com. CNAME www.example.com."]


@case
def ttls_jitter_and_delays_spread():
    with rule("{do: {ttl_jitter: 100s}}"):
        seen = {int(re.search(r"www\.example\.com\.\s+(\d+)", dig("www.example.com")[2]).group(1)) for _ in range(8)}
    assert len(seen) > 2 and all(200 <= ttl <= 400 for ttl in seen), seen
    with rule("{do: {delay: 40ms, jitter: 10ms, distribution: pareto}}"):
        for _ in range(5):
            taken = dig("www.example.com")[1]
            assert taken >= 25, taken  # Pareto: 40 - 0.67 × 10 at the least


@case
def huge_answers_are_truncated_as_by_a_server_unless_told_otherwise():
    with rule("{do: {huge: 3000B}}"):
        text = dig("www.example.com", "+bufsize=4096", "+ignore")[2]
        assert 3000 <= int(re.search(r"MSG SIZE\s+rcvd: (\d+)", text).group(1)) < 3300 and " tc" not in text, text
        text = dig("www.example.com", "+bufsize=1232")[2]  # and again over TCP
        assert "(TCP)" in text and len(set(section(text, "ANSWER"))) > 150, text
        assert "flags: qr aa tc" in dig("www.example.com", "+bufsize=1232", "+ignore")[2]
    with rule("{do: {huge: 60000B}}"):
        assert len(ask_tcp(PROXY, query("www.example.com", 28))) >= 60000
    with rule("{do: {huge: 3000B, edns_size: 65535B}}"):
        assert len(ask_udp(PROXY, query("www.example.com", extra=proxy_bed.OPT, additional=1))) >= 3000


@case
def sizes_that_the_client_did_not_ask_for_come_from_the_server():
    assert " tc" not in dig("big.example.com", "TXT", "+bufsize=4096", "+ignore")[2]
    text = through("edns_size: 512B", "TXT", "+bufsize=4096", "+ignore", name="big.example.com")
    assert re.search("flags: qr aa tc", text), text
    assert "flags: qr aa tc" in dig("big.example.com", "TXT", "+bufsize=512", "+ignore")[2]
    text = through("edns_size: 65535B", "TXT", "+bufsize=512", "+ignore", name="big.example.com")
    assert int(re.search(r"rcvd: (\d+)", text).group(1)) > 3000 and " tc" not in text, text


@case
def referrals_go_in_circles_and_glue_is_wrong_or_missing():
    text = through("lame: referral-loop, zone: com")
    assert section(text, "AUTHORITY") == ["example.com. NS ns.loop-a.com."] and not section(text, "ANSWER"), text
    text = through("lame: referral-loop, zone: com", name="ns.loop-a.com")
    assert section(text, "AUTHORITY") == ["loop-a.com. NS ns.loop-b.com."] and " aa" not in text, text
    text = through("lame: referral-loop, zone: com", name="ns.loop-b.com")
    assert section(text, "AUTHORITY") == ["loop-b.com. NS ns.loop-a.com."], text
    text = through("lame: self-referral, zone: example.com")
    assert section(text, "AUTHORITY") == ["example.com. NS ns.example.com."], text
    assert "ns.example.com. A 127.0.0.1" in section(text, "ADDITIONAL"), text
    name = "x.sub.example.com"
    assert len(section(dig(name)[2], "ADDITIONAL")) == 2
    assert not section(through("glue: missing", name=name), "ADDITIONAL")
    text = through("glue: wrong", name=name, match="answer: referral")
    assert section(text, "ADDITIONAL") == ["ns.sub.example.com. A 203.0.113.254",
                                           "ns.sub.example.com. AAAA 3fff:fff:ffff:ffff:ffff:ffff:ffff:fffe"], text
    text = through("nxdomain: right-soa, zone: example.com")
    assert "status: NXDOMAIN" in text and section(text, "AUTHORITY")[0].startswith("example.com. SOA "), text


@case
def options_of_edns_are_echoed_wrong_or_missing():
    assert "OPT=65001" not in dig("www.example.com", "+ednsopt=65001:6d696e65")[2]
    assert "OPT=65001: 6d 69 6e 65" in through("edns_echo: true", "+ednsopt=65001:6d696e65")
    good = dig("www.example.com", "+cookie=0011223344556677")[2]
    assert re.search(r"COOKIE: 0011223344556677[0-9a-f]{16,} \(good\)", good), good
    text = through("cookie: wrong", "+cookie=0011223344556677")
    assert "(bad)" in text or "COOKIE: ff11" in text, text
    assert "; COOKIE" not in through("cookie: missing", "+cookie=0011223344556677")
    text = through("cookie: badcookie", "+cookie=0011223344556677", "+nobadcookie")
    assert "status: BADCOOKIE" in text and "(good)" in text and not section(text, "ANSWER"), text
    assert "status: NOERROR" in through("cookie: badcookie", "+nocookie")
    assert '"ns1.drill"' in dig("www.example.com", "+nsid")[2].replace("(", "").replace(")", "")
    assert '"wrong"' in through("nsid: wrong", "+nsid").replace("(", "").replace(")", "")
    assert "NSID" not in through("nsid: missing", "+nsid")
    assert "CLIENT-SUBNET: 198.51.100.0/24/0" in dig("www.example.com", "+subnet=198.51.100.0/24")[2]
    assert "CLIENT-SUBNET: 198.51.100.0/24/16" in through("subnet_scope: 16", "+subnet=198.51.100.0/24")
    assert "CLIENT-SUBNET: 134.51.100.0/24/0" in through("subnet: other-network", "+subnet=198.51.100.0/24")
    assert "CLIENT-SUBNET" not in through("subnet: missing", "+subnet=198.51.100.0/24")


def delv(zone, name, *arguments):
    done = subprocess.run(["delv", "-p", str(PROXY[1]), "@127.0.0.1", "-a", os.path.join(FOLDER, zone + ".anchor"),
                           f"+root={zone}", f"{name}.{zone}", "A", "+multiline", *arguments], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    return done.stdout


@case
def a_validator_refuses_signatures_that_do_not_hold():
    for zone in ("signed.test", "signed3.test"):
        key = section(dig(zone, "DNSKEY")[2], "ANSWER")[0].split(" ", 5)
        with open(os.path.join(FOLDER, zone + ".anchor"), "w", encoding="utf-8") as file:
            file.write(f'trust-anchors {{ {zone}. static-key {key[2]} {key[3]} {key[4]} "{key[5]}"; }};\n')
    assert "; fully validated" in delv("signed.test", "www"), delv("signed.test", "www")
    # what delv says of each is the reason it has found by itself
    reasons = {"corrupt": "verify failed|RRSIG failed|failed to verify", "expired": "expired", "not-yet-valid": "not yet valid|validity period has not begun|future",
               "wrong-key-tag": "", "wrong-algorithm": "", "wrong-labels": "", "wrong-signer": ""}
    for how, reason in reasons.items():
        with rule(f"{{match: {{qtype: A}}, do: {{signatures: {how}}}}}"):
            said = delv("signed.test", "www")
            assert "resolution failed" in said and re.search(reason, said), f"{how}: {said}"
    with rule("{do: {signatures: expired}}"):
        fields = [row for row in section(dig("www.signed.test", "+dnssec")[2], "ANSWER") if " RRSIG " in row][0].split()
        assert fields[6:8] == ["20010201000000", "20010101000000"], fields
    with rule("{do: {signatures: not-yet-valid}}"):
        fields = [row for row in section(dig("www.signed.test", "+dnssec")[2], "ANSWER") if " RRSIG " in row][0].split()
        assert fields[6:8] == ["20600201000000", "20600101000000"], fields
    for what in ("ignore_do: true", "remove: [RRSIG]"):
        text = through(what, "+dnssec", name="www.signed.test")
        assert section(text, "ANSWER") == ["www.signed.test. A 192.0.2.80"], text


@case
def a_validator_refuses_proofs_that_do_not_hold():
    for zone in ("signed.test", "signed3.test"):
        assert "negative response, fully validated" in delv(zone, "nobody"), zone
        for how in ("wrong-next", "wrong-types", "other-name"):
            with rule(f"{{match: {{qname: nobody.{zone}}}, do: {{denial: {how}}}}}"):
                said = delv(zone, "nobody")
            assert "resolution failed" in said, f"{zone} {how}: {said}"
        with rule(f"{{match: {{qname: nobody.{zone}}}, do: {{remove: [NSEC, NSEC3]}}}}"):
            assert "resolution failed" in delv(zone, "nobody"), zone
    mixed = {}
    for how in ("wrong-next", "wrong-types", "other-name"):
        rows = section(through(f"denial: {how}", "+dnssec", name="mail.signed.test"), "AUTHORITY")
        mixed[how] = [row for row in rows if " NSEC " in row][0]
    assert mixed["wrong-next"].startswith("mail.signed.test. NSEC os.signed.test. MX"), mixed  # it was ns
    assert re.search(r"NSEC \S+ A MX RRSIG NSEC$", mixed["wrong-types"]), mixed
    assert mixed["other-name"].startswith("nail.signed.test. NSEC"), mixed


@case
def hostility_to_minimisation_to_0x20_and_to_types_is_a_match():
    ends = []
    with rule("{match: {answer: nodata}, do: {nxdomain: right-soa}}"):
        assert "status: NXDOMAIN" in dig("b.deep.example.com")[2]  # an empty non-terminal
        assert "status: NOERROR" in dig("a.b.deep.example.com")[2]
    with rule("{match: {max_labels: 3}, do: {rcode: REFUSED}}"):
        assert "status: REFUSED" in dig("www.example.com")[2] and "status: NOERROR" in dig("a.b.deep.example.com")[2]
    with rule("{match: {case: mixed}, do: {drop: query}}"):
        for name in ("www.example.com", "WWW.EXAMPLE.COM", "wWw.example.com"):
            with contextlib.suppress(OSError):
                ends.append(ask_udp(PROXY, query(name), 0.3)[12:17])
    assert ends == [b"\3www\7", b"\3WWW\7"], ends
    with rule("{do: {question: lower-case}}"):
        assert ask_udp(PROXY, query("wWw.ExAmple.com"))[12:29] == b"\3www\7example\3com\0"
    with rule("{match: {qtype: [HTTPS, CAA, TYPE65400]}, do: {rcode: NOTIMP}}"):
        for kind in ("HTTPS", "CAA", "TYPE65400"):
            assert "status: NOTIMP" in dig("www.example.com", kind)[2]
        assert "status: NOERROR" in dig("www.example.com", "AAAA")[2]


@case
def limited_rates_drop_and_let_slip():
    with rule("{match: {transport: udp}, above: 20/s, do: {drop: answer, slip: 2}}") as numbers, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        time.sleep(1 - time.monotonic() % 1)  # at the begin of a second of the clock that the proxy counts by
        sock.connect(PROXY)
        sock.settimeout(0.5)
        for i in range(60):
            sock.send(query("www.example.com", ident=i))
        seen = []
        with contextlib.suppress(OSError):
            while True:
                seen.append(sock.recv(512))
        whole = [answer for answer in seen if not answer[2] & 2]
        cut = [answer for answer in seen if answer[2] & 2]
        assert len(whole) == 20 and len(cut) == 20, (len(whole), len(cut), counts(numbers[0]))
        assert all(answer[6:12] == bytes(6) and len(answer) == 33 for answer in cut)
        assert "done 40" in counts(numbers[0]), counts(numbers[0])
        assert len(ask_tcp(PROXY, query("www.example.com"))) > 33


@case
def answers_come_from_another_port_or_address():
    with rule("{do: {source_port: 5999}}"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.sendto(query("www.example.com"), PROXY)
        assert sock.recvfrom(512)[1] == ("127.0.0.1", 5999)
    with rule("{do: {source: [127.0.0.9, \"::2\"]}}"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.sendto(query("www.example.com"), PROXY)
        data, source = sock.recvfrom(512)
        assert source == ("127.0.0.9", 5300) and data[2] & 0x80, source
        assert dig("www.example.com", "+time=1")[0] == ""  # dig takes no answer from a stranger
        assert ask_tcp(PROXY, query("www.example.com"))[3] & 15 == 0  # TCP is left alone
    with rule("{do: {source: 198.51.100.1}}") as numbers:
        assert dig("www.example.com", "+time=1")[0] == ""
        assert re.search(r"1 not sent.*address or port", control("count").stdout), control("count").stdout


def closes(sock):
    """What still came before the connection ended, and how it ended."""
    data = b""
    try:
        while part := sock.recv(65536):
            data += part
        return data, "closed"
    except ConnectionResetError:
        return data, "reset"
    except socket.timeout:
        return data, "silent"


def stream_of(*rules, message=None):
    with rule(*rules), connect(PROXY) as sock:
        sock.settimeout(0.5)
        with contextlib.suppress(ConnectionError):
            send_framed(sock, message or query("www.example.com"))
        return closes(sock)


@case
def connections_are_refused_reset_stalled_closed_and_cut():
    answer = ask_tcp(SERVER, query("www.example.com"))
    framed = struct.pack("!H", len(answer)) + answer
    with rule("{do: {tcp: refuse}}"):
        try:
            with connect(PROXY) as sock:
                assert closes(sock) == (b"", "reset")  # before a query
        except ConnectionResetError:
            pass  # even before connect() came back
    assert stream_of("{do: {tcp: reset}}") == (b"", "reset")
    assert stream_of("{do: {tcp: close}}") == (b"", "closed")
    assert stream_of("{do: {tcp: stall}}") == (b"", "silent")
    for size in (0, 1, 2, 3, len(framed) - 1, len(framed), len(framed) + 9):
        assert stream_of(f"{{do: {{tcp_cut: {size}B}}}}") == (framed[:size], "closed"), size
    assert stream_of("{do: {tcp_length: 10}}") == (struct.pack("!H", len(answer) + 10) + answer, "silent")
    assert stream_of("{do: {tcp_length: -10}}") == (struct.pack("!H", len(answer) - 10) + answer, "silent")
    assert stream_of("{do: {tcp_length: 65535}}") == (b"\xff\xff" + answer, "silent")
    assert stream_of("{match: {answer: positive}, do: {tcp: reset}}") == (b"", "reset")
    with rule("{do: {tcp: reset}}"):
        assert dig("www.example.com")[0] == "NOERROR"  # UDP is left alone
    with rule("{match: {transport: udp}, do: {tc: set, empty: true}}", "{do: {tcp: refuse}}"):
        text = dig("www.example.com")[2]
        assert "Truncated, retrying in TCP mode" in text and "status:" not in text, text


@case
def an_answer_in_pieces_is_whole_and_stalls_nobody():
    answer = ask_tcp(SERVER, query("www.example.com"))
    with rule("{match: {qname: www.example.com}, do: {tcp_pieces: 1B, tcp_pause: 10ms}}"), connect(PROXY) as slow, \
            connect(PROXY) as stalled, connect(PROXY) as other, rule("{match: {qname: big.example.com}, do: {tcp: stall}}"):
        send_framed(stalled, query("big.example.com", 16))
        send_framed(slow, query("www.example.com"))
        begin, pieces, data = time.monotonic(), 0, b""
        while len(data) < len(answer) + 2:
            data += slow.recv(65536)
            pieces += 1
            send_framed(other, query("mail.example.com", 15))
            assert read_framed(other)[3] & 15 == 0
        taken = time.monotonic() - begin
    assert data == struct.pack("!H", len(answer)) + answer
    assert pieces > len(answer) / 2 and taken >= 0.01 * len(answer), (pieces, taken)
    assert dig("+tcp", "www.example.com")[0] == "NOERROR"


@case
def every_second_answer_is_overtaken():
    with rule("{match: {transport: tcp}, every: 2, do: {delay: 200ms}}"), connect(PROXY) as sock:
        send_framed(sock, *(query("www.example.com", ident=i) for i in range(6)))
        order = [struct.unpack("!H", read_framed(sock)[:2])[0] for _ in range(6)]
    assert order == [1, 3, 5, 0, 2, 4], order


@case
def the_second_answer_may_be_wrong_and_late():
    with rule("{do: {again: 150ms, rcode: SERVFAIL}}"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.sendto(query("www.example.com"), PROXY)
        begin, first, second = time.monotonic(), sock.recv(512), sock.recv(512)
        assert time.monotonic() - begin >= 0.14 and first[3] & 15 == 0 and second[3] & 15 == 2


@case
def every_recipe_of_the_documentation_is_a_rule():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "proxy.md")
    with open(path, encoding="utf-8") as file:
        recipes = re.findall(r"`({(?:do|match):.*?})`", file.read())
    assert len(recipes) > 80
    path = os.path.join(FOLDER, "recipes.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(f"- {recipe}\n" for recipe in recipes))
    with open(path, encoding="utf-8") as file:
        number = subprocess.run([drill.PROGRAM, "proxy", "ctl", proxy_bed.CONTROL, "add", "-"], stdin=file, check=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.split()
    assert len(number) == len(recipes)
    for one in number:
        control("remove", one)


SIGNED = "    dnssec-signing: on\n    dnssec-policy: "
server = proxy_bed.start_knot(
    {"example.com": (f"$ORIGIN example.com.\n{RECORDS}", "    module: mod-cookies/default\n"),
     "signed.test": (f"$ORIGIN signed.test.\n{RECORDS}", SIGNED + "nsec\n"),
     "signed3.test": (f"$ORIGIN signed3.test.\n{RECORDS}", SIGNED + "nsec3\n")},
    options='  nsid: ns1.drill\n  edns-client-subnet: on\n  udp-max-payload: 4096\n', policy=POLICY)
try:
    proxy_bed.until("the zones are signed", lambda: ask_udp(SERVER, query("signed.test", 48))[7], 20)
    proxy_bed.until("the zones are signed", lambda: ask_udp(SERVER, query("signed3.test", 48))[7], 20)
    with proxy():
        main()
finally:
    server.terminate()
    server.wait(20)
