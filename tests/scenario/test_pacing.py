#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills
"""Probes with near-faults: where they ask densely, and that what they measure is what a probe that always asks densely measures."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import outage_plan  # noqa: E402

MS = 10**6
PROBES = """\
probes:
  even: {from: office, query: fresh.example.com A, unique: true, every: 10ms, timeout: 300ms}
  paced: {from: office, query: fresh.example.com A, unique: true, every: 500ms, near-faults: 10ms, timeout: 300ms}
"""


def played():
    """The outage of outage_plan, from 2.2 s to 4.2 s, as these two probes see it."""
    with open(outage_plan.plan(at="2200ms", length="2s", recovery="3500ms"), encoding="utf-8") as file:
        text = file.read()
    head, rest = text.split("probes:\n")
    plan = drill.write_plan(head + PROBES + "timeline:\n" + rest.split("timeline:\n")[1], **{"example.com.zone": outage_plan.ZONE})
    result = drill.drill(plan)
    done = subprocess.run([sys.executable, os.path.join(drill.ROOT, "tests/scenario/recompute.py"), result.out],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "all agree" in done.stdout, done.stdout + done.stderr
    return result


def due(samples, low, high):
    return [sample["due_ns"] for sample in samples if low <= sample["due_ns"] < high]


def look_at(result):
    samples = sorted(result.samples("paced"), key=lambda s: s["i"])
    zero = result.events("timeline.start")[0]["t_ns"]
    applied, reverted = (result.events(kind)[0]["t_ns"] for kind in ("fault.applied", "fault.reverted"))
    first = samples[0]["due_ns"]
    assert first == zero + 5 * MS and [s["i"] for s in samples] == list(range(len(samples)))
    assert all((s["due_ns"] - first) % (10 * MS) == 0 for s in samples), "a sample off the grid"
    # sparse from the start to ten moments before the fault, then each moment
    assert due(samples, 0, zero + 2100 * MS) == [first + k * 500 * MS for k in range(5)]
    around = due(samples, zero + 2100 * MS, applied + 900 * MS)
    assert {b - a for a, b in zip(around, around[1:])} == {10 * MS}, around
    # nobody answers until the end, so it stays dense; and again sparse between what follows it and the end of asking
    dark = due(samples, applied, reverted)
    assert {b - a for a, b in zip(dark, dark[1:])} == {10 * MS}, dark
    later = due(samples, reverted + 2000 * MS, zero + 7600 * MS)
    assert later and {b - a for a, b in zip(later, later[1:])} <= {500 * MS}, later
    assert len(due(samples, zero + 7600 * MS, zero + 7700 * MS)) == 10
    compare(result, len(samples))


def compare(result, count):
    even, paced = (result.measurement(probe, "overall") for probe in ("even", "paced"))
    assert paced["samples"] == count and paced["pacing"]["moments"] == even["samples"], (paced, even)
    assert abs(paced["availability"] - even["availability"]) < 0.02, (paced["availability"], even["availability"])
    counted = paced["outcomes"]["ok"] / count   # what it would be if samples were counted
    assert even["availability"] - counted > 0.1, (counted, even["availability"])
    even, paced = (result.measurement(probe, "dark") for probe in ("even", "paced"))
    assert even["outage_ns"] > 1500 * MS, even
    for key in ("time_to_impact_ns", "outage_ns"):
        assert abs(even[key] - paced[key]) <= 40 * MS, (key, even[key], paced[key])
    assert paced["pacing"]["outage_ns"]["most"] - paced["outage_ns"] <= 10 * MS, paced
    assert (paced["resolution_ns"], paced["pacing"]["impact_resolution_ns"]) == (10 * MS, 10 * MS), paced


@drill.case
def it_is_dense_where_something_happens_and_measures_what_an_even_probe_does():
    look_at(played())


drill.main()
