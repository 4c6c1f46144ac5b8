#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills
"""Damaged transfers: shipped plans pass and need their fault, messages on the wire are what the fault says."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import harmless  # noqa: E402

FOLDER = os.path.join(drill.SCENARIOS, "20-zone")
PLANS = ["transfer-refused", "transfer-cut", "transfer-no-end", "transfer-altered", "transfer-altered-unsigned", "tsig-wrong-key",
         "tsig-wrong-time", "ixfr-other-start", "notify-lost"]

for plan in PLANS:
    harmless.add_case(f"{plan} passes", os.path.join(FOLDER, plan + ".yaml"), "pass")
for plan in ["transfer-refused", "transfer-altered", "notify-lost"]:  # a zone that nobody transfers: the fault is without effect
    harmless.add_case(f"{plan} without its sting does not", os.path.join(FOLDER, plan + ".yaml"), "inconclusive",
                      ["timeline.0.zone=other.example"])
harmless.add_case("a zone expires at named, knotd and nsd", os.path.join(FOLDER, "expire.yaml"), "pass")
harmless.add_case("a zone whose primary is back in time does not expire", os.path.join(FOLDER, "expire.yaml"), "fail", ["timeline.0.for=500ms"])


def refused_plan(step, want):
    """A plan with that step is refused in those words."""
    path = drill.write_plan(f"plan: 1\ninclude: {FOLDER}/transfer-refused.yaml\nname: wrong\nexpect: []\ntimeline:\n  - {{at: 1s, for: 1s, fault: transfer, {step}}}\n")
    done = drill.run("check", path)
    assert done.returncode == 2 and want in done.stderr, done.stderr


@drill.case
def damages_that_lack_or_exceed_their_keys_are_refused():
    refused_plan("target: alpha, damage: refused", "the key 'from' is needed")
    refused_plan("target: alpha, from: beta, damage: altered", "needs the key 'record'")
    refused_plan("target: alpha, from: beta, damage: altered, record: www", "is no name and type")
    refused_plan("target: alpha, from: beta, damage: altered, record: www.example.com A, data: nonsense", "is no data of such a record")
    refused_plan("target: alpha, from: beta, damage: cut, record: www.example.com A", "go with damage: altered")


@drill.case
def an_altered_transfer_has_a_tsig_that_the_secondary_takes():
    result = drill.drill(drill.write_plan(
        f"plan: 1\ninclude: {FOLDER}/transfer-altered.yaml\nname: altered\nexpect: []\nrecovery: 500ms\n"
        "timeline:\n"
        "  - {at: 500ms, for: 2s, fault: transfer, damage: altered, record: www.example.com A, target: alpha, from: beta, name: damage}\n"
        "  - {at: 1s, do: update, zone: example.com, delete: www A, add: www 1 A 192.0.2.82}\n"))
    last = result.samples("secondary")[-1]
    assert last["outcome"] == "wrong" and not last.get("answer"), last
    assert result.samples("primary")[-1]["answer"] == ["192.0.2.82"]


drill.main(at_once=4)
