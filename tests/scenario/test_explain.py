#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: parallel sanitized
"""`dnsdrill explain`: what it prints works on a router that dnsdrill has never seen.

The router is a network namespace of this test's own with two hosts behind it: alpha, whose echo service answers over
UDP, and office, who asks it.
"""
import difflib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import outage_plan  # noqa: E402

ALPHA = {4: "192.0.2.1", 6: "2001:db8:1::1"}
OFFICE = {4: "203.0.113.9", 6: "2001:db8:9::9"}
PORT = 7007
PREFIX = """\
plan: 1
name: By hand
lab:
  zones: {example.com: {file: example.com.zone}}
  providers:
    alpha:
      nameservers:
        ns1: {hostname: ns1.alpha-dns.net, address: [192.0.2.1, "2001:db8:1::1"], server: knot}
  resolvers: {r1: {address: 203.0.113.53}}
  clients: {office: {resolvers: [r1], address: [203.0.113.9, "2001:db8:9::9"]}}
recovery: 500ms
timeline:
"""
ECHO = """
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", int(sys.argv[1])))
print("up", flush=True)
while True:
    data, peer = s.recvfrom(2000)
    s.sendto(data, peer)
"""
ASK = """
import socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(float(sys.argv[3]))
s.connect((sys.argv[1], int(sys.argv[2])))
began = time.monotonic()
try:
    s.send(b"hello")
    s.recv(100)
    print(time.monotonic() - began)
except OSError as error:
    print("timeout" if isinstance(error, socket.timeout) else error.strerror)
"""

FLOOD = """
import socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
s.connect((sys.argv[1], int(sys.argv[2])))
began = time.monotonic()
for _ in range(12):
    s.send(b"x" * 1000)
for _ in range(12):
    s.recv(2000)
print(time.monotonic() - began)
"""


def sh(*command, check=True):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert not check or done.returncode == 0, (command, done.stderr)
    return done.stdout


class Host:
    def __init__(self, name, addresses):
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        until = time.monotonic() + 10
        while os.readlink(f"/proc/{self.holder.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            assert time.monotonic() < until
            time.sleep(0.005)
        sh("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(self.holder.pid))
        sh("ip", "link", "set", name, "addrgenmode", "none", "up")
        self.inside("ip", "link", "set", "eth0", "up")
        for family, address in addresses.items():
            gateway, bits = ("169.254.0.1", 32) if family == 4 else ("fe80::1", 128)
            sh("ip", "address", "add", gateway if family == 4 else "fe80::1/64", "dev", name, *([] if family == 4 else ["nodad"]))
            self.inside("ip", "address", "add", f"{address}/{bits}", "dev", "eth0", *([] if family == 4 else ["nodad"]))
            self.inside("ip", f"-{family}", "route", "add", "default", "via", gateway, "dev", "eth0", "onlink")
            sh("ip", f"-{family}", "route", "add", f"{address}/{bits}", "dev", name)

    def prefix(self):
        return ["nsenter", "-t", str(self.holder.pid), "-n"]

    def inside(self, *command):
        return sh(*self.prefix(), *command)


class Router:
    """What this process's network namespace becomes."""

    def __init__(self):
        sh("ip", "link", "set", "lo", "up")
        for path, value in (("ipv4/ip_forward", 1), ("ipv6/conf/all/forwarding", 1), ("ipv4/conf/all/rp_filter", 0),
                            ("ipv4/conf/default/rp_filter", 0)):
            with open(f"/proc/sys/net/{path}", "w", encoding="ascii") as file:
                file.write(str(value))
        self.alpha, self.office = Host("to-alpha", ALPHA), Host("to-office", OFFICE)
        self.echo = subprocess.Popen([*self.alpha.prefix(), sys.executable, "-c", ECHO, str(PORT)],
                                     stdout=subprocess.PIPE, text=True)
        assert self.echo.stdout.readline() == "up\n"
        for family in (4, 6):
            until = time.monotonic() + 10
            while isinstance(self.ask(family), str):
                assert time.monotonic() < until, self.ask(family)

    def ask(self, family=4, seconds=0.5):
        """How long an answer takes, in seconds; a word if none comes."""
        said = self.office.inside(sys.executable, "-c", ASK, ALPHA[family], str(PORT), str(seconds)).strip()
        return float(said) if re.fullmatch(r"[0-9.e-]+", said) else said

    def flood(self, family=4):
        """How long it takes twelve datagrams of 1,000 bytes to be echoed, in seconds."""
        return float(self.office.inside(sys.executable, "-c", FLOOD, ALPHA[family], str(PORT)))

    def close(self):
        for child in (self.echo, self.alpha.holder, self.office.holder):
            child.kill()
            child.wait()
        for link in ("to-alpha", "to-office"):
            sh("ip", "link", "delete", link, check=False)


def state():
    """Everything of the router that a fault could have touched."""
    links = re.sub(r"\s+", " ", sh("ip", "-o", "link"))
    return (sh("nft", "list", "ruleset"), re.sub(r"\b(qlen|state) \S+", "", links), sh("ip", "rule"), sh("ip", "-6", "rule"),
            sh("ip", "route", "show", "table", "all"), sh("tc", "qdisc"))


def plan_of(steps):
    return drill.write_plan(PREFIX + steps, **{"example.com.zone": outage_plan.ZONE})


def script_of(steps):
    """The script of a plan with these steps, in a file."""
    path = os.path.join(tempfile.mkdtemp(prefix="dnsdrill-test-"), "fault.sh")
    with open(path, "w", encoding="utf-8") as file:
        file.write(drill.run("explain", "--script", plan_of(steps), check=0).stdout)
    return path


def wait_for(what, seconds=10):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)


def with_router(function):
    """A case with a router of its own. What it leaves on the router is a failure."""
    def wrapped():
        router = Router()
        try:
            before = state()
            function(router)
            after = state()
            assert after == before, "\n".join(difflib.unified_diff("\n".join(before).split("\n"), "\n".join(after).split("\n")))
        finally:
            router.close()
    wrapped.__name__ = function.__name__
    return drill.case(wrapped)


def shell(script, *arguments):
    return subprocess.Popen(["sh", script, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


BLACKHOLE = "  - {at: 200ms, for: 1500ms, fault: blackhole, target: alpha, family: ipv4, name: dark}\n"


@with_router
def the_commands_that_explain_prints_can_be_pasted(router):
    text = drill.run("explain", plan_of(BLACKHOLE), check=0).stdout
    steps = re.split(r"\n(?=# )", text)
    apply = "\n".join(step for step in steps if "first of all" in step or ": apply " in step)
    undo = "\n".join(step for step in steps if "last of all" in step or ": revert " in step)
    sh("sh", "-euc", apply)
    assert router.ask(4) == "timeout" and isinstance(router.ask(6), float)
    sh("sh", "-euc", undo)
    assert isinstance(router.ask(4), float)


@with_router
def the_script_plays_the_timeline_and_undoes_it(router):
    child = shell(script_of(BLACKHOLE), "start")
    wait_for(lambda: "chain fault_1" in sh("nft", "list", "ruleset"))
    assert router.ask(4) == "timeout" and isinstance(router.ask(6), float)
    output, _ = child.communicate(timeout=20)
    assert child.returncode == 0 and "fault 1: on\nfault 1: off\n" in output and "everything is undone" in output, output
    assert isinstance(router.ask(4), float)


@with_router
def the_script_undoes_everything_when_it_is_interrupted(router):
    script = script_of(BLACKHOLE)
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        child = shell(script, "start", "1")
        wait_for(lambda: router.ask(4, 0.2) == "timeout")
        child.send_signal(number)
        output, _ = child.communicate(timeout=5)
        assert child.returncode == status, (child.returncode, output)
        assert isinstance(router.ask(4), float)


@with_router
def stop_undoes_what_a_killed_start_left_and_ends_one_that_runs(router):
    script = script_of(BLACKHOLE)
    child = shell(script, "start", "1")
    wait_for(lambda: router.ask(4, 0.2) == "timeout")
    child.kill()
    child.communicate(timeout=5)
    assert router.ask(4) == "timeout"
    again = subprocess.run(["sh", script, "start"], capture_output=True, text=True, timeout=10)
    assert again.returncode == 1 and "stand already" in again.stderr, again
    assert subprocess.run(["sh", script, "stop"], capture_output=True, timeout=10).returncode == 0
    assert isinstance(router.ask(4), float)
    child = shell(script, "start", "1")
    wait_for(lambda: router.ask(4, 0.2) == "timeout")
    assert subprocess.run(["sh", script, "stop"], capture_output=True, timeout=10).returncode == 0
    output, _ = child.communicate(timeout=5)
    assert child.returncode == 1 and "stopped from elsewhere" in output, output
    assert subprocess.run(["sh", script, "stop"], capture_output=True, timeout=10).returncode == 0, "twice"


@with_router
def the_script_of_a_flap_switches(router):
    steps = "  - {at: 0s, for: 4s, fault: reject, target: alpha, flap: {on: 1s, off: 1s}}\n"
    child = shell(script_of(steps), "start")
    refused, heard = 0, 0
    began = time.monotonic()
    while time.monotonic() - began < 3.8:
        answer = router.ask(4)
        refused += answer == "Connection refused"
        heard += isinstance(answer, float)
    output, _ = child.communicate(timeout=10)
    assert output.count("fault 1: on") == 2 and output.count("fault 1: off") >= 2, output
    assert refused >= 3 and heard >= 3, (refused, heard)


def has(ability):
    """Whether this kernel has it, as the doctor says."""
    found = [item for item in json.loads(drill.run("doctor", "--json").stdout) if item["ability"] == ability]
    return found[0]["has"]


# 12 × 1,042 bytes are 100 kbit: half a second at 200 kbit/s, less the burst of two full frames.
@with_router
def the_script_shapes_with_tbf(router):
    if not has("tbf"):
        raise drill.Skip("this kernel has no tbf")
    script = script_of("  - {at: 0s, for: 9s, fault: rate, target: alpha, direction: to, bits: 200kbit/s}\n")
    for family in (4, 6):
        assert router.flood(family) < 0.2
    child = shell(script, "start", "1")
    wait_for(lambda: router.flood() > 0.2)
    for family in (4, 6):
        assert 0.3 < router.flood(family) < 0.6, router.flood(family)
    child.send_signal(signal.SIGINT)
    output, _ = child.communicate(timeout=5)
    assert "everything is undone" in output, output
    assert router.flood() < 0.2


LATENCY = "  - {at: 0s, for: 9s, fault: latency, target: alpha, delay: 100ms}\n"


# On a machine whose kernel has no netem it is seen in test_vm.py.
@with_router
def a_script_that_needs_netem_where_there_is_none_says_so_and_leaves_nothing(router):
    if has("netem"):
        raise drill.Skip("this kernel has netem")
    done = subprocess.run(["sh", script_of(LATENCY), "start"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and "fault 1 could not be applied" in done.stderr, done
    assert "everything is undone" in done.stderr, done
    assert isinstance(router.ask(4), float)


@drill.case
def every_scenario_has_a_script_that_shellcheck_likes():
    if not shutil.which("shellcheck"):
        raise drill.Skip("shellcheck is not installed")
    for folder, _, names in sorted(os.walk(drill.SCENARIOS)):
        for name in sorted(names):
            if not name.endswith(".yaml"):
                continue
            done = drill.run("explain", "--script", os.path.join(folder, name))
            if done.returncode == 2 and "has a matrix, and its faults differ" in done.stderr:
                continue
            assert done.returncode == 0, done.stderr
            said = subprocess.run(["shellcheck", "-s", "sh", "-"], input=done.stdout, capture_output=True, text=True)
            assert said.returncode == 0, (name, said.stdout)


@drill.case
def a_hostile_name_stays_a_name():
    name = "x'; touch pwned; $(touch pwned) `touch pwned`\\ntouch pwned"
    steps = f'  - {{at: 0s, for: 1s, fault: blackhole, target: alpha, name: "{name}"}}\n'
    script = script_of(steps)
    folder = os.path.dirname(script)
    done = subprocess.run(["sh", script], cwd=folder, capture_output=True, text=True, timeout=10)
    assert done.returncode == 2 and "$(touch pwned)" in done.stderr, done
    assert os.listdir(folder) == ["fault.sh"], os.listdir(folder)
    assert not any(line.startswith("touch") for line in open(script, encoding="utf-8"))


@drill.case
def the_script_refuses_without_root_and_without_tools():
    script = script_of(BLACKHOLE)
    done = subprocess.run(["unshare", "--user", "sh", script, "start"], capture_output=True, text=True, timeout=10)
    assert done.returncode == 1 and "needs root" in done.stderr, done
    with tempfile.TemporaryDirectory() as empty:
        os.symlink(shutil.which("id"), os.path.join(empty, "id"))
        done = subprocess.run([shutil.which("sh"), script, "start"], capture_output=True, text=True, timeout=10,
                              env={"PATH": empty})
    assert done.returncode == 1 and "nft is not installed" in done.stderr, done


if os.environ.get("DNSDRILL_TEST_ROUTER") != "1":
    os.environ["DNSDRILL_TEST_ROUTER"] = "1"
    os.environ["DNSDRILL"] = drill.PROGRAM
    os.execvp("unshare", ["unshare", "--user", "--map-root-user", "--net", "--mount", "--", sys.executable, __file__])
drill.main()
