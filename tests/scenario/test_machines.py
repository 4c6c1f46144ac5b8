#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills timeout=1200
"""Several virtual machines at once: the same as one after the other, and nothing is left of any of them."""
import filecmp
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import outage_plan  # noqa: E402


def matrix_plan(length="200ms"):
    with open(outage_plan.plan(length=length, recovery="100ms"), encoding="utf-8") as file:
        text = file.read().replace("plan: 1\n", "plan: 1\nmatrix: {resolver: [unbound, bind]}\n")
    text = text.replace("server: unbound}", 'server: "${resolver}"}')
    return drill.write_plan(text, **{"example.com.zone": outage_plan.ZONE})


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return file.read().split()
    except OSError:
        return []


def is_machine(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "qemu-system-x86_64"
    except OSError:
        return False


def machines_below(pid):
    below = [grandchild for child in children(pid) for grandchild in children(child)]
    return [pid for pid in below if is_machine(pid)]


def wait_until(what):
    for _ in range(1200):
        if what():
            return
        time.sleep(0.1)
    raise AssertionError("it never came")


def start(plan, out):
    process = subprocess.Popen([drill.PROGRAM, "run", plan, "--engine", "vm", "--jobs", "2", "--out", out, "--seed", "5"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_until(lambda: len(machines_below(process.pid)) == 2 or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    return process, machines_below(process.pid)


def tree(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)


@drill.case
def two_machines_at_once_leave_what_one_after_the_other_does():
    plan, top = matrix_plan(), drill.scratch()
    beside, turn = os.path.join(top, "beside"), os.path.join(top, "turn")
    process, _ = start(plan, beside)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    done = drill.run("run", plan, "--engine", "vm", "--jobs", "1", "--seed", "5", "--out", turn, check=0, timeout=600)
    assert tree(beside) == tree(turn) and "events.ndjson" in tree(turn), (tree(beside), tree(turn))
    _, differ, odd = filecmp.cmpfiles(beside, turn, tree(turn), shallow=False)
    assert not differ and not odd, (differ, odd)
    assert output == done.stdout.replace(turn, beside), output
    runs = drill.Result(beside).events("run.start")
    assert [run["case_label"] for run in runs] == ["resolver=unbound", "resolver=bind"], runs


@drill.case
def sigint_undoes_everything_in_every_machine():
    out = os.path.join(drill.scratch(), "out")
    process, machines = start(matrix_plan(length="2h"), out)
    parts = [os.path.join(out, f"events-{n}.part") for n in (1, 2)]
    wait_until(lambda: all(os.path.exists(part) and b"fault.applied" in open(part, "rb").read() for part in parts))
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 130, output
    result = drill.Result(out)
    assert [end["reason"] for end in result.events("run.end")] == ["interrupted"] * 2, output
    assert len(result.events("fault.reverted")) == 2, "a fault was not undone"
    assert not any(map(is_machine, machines)) and not any(map(os.path.exists, parts))


@drill.case
def sigkill_of_the_harness_takes_all_machines_along():
    process, machines = start(matrix_plan(length="2h"), os.path.join(drill.scratch(), "out"))
    process.kill()
    process.wait()
    wait_until(lambda: not any(map(is_machine, machines)))


@drill.case
def only_machines_run_beside_each_other():
    done = drill.run("run", outage_plan.plan(), "--jobs", "2", check=2)
    assert "--jobs" in done.stderr and "--engine vm" in done.stderr, done.stderr
    done = drill.run("run", outage_plan.plan(), "--engine", "vm", "--jobs", "none", check=2)
    assert "1 to 1000" in done.stderr, done.stderr


drill.main()
