#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills
"""Damaged transfers: shipped plans pass and need their fault, messages on the wire are what the fault says."""
import os
import re
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


def long_zone(serial, address):
    """Some 400 KB of records: as a transfer, messages of at most 64 KiB. The one that tells versions apart is in the last of them."""
    lines = [f"t{i:04} TXT \"{'x' * 100}\"" for i in range(3000)]
    return f"$ORIGIN example.com.\n$TTL 1\n@ SOA ns1.alpha-dns.net. h {serial} 3600 600 3600 1\n NS ns1.alpha-dns.net.\n" + "\n".join(lines) + f"\nzz A {address}\n"


LONG_PLAN = """plan: 1
name: long transfers
lab:
  zones: {example.com: {file: v1.zone, apex_ns: from-lab}}
  providers:
    alpha:
      nameservers:
        ns1: {address: [192.0.2.1, "2001:db8:1::1"], server: bind, encrypted: [dot], options: "notify-delay 0;"}
    beta:
      nameservers:
        bind: {address: [198.51.100.1, "2001:db8:2::1"], server: bind, primary: alpha.ns1, primary_transport: tls}
        nsd: {address: [198.51.100.2, "2001:db8:2::2"], server: nsd, primary: alpha.ns1, primary_transport: tls}
        knot: {address: [198.51.100.3, "2001:db8:2::3"], server: knot, primary: alpha.ns1}
  clients:
    office: {address: [203.0.113.9, "2001:db8:9::9"], timeout: 1s}
probes:
  bind: {from: office, via: beta.bind, query: zz.example.com A, recursion: false, every: 50ms, timeout: 1s, good: {answer: [192.0.2.66]}}
  nsd: {from: office, via: beta.nsd, query: zz.example.com A, recursion: false, every: 50ms, timeout: 1s, good: {answer: [192.0.2.66]}}
  knot: {from: office, via: beta.knot, query: zz.example.com A, recursion: false, every: 50ms, timeout: 1s, good: {answer: [192.0.2.66]}}
baseline: 0%
timeline:
  - {at: 500ms, for: 3s, fault: transfer, damage: altered, record: zz.example.com A, data: 192.0.2.66, target: alpha, from: [beta.bind, beta.nsd], name: over TLS}
  - {at: 500ms, for: 3s, fault: transfer, damage: altered, record: zz.example.com A, data: 192.0.2.66, target: alpha, from: beta.knot, name: over TCP}
  - {at: 1s, do: push, zone: example.com, file: v2.zone}
  - {at: 4s, for: 2500ms, fault: transfer, damage: cut, cut: 150000B, target: alpha, from: [beta.bind, beta.nsd], name: cut over TLS}
  - {at: 4s, for: 2500ms, fault: transfer, damage: cut, cut: 150000B, target: alpha, from: beta.knot, name: cut over TCP}
  - {at: 4500ms, do: push, zone: example.com, file: v3.zone}
duration: 7s
"""


@drill.case
def transfers_of_many_messages_are_altered_and_cut_over_tcp_and_tls():
    zones = {f"v{i}.zone": long_zone(6 + i, f"192.0.2.8{i}") for i in (1, 2, 3)}
    result = drill.drill(drill.write_plan(LONG_PLAN, **zones))
    with open(result.path("logs", "beta.bind.log"), encoding="utf-8") as log:
        done = re.findall(r"Transfer completed: (\d+) messages, \d+ records, (\d+) bytes.*serial 8", log.read())
    assert any(int(messages) > 3 and int(size) > 3 * 65536 for messages, size in done), done
    for probe in ("bind", "nsd", "knot"):
        answers = [sample.get("outcome") for sample in result.samples(probe)]
        assert answers[0] == "wrong" and answers[-1] == "ok", (probe, answers)  # the last record of the last message was altered, the cut one not taken
    for fault in result.json()["faults"]:
        assert fault["effect"]["took_effect"], fault


harmless.add_case("xot-certificate passes", os.path.join(FOLDER, "xot-certificate.yaml"), "pass")
harmless.add_case("xot-certificate without its sting does not", os.path.join(FOLDER, "xot-certificate.yaml"), "inconclusive",
                  ["timeline.1.at=4s", "recovery=0s", "timeline.2.at=4500ms"])

drill.main(at_once=4)
