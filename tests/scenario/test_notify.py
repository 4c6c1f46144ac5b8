#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills
"""NOTIFY that the primary never said: what the fault says of the secondaries is what the capture shows."""
import collections
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import harmless  # noqa: E402
import pcap  # noqa: E402

FOLDER = os.path.join(drill.SCENARIOS, "20-zone")
NOTIFY = 4
PRIMARY = {"192.0.2.1", "2001:db8:1::1"}
SECONDARIES = {"beta.bind": {"198.51.100.1", "2001:db8:2::1"}, "beta.knot": {"198.51.100.2", "2001:db8:2::2"},
               "beta.nsd": {"198.51.100.3", "2001:db8:2::3"}}


def is_notify(packet):
    return packet.protocol == pcap.UDP and 53 in (packet.source_port, packet.target_port) and packet.payload[2] >> 3 & 15 == NOTIFY


def has_tsig(payload):
    return payload[10] << 8 | payload[11] > 0


def is_asking(packet):
    """A datagram, or the segment that opens a connection, to a primary's port 53."""
    if packet.target not in PRIMARY or packet.target_port != 53:
        return False
    return packet.protocol == pcap.UDP or packet.payload[13] & 0x12 == 0x02


def tell(fault, words):
    """{secondary: (answered by RCODE, asked)} of the effect's words."""
    found = {}
    for part in fault["effect"]["text"].split("; "):
        match = re.fullmatch(r"(\S+) said (.*) of (\d+) and asked alpha\.ns1 (\d+) times?", part)
        assert match, part
        answers = {rcode: int(count) for rcode, count in re.findall(r"([A-Z]+) to (\d+)", match[2])}
        found[match[1]] = (answers, int(match[4]))
    assert set(found) == set(words), found
    return found


def window(result, fault):
    """The packets of the core while the fault stood, once each."""
    offset = result.events("capture.start")[0]["wall_minus_t_ns"]
    begin, end = (offset + fault[key] for key in ("applied_ns", "reverted_ns"))
    return [packet for packet in pcap.packets(result.path("capture.pcap")) if packet.outgoing and begin <= packet.wall_ns <= end]


def close(said, seen):
    """A message may be on its way when the fault ends."""
    return abs(said - seen) <= 3


def compare(result, fault, source):
    packets = window(result, fault)
    for name, (answers, asked) in tell(fault, fault["target"]).items():
        mine = SECONDARIES[name]
        told = [packet for packet in packets if is_notify(packet) and packet.target in mine]
        rcodes = collections.Counter(packet.payload[3] & 15 for packet in packets if is_notify(packet) and packet.source in mine)
        assert {packet.source for packet in told} == source, told[:3]
        assert len({packet.target for packet in told}) == 2, "both families"
        numbers = {"NOERROR": 0, "REFUSED": 5, "NOTAUTH": 9}
        for rcode, count in answers.items():
            assert close(count, rcodes.pop(numbers[rcode])), (name, rcode, count, rcodes)
        assert not rcodes, (name, rcodes)
        assert close(asked, sum(is_asking(packet) and packet.source in mine for packet in packets)), (name, asked)
    return packets


@drill.case
def forged_notify_is_refused_but_by_named_which_asks_the_primary():
    result = harmless.play(os.path.join(FOLDER, "notify-forged.yaml"))
    assert result.done.returncode == 0, result.done.stdout
    stranger, to_bind, to_others = result.json()["faults"]
    stranger["target"], to_bind["target"], to_others["target"] = SECONDARIES, ["beta.bind"], ["beta.knot", "beta.nsd"]
    compare(result, stranger, {"203.0.113.9", "2001:db8:9::9"})
    packets = compare(result, to_bind, PRIMARY)
    compare(result, to_others, PRIMARY)
    assert not any(has_tsig(packet.payload) for packet in packets if is_notify(packet) and packet.source in PRIMARY)
    assert tell(to_bind, ["beta.bind"])["beta.bind"][1] > 0


@drill.case
def a_storm_of_notify_comes_back_to_the_primary():
    result = harmless.play(os.path.join(FOLDER, "notify-storm.yaml"))
    assert result.done.returncode == 0, result.done.stdout
    storm = result.json()["faults"][0]
    storm["target"] = SECONDARIES
    packets = compare(result, storm, PRIMARY)
    assert all(has_tsig(packet.payload) for packet in packets if is_notify(packet))
    assert tell(storm, SECONDARIES)["beta.knot"][1] > 20


harmless.add_case("notify-storm without its sting does not", os.path.join(FOLDER, "notify-storm.yaml"), "inconclusive", ["timeline.0.serial=7"])

drill.main(at_once=4)
