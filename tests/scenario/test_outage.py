#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The outage scenarios that ship: their verdicts, and their numbers computed a second time from the events."""
# dnsdrill-test: drills timeout=900
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402

RECOMPUTE = os.path.join(drill.ROOT, "tests", "scenario", "recompute.py")


def scenario(name, *arguments, check=0):
    result = drill.drill(os.path.join(drill.SCENARIOS, "10-outage", name), *arguments, check=check)
    done = subprocess.run([sys.executable, RECOMPUTE, result.out], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout
    return result


def bad_details(result, probe):
    return {sample.get("detail") for sample in result.samples(probe) if sample["outcome"] != "ok"}


@drill.case
def losing_one_provider_of_two_is_survived_and_measured():
    result = scenario("drop-provider.yaml")
    fault = result.json()["faults"][0]
    assert fault["effect"]["took_effect"] and fault["effect"]["packets"] > 0, fault
    # The resolver may still ask alpha first: it has to wait, but not for ever, and users of the cache barely notice.
    assert 0 <= result.measurement("fresh", "alpha dark")["time_to_failover_ns"] <= 8e9
    assert result.json()["verdict"] == "pass"


@drill.case
def losing_one_nameserver_of_four_is_survived():
    assert scenario("blackhole-one-nameserver.yaml").json()["verdict"] == "pass"


@drill.case
def losing_the_only_provider_is_shown_as_the_outage_it_is():
    result = scenario("one-provider-only.yaml")
    during = result.measurement("fresh", "alpha dark")
    assert during["censored"] is True, during
    assert during["availability"] <= 0.03, during
    lost = result.json()["faults"][0]
    span = lost["reverted_ns"] - lost["applied_ns"]
    # All of the fault is outage, less at most the time until the first question falls due.
    assert span - 2 * during["resolution_ns"] <= during["outage_ns"] <= span, (during, span)


@drill.case
def a_silent_first_resolver_costs_each_fresh_lookup_the_timeout():
    result = scenario("resolver-dark.yaml")
    p50 = result.measurement("fresh-process", "r1 dark")["latency_ns"]["p50"]
    assert abs(p50 - 1e9) <= 0.05e9, p50  # resolv.conf says timeout:1
    assert result.measurement("first", "r1 dark")["availability"] == 0


@drill.case
def every_resolver_carries_on_and_the_report_sets_them_side_by_side():
    result = scenario("which-resolver.yaml", "--set", "timeline.0.for=6s", "--set", "timeline.0.at=2s",
                      "--set", "recovery=2s", check=None)
    runs = result.json()["runs"]
    # In six seconds one may never ask alpha, so that nothing was rehearsed, and another may not be through with failing
    # over: then the drill must say that it cannot judge.
    assert all(run["verdict"] in ("pass", "inconclusive") for run in runs), [run["reason"] for run in runs]
    assert sum(run["verdict"] == "pass" for run in runs) >= 3, [run["verdict"] for run in runs]
    labels = [f"resolver={name}" for name in ("unbound", "bind", "knot-resolver", "powerdns-recursor", "dnsmasq")]
    assert [run["case"] for run in runs] == labels, [run["case"] for run in runs]
    software = [event["server"] for event in result.events("lab.host") if event["host"] == "r1"]
    assert [f"resolver={name}" for name in software] == labels, software
    report = open(result.path("report.html"), encoding="utf-8").read()
    assert all(label in report for label in labels)
    for label in labels:
        assert os.path.getsize(result.path(label, "capture.pcap")) > 10000, label


@drill.case
def a_seed_repeats_the_questions():
    names = [[sample["name"] for sample in scenario_fresh(seed)] for seed in ("7", "7", "8")]
    assert names[0] == names[1]
    assert names[0] != names[2]


def scenario_fresh(seed):
    result = drill.drill(os.path.join(drill.SCENARIOS, "10-outage", "drop-provider.yaml"), "--seed", seed,
                         "--set", "timeline.0.at=500ms", "--set", "timeline.0.for=500ms", "--set", "recovery=500ms",
                         "--set", "stable=1", check=None)
    return sorted(result.samples("fresh"), key=lambda sample: sample["i"])


drill.main(at_once=4)
