#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: parallel sanitized
"""`dnsdrill doctor` tells what other programs find out too, and `run` refuses what it says is missing."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import outage_plan  # noqa: E402


def findings(**options):
    return {item["ability"]: item for item in json.loads(drill.run("doctor", "--json", check=0, **options).stdout)}


def works(script):
    """Whether a command works in a network namespace of its own."""
    return subprocess.run(["unshare", "--user", "--map-root-user", "--net", "sh", "-c", script],
                          stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


@drill.case
def abilities_are_what_the_tools_find():
    said = findings()
    nft = "nft 'add table inet t; add chain inet t c { type filter hook prerouting priority -600; }; add rule inet t c %s'"
    for ability, script in {
            "netem": "tc qdisc add dev lo root netem delay 1ms",
            "tbf": "tc qdisc add dev lo root tbf rate 1mbit burst 10kb latency 50ms",
            "policy-routing": "ip rule add fwmark 7 lookup 107 && ip -6 rule add fwmark 7 lookup 107",
            "nft-reject": nft % "udp dport 53 reject with icmpx type port-unreachable",
            "nft-limit": nft % "limit rate over 10/second drop",
            "nft-ct": nft % "ct state established accept",
            "nft-numgen": nft % "numgen random mod 100 < 10 drop"}.items():
        assert said[ability]["has"] == works(script), (said[ability], script)
    for name, program in {"bind": "named", "knot": "knotd", "unbound": "unbound", "nft": "nft"}.items():
        path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin:/usr/local/sbin")
        assert said[name]["has"] == bool(path), said[name]


@drill.case
def what_is_missing_comes_with_what_is_lost_and_how_to_get_it():
    for item in findings().values():
        assert item["needed_for"] and item["detail"], item
        assert item["has"] or item.get("how") or item["ability"] == "labs", item
    table = drill.run("doctor", check=0).stdout
    assert table.count("\nNO ") == table.count("lost without it:") == table.count("how to get it:"), table


@drill.case
def an_ordinary_user_is_told_the_same():
    if os.geteuid() != 0:
        raise drill.Skip("this is an ordinary user")
    prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    if subprocess.run([*prefix, "test", "-x", drill.PROGRAM]).returncode:
        raise drill.Skip("the program is where nobody may run it")
    ours, theirs = findings(), findings(prefix=prefix)
    for ability in ("labs", "netem", "tbf", "relay", "policy-routing", "capture"):
        assert ours[ability]["has"] == theirs[ability]["has"], (ours[ability], theirs[ability])


@drill.case
def a_plan_that_demands_what_the_kernel_lacks_is_refused_before_anything_is_touched():
    if findings()["netem"]["has"]:
        raise drill.Skip("this kernel has netem")
    plan = outage_plan.plan()
    with open(plan, encoding="utf-8") as file:
        text = file.read().replace("fault: blackhole", "fault: latency, delay: 10ms, backend: netem")
    with open(plan, "w", encoding="utf-8") as file:
        file.write(text)
    out = os.path.join(os.path.dirname(plan), "out")
    done = drill.run("run", plan, "--out", out, check=3)
    line = next(number for number, row in enumerate(text.split("\n"), 1) if "netem" in row)
    assert f"plan.yaml:{line}:" in done.stderr, done.stderr
    for words in ("netem", "Ways out: ", "modprobe sch_netem", "relay"):
        assert words in done.stderr, (words, done.stderr)
    assert not os.path.exists(out) and done.stdout == "", done
    drill.run("check", plan, check=0)   # the plan itself is right


drill.main()
