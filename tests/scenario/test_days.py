#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills timeout=600
"""Time in a virtual machine is the time that servers mean: what their documentation and the RFCs give a length ends at that moment, within a second of virtual time.

Whole seconds are what caches and signatures count in. A sample each second tells the moment to a second more.
"""
import math
import os
import re
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import pcap  # noqa: E402

SECOND = 10**9
PLANS = os.path.join(drill.SCENARIOS, "70-days")
PRIMARY = "192.0.2.1"


class Moments:
    """A plan's samples, and when what they say changed."""

    def __init__(self, plan):
        self.result = drill.drill(os.path.join(PLANS, plan), "--engine", "vm", timeout=600)
        self.wall_minus_t = self.result.events("capture.start")[0]["wall_minus_t_ns"]

    def says(self, probe):
        """[(sample, what it says)] in order, without those that got no answer."""
        return [(sample, (sample.get("rcode"), *sample.get("answer", ()))) for sample in self.result.samples(probe)
                if sample["outcome"] != "timeout"]

    def ends(self, probe, moment_ns, before, after, what, since=0, until=math.inf):
        """The probe's answers are `before` until that moment, and from then on `after`; each second was asked for."""
        told = [entry for entry in self.says(probe) if since <= entry[0]["sent_ns"] < until]
        last = max(i for i, (_, says) in enumerate(told) if says == before)
        old, new = told[last][0], told[last + 1][0]
        assert {says for _, says in told[:last + 1]} == {before}, f"{what} came and went"
        assert told[last + 1][1] == after, f"{what}: {told[last + 1]}"
        late = (old["due_ns"] - moment_ns) / SECOND, (new["due_ns"] - moment_ns) / SECOND
        assert late[1] - late[0] <= 1.01, f"{what}: nothing was asked between {late}"
        assert late[0] <= 1 and late[1] >= -1, f"{what} ended between {late[0]:+.3f} s and {late[1]:+.3f} s from its moment"

    def first_asked(self, probe):
        return self.result.samples(probe)[0]["done_ns"]

    def captured(self):
        """Its packets as they came to the core, each with when, on the clock of the events."""
        for packet in pcap.packets(self.result.path("capture.pcap")):
            if not packet.outgoing:
                yield packet.wall_ns - self.wall_minus_t, packet

    def last_heard(self, secondary, before_ns):
        """When its primary last told a secondary something, before that moment."""
        return max(when for when, packet in self.captured() if when < before_ns and
                   (packet.source, packet.target, packet.source_port) == (PRIMARY, secondary, 53))

    def expiration(self, signer):
        """Of the one time in all signatures by that name that the primary gave out (RFC 4034 section 3.1)."""
        pattern = re.compile(rb"\x00\x2e\x00\x01.{4}..\x00.\x0d.{5}(.{4}).{4}.." + re.escape(signer), re.DOTALL)
        times = {struct.unpack(">I", found)[0] for _, packet in self.captured() if packet.source == PRIMARY and packet.protocol == pcap.UDP
                 for found in pattern.findall(packet.payload)}
        assert len(times) == 1, times
        return times.pop() * SECOND - self.wall_minus_t


@drill.case
def each_timer_of_caches_secondaries_and_signatures_ends_at_its_moment():
    moments = Moments("timers.yaml")
    start = moments.result.events("run.start")[0]["wall_ns"] // SECOND
    assert start in range(1795219200, 1795219260), start   # 2026-11-21T00:00Z, just booted
    for server in ("unbound", "bind"):
        moments.ends(f"ttl-{server}", moments.first_asked(f"ttl-{server}") + 100 * SECOND,
                     ("NOERROR", "192.0.2.80"), ("NOERROR", "192.0.2.81"), f"the TTL in {server}")
        moments.ends(f"negative-{server}", moments.first_asked(f"negative-{server}") + 60 * SECOND,
                     ("NXDOMAIN",), ("NOERROR", "192.0.2.82"), f"the negative TTL in {server}")
        moments.ends(f"signature-{server}", moments.expiration(b"\x06signed\x03com\x00"),
                     ("NOERROR", "192.0.2.80"), ("SERVFAIL",), f"the signature, for {server}")
    lost, back = (moments.result.events(kind)[0 if kind == "fault.applied" else -1]["t_ns"] for kind in ("fault.applied", "fault.reverting"))
    for i, server in enumerate(("bind", "knot", "nsd")):
        moments.ends(f"expire-{server}", moments.last_heard(f"198.51.100.{i + 1}", lost) + 120 * SECOND,
                     ("NOERROR", "192.0.2.80"), ("SERVFAIL",), f"the SOA's expire in {server}", until=back)
    failed = [sample for sample in moments.result.samples("failure") if sample["outcome"] == "rcode"]
    assert failed[0]["done_ns"] - failed[0]["sent_ns"] > SECOND // 2 > failed[1]["done_ns"] - failed[1]["sent_ns"], "named asked anew"
    moments.ends("failure", failed[0]["done_ns"] + 30 * SECOND, ("SERVFAIL",), ("NOERROR", "192.0.2.80"), "servfail-ttl of named",
                 since=failed[0]["sent_ns"])


@drill.case
def unbound_forgets_that_a_host_was_down_when_infra_host_ttl_is_over():
    moments = Moments("host-cache.yaml")
    last = [sample for sample in moments.result.samples("alone") if sample["outcome"] != "ok"][-1]
    first_good = next(sample for sample in moments.result.samples("alone") if sample["sent_ns"] > last["sent_ns"])
    moment = moments.first_asked("alone") + 900 * SECOND
    assert last["due_ns"] <= moment + SECOND and moment - SECOND <= first_good["due_ns"] <= moment + 2 * SECOND, (last, first_good)
    back = moments.result.events("fault.reverted")[0]["t_ns"]
    asked = [when for when, packet in moments.captured() if packet.target == "192.0.2.65" and packet.source == "203.0.113.53"]
    assert min(asked) < back < moment and not [when for when in asked if back < when < moment - SECOND], "unbound did ask it"


drill.main(at_once=2)
