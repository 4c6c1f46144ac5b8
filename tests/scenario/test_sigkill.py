#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGKILL of the harness at fifty moments of a drill: the machine afterwards is what it was before."""
import os
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import outage_plan  # noqa: E402

MOMENTS = 50
LONGEST = 2.6  # seconds: past the end of the drill, so that its reports are hit too


def processes_in(namespace):
    """Processes of that PID namespace that still run."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                state = file.read().rsplit(")", 1)[1].split()[0]
            if state != "Z" and os.readlink(f"/proc/{pid}/ns/pid") == namespace:
                found.append(pid)
        except OSError:
            continue
    return found


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return file.read().split()
    except OSError:
        return []


def namespace_of(pids):
    """The PID namespace of the lab's init, or None while there is no lab."""
    for pid in pids:
        try:
            namespace = os.readlink(f"/proc/{pid}/ns/pid")
        except OSError:
            continue
        if namespace != os.readlink("/proc/self/ns/pid"):
            return namespace
    return None


def read(command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout


def machine(scratch):
    """What a lab could leave behind: links, rules, mounts, files outside its output directory.

    The drill's TMPDIR and working directory are in scratch: /tmp itself is busy with others' files.
    """
    with open("/proc/self/mounts", encoding="utf-8") as file:
        mounts = file.read()
    files = {os.path.join(folder, name) for folder in ("/run", "/run/netns", "/dev/shm", scratch)
             if os.path.isdir(folder) for name in os.listdir(folder)}
    return {"links": read(["ip", "-o", "link"]), "rules": read(["nft", "list", "ruleset"]),
            "routes": read(["ip", "rule"]), "mounts": mounts, "files": sorted(files)}


def control_groups(makers):
    """Those that these processes have made."""
    return [os.path.join(folder, name) for folder, names, _ in os.walk("/sys/fs/cgroup") for name in names
            if name.startswith("dnsdrill-") and name.rsplit("-", 1)[1] in makers]


def kill_once(plan, scratch, moment):
    """Returns the children that the drill had by then, and the PID namespace that it had made, if any."""
    child = subprocess.Popen([drill.PROGRAM, "run", plan, "--out", os.path.join(scratch, "out"), "--quiet"],
                             cwd=scratch, env=dict(os.environ, TMPDIR=scratch), stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        child.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        pass
    pids = children(child.pid)
    namespace = namespace_of(pids)
    child.kill()
    child.wait()
    return pids, namespace


@drill.case
def nothing_is_left_after_sigkill_at_fifty_moments():
    draw = random.Random(20261121)
    plan = outage_plan.plan(more="  - {at: 200ms, for: 600ms, fault: cpu, target: alpha.ns1, share: 10%}\n")
    scratch = drill.scratch()
    before, labs = machine(scratch), 0
    for i in range(MOMENTS):
        moment = i * LONGEST / MOMENTS + draw.random() * LONGEST / MOMENTS
        pids, namespace = kill_once(plan, scratch, moment)
        labs += namespace is not None
        until = time.monotonic() + 5
        while (namespace and processes_in(namespace) or control_groups(pids)) and time.monotonic() < until:
            time.sleep(0.01)  # the kernel is at it: nothing tells us when it is done
        assert not namespace or not processes_in(namespace), f"killed at {moment:.3f} s: processes stay"
        assert not control_groups(pids), f"killed at {moment:.3f} s: {control_groups(pids)} stay"
        shutil.rmtree(os.path.join(scratch, "out"), ignore_errors=True)
        after = machine(scratch)
        for key, value in before.items():
            assert after[key] == value, f"killed at {moment:.3f} s: {key} before:\n{value}\nafter:\n{after[key]}"
    assert labs >= MOMENTS // 2, f"only {labs} of {MOMENTS} kills met a lab: the moments are badly chosen"


drill.main()
