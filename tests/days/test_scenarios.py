#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills timeout=28800
"""scenarios/70-days, whole: each plan passes in a virtual machine, and stops passing when its fault is made harmless. This takes an hour or so: `make days`."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import harmless  # noqa: E402

YEAR_S = 366 * 24 * 3600
STINGS = {
    "all-away": (["timeline.0.for=2m"], "fail"),
    "ds-left-behind": (["lab.zones.example.com.sign={ds_ttl: 60s}"], "fail"),
    "host-cache": (["timeline.0.for=5s"], "fail"),
    "moved": (["timeline.3.for=1s"], "inconclusive"),
    "name-deleted": (["timeline.1.at=30m30s"], "fail"),
    "primary-lost": (["timeline.0.for=2h"], "fail"),
    "serve-stale": (["lab.resolvers.r1.options='serve-expired: no'"], "fail"),
    "timers": (["timeline.1.for=10s"], "inconclusive"),
    "weekend": (["lab.zones.example.com.sign.validity=20d"], "fail"),
}

harmless.folder("70-days", STINGS, without=["lab"], seconds=YEAR_S, options=["--engine", "vm"])
drill.main(at_once=os.cpu_count() or 1)
