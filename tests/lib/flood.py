#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One flood of queries by dnsperf, and what came of it: rate, loss, rcodes, median latency, processor time of those who answered.

As a program it runs on a host of a lab, by the step `run`, and prints all that as JSON: flood.py SERVER QUERIES [--of NAME]… [-- DNSPERF-OPTION…]
"""
import json
import os
import re
import statistics
import subprocess
import sys

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def processor_s(pids):
    """User and system time that these have used so far; 0 for those that are gone."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total * TICK_S


def named(names):
    """The processes of these names that can be seen from here."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
                if file.read().strip() in names:
                    found.append(int(pid))
        except OSError:
            pass
    return found


def number(pattern, text):
    found = re.search(pattern, text)
    assert found, f"dnsperf does not say {pattern}:\n{text[-2000:]}"
    return float(found.group(1))


def flood(server, queries, *more, pids=()):
    """queries: a file for dnsperf. more: its options; -v gives the median latency. pids: whose processor time counts.

    With -l SECONDS the rate is over these: dnsperf's own is over the seconds, too, that it then waits for the last answers, 4 of them if one of
    100,000 is the proxy's SERVFAIL for what its server did not answer.
    """
    before = processor_s(pids)
    done = subprocess.run(["dnsperf", "-s", server, "-d", queries, *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=True)
    used = processor_s(pids) - before
    completed = number(r"Queries completed:\s+(\d+)", done.stdout)
    seconds = float(more[more.index("-l") + 1]) if "-l" in more else number(r"Run time \(s\):\s+([\d.]+)", done.stdout)
    codes = re.search(r"Response codes:\s+(.*)", done.stdout)
    taken = [float(text) for text in re.findall(r"^> \w+ \S+ \S+ ([\d.]+)$", done.stdout, re.MULTILINE)]
    return {
        "rate": completed / seconds,
        "completed": int(completed),
        "lost_percent": number(r"Queries lost:\s+\d+ \(([\d.]+)%\)", done.stdout),
        "rcodes": {name: int(count) for name, count in re.findall(r"(\w+) (\d+) \(", codes.group(1) if codes else "")},
        "median_ms": 1000 * statistics.median(taken) if taken else None,
        "processor_us": 1e6 * used / completed if completed else 0,
    }


def main(arguments):
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    mine, options = arguments[:cut], arguments[cut + 1:]
    names = [mine[i + 1] for i, word in enumerate(mine) if word == "--of"]
    print(json.dumps(flood(mine[0], mine[1], *options, pids=named(names))))


if __name__ == "__main__":
    main(sys.argv[1:])
