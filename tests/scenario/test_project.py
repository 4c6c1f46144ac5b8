#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: parallel
# dnsdrill-test: sanitized
"""What surrounds the program: its manual page and help, installing, and that the tests' own machinery notices what is wrong."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402


def script(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    os.chmod(path, 0o755)
    return path


def output(*command, status=0, env=None):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=drill.ROOT, text=True,
                          errors="replace", env=dict(os.environ, **(env or {})))
    assert done.returncode == status, f"{command}: status {done.returncode}, not {status}\n{done.stdout}"
    return done.stdout


@drill.case
def the_manual_page_renders_without_warnings():
    if not shutil.which("man"):
        raise drill.Skip("man is not installed")
    with tempfile.NamedTemporaryFile("w", suffix=".1", encoding="utf-8") as page:
        page.write(drill.run("man", check=0).stdout)
        page.flush()
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page.name], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=dict(os.environ, MANWIDTH="80", LC_ALL="C.UTF-8"))
    assert done.stderr == "", done.stderr
    for heading in ("NAME", "SYNOPSIS", "COMMANDS", "PLANS", "FAULTS", "METRICS", "EXIT STATUS", "FILES"):
        assert re.search(f"^{heading}$", done.stdout, re.MULTILINE), f"no section {heading}"
    assert "A zone that" in done.stdout, "a sentence that begins with a word of one letter lost its space"


@drill.case
def every_command_has_help_and_stands_in_the_manual_page():
    page = drill.run("man", check=0).stdout.replace("\\-", "-")
    commands = re.findall(r"^  dnsdrill (\w+)", drill.run("--help", check=0).stdout, re.MULTILINE)
    assert len(commands) >= 8, commands
    for command in commands:
        usage = drill.run(command, "--help", check=0).stdout
        assert usage.startswith(f"usage: dnsdrill {command}"), usage
        assert f'.SS "dnsdrill {command}' in page, command
        for option in re.findall(r"^  (--[\w-]+)", usage, re.MULTILINE):
            assert f"\\fB{option}\\fR" in page, f"{command} {option}"


@drill.case
def every_key_that_list_shows_stands_in_the_manual_page():
    page = drill.run("man", check=0).stdout.replace("\\-", "-")
    for what in ("faults", "probes"):
        for kind in re.findall(r"^(\S+)", drill.run("list", what, check=0).stdout, re.MULTILINE):
            for key in re.findall(r"^  ([\w-]+)", drill.run("list", what, kind, check=0).stdout, re.MULTILINE):
                assert f"\\fB{key}\\fR" in page, f"{kind}: {key}"


@drill.case
def the_first_plan_of_the_readme_is_without_error():
    with open(os.path.join(drill.ROOT, "README.md"), encoding="utf-8") as file:
        readme = file.read()
    zone = re.search(r"`example\.com\.zone`:\n\n((?:    .*\n|\n)+)", readme).group(1)
    plan = re.search(r"```yaml\n(.*?)```", readme, re.DOTALL).group(1)
    path = drill.write_plan(plan, **{"example.com.zone": re.sub(r"(?m)^    ", "", zone)})
    assert ": ok: " in drill.run("check", path, check=0).stdout


@drill.case
def uninstall_removes_what_install_put_there():
    build = os.path.dirname(drill.PROGRAM)
    with tempfile.TemporaryDirectory() as root:
        variables = (f"BUILD={build}", f"DESTDIR={root}", "PREFIX=/usr")
        if "sanitized" in build:
            variables += ("SANITIZE=-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer",)
        output("make", "-s", "install", *variables)
        version = subprocess.run([f"{root}/usr/bin/dnsdrill", "--version"], stdout=subprocess.PIPE, text=True).stdout
        assert re.fullmatch(r"dnsdrill \d+\.\d+\.\d+\n", version), version
        assert os.path.exists(f"{root}/usr/share/man/man1/dnsdrill.1")
        plan = f"{root}/usr/share/dnsdrill/scenarios/10-outage/drop-provider.yaml"
        assert "ok" in output(f"{root}/usr/bin/dnsdrill", "check", plan)
        output("make", "-s", "uninstall", *variables)
        left = [name for _, _, names in os.walk(root) for name in names]
        assert left == [], left


@drill.case
def a_script_that_fails_without_a_word_counts_as_failed():
    with tempfile.TemporaryDirectory() as folder:
        script(folder, "test_a", "#!/bin/sh\necho '3 passed, 0 failed, 1 skipped'\n")
        script(folder, "test_b", "#!/bin/sh\nexit 0\n")
        script(folder, "test_c", "#!/bin/sh\necho '2 passed, 0 failed'\nexit 1\n")
        script(folder, "test_d", "#!/bin/sh\n# dnsdrill-test: timeout=1\nsleep 100\n")
        script(folder, "test_e", "#!/no/such/interpreter\n")
        said = output("tests/run-scripts", folder, status=1)
    assert said.splitlines()[-1] == "5 passed, 4 failed, 1 skipped", said
    assert "it ran out of time" in said


@drill.case
def interrupting_the_tests_leaves_none_of_them_running():
    with tempfile.TemporaryDirectory() as folder:
        os.mkfifo(f"{folder}/alive")  # its end of file is the end of all who hold it
        script(folder, "test_long", f"#!/bin/sh\nexec sleep 1000 >{folder}/alive\n")
        runner = subprocess.Popen(["tests/run-scripts", folder], cwd=drill.ROOT, stdout=subprocess.DEVNULL)
        with open(f"{folder}/alive", "rb") as alive:  # opens when the script has
            runner.terminate()
            assert runner.wait(60) == 143
            assert alive.read() == b""


@drill.case
def a_unit_test_that_crashes_counts_as_failed_by_name():
    with tempfile.TemporaryDirectory() as folder:
        good = script(folder, "test_good", "#!/bin/sh\nprintf '1..2\\nok 1 - a\\nno kernel\\nnot ok 2 # SKIP b\\n'\n")
        crash = script(folder, "test_crash", "#!/bin/sh\nprintf '1..2\\nok 1 - a\\n'\nkill -SEGV $$\n")
        leak = script(folder, "test_leak", "#!/bin/sh\nprintf '1..1\\nok 1 - a\\n'\nexit 1\n")
        silent = script(folder, "test_silent", "#!/bin/sh\n")
        said = output("tests/unit/run-unit", good, crash, leak, silent, status=1)
    assert said.splitlines()[-1] == "3 passed, 3 failed, 1 skipped", said
    assert re.search(r"^FAILED .*test_crash: the program was killed by SIGSEGV after 1 of 2 cases$", said, re.MULTILINE)
    assert re.search(r"^skipped .*test_good: b: no kernel$", said, re.MULTILINE), said


@drill.case
def an_arrow_that_runs_back_is_found():
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(os.path.join(drill.ROOT, "ci"), f"{copy}/ci")
        for folder in ("harness/base", "harness/run", "report"):
            os.makedirs(f"{copy}/{folder}")
        script(copy, "harness/base/a.h", '#include "harness/run/b.h"\n')
        script(copy, "harness/run/b.h", '#include "harness/base/a.h"\n')
        script(copy, "report/c.c", '#include "a.h"\n')
        said = output(f"{copy}/ci/layers", status=1)
    assert "harness/base/a.h:1: base may not include run (harness/run/b.h)" in said, said
    assert 'report/c.c:1: "a.h": write the path from the top' in said, said
    assert len(said.splitlines()) == 2, said


drill.main()
