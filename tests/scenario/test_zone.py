#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills timeout=600
"""Damaged zones: what is served is looked at, what is refused is said, and the end brings the right zone back everywhere."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import harmless  # noqa: E402

FOLDER = os.path.join(drill.SCENARIOS, "20-zone")


def one(fault, check=0):
    """A lab with a damaged push of half a second to two seconds."""
    return drill.drill(drill.write_plan(
        f"plan: 1\ninclude: {FOLDER}/lab.yaml\nname: damage\nrecovery: 2500ms\nexpect: []\nprobes:\n"
        "  direct: {from: office, via: alpha.ns1, query: www.example.com A, recursion: false, every: 20ms, timeout: 1s}\n"
        "  serial: {kind: serial, from: office, query: example.com SOA, every: 50ms}\n"
        f"timeline:\n  - {{at: 500ms, for: 1500ms, fault: zone-push, zone: example.com, target: alpha, settle: 500ms, {fault}}}\n"),
        check=check)


def ends_right(result):
    last = [e for e in result.events("sample.part") if e["probe"] == "serial"][-4:]
    assert len({e["serial"] for e in last}) == 1 and all(e["outcome"] == "ok" for e in last), last


@drill.case
def a_record_that_is_wrong_is_served_and_then_is_right_again():
    result = one("damage: typo, record: www.example.com A, data: 192.0.2.66")
    wrong = [s for s in result.samples("direct") if s["outcome"] == "wrong"]
    assert wrong and all(s["answer"] == ["192.0.2.66"] for s in wrong), wrong[:2]
    assert result.samples("direct")[-1]["outcome"] == "ok"
    ends_right(result)


@drill.case
def a_truncated_zone_that_named_refuses_is_a_fault_without_effect():
    result = one("damage: truncated", check=3)
    assert "did not take it and kept serial 7" in " ".join(result.done.stdout.split()), result.done.stdout
    ends_right(one("damage: truncated, expect: refused"))


@drill.case
def a_refusal_that_does_not_come_is_a_fault_without_effect():
    one("damage: ttl, expect: refused", check=3)


@drill.case
def a_lower_serial_leaves_secondaries_behind_and_is_repaired():
    result = one("serial: lower")
    during = {e["host"]: e["serial"] for e in result.events("sample.part")
              if result.events("fault.applied")[0]["t_ns"] + 500_000_000 < e["due_ns"] < result.events("fault.reverted")[0]["t_ns"]}
    assert during == {"alpha.ns1": 6, "beta.ns1": 7}, during
    ends_right(result)


@drill.case
def a_file_that_is_not_applied_changes_nothing_and_says_so():
    result = one("damage: not-applied")
    assert "was not told" in result.events("fault.reverted")[0]["effect"]
    assert all(s["outcome"] == "ok" for s in result.samples("direct"))


@drill.case
def the_damaged_record_itself_is_the_proof():
    result = one("damage: typo, record: www.example.com A, data: 192.0.2.66")
    assert "serves it, with serial 8: www.example.com A is 192.0.2.66" in result.events("fault.reverted")[0]["effect"]


harmless.add_case("a push too late to be seen does not pass", os.path.join(FOLDER, "push.yaml"), "fail",
                  ["timeline.0.at=5900ms"])
drill.main(at_once=4)
