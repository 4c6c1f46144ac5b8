#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""recompute.py DIR…: measures events.ndjson of a run directory once more and compares with its result.json.

A second implementation of docs/metrics.md, written from the page and not from the C code, with Python's standard
library alone. Exit 0: every number agrees. Exit 1: a table of those that do not.
"""
import json
import math
import os
import sys


def read_runs(path):
    """The runs of a stream, each a dict of what measuring needs. Half a line at the end is a run that was killed."""
    runs = []
    with open(path, "rb") as file:
        for line in file:
            try:
                event = json.loads(line)
            except ValueError:
                if line.endswith(b"\n"):
                    raise
                break
            if event["event"] == "run.start":
                runs.append({"start": event, "probes": {}, "faults": {}, "steps": {}, "last_t": 0})
            take(runs[-1], event)
    return runs


def take(run, event):
    kind = event["event"]
    run["last_t"] = max(run["last_t"], event["t_ns"])
    if kind == "plan.probe":
        run["probes"][event["probe"]] = {"plan": event, "samples": [], "start": 0, "parts": {}}
    elif kind == "probe.start":
        run["probes"][event["probe"]]["start"] = event["start_ns"]
    elif kind == "sample":
        run["probes"][event["probe"]]["samples"].append(event)
    elif kind == "sample.part":
        probe = run["probes"][event["probe"]]
        part = probe["parts"].setdefault((event["host"], event["address"]), {"plan": probe["plan"], "samples": []})
        part["samples"].append(event)
    elif kind == "plan.fault":
        run["faults"][event["id"]] = {"plan": event, "T": None, "R": None}
    elif kind == "plan.step":
        run["steps"][event["id"]] = {"plan": event, "start": None, "shown": [], "void": False}
    elif kind == "step.host":
        run["steps"][event["id"]]["shown"] += [event["shown_ns"]] if event.get("shown_ns") else []
    elif kind == "step.ended":
        run["steps"][event["id"]]["void"] = True  # unless some server showed it
    elif kind == "step.started":
        run["steps"][event["id"]]["start"] = event["t_ns"]
    elif kind == "fault.applied":
        run["faults"][event["id"]]["T"] = event["t_ns"]
    elif kind == "fault.reverted":
        run["faults"][event["id"]]["R"] = event["t_ns"]


def is_ok(sample):
    return sample["outcome"] == "ok"


def union_length(spans, low, high):
    """Length of the union of spans, within [low, high)."""
    total, reached = 0, low
    for begin, end in sorted(spans):
        begin, end = max(begin, reached), min(end, high)
        if end > begin:
            total += end - begin
            reached = end
    return total


def grid_of(plan):
    return plan.get("near_faults_ns") or plan["every_ns"]


def weigh(plan, samples):
    """Gives each sample "gap": the moments of the grid since the one before it, itself included; 1 where the pace is even."""
    near = plan.get("near_faults_ns")
    for k, sample in enumerate(samples):
        known = near and k and samples[k - 1]["i"] == sample["i"] - 1
        sample["gap"] = max(1, (sample["due_ns"] - samples[k - 1]["due_ns"]) // near) if known else 1


def weight(plan, sample, low):
    """How many of these moments are due at or after low."""
    since = (sample["due_ns"] - low) // grid_of(plan) + 1 if plan.get("near_faults_ns") else 1
    return max(1, min(sample["gap"], since))


def left_out(plan, samples):
    """The spans before these samples that hold moments at which nothing was asked."""
    return [(s["due_ns"] - (s["gap"] - 1) * grid_of(plan), s["due_ns"]) for s in samples if s["gap"] > 1]


def range_of(plan, samples, starters, is_in, length, low, high):
    """Least and most that the spans may have lasted: each may have begun, or ended, where nothing was asked."""
    begins, ends, inside = [], [], False
    can_begin = {s["i"] for s in starters}
    for sample in samples:
        if inside and not is_in(sample):
            ends.append(sample)
            inside = False
        elif not inside and is_in(sample) and sample["i"] in can_begin:
            begins.append(sample)
            inside = True
    return {"least": length - union_length(left_out(plan, ends), low, high),
            "most": length + union_length(left_out(plan, begins), low, high)}


def longest_gap(plan, members, low):
    return max([weight(plan, s, low) for s in members], default=1) * grid_of(plan)


def gap_before(plan, samples, due, low):
    at = [s for s in samples if s["due_ns"] == due]
    return (weight(plan, at[0], low) if at else 1) * grid_of(plan)


def spans_of(samples, starters, is_in, end):
    """From each of starters that is in, to the next sample of all that is not."""
    exits = [s["due_ns"] for s in samples if not is_in(s)]
    at, spans = 0, []
    for sample in starters:
        if not is_in(sample):
            continue
        while at < len(exits) and exits[at] <= sample["due_ns"]:
            at += 1
        spans.append((sample["due_ns"], exits[at] if at < len(exits) else end))
    return spans


def first_sat_out(members, stable, until, usual):
    """Index of the first of `stable` in a row that were answered after until and took longer than usual, or None."""
    for k in range(len(members) - stable + 1):
        row = members[k:k + stable]
        if (all(is_ok(s) and s["done_ns"] >= until and s["done_ns"] - s["due_ns"] > usual for s in row)
                and row[-1]["i"] - row[0]["i"] == stable - 1):
            return k
    return None


def comeback(members, low, high, stable, until=math.inf, usual=0):
    """(time to the first bad, time to the first of `stable` good in a row after it, censored), from low.

    Good answers count for the row only if they came before until. Where none is bad, those that waited until then
    and longer than usual take the place of the first bad.
    """
    if not members:
        return None, None, False

    def counts(sample):
        return is_ok(sample) and sample["done_ns"] < until

    bad = [k for k, s in enumerate(members) if not is_ok(s)]
    start = bad[0] if bad else first_sat_out(members, stable, until, usual)
    if start is None:
        return None, 0, False
    impact = members[start]["due_ns"] - low if bad else None
    for k in range(start + 1, len(members)):
        row = members[k:k + stable]
        if len(row) == stable and all(map(counts, row)) and row[-1]["i"] - row[0]["i"] == stable - 1:
            return impact, row[0]["due_ns"] - low, False
    # not reached: certain only up to the good samples, one behind the other, that the window ends with
    end = high
    for k in range(len(members) - 1, -1, -1):
        if not counts(members[k]) or (k + 1 < len(members) and members[k + 1]["i"] != members[k]["i"] + 1):
            break
        end = members[k]["due_ns"]
    return impact, end - low, True


def at_rank(values, percent):
    """(value, censored) at the place that so many percent of all are at or below."""
    rank = -(-sum(v[2] for v in values) * percent // 100)
    for value, censored, weighs in values:
        rank -= weighs
        if rank <= 0:
            return value, censored
    return None, False


def percentiles(members, timeout, plan, low):
    """{p50, p95, p99} and which of them are censored, nearest rank; a sample stands as often as it weighs."""
    values = []
    for sample in members:
        latency = sample["done_ns"] - sample["due_ns"]
        if sample["outcome"] == "timeout":
            values.append((timeout, True, weight(plan, sample, low)))
        elif sample["outcome"] != "error":
            values.append((latency, False, weight(plan, sample, low)))
    values.sort()
    chosen = {p: at_rank(values, p) for p in (50, 95, 99)}
    return ({f"p{p}": v[0] for p, v in chosen.items()}, {f"p{p}": v[1] for p, v in chosen.items()})


def measure(probe, samples, members, low, high, end, starters):
    outcomes = {name: 0 for name in ("ok", "wrong", "rcode", "timeout", "error")}
    for sample in members:
        outcomes[sample["outcome"]] += 1
    kinds = {
        "outage": lambda s: not is_ok(s), "wrong_window": lambda s: s["outcome"] == "wrong" and not s["stale"],
        "stale_window": lambda s: s["stale"], "skew": lambda s: s.get("differs")}
    plan = probe["plan"]
    length = {k: union_length(spans_of(samples, starters, is_in, end), low, high) for k, is_in in kinds.items()}
    ranges = {f"{k}_ns": range_of(plan, samples, starters, is_in, length[k], low, high) for k, is_in in kinds.items()}
    seen = [p for at, p in probe["changes"] if p and low <= at < high]
    longest = max(seen, key=lambda p: p[0], default=(None, False, grid_of(plan)))
    latency, censored = percentiles(members, plan["timeout_ns"], plan, low)
    moments = sum(weight(plan, s, low) for s in members)
    good = sum(weight(plan, s, low) for s in members if is_ok(s))
    measured = {
        "from_ns": low, "to_ns": high, "samples": len(members), "outcomes": outcomes,
        "availability_ppm": good * 1000000 // moments if members else None,
        "time_to_impact_ns": None, "time_to_failover_ns": None, "censored": False,
        "time_to_recover_ns": None, "recover_censored": False, "resolution_ns": longest_gap(plan, due_in(samples, low, high), low),
        "outage_ns": length["outage"], "wrong_window_ns": length["wrong_window"],
        "stale": sum(s["stale"] for s in members), "stale_window_ns": length["stale_window"],
        "skew_ns": length["skew"],
        "propagation_ns": longest[0],
        "propagation_censored": any(p[1] for p in seen),
        "latency_ns": latency, "latency_censored": censored,
    }
    if plan.get("near_faults_ns"):
        measured["pacing"] = {
            "near_faults_ns": plan["near_faults_ns"], "moments": moments, "good_moments": good,
            "impact_resolution_ns": grid_of(plan), "recover_resolution_ns": grid_of(plan),
            "propagation_resolution_ns": longest[2], **ranges}
    return measured


def judge_versions(run, probe):
    """Marks samples of replaced versions as stale, of versions that were not right as wrong. The changes: [(version, accepted)]."""
    steps = {s["plan"]["version"]: s for s in run["steps"].values() if s["plan"].get("version")}
    tells = probe["plan"].get("tells", 0)
    zones = {s["plan"].get("zone") for k, s in steps.items() if tells >> k & 1}
    steps = {k: s for k, s in steps.items() if s["plan"].get("zone") in zones}
    void = {k for k, s in steps.items() if s["void"] and not s["shown"]}
    known, latest = {}, -math.inf
    for k in sorted(set(steps) - void):  # each counts once those before it do
        latest = known[k] = max(latest, min(steps[k]["shown"]) if steps[k]["shown"] else math.inf)
    for sample in probe["samples"]:
        sample["stale"] = False
        fits = sample.get("fits", 0)
        if not (tells and fits):
            continue
        now = 0
        for k in sorted(steps):
            if k not in void:
                if known[k] > sample["sent_ns"]:
                    break
                now = k
        coming = [k for k in steps if k > now and k not in void and steps[k]["start"] is not None
                  and steps[k]["start"] <= sample["done_ns"]]
        if any(fits >> k & 1 for k in [now, *coming]):
            continue
        sample["stale"] = any(fits >> k & 1 for k in [0, *known] if k < now)
        if not sample["stale"] or probe["plan"].get("stale_is_bad"):
            sample["outcome"] = "wrong"
    return [(k, at) for k, at in sorted(known.items()) if at < math.inf and tells >> k & 1], known


def propagation(plan, samples, accepted, version, moments, end):
    """(ns until it shows for good, censored, how much earlier it may have), or None if nobody asked."""
    end = min([end] + [t for k, t in moments.items() if k > version])
    asked = [s for s in samples if s["sent_ns"] >= accepted and s["due_ns"] < end]
    if not asked:
        return None
    other = [k for k, s in enumerate(asked) if s["stale"] or s.get("differs")]
    shows = [s for s in asked[other[-1] + 1 if other else 0:] if s.get("fits", 0) >> version & 1]
    if not shows:
        return end - accepted, True, grid_of(plan)
    gap = weight(plan, shows[0], accepted) * grid_of(plan)
    return (0 if shows[0] is asked[0] else shows[0]["due_ns"] - accepted), False, gap


def compare_changes(run, result):
    """Each change, as each probe and each server that one asks saw it."""
    ours = {}
    for name, probe in run["probes"].items():
        for where, one in {(None, None): probe, **probe["parts"]}.items():
            changes, moments = judge_versions(run, one)
            samples = sorted(one["samples"], key=lambda s: s["i"])
            weigh(probe["plan"], samples)
            end = samples[-1]["due_ns"] + grid_of(probe["plan"]) if samples else 0
            for k, at in changes:
                found = propagation(probe["plan"], samples, at, k, moments, end) or (None, False)
                ours[(k, name, *where)] = (at, *found[:2])
    theirs = {(c["version"], c["probe"], c["host"], c["address"]):
              (c["accepted_ns"], c["propagation_ns"], c["censored"]) for c in result.get("changes", [])}
    for key in ours.keys() | theirs.keys():
        if ours.get(key) != theirs.get(key):
            yield f"change {key}", "accepted, propagation, censored", ours.get(key), theirs.get(key)


def due_in(samples, low, high):
    return [s for s in samples if low <= s["due_ns"] < high]


def measure_fault(probe, samples, fault, faults, end, stable, usual):
    T, R = fault["T"], fault["R"]
    low = T if T is not None else 0
    high = max(low, min(R if R is not None else end, end)) if T is not None else 0
    members = due_in(samples, low, high)
    m = measure(probe, samples, members, low, high, end, samples)
    came = [s["done_ns"] - s["due_ns"] for s in members if is_ok(s) and R is not None and s["done_ns"] < R]
    usual = max([usual, *came])
    impact, failover, censored = comeback(members, low, high, stable, R if R is not None else math.inf, usual)
    m["time_to_impact_ns"], m["time_to_failover_ns"], m["censored"] = impact, failover, censored
    plan = probe["plan"]
    if failover and not censored:
        m["resolution_ns"] = gap_before(plan, samples, low + failover, low)
    if impact is not None and "pacing" in m:
        m["pacing"]["impact_resolution_ns"] = gap_before(plan, samples, low + impact, low)
    if T is not None and R is not None:
        later = [f["T"] for f in faults if f is not fault and f["T"] is not None and f["T"] >= R]
        until = min([end] + later)
        after = due_in(samples, R, until)
        _, back, censored = comeback(after, R, until, stable)
        m["time_to_recover_ns"], m["recover_censored"] = back, censored
        if "pacing" in m:
            if back is None or censored:
                m["pacing"]["recover_resolution_ns"] = longest_gap(plan, after, R)
            else:
                at = R + back if back else after[0]["due_ns"]
                m["pacing"]["recover_resolution_ns"] = gap_before(plan, samples, at, R)
    return m


def measure_probe(run, probe):
    """{(window, fault's name or None): measurement}"""
    samples = sorted(probe["samples"], key=lambda s: s["i"])
    weigh(probe["plan"], samples)
    end = samples[-1]["due_ns"] + grid_of(probe["plan"]) if samples else max(run["last_t"], probe["start"])
    begin = samples[0]["due_ns"] if samples else probe["start"]
    changes, moments = judge_versions(run, probe)
    probe["changes"] = [(at, propagation(probe["plan"], samples, at, k, moments, end)) for k, at in changes]
    faults, stable = list(run["faults"].values()), max(1, run["start"]["stable"])
    applied = [f for f in faults if f["T"] is not None]
    begun = [s["start"] for s in run["steps"].values() if s["start"] is not None]
    first = min([f["T"] for f in applied] + begun, default=math.inf)
    last = max((f["R"] if f["R"] is not None else end for f in applied), default=end)

    low = min(last, end)
    high = max(begin, min(first, end))
    before = [s for s in due_in(samples, begin, high) if s["done_ns"] < first]
    found = {
        ("overall", None): measure(probe, samples, samples, begin, end, end, samples),
        ("baseline", None): measure(probe, samples, before, begin, high, end, before),
        ("recovery", None): measure(probe, samples, due_in(samples, low, end), low, end, end, samples),
    }
    usual = max((s["done_ns"] - s["due_ns"] for s in before if is_ok(s)), default=0)
    for fault in faults:
        key = ("fault", fault["plan"]["name"])
        found[key] = measure_fault(probe, samples, fault, faults, end, stable, usual)
    return found


def compare(where, ours, theirs):
    """Rows of what differs."""
    for key, value in ours.items():
        if isinstance(value, dict):
            yield from compare(f"{where} {key}", value, theirs.get(key, {}))
        elif theirs.get(key, "(absent)") != value:
            yield where, key, value, theirs.get(key, "(absent)")


def compare_run(run, result):
    label = run["start"].get("case") or run["start"]["plan"]
    seen = 0
    yield from compare_changes(run, result)
    for name, probe in run["probes"].items():
        for (window, fault), ours in measure_probe(run, probe).items():
            where = f"{label}: {name}: {fault or window}"
            theirs = [m for m in result["measurements"]
                      if (m["probe"], m["window"], m["fault"]) == (name, window, fault)]
            seen += len(theirs)
            if len(theirs) != 1:
                yield where, "measurement", "one", len(theirs)
                continue
            yield from compare(where, ours, theirs[0])
            ppm, share = ours["availability_ppm"], theirs[0]["availability"]
            if (share is None) != (ppm is None) or (ppm is not None and round(share * 1e6) != ppm):
                yield where, "availability", ppm, share
    if seen != len(result["measurements"]):
        yield label, "measurements", seen, len(result["measurements"])


def check(directory):
    """Prints a table of disagreements. Returns how many measurements were compared and how many numbers differ."""
    runs = read_runs(os.path.join(directory, "events.ndjson"))
    with open(os.path.join(directory, "result.json"), encoding="utf-8") as file:
        result = json.load(file)
    results = result["runs"] if "runs" in result else [result]
    rows = [] if len(runs) == len(results) else [("stream", "runs", len(runs), len(results))]
    for run, one in zip(runs, results):
        rows += compare_run(run, one)
    if rows:
        print(f"{directory}: the numbers disagree")
        print(f"{'where':50} {'what':24} {'recomputed':>20} {'result.json':>20}")
    for where, what, ours, theirs in rows:
        print(f"{where:50} {what:24} {ours!s:>20} {theirs!s:>20}")
    return sum(len(one["measurements"]) for one in results), len(rows)


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: recompute.py DIR…  (a directory with events.ndjson and result.json)")
    compared, differ = (sum(column) for column in zip(*map(check, sys.argv[1:])))
    if not differ:
        print(f"{compared} measurements recomputed: all agree")
    sys.exit(1 if differ else 0)


main()
