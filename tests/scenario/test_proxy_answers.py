#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: parallel sanitized
"""The proxy's error answers, headers, questions and malformed names on the wire, over UDP and TCP: to dig, and byte by byte to Python."""
import contextlib
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import proxy_bed  # noqa: E402
from proxy_bed import PROXY, ask_tcp, ask_udp, control, dig, proxy, query  # noqa: E402
from drill import case, main  # noqa: E402

proxy_bed.go_inside()
ZONE = """$ORIGIN example.com.
$TTL 300
@    SOA ns hostmaster 1 3600 600 86400 5
@    NS ns
ns   A 192.0.2.1
www  A 192.0.2.80
""" + "".join(f"many A 192.0.2.{i}\n" for i in range(100, 120))
ASKED = query("wWw.example.com", ident=0x1234)
QNAME = b"\3wWw\7example\3com\0"


@contextlib.contextmanager
def rule(todo, match=""):
    number = control("add", f"{{match: {{{match}}}, do: {{{todo}}}}}").stdout.strip()
    try:
        yield
    finally:
        control("remove", number)


def dug(todo, *arguments, name="www.example.com"):
    """What dig shows, over UDP and over TCP alike."""
    with rule(todo):
        both = [dig(name, *arguments, transport)[2] for transport in ("+notcp", "+tcp")]
    return both


def raw(todo, message=ASKED):
    """The answer's bytes, the same over UDP and TCP."""
    with rule(todo):
        udp, tcp = ask_udp(PROXY, message), ask_tcp(PROXY, message)
    assert len(udp) == len(tcp), (udp, tcp)
    return udp


def header(todo):
    """ID, flags, counts."""
    return struct.unpack("!6H", raw(todo)[:12])


PLAIN = struct.unpack("!6H", b"\x12\x34\x85\x00\0\1\0\1\0\0\0\0")  # QR, AA, RD; one question, one answer


@case
def error_answers_say_what_dig_reads():
    for todo, says, never in (
            ("rcode: REFUSED", ["status: REFUSED", "ANSWER: 0"], "192.0.2.80"),
            ("rcode: BADVERS", ["status: BADVERS"], "192.0.2.80"),
            ("rcode: SERVFAIL, ede: 22, ede_text: nobody there", ["status: SERVFAIL", "EDE: 22", "(nobody there)"], "192.0.2.80"),
            ("nodata: right-soa", ["status: NOERROR", "ANSWER: 0", "SOA\texample.com."], "192.0.2.80"),
            ("nodata: no-soa", ["status: NOERROR", "ANSWER: 0", "AUTHORITY: 0"], "SOA"),
            ("nxdomain: right-soa, zone: example.com", ["status: NXDOMAIN", "example.com.\t", "SOA"], "192.0.2.80"),
            ("nxdomain: no-soa", ["status: NXDOMAIN", "AUTHORITY: 0"], "SOA"),
            ("nxdomain: wrong-soa", ["status: NXDOMAIN", "AUTHORITY: 1", "SOA"], "192.0.2.80"),
            ("empty: true", ["status: NOERROR", "ANSWER: 0", "AUTHORITY: 0"], "SOA"),
            ("edns: formerr", ["status: FORMERR"], "OPT PSEUDOSECTION"),
            ("edns: badvers", ["status: BADVERS"], "192.0.2.80"),
            ("edns: strip", ["status: NOERROR", "192.0.2.80"], "OPT PSEUDOSECTION"),
            ("ttl_cap: 30s", ["\t30\tIN\tA\t192.0.2.80"], "\t300\t"),
            ("lame: not-aa", ["ANSWER: 0"], " aa"),
            ("lame: upward-referral", ["ANSWER: 0", ".\t", "\tNS\t"], " aa"),
            ("remove: A", ["ANSWER: 0"], "192.0.2.80")):
        for text in dug(todo):
            assert all(word in text for word in says) and never not in text, f"{todo}: {says}, not {never}:\n{text}"


@case
def headers_are_wrong_as_asked_and_nothing_else():
    assert header("delay: 1ms") == PLAIN
    ident, flags, *counts = PLAIN
    for todo, expected in (("aa: clear", flags & ~0x0400), ("tc: set", flags | 0x0200), ("ra: flip", flags ^ 0x0080),
                           ("ad: set", flags | 0x0020), ("cd: flip", flags ^ 0x0010), ("qr: clear", flags & ~0x8000),
                           ("opcode: 5", flags | 5 << 11)):
        assert header(todo) == (ident, expected, *counts), todo
    wrong = header("wrong_id: true")
    assert wrong[0] != ident and wrong[1:] == PLAIN[1:], wrong
    for i, name in enumerate(("qdcount", "ancount", "nscount", "arcount")):
        assert header(f"{name}: 9")[2:] == (*counts[:i], 9, *counts[i + 1:]), name


@case
def questions_are_not_the_ones_that_were_asked():
    missing = raw("question: missing")
    record = missing[12 + len(QNAME):]  # behind the header stands the answer, its owner in full
    assert struct.unpack("!H", missing[4:6]) == (0,) and record[:8] == struct.pack("!HHI", 1, 1, 300), missing
    twice = raw("question: twice")
    again = twice[12 + len(QNAME) + 4:]
    assert struct.unpack("!H", twice[4:6]) == (2,) and again[:6] == b"\xc0\x0c\0\1\0\1", twice
    assert QNAME in raw("delay: 1ms") and QNAME.lower() in raw("question: lower-case")
    other = raw("question: other-case")
    assert QNAME not in other and QNAME.lower() in other.lower()
    name = raw("question: other-name")
    assert struct.unpack("!H", name[4:6]) == (1,) and QNAME.lower() not in name.lower()


def first_name(message):
    """The first label's length, or the pointer, of the only record."""
    return message[12 + len(QNAME) + 4:]


@case
def bytes_are_cut_added_flipped_and_names_are_impossible():
    whole = raw("delay: 1ms")
    assert raw("truncate: 20B") == whole[:20] and raw("append: 7B") == whole + bytes(7)
    flipped = raw("flip_bits: 3")
    assert sum(bin(a ^ b).count("1") for a, b in zip(whole, flipped, strict=True)) == 3 and flipped[:2] == whole[:2]
    garbage = raw("garbage: true")
    assert garbage[:2] == whole[:2] and garbage[2:] != whole[2:]
    at = 12 + len(QNAME) + 4
    assert struct.unpack("!H", first_name(raw("bad_name: loop"))[:2]) == (0xC000 | at,)
    forward = struct.unpack("!H", first_name(raw("bad_name: forward"))[:2])[0]
    assert forward & 0xC000 == 0xC000 and forward & 0x3FFF > at, hex(forward)
    assert 63 < first_name(raw("bad_name: long-label"))[0] < 0xC0
    long = first_name(raw("bad_name: long-name"))
    length = 0
    while long[length]:
        assert long[length] <= 63
        length += long[length] + 1
    assert length + 1 > 255, length


@case
def records_come_in_another_order_and_all_of_them():
    orders = set()
    with rule("shuffle: true"):
        for _ in range(5):
            text = dig("many.example.com", "+short")[2].split()
            assert sorted(text) == sorted(f"192.0.2.{i}" for i in range(100, 120)), text
            orders.add(tuple(text))
    assert len(orders) > 1, orders


server = proxy_bed.start_knot({"example.com": ZONE})
try:
    with proxy():
        main()
finally:
    server.terminate()
    server.wait(20)
