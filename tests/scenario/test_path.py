#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: timeout=600
"""Every plan of scenarios/30-path passes, and stops passing when its fault is made harmless: then it proves something."""
import concurrent.futures
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402

FOLDER = os.path.join(drill.SCENARIOS, "30-path")
SECONDS = 20  # at most for one combination of one plan
AT_ONCE = 2  # drills mostly wait

# What --set takes the sting out of each plan, and what its verdict is then: a fault that acts on no packet is inconclusive, one that acts
# too little to be seen makes the expectations fail.
HARMLESS = {
    "blackhole": (["timeline.0.protocol=udp", "timeline.0.port=54"], "inconclusive"),
    "blackhole-ipv4-only": (["timeline.0.protocol=udp", "timeline.0.port=54"], "inconclusive"),
    "corrupt": (["timeline.0.share=1%"], "fail"),
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
# Of a stack, each layer must be seen.
STACKED_WITHOUT_LOSS = (["timeline.1.share=1%"], "fail")

EXIT = {"pass": 0, "fail": 1, "inconclusive": 3}


def plans():
    return sorted(name[:-5] for name in os.listdir(FOLDER) if name.endswith(".yaml"))


def play(name, sets=()):
    """(seconds, Result) of one plan."""
    out = os.path.join(tempfile.mkdtemp(prefix="dnsdrill-test-"), "out")
    arguments = [word for value in sets for word in ("--set", value)]
    began = time.monotonic()
    done = drill.run("run", os.path.join(FOLDER, name + ".yaml"), "--out", out, *arguments)
    return time.monotonic() - began, drill.Result(out, done)


def verdict_case(sentence, future, verdict):
    def check():
        seconds, result = future.result()
        assert result.done.returncode == EXIT[verdict], result.done.stdout + result.done.stderr
        assert f"\n{verdict.upper()}  " in "\n" + result.done.stdout, result.done.stdout
        cases = max(1, len(result.events("run.start")))
        assert seconds <= SECONDS * cases, f"{seconds:.1f} s for {cases}"
        for event in result.events("fault.failed"):
            raise AssertionError(event)
    check.__name__ = sentence
    drill.case(check)


def main():
    names = plans()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for name in names:
            verdict_case(f"{name} passes", pool.submit(play, name), "pass")
        for name in names:
            if name == "lab":
                continue
            assert name in HARMLESS, f"say in HARMLESS what makes {name} harmless"
            sets, verdict = HARMLESS[name]
            verdict_case(f"{name} without its sting does not", pool.submit(play, name, sets), verdict)
        verdict_case("rate-bits passes with the relay as well", pool.submit(play, "rate-bits", ["timeline.0.backend=relay"]), "pass")
        sets, verdict = STACKED_WITHOUT_LOSS
        verdict_case("stacked without its loss does not", pool.submit(play, "stacked", sets), verdict)
        drill.main()


main()
