#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills timeout=300
"""Every plan of scenarios/45-encrypted passes, and stops passing when its fault is made harmless; what the faults do is seen by kdig, curl and openssl too."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import harmless  # noqa: E402
from drill import case  # noqa: E402

FOLDER = "45-encrypted"
HARMLESS = {  # a client that nobody is: the fault acts on nothing
    "certificate": (["timeline.0.match.client=192.0.2.99", "matrix.certificate=[expired]"], "inconclusive"),
    "handshake": (["timeline.0.match.client=192.0.2.99", "matrix.handshake=[stall]"], "inconclusive"),
    "http": (["timeline.0.do.http.status=200"], "fail"),
    "messages": (["timeline.0.do.delay=1ms"], "fail"),
}
LOOK = """plan: 1
name: Looked at by others
lab:
  zones: {example.com: {file: %s}}
  providers:
    host: {nameservers: {ns1: {hostname: ns1.dns-host.net, address: [192.0.2.1], server: knot}}}
  resolvers:
    public: {address: [203.0.113.53, "2001:db8:53::53"], server: unbound, encrypted: [dot, doh]}
  clients:
    home: {address: [203.0.113.19, "2001:db8:19::9"], resolvers: [public]}
probes:
  seen: {from: home, query: www.example.com A, transport: dot, every: 100ms}
timeline:
  - {at: 500ms, for: 1s, fault: dns, target: public, do: {tls: {certificate: expired}}, name: expired}
  - {at: 2s, for: 1s, fault: dns, target: public, do: {http: {status: 503}}, name: unavailable, from: home}
recovery: 500ms
"""


@case
def a_fault_of_tls_counts_connections_and_one_of_http_the_answers_over_https_alone():
    zone = os.path.join(drill.SCENARIOS, FOLDER, "zones", "example.com.zone")
    text = LOOK % zone + "  \n"
    text = text.replace("probes:\n", "probes:\n  other: {from: home, query: www.example.com A, transport: doh, every: 100ms}\n")
    faults = {fault["name"]: fault for fault in drill.drill(drill.write_plan(text)).json()["faults"]}
    said = faults["expired"]["effect"]["text"]
    assert re.fullmatch(r"proxy acted on (\d+) of \1 connections that match", said), said
    assert 12 <= int(re.search(r"\d+", said)[0]) <= 25, said  # both probes, each by a new connection ten times in the second
    said = faults["unavailable"]["effect"]["text"]
    assert re.fullmatch(r"proxy acted on \d+ of \d+ messages that match", said), said
    assert 6 <= int(re.search(r"\d+", said)[0]) <= 12, said


harmless.folder(FOLDER, HARMLESS, without=["lab"])
harmless.add_case("lab passes", os.path.join(drill.SCENARIOS, FOLDER, "lab.yaml"), "pass")
drill.main(at_once=4)
