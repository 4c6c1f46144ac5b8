# SPDX-License-Identifier: GPL-2.0-or-later
"""What the test runners share: running a program with a time limit, counting, the closing line."""
import contextlib
import fcntl
import os
import re
import signal
import subprocess
import sys
import time

SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")


class Count:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def summary_of(output):
    """The counts that the last line which is a summary gives, or None."""
    for line in reversed(output.splitlines()):
        match = SUMMARY.match(line.strip())
        if match:
            return Count(*(int(n or 0) for n in match.groups()))
    return None


def how_it_ended(status):
    if status is None:
        return "ran out of time"
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"exited with status {status}"


# Drills that run at once, over all scripts of one run: they mostly wait, yet a machine has only so many cores.
DRILLS_AT_ONCE = 2 * (os.cpu_count() or 1)
SLOTS = "DNSDRILL_TEST_SLOTS"  # a directory with a file for each drill that may run


@contextlib.contextmanager
def slot():
    """Holds one of the places for drills, if the runner has told where they are. Waits for one; it is free again when its holder dies."""
    folder = os.environ.get(SLOTS)
    if not folder:
        yield
        return
    with open(os.path.join(folder, "queue"), "w", encoding="ascii") as queue:
        fcntl.flock(queue, fcntl.LOCK_EX)
        held = _free_slot(folder)
    try:
        yield
    finally:
        held.close()


def _free_slot(folder):
    while True:
        for i in range(DRILLS_AT_ONCE):
            file = open(os.path.join(folder, str(i)), "w", encoding="ascii")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            except BlockingIOError:
                file.close()
        time.sleep(0.05)


running = set()
starting = []  # an item for each child that has been forked, perhaps, and is not in running yet
interrupted = []  # the signal


def end_all(number, _frame=None):
    """Interrupted: what was started has sessions of its own and would live on. Who is just starting something calls again."""
    interrupted.append(number)
    if starting:
        return
    for child in list(running):
        try:
            os.killpg(child.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
    os._exit(128 + number)


def end_children_when_interrupted():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_all)


def run(command, timeout, env=None):
    """Runs command in a session of its own, so that a time-out ends its children too.

    Returns (status, output): status None after a time-out; output is stdout and stderr as they came.
    """
    starting.append(command)
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 env=env, start_new_session=True)
        running.add(child)
    finally:
        starting.remove(command)
        if interrupted:
            end_all(interrupted[0])
    try:
        output, _ = child.communicate(timeout=timeout)
        return child.returncode, output.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        output, _ = child.communicate()
        return None, output.decode(errors="replace")
    finally:
        running.discard(child)


def say(text):
    print(text, flush=True)


def finish(count):
    say(str(count))
    sys.exit(1 if count.failed else 0)
