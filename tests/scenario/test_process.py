#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills timeout=600
"""Every plan of scenarios/60-process passes, and stops passing when its fault is made harmless: then it proves something."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import harmless  # noqa: E402

FOLDER = "60-process"

HARMLESS = {
    "address-lost": (["timeline.0.target=tld.org"], "inconclusive"),
    "broken-reload": (["timeline.1.hup=false"], "fail"),
    "cache-poisoned": (["matrix.until={late: [{at: 300ms, for: 700ms, fault: dns, target: [alpha, beta], from: r1, match: {qname: www.example.com}, "
                        "do: {ttl: 1h}}, {at: 400ms, do: flush, target: r1}]}"], "fail"),  # the right address, for an hour
    "clock-ahead": (["timeline.0.ahead=1s"], "fail"),
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

harmless.folder(FOLDER, HARMLESS, without=["lab"])
harmless.add_case("cpu by stopping and continuing passes, too", os.path.join(drill.SCENARIOS, FOLDER, "cpu.yaml"), "pass",
                  ["timeline.0.backend=duty-cycle"])
harmless.add_case("lab passes", os.path.join(drill.SCENARIOS, FOLDER, "lab.yaml"), "pass")
drill.main(at_once=4)
