#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills timeout=300
"""A zone of 20,000 records on named, knotd and nsd, and a push of 1,000 changes: each is looked at with dig on every server. `make bench` does it with a million."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402

RECORDS, EVERY = 20000, 20

LAB = """\
plan: 1
name: a large zone
lab:
  zones:
    example.com: {file: first.zone}
  providers:
    alpha:
      nameservers:
        ns1: {hostname: ns1.alpha-dns.net, address: [192.0.2.1, "2001:db8:1::1"], server: bind}
        ns2: {hostname: ns2.alpha-dns.net, address: 192.0.2.2, server: knot}
        ns3: {hostname: ns3.alpha-dns.net, address: 192.0.2.3, server: nsd}
  clients: {office: {address: 203.0.113.9}}
recovery: 500ms
probes:
  serial: {kind: serial, from: office, query: example.com SOA, every: 50ms}
  changed: {from: office, via: alpha.ns2, query: n40.example.com A, recursion: false, every: 50ms}
  kept: {from: office, via: alpha.ns2, query: n41.example.com A, recursion: false, every: 50ms}
timeline:
"""

# Every name that changes and as many that do not, on each server, once all of them have the new serial.
LOOK = """\
for s in 192.0.2.1 192.0.2.2 192.0.2.3; do
  i=0
  until dig +short @$s example.com SOA | grep -q ' 2 3600 '; do i=$((i + 1)); [ $i -lt 100 ] || exit 9; sleep 0.1; done
  dig +short @$s -f {changed} | sort | uniq -c | tr -s ' '
  dig +short @$s -f {kept} | sort | uniq -c | tr -s ' '
done
"""


def zone(serial):
    yield "$ORIGIN example.com.\n$TTL 300\n"
    yield f"@ SOA ns1.alpha-dns.net. hostmaster {serial} 3600 600 86400 60\n"
    yield "@ NS ns1.alpha-dns.net.\n@ NS ns2.alpha-dns.net.\n@ NS ns3.alpha-dns.net.\n"
    for i in range(RECORDS):
        yield f"n{i} A 192.0.2.{100 + serial if i % EVERY == 0 else 80}\n"


def names(offset):
    return "".join(f"n{i + offset}.example.com A\n" for i in range(0, RECORDS, EVERY))


@drill.case
def a_thousand_changes_of_a_large_zone_reach_every_server_and_nothing_else_does():
    files = {"first.zone": "".join(zone(1)), "second.zone": "".join(zone(2)), "changed": names(0), "kept": names(1)}
    plan = drill.write_plan("", **files)
    folder = os.path.dirname(plan)
    look = os.path.join(folder, "look")
    with open(look, "w", encoding="ascii") as file:
        file.write(LOOK.format(changed=os.path.join(folder, "changed"), kept=os.path.join(folder, "kept")))
    with open(plan, "w", encoding="ascii") as file:
        file.write(LAB + "  - {at: 500ms, do: push, zone: example.com, file: second.zone, name: v2, timeout: 60s}\n"
                         f"  - {{at: 1500ms, do: run, target: office, timeout: 60s, command: 'sh {look}'}}\n")
    result = drill.drill(plan)
    assert [e["ok"] for e in result.events("step.ended")] == [True, True]
    said = [e["text"] for e in result.events("step.host") if e["host"] == "office"][-1].split()
    assert said[3:] == ["1000", "192.0.2.102", "1000", "192.0.2.80"] * 3, said  # after "exit status 0:"
    parts = {e["host"]: e["serial"] for e in result.events("sample.part") if e["probe"] == "serial"}
    assert parts == {"alpha.ns1": 2, "alpha.ns2": 2, "alpha.ns3": 2}, parts
    assert result.samples("changed")[0]["answer"] == ["192.0.2.101"]
    assert result.samples("changed")[-1]["answer"] == ["192.0.2.102"]
    assert {tuple(s["answer"]) for s in result.samples("kept") if s["outcome"] == "ok"} == {("192.0.2.80",)}


drill.main(at_once=4)
