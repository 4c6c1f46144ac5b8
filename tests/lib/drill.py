# SPDX-License-Identifier: GPL-2.0-or-later
"""What scenario tests share: cases that count themselves, running the program, reading what it left."""
import concurrent.futures
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

sys.dont_write_bytecode = True
import suite  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("DNSDRILL") or os.path.join(ROOT, "build", "dnsdrill")
SCENARIOS = os.path.join(ROOT, "scenarios")

TOP = tempfile.mkdtemp(prefix="dnsdrill-test-")
os.chmod(TOP, 0o755)  # ordinary users have a share in some cases
cases = []


def scratch():
    """A new directory; all of them are gone when main() ends, unless a case failed."""
    return tempfile.mkdtemp(dir=TOP)


class Skip(Exception):
    pass


def case(function):
    """Marks a test case. Its name is the sentence that the run prints."""
    cases.append(function)
    return function


def run(*arguments, timeout=120, cwd=None, env=None, check=None, prefix=()):
    """Runs dnsdrill. check: the exit status it must have."""
    with suite.slot() if arguments[:1] == ("run",) else contextlib.nullcontext():
        done = subprocess.run([*prefix, PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=timeout, cwd=cwd, env=env, text=True, errors="replace")
    if check is not None and done.returncode != check:
        raise AssertionError(f"exit status {done.returncode}, not {check}, of dnsdrill {' '.join(arguments)}\n"
                             f"{done.stdout}{done.stderr}")
    return done


def drill(plan, *arguments, check=0, timeout=180):
    """Runs a plan into a directory of its own and returns a Result."""
    out = os.path.join(scratch(), "out")
    done = run("run", plan, "--out", out, *arguments, check=check, timeout=timeout)
    return Result(out, done)


def write_plan(text, **files):
    """A plan in a directory of its own, with other files beside it; returns its path."""
    folder = scratch()
    for name, content in {"plan.yaml": text, **files}.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            out.write(content)
    return os.path.join(folder, "plan.yaml")


class Result:
    """A run's output directory."""

    def __init__(self, out, done=None):
        self.out, self.done = out, done

    def path(self, *names):
        return os.path.join(self.out, *names)

    def json(self):
        with open(self.path("result.json"), encoding="utf-8") as file:
            return json.load(file)

    def events(self, *kinds):
        with open(self.path("events.ndjson"), encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        return [event for event in events if not kinds or event["event"] in kinds]

    def samples(self, probe):
        return [event for event in self.events("sample") if event["probe"] == probe]

    def measurement(self, probe, window):
        """window: "overall", "baseline", "recovery" or a fault's name."""
        for row in self.json()["measurements"]:
            if row["probe"] == probe and window in (row["fault"], None if row["fault"] else row["window"]):
                return row
        raise AssertionError(f"no measurement of {probe} in {window}")


def outcome(function):
    """("passed" | "skipped" | "failed", what is said of it)"""
    try:
        function()
        return "passed", ""
    except Skip as skip:
        return "skipped", str(skip)
    except Exception:  # noqa: BLE001: every failure is a failed case, and the rest runs
        return "failed", traceback.format_exc()


def main(at_once=1):
    """Runs the cases, so many at a time, and ends the program. What they do must bear company if it is more than one."""
    count = suite.Count()
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for function, (what, text) in zip(cases, pool.map(outcome, cases)):
            setattr(count, what, getattr(count, what) + 1)
            name = function.__name__.replace("_", " ")
            suite.say({"passed": f"ok      {name}", "skipped": f"skipped {name}: {text}", "failed": f"FAILED  {name}\n{text}"}[what])
    if count.failed:
        suite.say(f"what the cases left is in {TOP}")
    else:
        shutil.rmtree(TOP, ignore_errors=True)
    suite.finish(count)
