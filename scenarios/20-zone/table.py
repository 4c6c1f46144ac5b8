#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""table.py DIR: what servers made of each damage, as Markdown, from the recorded run of secondaries.yaml or primaries.yaml.

    dnsdrill run scenarios/20-zone/secondaries.yaml --out DIR
    python3 scenarios/20-zone/table.py DIR
"""
import json
import os
import sys

PRIMARY, SECONDARY = "alpha.ns1", "beta.ns1"


def read_runs(path):
    runs = []
    with open(path, encoding="utf-8") as file:
        for event in map(json.loads, file):
            if event["event"] == "run.start":
                runs.append([])
            runs[-1].append(event)
    return runs


def one(events, kind):
    return next((e for e in events if e["event"] == kind), None)


def shown(events, host, before, first=0):
    """Serials or errors a host showed in samples due in [first, before), in the order of their first showing."""
    found = []
    for event in events:
        if event["event"] == "sample.part" and event["host"] == host and first <= event["due_ns"] < before:
            what = event["serial"] if event["serial"] >= 0 else event.get("rcode") or "no answer"
            if what not in found:
                found.append(what)
    return found


def cell(events):
    applied, reverted = one(events, "fault.applied"), one(events, "fault.reverted")
    if not reverted:
        return "(the run ended early)"
    old = shown(events, SECONDARY, applied["t_ns"])
    during = shown(events, SECONDARY, reverted["t_ns"], applied["t_ns"] + 100_000_000)
    after = shown(events, SECONDARY, 1 << 62, reverted["t_ns"])
    new = [s for s in during if s not in old]
    if not new:
        text = f"keeps {old[-1]}"
    elif isinstance(new[-1], int):
        text = f"takes {new[-1]}"
    else:
        text = f"answers {new[-1]}"
    wrong = sorted({e["probe"] for e in events if e["event"] == "sample" and e["probe"] != "serial"
                    and e["outcome"] != "ok" and applied["t_ns"] <= e["due_ns"] < reverted["t_ns"]})
    if wrong:
        text += f", wrong for {', '.join(wrong)}"
    repaired = after and isinstance(after[-1], int) and after[-1] not in old + during
    return text + (f"; then {after[-1]}" if repaired else "; the repair did not reach it")


def primary(events):
    text = (one(events, "fault.reverted") or {}).get("effect", "")
    return text.removeprefix(PRIMARY + " ").split(": ")[0]


def main():
    runs = read_runs(os.path.join(sys.argv[1], "events.ndjson"))
    rows, columns, versions = {}, [], {}
    for events in runs:
        label = dict(part.split("=", 1) for part in events[0]["case_label"].split(", "))
        of_primary = "primary" in label
        column = label["primary" if of_primary else "secondary"]
        row = rows.setdefault(label["damage"], {"the primary, powerdns": primary(events)} if not of_primary else {})
        row[column] = primary(events) if of_primary else cell(events)
        columns += [name for name in row if name not in columns]
        for event in events:
            if event["event"] == "lab.host" and event["host"] in (PRIMARY, SECONDARY):
                versions[event["server"]] = event.get("version") or "?"
    print("| damage | " + " | ".join(columns) + " |")
    print("| --- |" + " --- |" * len(columns))
    for damage, cells in rows.items():
        print(f"| {damage} | " + " | ".join(cells.get(c, "") for c in columns) + " |")
    print("\n" + "; ".join(f"{name}: {version}" for name, version in sorted(versions.items())))


main()
