#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What bad things get: a plain message, the right exit status, everything undone."""
import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import outage_plan  # noqa: E402

IN_NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec"]


def out_dir():
    return os.path.join(drill.scratch(), "out")


def start(plan, out):
    return subprocess.Popen([drill.PROGRAM, "run", plan, "--out", out], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for_event(out, kind, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if any(f'"event":"{kind}"' in line for line in open(os.path.join(out, "events.ndjson"), encoding="utf-8")):
                return
        except FileNotFoundError:
            pass
        time.sleep(0.02)
    raise AssertionError(f"no {kind} within {seconds} s")


def interrupt(number, times=1):
    """Signals a drill while its fault stands; returns its exit status and what it left."""
    out = out_dir()
    child = start(outage_plan.plan(length="60s"), out)
    wait_for_event(out, "fault.applied")
    for _ in range(times):
        child.send_signal(number)
    output, _ = child.communicate(timeout=20)
    return child.returncode, drill.Result(out), output


def is_undone_with_a_partial_report(result):
    kinds = [event["event"] for event in result.events()]
    assert "fault.reverted" in kinds and kinds[-1] == "run.end", kinds[-5:]
    assert result.events("run.end")[0]["reason"] == "interrupted"
    assert result.json()["verdict"] == "inconclusive", result.json()["verdict"]
    assert os.path.getsize(result.path("report.html")) > 1000


@drill.case
def ctrl_c_undoes_everything_and_leaves_a_partial_report():
    status, result, output = interrupt(signal.SIGINT)
    assert status == 130, (status, output)
    is_undone_with_a_partial_report(result)


@drill.case
def sigterm_undoes_everything_and_exits_with_143():
    status, result, output = interrupt(signal.SIGTERM)
    assert status == 143, (status, output)
    is_undone_with_a_partial_report(result)


@drill.case
def a_terminal_that_closes_undoes_everything_and_leaves_a_partial_report():
    status, result, output = interrupt(signal.SIGHUP)
    assert status == 129, (status, output)
    is_undone_with_a_partial_report(result)


@drill.case
def a_second_ctrl_c_still_undoes_everything():
    status, result, output = interrupt(signal.SIGINT, times=2)
    assert status == 130, (status, output)
    is_undone_with_a_partial_report(result)


@drill.case
def a_full_disk_is_said_and_ends_the_drill():
    plan, where = outage_plan.plan(), drill.scratch()
    script = f'mount -t tmpfs -o size=96k none {where}; exec "$0" run {plan} --out {where}/out'
    done = subprocess.run([*IN_NAMESPACE, script, drill.PROGRAM], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 3, (done.returncode, done.stdout, done.stderr)
    assert "No space left on device" in done.stderr, done.stderr


@drill.case
def closed_standard_descriptors_are_not_taken_by_the_drills_files():
    out = out_dir()
    child = subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", drill.PROGRAM, "run",
                              outage_plan.plan(length="60s"), "--out", out])
    wait_for_event(out, "fault.applied")
    held = [os.readlink(f"/proc/{child.pid}/fd/{number}") for number in range(3)]
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=20) == 130
    assert held == ["/dev/null"] * 3, held  # what is printed must not land in events.ndjson


@drill.case
def too_few_descriptors_for_all_probes_end_the_drill():
    # Each of the 60 probes needs a timer of its own; with 60 descriptors for everything, not all can have one.
    with open(outage_plan.plan(), encoding="utf-8") as file:
        text = file.read()
    more = "".join(f"  p{i}: {{from: office, query: www.example.com A, every: 1s}}\n" for i in range(60))
    plan = drill.write_plan(text.replace("probes:\n", "probes:\n" + more),
                            **{"example.com.zone": outage_plan.ZONE})
    done = drill.run("run", plan, "--out", out_dir(), prefix=["prlimit", "--nofile=60:60"], timeout=60, check=3)
    assert "Too many open" in done.stdout and "ulimit -n" in done.stdout, done.stdout


@drill.case
def an_output_directory_that_cannot_be_made_is_named():
    plan, where = outage_plan.plan(), os.path.join(drill.scratch(), "file")
    open(where, "w", encoding="utf-8").close()
    done = drill.run("run", plan, "--out", f"{where}/out", check=3)
    assert done.stderr.startswith(f"{where}/out: error: cannot make the output directory: "), done.stderr


@drill.case
def a_directory_that_holds_a_run_is_not_written_over():
    out = out_dir()
    os.makedirs(out)
    with open(os.path.join(out, "events.ndjson"), "w", encoding="utf-8") as file:
        file.write("evidence\n")
    done = drill.run("run", outage_plan.plan(), "--out", out, check=3)
    assert "already holds a run" in done.stderr, done.stderr
    assert open(os.path.join(out, "events.ndjson"), encoding="utf-8").read() == "evidence\n"


@drill.case
def a_later_drill_whose_place_is_taken_is_said_before_the_first_is_played():
    first, second, out = outage_plan.plan(), outage_plan.plan(), out_dir()
    taken = os.path.join(out, "plan-2")  # both are called plan.yaml
    os.makedirs(taken)
    open(os.path.join(taken, "events.ndjson"), "w", encoding="utf-8").close()
    done = drill.run("run", first, second, "--out", out, check=3)
    assert done.stderr.startswith(f"{taken}: error: this directory already holds a run"), done.stderr
    assert os.listdir(out) == ["plan-2"], os.listdir(out)


@drill.case
def an_output_directory_without_a_name_is_a_mistake():
    done = drill.run("run", outage_plan.plan(), "--out", "", check=2)
    assert "--out: name a directory" in done.stderr, done.stderr


@drill.case
def a_full_disk_below_standard_output_is_said():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([drill.PROGRAM, "list", "servers"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3, done.returncode
    assert "cannot write to standard output" in done.stderr, done.stderr


def bytes_on_a_terminal(columns, command):
    """What a program writes to a terminal so wide."""
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=other,
                             env={**os.environ, "TERM": "xterm"})
    os.close(other)
    written = b""
    try:
        while chunk := os.read(main, 65536):
            written += chunk
    except OSError:  # the other end is closed: EIO
        pass
    os.close(main)
    child.wait(60)
    return written


@drill.case
def no_number_of_the_live_line_is_cut_in_two_on_a_narrow_terminal():
    columns = 30  # less than the bar and the counts take together
    written = bytes_on_a_terminal(columns, [drill.PROGRAM, "run", outage_plan.plan(), "--out", out_dir()])
    text = re.sub(r"\033\[[?0-9;]*[A-Za-z]", "", written.decode())
    lines = text.split("\r")
    assert any(" s  good " in line for line in lines), lines
    assert all(len(line) <= columns for line in lines), max(lines, key=len)


@drill.case
def a_server_that_is_not_installed_is_named_at_its_place_before_anything_is_touched():
    plan, out, knotd = outage_plan.plan(), out_dir(), shutil.which("knotd", path="/usr/sbin:/sbin:/usr/bin")
    script = f'mount --bind /dev/null {knotd}; exec "$0" run {plan} --out {out}'
    done = subprocess.run([*IN_NAMESPACE, script, drill.PROGRAM], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    line = next(i for i, text in enumerate(open(plan, encoding="utf-8"), 1) if "server: knot" in text)
    assert done.returncode == 3, (done.returncode, done.stderr)
    assert f"{plan}:{line}:91: error: knotd is not installed: apt-get install knot\n" in done.stderr, done.stderr
    assert not os.path.exists(out)


@drill.case
def a_port_in_use_names_the_server_and_shows_its_log():
    busy = r', options: "server:\n  interface: 203.0.113.53@53\nremote-control:\n  control-enable: yes\n' \
           r'  control-interface: 203.0.113.53\n  control-port: 53\n  control-use-cert: no"'
    out = out_dir()
    done = drill.run("run", outage_plan.plan(resolver_options=busy), "--out", out, check=3)
    text = done.stdout + done.stderr
    assert "r1 (unbound)" in text and "ddress already in use" in text, text


@drill.case
def a_server_that_dies_in_the_drill_is_named_with_its_log():
    out = out_dir()
    child = start(outage_plan.plan(length="60s"), out)
    wait_for_event(out, "fault.applied")
    victims = [pid for pid in descendants(child.pid) if name_of(pid) == "unbound"]
    assert len(victims) == 1, victims
    os.kill(victims[0], signal.SIGKILL)
    output, _ = child.communicate(timeout=20)
    result = drill.Result(out)
    assert child.returncode == 3, (child.returncode, output)
    assert "r1: unbound was killed by signal 9 (Killed) while the drill ran" in " ".join(output.split()), output
    assert "start of service" in output, output  # what unbound's log says
    assert result.json()["verdict"] == "error"
    assert "fault.reverted" in [event["event"] for event in result.events()]


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def descendants(pid):
    found = []
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            for child in map(int, file.read().split()):
                found += [child, *descendants(child)]
    except OSError:
        pass
    return found


@drill.case
def the_death_of_the_labs_init_is_an_error_and_the_stream_is_whole():
    out = out_dir()
    child = start(outage_plan.plan(length="60s"), out)
    wait_for_event(out, "fault.applied")
    with open(f"/proc/{child.pid}/task/{child.pid}/children", encoding="ascii") as file:
        os.kill(int(file.read().split()[0]), signal.SIGKILL)
    output, _ = child.communicate(timeout=20)
    result = drill.Result(out)
    assert child.returncode == 3, (child.returncode, output)
    assert result.events()[-1] | {"event": "run.end", "reason": "error"} == result.events()[-1]
    assert "killed by signal 9" in output, output
    assert result.json()["verdict"] == "error"


@drill.case
def a_fault_that_nobody_meets_is_inconclusive_never_a_pass():
    plan = outage_plan.plan()
    text = open(plan, encoding="utf-8").read()
    text = text.replace("target: alpha,", "target: alpha, protocol: tcp, port: 4242,")
    with open(plan, "w", encoding="utf-8") as file:
        file.write(text)
    result = drill.drill(plan, check=3)
    assert result.json()["verdict"] == "inconclusive"
    assert result.json()["faults"][0]["effect"]["took_effect"] is False, result.json()["faults"]


@drill.case
def an_unhealthy_baseline_is_inconclusive():
    plan = outage_plan.plan()
    text = open(plan, encoding="utf-8").read()
    text = text.replace("timeout: 500ms}\n  fresh", "timeout: 500ms, good: {answer: 192.0.2.99}}\n  fresh")
    with open(plan, "w", encoding="utf-8") as file:
        file.write(text)
    result = drill.drill(plan, check=3)
    assert result.json()["verdict"] == "inconclusive"
    assert result.measurement("www", "baseline")["outcomes"]["wrong"] > 0


@drill.case
def a_report_made_again_is_the_same_to_the_byte():
    result = drill.drill(outage_plan.plan())
    again = drill.scratch()
    drill.run("report", result.path("events.ndjson"), "--out", again, check=0)
    names = ["result.json", "junit.xml", "report.html", "summary.md"]
    for name in names:
        assert open(result.path(name), "rb").read() == open(os.path.join(again, name), "rb").read(), name


drill.main()
