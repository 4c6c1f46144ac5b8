#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills
"""Dynamic updates that go wrong: the plans 20-zone/update-* pass, and do not without what goes wrong; the capture has what the step says was sent and answered."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import harmless  # noqa: E402
import pcap  # noqa: E402

FOLDER = os.path.join(drill.SCENARIOS, "20-zone")
NOERROR, YXRRSET, NXRRSET = 0, 7, 8

HEARD = ("matrix.case={heard: [{at: 500ms, for: 1s, fault: dns, target: alpha.ns1, match: {opcode: NOTIFY}, do: {drop: answer}}, "
         "{at: 700ms, do: update, from: deploy, zone: example.com, add: new A 192.0.2.9}]}")
HARMLESS = {
    "update-refused": (["timeline.8.ahead=1s"], "error"),  # the last update is taken then, and was not to be
    "update-unknown": ([HEARD], "inconclusive"),
    "update-late": (["timeline.0.delay=1ms"], "error"),  # the old plan's client is answered
    "update-late-guarded": (["timeline.1.if_serial=8"], "fail"),  # the guard names the serial that it meets
    "update-half": (["timeline.0.target=r1"], "inconclusive"),
    "update-twice": (["timeline.1.transport=tcp"], "inconclusive"),
}

for name, (sets, verdict) in HARMLESS.items():
    harmless.add_case(f"{name} without its sting does not", os.path.join(FOLDER, name + ".yaml"), verdict, sets)
for name in ("update-lab", "update-refused", "update-unknown", "update-half"):
    harmless.add_case(f"{name} passes", os.path.join(FOLDER, name + ".yaml"), "pass")


def passes(name, *arguments):
    result = drill.drill(os.path.join(FOLDER, name + ".yaml"), *arguments)
    assert "\nPASS  " in "\n" + result.done.stdout, result.done.stdout
    return result


def answers(result, *path):
    """The response codes of answers to updates over UDP, as they left the server, in order."""
    found = []
    for packet in pcap.packets(result.path(*path, "capture.pcap")):
        if packet.protocol == pcap.UDP and packet.source_port == 53 and not packet.outgoing and packet.payload[2] & 0x78 == 5 << 3:
            found.append(pcap.dns_header(packet.payload)[2])
    return found


@drill.case
def a_late_update_is_applied_over_a_newer_one_and_one_with_a_guard_is_refused():
    late, guarded = passes("update-late"), passes("update-late-guarded")
    assert answers(late) == [NOERROR] and answers(guarded) == [NXRRSET], (answers(late), answers(guarded))
    assert [r.samples("alpha")[-1]["answer"] for r in (late, guarded)] == [["192.0.2.81"], ["192.0.2.82"]]


@drill.case
def an_update_that_comes_twice_is_answered_twice():
    result = passes("update-twice")
    got = {case: answers(result, case) for case in os.listdir(result.out) if os.path.isdir(result.path(case))}
    assert sorted(got.values()) == [[NOERROR, NOERROR], [NOERROR, NXRRSET]], got


def one(fault, update, check=3):
    """deploy's update at 700 ms, with a fault of messages around it. What the step says came of it."""
    result = drill.drill(drill.write_plan(
        f"plan: 1\ninclude: {FOLDER}/update-lab.yaml\nname: update\nrecovery: 300ms\nexpect: []\ntimeline:\n"
        f"  - {{at: 500ms, for: 1s, fault: dns, target: alpha.ns1, match: {{opcode: UPDATE}}, do: {{{fault}}}}}\n"
        "  - {at: 700ms, do: update, from: deploy, zone: example.com, add: new A 192.0.2.90, family: ipv6, request_timeout: 300ms, "
        f"{update}}}\n"), check=check)
    host, = result.events("step.host")
    return host


@drill.case
def an_update_whose_answer_is_lost_fails_and_says_that_it_was_applied():
    host = one("drop: answer", "transport: tcp")
    assert not host["ok"] and host["shown_ns"], host
    assert "no answer within 300ms, expected NOERROR" in host["text"] and "all the same: it answers with serial 8" in host["text"], host


@drill.case
def an_update_that_is_lost_fails_and_says_that_it_was_not_applied():
    host = one("drop: query", "transport: udp, retries: 1")
    assert not host["ok"] and not host.get("shown_ns"), host
    assert "no answer within 300ms (2 times)" in host["text"] and "does not show: it answers with serial 7" in host["text"], host


@drill.case
def an_acceptance_that_nobody_signed_is_not_believed():
    host = one("rcode: NOERROR", "if_absent: www A")
    assert not host["ok"] and "not signed, expected NOERROR" in host["text"], host
    assert "does not show: it answers with serial 7" in host["text"], host


drill.main(at_once=4)
