#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills timeout=1200
"""`--engine vm`: the same lab in a machine with a clock of its own: deterministic, unprivileged, and plain about what went wrong."""
import filecmp
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import outage_plan  # noqa: E402

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "dnsdrill")
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()
# A user namespace in which no other can be made, and in it a root without any capability.
FORBIDDEN = (*NOBODY, "unshare", "--user", "--map-root-user", "sh", "-c",
             'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all "$@"', "sh")


def machines():
    """QEMU processes that run."""
    return {pid for pid in os.listdir("/proc") if pid.isdigit() and os.path.basename(exe(pid)) == "qemu-system-x86_64"}


def exe(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def child_machine(process):
    """The QEMU that this dnsdrill started, once it runs."""
    for _ in range(200):
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
            for child in file.read().split():
                if os.path.basename(exe(child)) == "qemu-system-x86_64":
                    return child
        time.sleep(0.1)
    raise AssertionError("no QEMU was started")


def wait_for(path, text):
    for _ in range(600):
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                if text in file.read():
                    return
        time.sleep(0.1)
    raise AssertionError(f"{path} never said {text}")


def start(plan, out):
    return subprocess.Popen([drill.PROGRAM, "run", plan, "--engine", "vm", "--out", out, "--seed", "5"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@drill.case
def two_runs_are_the_same_to_the_byte_whatever_else_the_host_does():
    plan = outage_plan.plan()
    quiet = drill.drill(plan, "--engine", "vm", "--seed", "5")
    load = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(os.cpu_count() or 1)]
    try:
        busy = drill.drill(plan, "--engine", "vm", "--seed", "5")
    finally:
        for process in load:
            process.kill()
            process.wait()
    for name in ("events.ndjson", "capture.pcap", "result.json", "logs/r1.log"):
        assert os.path.getsize(quiet.path(name)) > 500, name
        assert filecmp.cmp(quiet.path(name), busy.path(name), shallow=False), f"{name} differs: {quiet.out} {busy.out}"
    start_event = quiet.events("run.start")[0]
    assert start_event["engine"] == "vm" and "cloud" in start_event["kernel"], start_event
    assert start_event["wall_ns"] // 10**9 in range(1767225600, 1767225660), start_event   # 2026-01-01, just booted
    other = drill.drill(plan, "--engine", "vm", "--seed", "6")
    names = [{sample["name"] for sample in result.samples("fresh")} for result in (quiet, other)]
    assert not names[0] & names[1], "another seed asks other names"


@drill.case
def an_ordinary_user_needs_no_namespaces():
    if NOBODY and subprocess.run([*NOBODY, "test", "-x", drill.PROGRAM]).returncode:
        raise drill.Skip("the program is where nobody may run it")
    folder = drill.scratch()
    os.chmod(folder, 0o777)
    shutil.copytree(os.path.join(CACHE, "kernel"), os.path.join(folder, "cache/dnsdrill/kernel"), symlinks=True)
    subprocess.run(["chmod", "-R", "a+rwX", folder], check=True)
    plan = os.path.dirname(outage_plan.plan())
    os.chmod(plan, 0o755)
    env = dict(os.environ, XDG_CACHE_HOME=os.path.join(folder, "cache"))
    arguments = ("run", os.path.join(plan, "plan.yaml"), "--out")
    here = drill.run(*arguments, os.path.join(folder, "netns"), prefix=FORBIDDEN, env=env)
    assert here.returncode == 3 and "user namespace" in here.stdout + here.stderr, here
    there = drill.run(*arguments, os.path.join(folder, "vm"), "--engine", "vm", prefix=FORBIDDEN, env=env)
    assert there.returncode == 0, there.stdout + there.stderr
    dark = drill.Result(os.path.join(folder, "vm")).measurement("fresh", "dark")
    assert dark["availability"] < 0.5, dark   # of the last ones, some are answered when it is over


# A router between two hosts, and on it what `explain --script` wrote; says three round trips between the hosts, by each family: before, with the fault, afterwards.
ROUTER = r"""
set -eu
holders=
trap 'kill $holders' EXIT
host() {   # name, address, address
	unshare --net sleep 600 >/dev/null 2>&1 &
	holders="$holders $!"
	while [ "$(readlink /proc/$!/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
	ip link add "$1" type veth peer name eth0 netns $!
	ip link set "$1" addrgenmode none up
	ip address add 169.254.0.1 dev "$1"
	ip address add fe80::1/64 dev "$1" nodad
	inside="nsenter -t $! -n"
	$inside ip link set eth0 up
	$inside ip address add "$2/32" dev eth0
	$inside ip address add "$3/128" dev eth0 nodad
	$inside ip route add default via 169.254.0.1 dev eth0 onlink
	$inside ip -6 route add default via fe80::1 dev eth0 onlink
	ip route add "$2/32" dev "$1"
	ip -6 route add "$3/128" dev "$1"
}
trips() {
	for address in 192.0.2.1 2001:db8:1::1; do
		until $inside ping -n -q -c 1 -W 1 "$address" >/dev/null; do :; done
		$inside ping -n -q -i 0.01 -c 20 "$address" | sed -n "s|^rtt min/avg/max/mdev = \\([^/]*\\)/[^/]*/\\([^/]*\\)/.*|$1 \\1 \\2|p"
	done
}
ip link set lo up
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
host to-alpha 192.0.2.1 2001:db8:1::1
host to-office 203.0.113.9 2001:db8:9::9
trips before
sh /tmp/fault.sh start 1 2>/tmp/said &
until grep -q on /tmp/said; do sleep 0.01; done
sleep 1
trips with
kill -TERM $!
wait $! || :
grep -q 'everything is undone' /tmp/said
trips after
nft list ruleset
"""
USES = "cat grep ip kill nft nsenter ping readlink sed sleep sysctl tc unshare id".split()


def by_hand():
    """A step that plays the script of a plan on a router in the guest."""
    text = """\
plan: 1
lab:
  zones: {example.com: {file: example.com.zone}}
  providers:
    alpha: {nameservers: {ns1: {hostname: ns1.alpha-dns.net, address: [192.0.2.1, "2001:db8:1::1"], server: knot}}}
  clients: {office: {}}
timeline:
  - {at: 0s, for: 9s, fault: latency, target: alpha, delay: 50ms}
"""
    script = drill.run("explain", "--script", drill.write_plan(text, **{"example.com.zone": outage_plan.ZONE}), check=0).stdout
    command = f"cat >/tmp/fault.sh <<'END'\n{script}END\ncat >/tmp/router.sh <<'END'\n{ROUTER}END\nunshare --net sh /tmp/router.sh\n"
    command = command.replace("${", "$${")   # what the plan would take for its own
    return f"  - {{at: 600ms, do: run, target: office, command: {json.dumps(command)}, uses: {json.dumps(USES)}, timeout: 1m}}\n"


@drill.case
def what_this_kernel_lacks_is_done_in_a_machine_and_auto_says_so():
    with open(outage_plan.plan(recovery="4s"), encoding="utf-8") as file:
        text = file.read()
    text = text.replace("fault: blackhole", "fault: latency, delay: 50ms, backend: netem")
    text = text.replace("every: 20ms", "every: 200ms", 1)
    text = text.replace("fresh.example.com A, unique: true", "www.example.com A, via: alpha.ns1")
    plan = drill.write_plan(text + by_hand(), **{"example.com.zone": outage_plan.ZONE})
    result = drill.drill(plan, "--engine", "auto", "--seed", "1")
    if '"netem","has":false' in re.sub(r"\s", "", drill.run("doctor", "--json").stdout):
        assert "virtual machine" in result.done.stderr and "netem" in result.done.stderr, result.done.stderr
        assert result.json()["engine"] == "vm", result.json()["engine"]
    else:
        result = drill.drill(plan, "--engine", "vm", "--seed", "1")
    fault = result.json()["faults"][0]
    inside = [sample for sample in result.samples("fresh") if sample["outcome"] == "ok" and
              fault["applied_ns"] < sample["due_ns"] < fault["reverted_ns"] - 10**8]
    assert len(inside) > 30, len(inside)
    for sample in inside:
        took = sample["done_ns"] - sample["sent_ns"]
        assert 100_000_000 <= took <= 100_500_000, sample   # 50 ms there, 50 ms back
    # The same with tc alone, by the script for a router without dnsdrill; after it neither a delay nor a rule is left.
    said = result.events("step.host")[0]["text"]
    trips = {when: [float(n) for pair in re.findall(rf"{when} (\S+) (\S+)", said) for n in pair] for when in ("before", "with", "after")}
    assert {when: len(of) for when, of in trips.items()} == {"before": 4, "with": 4, "after": 4} and "table" not in said, said
    assert all(100 <= trip <= 101 for trip in trips["with"]) and max(trips["before"] + trips["after"]) < 10, said


@drill.case
def sigterm_undoes_everything_in_the_machine():
    plan, out = outage_plan.plan(length="1h"), os.path.join(drill.scratch(), "out")
    process = start(plan, out)
    wait_for(os.path.join(out, "events.ndjson"), "fault.applied")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 143, output
    result = drill.Result(out)
    assert result.events("run.end")[0]["reason"] == "interrupted"
    assert result.events("fault.reverted"), "the fault was not undone"
    assert os.path.getsize(result.path("logs", "r1.log")) > 0


@drill.case
def sigkill_of_the_harness_takes_the_machine_along():
    process = start(outage_plan.plan(length="1h"), os.path.join(drill.scratch(), "out"))
    machine = child_machine(process)
    process.kill()
    process.wait()
    for _ in range(100):
        if machine not in machines():
            break
        time.sleep(0.1)
    assert machine not in machines(), "QEMU lives on"


@drill.case
def a_machine_that_dies_is_an_error_and_its_console_is_kept():
    out = os.path.join(drill.scratch(), "out")
    process = start(outage_plan.plan(length="1h"), out)
    machine = child_machine(process)
    wait_for(os.path.join(out, "events.ndjson"), "lab.ready")
    os.kill(int(machine), signal.SIGKILL)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 3, output
    result = drill.Result(out)
    assert "QEMU was killed by signal 9" in result.events("error")[-1]["message"], output
    assert result.json()["verdict"] == "error"
    assert os.path.exists(result.path("logs", "console.log"))


@drill.case
def what_is_missing_is_said_with_the_way_to_get_it():
    plan = outage_plan.plan()
    folder = drill.scratch()
    done = drill.run("run", plan, "--engine", "vm", "--out", os.path.join(folder, "out"), check=3,
                     env=dict(os.environ, XDG_CACHE_HOME=folder))
    if not any(name.startswith("vmlinuz-") for name in os.listdir("/boot")):
        assert "apt-get download" in done.stderr and "dpkg-deb -x" in done.stderr, done.stderr
    bare = os.path.join(folder, "bin")
    os.mkdir(bare)
    for name in ("knotd", "unbound", "sh"):
        os.symlink(shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin"), os.path.join(bare, name))
    done = drill.run("run", plan, "--engine", "vm", "--out", os.path.join(folder, "out"), check=3,
                     env=dict(os.environ, PATH=bare))
    assert "apt-get install --no-install-recommends qemu-system-x86" in done.stderr, done.stderr
    assert not os.path.exists(os.path.join(folder, "out")), "something was touched"
    done = drill.run("run", plan, "--engine", "moon", check=2)
    assert "netns, vm or auto" in done.stderr, done.stderr


@drill.case
def repeat_compares_runs_to_the_byte():
    result = drill.drill(outage_plan.plan(), "--engine", "vm", "--seed", "5", "--repeat", "2")
    assert "2 runs, the same events.ndjson to the byte" in result.done.stdout, result.done.stdout
    assert filecmp.cmp(result.path("events.ndjson"), result.path("run-2", "events.ndjson"), shallow=False)
    done = drill.run("run", outage_plan.plan(), "--repeat", "2", check=2)
    assert "--engine vm" in done.stderr, done.stderr


@drill.case
def a_name_deleted_by_mistake_is_gone_for_its_negative_ttl_after_the_start_date_of_the_plan():
    plan = os.path.join(drill.SCENARIOS, "70-days", "name-deleted.yaml")
    done = drill.run("run", plan, "--out", os.path.join(drill.scratch(), "out"), check=3)
    assert "lab.yaml:7:8: error: clock: only a virtual machine" in done.stderr, done.stderr
    result = drill.drill(plan, "--engine", "vm")
    assert result.events("run.start")[0]["wall_ns"] // 10**9 in range(1795219200, 1795219260)   # 2026-11-21T00:00Z
    bad = [sample for sample in result.samples("bind") if sample["outcome"] != "ok"]
    first, last = bad[0]["due_ns"], bad[-1]["due_ns"]
    assert result.measurement("control", "overall")["outage_ns"] < 12 * 60 * 10**9   # the zone itself was mended long before
    assert 3540 * 10**9 <= last - first <= 3600 * 10**9, (first, last)   # an hour, one sample a minute


drill.main()
