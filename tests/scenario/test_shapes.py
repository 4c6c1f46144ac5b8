#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills
"""Shapes of faults: flaps, ramps, both at once; and a fault whose own process dies."""
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import outage_plan  # noqa: E402

MS = 1_000_000
PLAN = """\
plan: 1
name: Shapes
seed: 7
lab:
  zones:
    example.com: {file: example.com.zone}
  providers:
    alpha:
      nameservers:
        ns1: {hostname: ns1.alpha-dns.net, address: 192.0.2.1, server: knot}
  resolvers: {r1: {address: 203.0.113.53}}
  clients: {office: {resolvers: [r1]}}
recovery: 500ms
probes:
  direct: {from: office, via: alpha.ns1, query: www.example.com A, every: 10ms, timeout: 1s}
timeline:
"""


def plan(steps):
    return drill.write_plan(PLAN + steps, **{"example.com.zone": outage_plan.ZONE})


def start(path):
    out = os.path.join(tempfile.mkdtemp(prefix="dnsdrill-test-"), "out")
    child = subprocess.Popen([drill.PROGRAM, "run", path, "--out", out], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return child, drill.Result(out)


def wait_for(what, seconds=20):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)


def wrote(result, kind):
    try:
        with open(result.path("events.ndjson"), encoding="utf-8") as file:
            return any(f'"event":"{kind}"' in line for line in file)
    except FileNotFoundError:
        return False


def instants(result):
    """T, the switches as (ns after T, on), and R after T."""
    applied = result.events("fault.applied")[0]["t_ns"]
    switches = [(event["t_ns"] - applied, event["on"]) for event in result.events("fault.switched")]
    return applied, switches, result.events("fault.reverted")[0]["t_ns"] - applied


def latency(sample):
    return sample["done_ns"] - sample["due_ns"]


@drill.case
def a_flap_switches_when_it_should_and_counts_all_it_did():
    result = drill.drill(plan("  - {at: 500ms, for: 2s, fault: blackhole, target: alpha, direction: to, "
                              "flap: {on: 300ms, off: 400ms}}\n"))
    applied, switches, end = instants(result)
    assert [on for _, on in switches] == [False, True, False, True, False], switches
    for (at, _), due in zip(switches, (300, 700, 1000, 1400, 1700)):
        assert abs(at - due * MS) < 100 * MS, (at, due)
    reverted = result.events("fault.reverted")[0]
    lost = sum(sample["outcome"] == "timeout" for sample in result.samples("direct"))
    # A question to a nameserver is one packet; resolvers ask nothing here.
    assert lost == reverted["packets"] and 60 <= lost <= 120, (lost, reverted)
    assert f"acted on {lost} packets" in reverted["effect"] and "3 times" in reverted["effect"], reverted
    spans = zip([0, *[at for at, on in switches if on]], [at for at, on in switches if not on])
    spans = [(applied + begin, applied + until) for begin, until in spans]
    for sample in result.samples("direct"):
        inside = any(begin + 20 * MS < sample["sent_ns"] < until - 20 * MS for begin, until in spans)
        outside = all(not begin - 20 * MS < sample["sent_ns"] < until + 20 * MS for begin, until in spans)
        assert not inside or sample["outcome"] == "timeout", sample
        assert not outside or sample["outcome"] == "ok", sample


@drill.case
def a_flap_is_undone_when_the_drill_is_interrupted_while_it_is_off():
    child, result = start(plan("  - {at: 0s, for: 60s, fault: blackhole, target: alpha, flap: {on: 300ms, off: 30s}}\n"))
    wait_for(lambda: wrote(result, "fault.switched"))
    child.send_signal(signal.SIGINT)
    output, _ = child.communicate(timeout=20)
    assert child.returncode == 130, output
    kinds = [event["event"] for event in result.events() if event["event"].startswith("fault.")]
    assert kinds == ["fault.applying", "fault.applied", "fault.switched", "fault.reverting", "fault.reverted"], kinds
    assert result.events("fault.reverted")[0]["took_effect"] is True


@drill.case
def a_ramp_grows_in_a_straight_line_and_stays():
    result = drill.drill(plan("  - {at: 500ms, for: 3s, fault: latency, target: alpha, direction: from, delay: 200ms, "
                              "ramp: 2s}\n"))
    applied, _, end = instants(result)
    above = []
    for sample in result.samples("direct"):
        since = sample["sent_ns"] - applied
        if not 0 <= since < end - 250 * MS:
            continue
        # Set every 100 ms, so up to 10 ms behind the line. What is later than the line is the machine's load.
        line = min(since / (2000 * MS), 1) * 200 * MS
        assert latency(sample) >= line - 25 * MS, (since / MS, latency(sample) / MS)
        above.append(latency(sample) - line)
    assert len(above) > 200 and sorted(above)[len(above) // 2] <= 10 * MS, above


@drill.case
def a_ramp_that_flaps_comes_back_grown():
    result = drill.drill(plan("  - {at: 500ms, for: 2s, fault: latency, target: alpha, direction: from, delay: 200ms, "
                              "ramp: 2s, flap: {on: 500ms, off: 500ms}}\n"))
    applied, switches, _ = instants(result)
    assert [on for _, on in switches] == [False, True, False], switches

    def between(begin, until):
        return sorted(latency(s) / MS for s in result.samples("direct") if begin * MS <= s["sent_ns"] - applied < until * MS)

    off, back = between(600, 900), between(1050, 1150)
    assert off[len(off) // 2] < 20, off
    assert 90 <= back[len(back) // 2] <= 140, back


def descendants(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
            for child in map(int, file.read().split()):
                yield child
                yield from descendants(child)


def relay_of(pid):
    for child in descendants(pid):
        with open(f"/proc/{child}/comm", encoding="utf-8") as file:
            if file.read().strip() == "dnsdrill-relay":
                return child
    return None


@drill.case
def a_relay_that_dies_is_an_error_of_the_run_and_all_is_undone():
    child, result = start(plan("  - {at: 200ms, for: 60s, fault: latency, target: alpha, delay: 50ms, backend: relay, "
                               "name: far away}\n"))
    wait_for(lambda: wrote(result, "fault.applied"))
    os.kill(relay_of(child.pid), signal.SIGKILL)
    output, _ = child.communicate(timeout=20)
    assert child.returncode == 3, output
    said = result.events("error")[0]
    assert "'far away': the process behind it was killed by signal 9" in said["message"], said
    assert said["line"] == len(PLAN.splitlines()) + 1, said
    assert result.json()["verdict"] == "error" and result.events()[-1]["event"] == "run.end"


@drill.case
def a_relay_dies_with_the_drill():
    child, result = start(plan("  - {at: 200ms, for: 60s, fault: latency, target: alpha, delay: 50ms, backend: relay}\n"))
    wait_for(lambda: wrote(result, "fault.applied"))
    relay = relay_of(child.pid)
    child.kill()
    child.communicate(timeout=20)
    wait_for(lambda: not os.path.exists(f"/proc/{relay}"))


drill.main()
