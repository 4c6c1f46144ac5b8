#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills
"""A client that resolves as glibc does, against what resolv.conf(5) promises: with the first of two resolvers silent, each
lookup of a fresh process waits out the timeout once."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402

PLAN = """\
plan: 1
name: First resolver silent
lab:
  zones:
    example.com: {file: example.com.zone}
  providers:
    alpha:
      nameservers:
        ns1: {hostname: ns1.alpha-dns.net, address: 192.0.2.1, server: knot}
  resolvers:
    r1: {address: 203.0.113.53, server: unbound}
    r2: {address: 203.0.113.54, server: unbound}
  clients:
    office: {resolvers: [r1, r2], timeout: %s, attempts: 2}
recovery: 2s
probes:
  fresh: {kind: stub, process: fresh, from: office, query: www.example.com A, every: 500ms, timeout: 10s}
timeline:
  - {at: 1s, for: 5s, fault: blackhole, target: r1, name: r1 silent}
"""
ZONE = """\
$ORIGIN example.com.
$TTL 300
@    IN SOA ns1.alpha-dns.net. hostmaster.example.com. 1 3600 600 86400 60
@    IN NS  ns1.alpha-dns.net.
www  IN A   192.0.2.80
"""


def takes(timeout, seconds):
    plan = drill.write_plan(PLAN % timeout, **{"example.com.zone": ZONE})
    result = drill.drill(plan)
    fault = result.json()["faults"][0]
    # Lookups that began and were to end while r1 was silent.
    inside = [sample for sample in result.samples("fresh")
              if sample["sent_ns"] >= fault["applied_ns"] and sample["sent_ns"] + 3e9 <= fault["reverted_ns"]]
    assert len(inside) >= 3, len(inside)
    for sample in inside:
        took = (sample["done_ns"] - sample["sent_ns"]) / 1e9
        assert sample["outcome"] == "ok", sample
        assert abs(took - seconds) <= 0.05, f"{took} s, not {seconds} s"
    before = [sample for sample in result.samples("fresh") if sample["done_ns"] < fault["applied_ns"]]
    assert before and all((sample["done_ns"] - sample["sent_ns"]) / 1e9 < 0.5 for sample in before)


@drill.case
def with_timeout_2_each_fresh_lookup_takes_two_seconds():
    takes("2s", 2.00)


@drill.case
def with_timeout_1_each_fresh_lookup_takes_one_second():
    takes("1s", 1.00)


drill.main()
