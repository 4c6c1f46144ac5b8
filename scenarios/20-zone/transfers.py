#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""transfers.py DIR: what secondaries made of each damaged transfer, as Markdown, from the recorded run of transfers.yaml."""
import json
import os
import sys

RIGHT, SOON_NS = {"192.0.2.80", "192.0.2.82"}, 300_000_000


def read_runs(path):
    runs = []
    with open(path, encoding="utf-8") as file:
        for event in map(json.loads, file):
            if event["event"] == "run.start":
                runs.append([])
            runs[-1].append(event)
    return runs


def first(parts, serial):
    """When the secondary first showed that serial, or a higher one; None: never."""
    return next((e["due_ns"] for e in parts if e["serial"] >= serial), None)


def when(parts, serial, change_ns, end_ns):
    at = first(parts, serial)
    if at is None:
        return f"never takes {serial}"
    if at < change_ns + SOON_NS:
        return f"takes {serial} at once"
    if at < end_ns:
        return f"takes {serial} after {(at - change_ns) / 1e9:.1f} s"
    return f"takes {serial} {(at - end_ns) / 1e9:.1f} s after its end"


def cell(events):
    change, second = (e["t_ns"] for e in events if e["event"] == "step.started")
    parts = [e for e in events if e["event"] == "sample.part" and e["host"] == "beta.ns1"]
    answers = [e for e in events if e["event"] == "sample" and e["probe"] == "www"]
    reverted = next((e for e in events if e["event"] == "fault.reverted"), None)
    end = reverted["t_ns"] if reverted else change + 2_000_000_000
    eight = first(parts, 8)
    if reverted and not reverted.get("took_effect", True):
        return "(no effect: it asked for nothing meanwhile that this damages)"
    if eight is not None and eight < second:
        text = when(parts, 8, change, end)
    else:
        text = "keeps 7 beyond the end"
        if first(parts, 9):
            text += "; 9 comes with the next NOTIFY"
        elif any(e["event"] == "step.ended" and e["id"] == 2 and e["ok"] and e["t_ns"] < second + SOON_NS for e in events):
            text += "; not even the next NOTIFY brings 9"
    wrong = {a for e in answers for a in e.get("answer", []) if a not in RIGHT}
    failed = {e["rcode"] for e in answers if e.get("rcode") not in (None, "NOERROR")}
    if wrong:
        text += f"; serves {', '.join(sorted(wrong))}"
        if any(a in wrong for a in answers[-1].get("answer", [])):
            text += " to the end"
    if failed:
        text += f"; answers {', '.join(sorted(failed))} meanwhile"
    return text


def main():
    rows, columns, versions = {}, [], {}
    for events in read_runs(os.path.join(sys.argv[1], "events.ndjson")):
        label = dict(part.split("=", 1) for part in events[0]["case_label"].rsplit(", ", 1))
        rows.setdefault(label["damage"], {})[label["secondary"]] = cell(events)
        if label["secondary"] not in columns:
            columns.append(label["secondary"])
        for event in events:
            if event["event"] == "lab.host" and event["host"] in ("alpha.ns1", "beta.ns1"):
                versions[event["server"]] = event.get("version") or "?"
    print("| damage | " + " | ".join(columns) + " |")
    print("| --- |" + " --- |" * len(columns))
    for damage, cells in rows.items():
        print(f"| {damage} | " + " | ".join(cells.get(c, "") for c in columns) + " |")
    print("\n" + "; ".join(f"{name}: {version}" for name, version in sorted(versions.items())))


main()
