# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads captures of the core: pcap with nanoseconds, LINKTYPE_LINUX_SLL2. Standard library only; shares no code with dnsdrill."""
import ipaddress
import struct
from collections import namedtuple

Packet = namedtuple("Packet", "number wall_ns ifindex outgoing source target protocol source_port target_port payload behind_ip")
NANOSECONDS = 0xA1B23C4D
LINUX_SLL2 = 276
OUTGOING = 4  # PACKET_OUTGOING of linux/if_packet.h
UDP = 17


def packets(path):
    """Every IPv4 and IPv6 packet, as the core's links saw it: a forwarded one stands there twice, in and out."""
    with open(path, "rb") as file:
        data = file.read()
    magic, _, _, _, _, _, linktype = struct.unpack_from("<IHHiIII", data, 0)
    assert magic == NANOSECONDS, f"magic {magic:#x}"
    assert linktype == LINUX_SLL2, f"link type {linktype}"
    at, number = 24, 0
    while at < len(data):
        seconds, nanoseconds, captured, _ = struct.unpack_from("<IIII", data, at)
        number += 1
        packet = parse(number, seconds * 10**9 + nanoseconds, data[at + 16:at + 16 + captured])
        at += 16 + captured
        if packet:
            yield packet


def parse(number, wall_ns, frame):
    protocol, _, ifindex, _, kind, _ = struct.unpack_from(">HHIHBB", frame, 0)
    body = frame[20:]
    if protocol == 0x0800:
        header = (body[0] & 15) * 4
        next_header, source, target = body[9], body[12:16], body[16:20]
        if struct.unpack_from(">H", body, 6)[0] & 0x1FFF:
            return None  # a later fragment has no ports
    elif protocol == 0x86DD:
        header, next_header, source, target = 40, body[6], body[8:24], body[24:40]
    else:
        return None
    payload = body[header:]
    ports = struct.unpack_from(">HH", payload, 0) if next_header in (6, UDP) and len(payload) >= 4 else (None, None)
    return Packet(number, wall_ns, ifindex, kind == OUTGOING, str(ipaddress.ip_address(source)),
                  str(ipaddress.ip_address(target)), next_header, *ports,
                  payload[8:] if next_header == UDP else payload, payload)


def dns_header(payload):
    """(id, is an answer, rcode, answers) of a DNS message (RFC 1035 section 4.1.1)."""
    number, flags, _, answers = struct.unpack_from(">HHHH", payload, 0)
    return number, bool(flags & 0x8000), flags & 15, answers


def question_name(payload):
    labels, at = [], 12
    while payload[at]:
        labels.append(payload[at + 1:at + 1 + payload[at]].decode("ascii", "replace"))
        at += payload[at] + 1
    return ".".join(labels).lower()


def question_type(payload):
    at = 12
    while payload[at]:
        at += payload[at] + 1
    return struct.unpack_from(">H", payload, at + 1)[0]


def skip_name(payload, at):
    while payload[at] and payload[at] < 0xC0:
        at += payload[at] + 1
    return at + (2 if payload[at] else 1)


def answer_data(payload):
    """The record data (bytes) of the answer section, by type: [(type, data), …]."""
    _, _, _, count = dns_header(payload)
    at = skip_name(payload, 12) + 4
    found = []
    for _ in range(count):
        at = skip_name(payload, at)
        kind, _, _, length = struct.unpack_from(">HHIH", payload, at)
        found.append((kind, payload[at + 10:at + 10 + length]))
        at += 10 + length
    return found
