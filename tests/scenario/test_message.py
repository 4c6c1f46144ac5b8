#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills timeout=900
"""Every plan of scenarios/40-message passes, and stops passing when its fault is made harmless: then it proves something."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import harmless  # noqa: E402

FOLDER = "40-message"

# What --set takes the sting out of each plan, and what its verdict is then.
HARMLESS = {
    "servfail": (["timeline.0.match.qname=nobody.example"], "inconclusive"),
}

harmless.folder(FOLDER, HARMLESS, without=["lab"])
harmless.add_case("the lab passes without a fault", os.path.join(drill.SCENARIOS, FOLDER, "lab.yaml"), "pass")
drill.main(at_once=4)
