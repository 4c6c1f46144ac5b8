#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills timeout=900
"""Every plan of scenarios/30-path passes, and stops passing when its fault is made harmless: then it proves something."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import harmless  # noqa: E402

FOLDER = "30-path"

# What --set takes the sting out of each plan, and what its verdict is then: a fault that acts on no packet is inconclusive, one that acts
# too little to be seen makes the expectations fail.
HARMLESS = {
    "blackhole": (["timeline.0.protocol=udp", "timeline.0.port=54"], "inconclusive"),
    "blackhole-ipv4-only": (["timeline.0.protocol=udp", "timeline.0.port=54"], "inconclusive"),
    "corrupt": (["timeline.0.share=1%"], "fail"),
    "dot-blocked": (["timeline.0.port=854"], "inconclusive"),
    "duplicate": (["timeline.0.share=1%"], "fail"),
    "flap": (["timeline.0.flap.on=100ms", "timeline.0.flap.off=2s"], "fail"),
    "fragments": (["timeline.0.protocol=tcp"], "inconclusive"),
    "half-open": (["timeline.0.port=54"], "inconclusive"),
    "larger-than": (["timeline.0.larger_than=4KiB"], "inconclusive"),
    "latency-between": (["timeline.0.delay=1ms"], "fail"),
    "latency-nameserver": (["timeline.0.delay=1ms"], "fail"),
    "latency-provider": (["timeline.0.delay=1ms", "timeline.0.jitter=1ms"], "fail"),
    "latency-resolver": (["timeline.0.delay=1ms"], "fail"),
    "loss": (["timeline.0.share=1%"], "fail"),
    "loss-bursts": (["timeline.0.bursts.loss_bad=1%"], "fail"),
    "loss-every": (["timeline.0.every=100"], "fail"),
    "packet-too-big": (["timeline.0.protocol=udp"], "inconclusive"),
    "partition": (["timeline.0.groups=[[r1], [r2]]"], "inconclusive"),
    "ramp": (["timeline.0.delay=1ms"], "fail"),
    "rate-bits": (["timeline.0.bits=100Mbit/s"], "inconclusive"),
    "rate-packets": (["timeline.0.packets=10000/s"], "inconclusive"),
    "reject": (["timeline.0.protocol=udp", "timeline.0.port=54"], "inconclusive"),
    "reorder": (["timeline.0.delay=1ms"], "fail"),
    "second-datagram": (["timeline.0.port=54"], "inconclusive"),
    "stacked": (["timeline.0.delay=1ms"], "fail"),
}


def more(sentence, plan, verdict, sets):
    harmless.add_case(sentence, os.path.join(drill.SCENARIOS, FOLDER, plan + ".yaml"), verdict, sets)


harmless.folder(FOLDER, HARMLESS, without=["lab"])
harmless.add_case("lab passes", os.path.join(drill.SCENARIOS, FOLDER, "lab.yaml"), "pass")
more("rate-bits passes with the relay as well", "rate-bits", "pass", ["timeline.0.backend=relay"])
more("stacked without its loss does not", "stacked", "fail", ["timeline.1.share=1%"])  # each layer of a stack must be seen
drill.main(at_once=4)
