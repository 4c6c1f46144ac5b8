#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills timeout=600
"""Every plan of scenarios/60-process passes, and stops passing when its fault is made harmless: then it proves something."""
import html
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import harmless  # noqa: E402

FOLDER = "60-process"

HARMLESS = {
    "address-lost": (["timeline.0.target=tld.org"], "inconclusive"),
    "broken-reload": (["timeline.1.hup=false"], "fail"),
    "cache-poisoned": (["matrix.until={late: [{at: 500ms, for: 700ms, fault: dns, target: [alpha, beta], from: r1, match: {qname: www.example.com}, "
                        "do: {ttl: 1h}}, {at: 600ms, do: flush, target: r1}]}"], "fail"),  # the right address, for an hour
    "clock-ahead": (["timeline.0.ahead=1s"], "fail"),
    "control-lost": (["timeline.0.target=r1"], "fail"),
    "cpu": (["timeline.0.share=99%", "timeline.0.backend=duty-cycle"], "fail"),  # a quota would be inconclusive
    "descriptors": (["timeline.0.spare=1000"], "inconclusive"),
    "disk-full": (["timeline.0.spare=8MiB"], "inconclusive"),
    "disk-read-only": (["timeline.0.target=tld.org"], "inconclusive"),
    "kill": (["timeline.0.start_after=0s"], "fail"),
    "primary-killed": (["timeline.0.start_after=0s"], "fail"),
    "root-hints": (["timeline.0.addresses=198.41.0.4"], "fail"),  # the lab's root, after all
    "slow-restart": (["timeline.0.down=0s"], "fail"),
    "stop": (["timeline.0.target=tld.org"], "fail"),
    "stop-flap": (["timeline.0.flap.on=100ms", "timeline.0.flap.off=2s"], "fail"),
    "supervisor": (["timeline.0.start_after=0s"], "fail"),
    "trust-anchor": (["timeline.0.target=r2"], "fail"),
}

DEAF = """\
plan: 1
name: Deaf
lab:
  zones:
    example.com: {file: example.com.zone}
  providers:
    alpha:
      nameservers:
        bind: {hostname: ns1.alpha-dns.net, address: [192.0.2.1], server: bind}
        knot: {hostname: ns2.alpha-dns.net, address: [192.0.2.2], server: knot}
        nsd: {hostname: ns3.alpha-dns.net, address: [192.0.2.3], server: nsd}
        powerdns: {hostname: ns4.alpha-dns.net, address: [192.0.2.4], server: powerdns}
  resolvers:
    unbound: {address: 203.0.113.1, server: unbound}
    recursor: {address: 203.0.113.2, server: powerdns-recursor}
    kresd: {address: 203.0.113.3, server: knot-resolver}
  clients:
    office: {resolvers: [unbound]}
recovery: 1s
baseline: 50%   # caches are cold, and the machine may be busy
probes:
  www: {from: office, query: www.example.com A, every: 100ms}
timeline:
  - {at: 100ms, do: reload, target: alpha}
  - {at: 100ms, do: flush, target: [unbound, recursor, kresd]}
  - {at: 3s, for: 2s, fault: control-lost, target: [alpha, unbound, recursor, kresd], name: deaf}
  - {at: 3500ms, do: reload, target: alpha, may_fail: true}
  - {at: 3500ms, do: flush, target: [unbound, recursor, kresd], may_fail: true}
  - {at: 5500ms, do: reload, target: alpha}
  - {at: 5500ms, do: flush, target: [unbound, recursor, kresd]}
"""
ZONE = """\
$ORIGIN example.com.
$TTL 5
@ IN SOA ns1.alpha-dns.net. hostmaster.example.com. 1 3600 600 86400 5
""" + "".join(f"@ IN NS ns{i}.alpha-dns.net.\n" for i in range(1, 5)) + "www IN A 192.0.2.80\n"

FUTURE = """\
plan: 1
name: Future
lab:
  zones:
    example.com: {file: example.com.zone, sign: true}
  providers:
    alpha:
      nameservers:
        ns1: {hostname: ns1.alpha-dns.net, address: [192.0.2.1], server: knot}   # its NOTIFY goes out at once
    beta:
      nameservers:
        bind: {hostname: ns2.alpha-dns.net, address: [198.51.100.1], server: bind, primary: alpha.ns1}
        nsd: {hostname: ns3.alpha-dns.net, address: [198.51.100.2], server: nsd, primary: alpha.ns1}
        powerdns: {hostname: ns4.alpha-dns.net, address: [198.51.100.3], server: powerdns, primary: alpha.ns1}
  resolvers:
    unbound: {address: 203.0.113.1, server: unbound}
    named: {address: 203.0.113.2, server: bind}
    recursor: {address: 203.0.113.3, server: powerdns-recursor}
    kresd: {address: 203.0.113.4, server: knot-resolver}
  clients:
    office: {resolvers: [unbound]}
recovery: 500ms
baseline: 50%
probes:
  unbound: {from: office, via: unbound, query: fresh.example.com A, unique: true, every: 100ms, timeout: 1s}
  named: {from: office, via: named, query: fresh.example.com A, unique: true, every: 100ms, timeout: 1s}
  recursor: {from: office, via: recursor, query: fresh.example.com A, unique: true, every: 100ms, timeout: 1s}
  kresd: {from: office, via: kresd, query: fresh.example.com A, unique: true, every: 100ms, timeout: 1s}
timeline:
  - {at: 3s, for: 2s, fault: clock, target: [beta, unbound, named, recursor, kresd], ahead: 40d, name: future}
  - {at: 3500ms, do: raise-serial, zone: example.com}
"""

# What the software's own tool says when it finds nobody.
NOBODY = {
    "alpha.bind": "rndc: connect failed: 127.0.0.1#953: connection refused",
    "alpha.knot": "failed to connect to socket",
    "alpha.nsd": "No such file or directory",
    "alpha.powerdns": "No such file or directory",
    "unbound": "No such file or directory",
    "recursor": "No such file or directory",
    "kresd": "No such file or directory",
}


# What the software writes into its log of a NOTIFY that was signed forty days ago.
BAD_TIME = {"beta.bind": "tsig verify failure (BADTIME)", "beta.nsd": "bad tsig (Bad Time)",
            "beta.powerdns": "Invalid TSIG time delta"}


@drill.case
def every_resolver_and_secondary_with_a_clock_ahead_takes_signatures_for_old():
    result = drill.drill(drill.write_plan(FUTURE, **{"example.com.zone": ZONE + "*.fresh IN A 192.0.2.81\n"}))
    applied, = (event["t_ns"] for event in result.events("fault.applied"))
    reverting, = (event["t_ns"] for event in result.events("fault.reverting"))
    heard = {}
    for sample in result.events("sample"):
        when = "before" if sample["done_ns"] < applied else "during" if applied + 1e8 < sample["due_ns"] < reverting and \
            (sample["done_ns"] < reverting or sample["outcome"] == "timeout") else None
        heard.setdefault((sample["probe"], when), set()).add(sample.get("rcode", sample["outcome"]))
    for probe in ("unbound", "named", "recursor", "kresd"):
        assert heard[probe, "before"] <= {"NOERROR", "timeout"} and "NOERROR" in heard[probe, "before"], heard
        assert heard[probe, "during"] <= {"SERVFAIL", "timeout"}, (probe, heard)
        assert probe == "kresd" or "SERVFAIL" in heard[probe, "during"], (probe, heard)  # kresd takes its time first
    for host, words in BAD_TIME.items():
        with open(result.path("logs", host + ".log"), encoding="utf-8", errors="replace") as log:
            assert words in log.read(), host


@drill.case
def no_server_can_be_told_anything_without_its_control_channel_and_all_can_afterwards():
    result = drill.drill(drill.write_plan(DEAF, **{"example.com.zone": ZONE}))
    told = {step: {} for step in range(1, 7)}
    for event in result.events("step.host"):
        told[event["id"]][event["host"]] = event
    for before, during, after in ((1, 3, 5), (2, 4, 6)):
        assert set(told[before]) == set(told[during]) == set(told[after]), told
        for host, event in told[during].items():
            assert not event["ok"] and NOBODY[host] in event["text"], event
            assert told[before][host]["ok"] and told[after][host]["ok"], (told[before][host], told[after][host])
    assert set(told[3]) | set(told[4]) == set(NOBODY)
    applied, = (event["t_ns"] for event in result.events("fault.applied"))
    for sample in result.events("sample"):
        assert sample["due_ns"] < applied or sample["outcome"] == "ok", sample
    with open(result.path("report.html"), encoding="utf-8") as file:
        steps = file.read().split("What came of it", 1)[1].split("</table>", 1)[0]
    for event in (*told[3].values(), *told[4].values()):
        said = html.escape(f"{event['host']}: {event['text']}").replace("&#x27;", "'").replace("&#39;", "'")
        assert steps.replace("&#39;", "'").replace("&#x27;", "'").count(said) == 1, (said, steps)


harmless.folder(FOLDER, HARMLESS, without=["lab"])
harmless.add_case("cpu by stopping and continuing passes, too", os.path.join(drill.SCENARIOS, FOLDER, "cpu.yaml"), "pass",
                  ["timeline.0.backend=duty-cycle"])
harmless.add_case("lab passes", os.path.join(drill.SCENARIOS, FOLDER, "lab.yaml"), "pass")
drill.main(at_once=4)
