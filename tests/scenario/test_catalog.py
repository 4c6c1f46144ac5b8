#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills
"""Catalog zones: secondaries are told by them which zones to serve, and drop what a damaged one no longer names; looked at with dig and in the capture."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import harmless  # noqa: E402
import pcap  # noqa: E402

FOLDER = os.path.join(drill.SCENARIOS, "20-zone")
REFUSED = 5
BIND, KNOT = "198.51.100.1", "198.51.100.2"
LOOK = """
for s in 198.51.100.1 198.51.100.2 2001:db8:2::1 2001:db8:2::2; do for z in example.com example.org; do
dig +short +norecurse @$s $z SOA; dig +tcp +norecurse +noall +comments @$s $z SOA | grep -c 'flags: qr aa'; done; done
dig +short @192.0.2.1 version.catalog.ns1.alpha.lab TXT
dig +short @192.0.2.1 m0.zones.catalog.ns1.alpha.lab PTR
dig +short @192.0.2.1 m1.zones.catalog.ns1.alpha.lab PTR
"""


@drill.case
def secondaries_serve_what_their_primarys_catalog_names():
    lines = drill.run("lab", os.path.join(FOLDER, "catalog-lab.yaml"), "--on", "office", "--", "sh", "-c", LOOK, check=0).stdout.split("\n")
    for at in range(0, 16, 2):
        assert lines[at].endswith(" 7 3600 1 3600 1") and lines[at + 1] == "1", lines
    assert lines[16] == '"2"' and sorted(lines[17:19]) == ["example.com.", "example.org."], lines


def refusals(result, server):
    """When, in seconds of the run, that server refused to answer."""
    offset = result.events("capture.start")[0]["wall_minus_t_ns"]
    return [(packet.wall_ns - offset) / 1e9 for packet in pcap.packets(result.path("capture.pcap"))
            if packet.outgoing and packet.protocol == pcap.UDP and packet.source == server and packet.source_port == 53
            and pcap.dns_header(packet.payload)[1:3] == (True, REFUSED)]


@drill.case
def an_empty_catalog_takes_every_zone_away_and_its_repair_gives_them_back():
    result = harmless.play(os.path.join(FOLDER, "catalog-empty.yaml"))
    assert result.done.returncode == 0, result.done.stdout
    fault = result.json()["faults"][0]
    begin, end = fault["applied_ns"] / 1e9, fault["reverted_ns"] / 1e9
    knot, bind = refusals(result, KNOT), refusals(result, BIND)
    assert begin < knot[0] < begin + 2 and end - 0.5 < knot[-1] < end + 3, (begin, end, knot)
    assert begin < bind[0] < end and bind[-1] > end - 0.5, (begin, end, bind)
    for probe in ("com-bind", "com-knot", "org-bind", "org-knot"):
        assert result.samples(probe)[-1]["outcome"] == "ok", probe


harmless.add_case("catalog-version passes", os.path.join(FOLDER, "catalog-version.yaml"), "pass")
harmless.add_case("catalog-empty without its sting does not", os.path.join(FOLDER, "catalog-empty.yaml"), "inconclusive",
                  ["timeline.0.damage=member-relabelled", "recovery=1s"])

drill.main(at_once=4)
