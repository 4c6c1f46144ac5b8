# SPDX-License-Identifier: GPL-2.0-or-later
"""A folder of shipped scenarios: every plan passes, and stops passing when its fault is made harmless. Then it proves something.

    harmless.folder("30-path", {"loss": (["timeline.0.share=1%"], "fail"), …}, without=["lab"])
    drill.main(at_once=4)

A fault that acts on nothing is inconclusive; one that acts too little to be seen makes expectations fail.
"""
import os

import drill

EXIT = {"pass": 0, "fail": 1, "inconclusive": 3, "error": 3}


def play(path, sets=(), options=()):
    """The Result of one plan. options: of `dnsdrill run`; without a clock of its own a run has ten minutes."""
    out = os.path.join(drill.scratch(), "out")
    arguments = [word for value in sets for word in ("--set", value)]
    done = drill.run("run", path, "--out", out, *arguments, *options, timeout=7200 if "vm" in options else 600)
    return drill.Result(out, done)


def add_case(sentence, path, verdict, sets=(), seconds=20, options=()):
    """A case that the plan, with those --set, ends with that verdict, in at most so many seconds for each combination of its matrix."""
    def check():
        result = play(path, sets, options)
        assert result.done.returncode == EXIT[verdict], result.done.stdout + result.done.stderr
        assert f"\n{verdict.upper()}  " in "\n" + result.done.stdout, result.done.stdout
        for end in result.events("run.end"):
            assert end["t_ns"] <= seconds * 1e9, end
        for event in result.events("fault.failed"):
            raise AssertionError(event)
    check.__name__ = sentence
    drill.case(check)


def folder(name, stings, without=(), seconds=20, options=()):
    """Cases for every plan of scenarios/NAME but those of `without`. stings: plan → (what --set takes the sting out of it, the verdict then)."""
    top = os.path.join(drill.SCENARIOS, name)
    plans = sorted(file[:-5] for file in os.listdir(top) if file.endswith(".yaml") and file[:-5] not in without)
    assert set(plans) == set(stings), f"what makes these harmless, or where are they: {set(plans) ^ set(stings)}"
    for plan in plans:
        add_case(f"{plan} passes", os.path.join(top, plan + ".yaml"), "pass", seconds=seconds, options=options)
    for plan in plans:
        sets, verdict = stings[plan]
        add_case(f"{plan} without its sting does not", os.path.join(top, plan + ".yaml"), verdict, sets, seconds, options)
