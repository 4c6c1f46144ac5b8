#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills timeout=900
"""Every plan of scenarios/40-message passes, and stops passing when its fault is made harmless: then it proves something."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import harmless  # noqa: E402

FOLDER = "40-message"
LATE = (["matrix.do={one: {delay: 1ms}}"], "fail")  # a millisecond more is a fault with an effect, and none that hurts
LATE_ALONE = (["timeline.0.do={delay: 1ms}"], "fail")
NOBODY = (["timeline.0.match={qname: nobody.example}"], "inconclusive")

HARMLESS = {
    "believed": LATE,
    "bytes": LATE,
    "cname-chain": LATE_ALONE,
    "cookies": LATE_ALONE,
    "denial-proofs": LATE,
    "denials": LATE,
    "edns": LATE,
    "errors": LATE,
    "extras": (["matrix.row={one: [{at: 1s, for: 1s, fault: dns, target: alpha.ns1, name: damage, match: {qname: nobody.example}, do: {nsid: missing}}]}"],
               "inconclusive"),
    "glue": LATE,
    "header": LATE,
    "huge": LATE,
    "kept": (["timeline.0.do={spoof: 203.0.113.1, ttl: 0s}"], "fail"),
    "lame": LATE,
    "late": LATE,
    "limited": (["timeline.0.above=1000/s"], "inconclusive"),
    "minimisation": LATE_ALONE,
    "mixed-case": (["matrix.do={one: {drop: query}}", *NOBODY[0]], "inconclusive"),
    "out-of-order": (["timeline.0.do={delay: 1ms}"], "fail"),
    "question": LATE,
    "records": LATE,
    "second-answer": (["matrix.do={one: {twice: true}}", *NOBODY[0]], "inconclusive"),
    "servfail": NOBODY,
    "signatures": LATE,
    "silence": LATE,
    "source": LATE,
    "tcp": LATE,
    "tcp-pieces": (["timeline.0.do={tcp_pieces: 1000B}"], "fail"),
    "truncated": LATE_ALONE,
    "types": LATE,
    "unnoticed": (["matrix.do={one: {ttl_jitter: 4s}}", *NOBODY[0]], "inconclusive"),
}

harmless.folder(FOLDER, HARMLESS, without=["lab", "resolvers"])
harmless.add_case("lab passes", os.path.join(drill.SCENARIOS, FOLDER, "lab.yaml"), "pass")
@drill.case
def the_table_of_resolvers_and_damages_can_be_made_again():
    plan = os.path.join(drill.SCENARIOS, FOLDER, "resolvers.yaml")
    step = "at: 1s, for: 1s, fault: dns, target: alpha, name: damage"
    result = drill.drill(plan, "--set", f"matrix.damage={{good: [{{{step}, do: {{delay: 1ms}}}}], bad: [{{{step}, do: {{rcode: SERVFAIL}}}}]}}",
                         "--set", "matrix.resolver={unbound: {server: unbound, address: 203.0.113.53}, bind: {server: bind, address: 203.0.113.53}}")
    said = drill.run("report", result.out, "--crosstab", "-", check=0).stdout
    table = said.split("**the-only-one**")[1].split("**")[0].strip().splitlines()
    assert table[0] == "| | unbound | bind |", table
    assert [row.split("|")[1].strip() for row in table[2:]] == ["good", "bad"], table
    good, bad = ([cell.split(";")[0].strip() for cell in row.split("|")[2:4]] for row in table[2:])
    assert good == ["ok", "ok"] and bad == ["SERVFAIL", "SERVFAIL"], table


drill.main(at_once=4)
