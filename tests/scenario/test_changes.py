#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills timeout=600
"""Steps that do something, who shows which version when, and what is said where a step fails."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import pcap  # noqa: E402

FOLDER = os.path.join(drill.SCENARIOS, "20-zone")
RECOMPUTE = os.path.join(drill.ROOT, "tests", "scenario", "recompute.py")


def recompute(result):
    done = subprocess.run([sys.executable, RECOMPUTE, result.path()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def plan(timeline, probes="", lab="", **files):
    return drill.write_plan(f"plan: 1\ninclude: {FOLDER}/lab.yaml\nname: changes\nrecovery: 1s\nexpect: []\n{lab}"
                            f"probes:\n  serial: {{kind: serial, from: office, query: example.com SOA, every: 50ms}}\n"
                            f"{probes}timeline:\n{timeline}", **files)


@drill.case
def a_push_reaches_every_server_and_both_computations_agree():
    result = drill.drill(os.path.join(FOLDER, "push.yaml"))
    recompute(result)
    changes = {(c["probe"], c["host"]): c for c in result.json()["changes"]}
    assert changes[("serial", "alpha.ns1")]["propagation_ns"] == 0
    assert changes[("serial", None)]["propagation_ns"] >= changes[("serial", "beta.ns1")]["propagation_ns"] > 0
    assert result.measurement("strict", "overall")["stale"] > 0

    # the capture: each server's answers to the probe, serial by serial, against what the probe says it was given
    offset = result.events("capture.start")[0]["wall_minus_t_ns"]
    seen = {}
    for packet in pcap.packets(result.path("capture.pcap")):
        if packet.source_port != 53 or not packet.outgoing or packet.target not in ("203.0.113.9", "2001:db8:9::9"):
            continue
        for kind, data in pcap.answer_data(packet.payload):
            if kind == 6:
                seen.setdefault(packet.source, []).append((packet.wall_ns - offset, int.from_bytes(data[-20:-16], "big")))
    parts = [e for e in result.events("sample.part") if e["probe"] == "serial"]
    assert set(seen) == {part["address"] for part in parts} and len(seen) == 4, seen.keys()
    for address, answers in seen.items():
        told = [(e["done_ns"], e["serial"]) for e in parts if e["address"] == address]
        assert [serial for _, serial in sorted(answers)] == [serial for _, serial in sorted(told)], address
        assert all(said >= came for (came, _), (said, _) in zip(sorted(answers), sorted(told))), address


@drill.case
def a_guarded_update_is_refused_and_an_unguarded_one_is_not():
    free = drill.drill(os.path.join(FOLDER, "race.yaml"))
    guarded = drill.drill(os.path.join(FOLDER, "race-guarded.yaml"))
    assert [e["ok"] for e in guarded.events("step.ended")] == [True, True, True]
    assert ["NXRRSET" in (e.get("text") or "") for e in guarded.events("step.host")] == [False, True, True]
    last = [free.samples("planned")[-1], guarded.samples("planned")[-1]]
    assert [s["outcome"] for s in last] == ["wrong", "ok"], last
    recompute(free)
    recompute(guarded)


@drill.case
def a_refusal_that_nobody_expected_is_an_error_of_the_run():
    drill.drill(os.path.join(FOLDER, "race-guarded.yaml"), "--set", "timeline.0.if_serial=6", check=3)


@drill.case
def commands_reloads_flushes_and_restarts_say_what_came_of_them():
    path = plan("  - {at: 300ms, do: run, target: office, command: 'echo deployed; exit 3', expect_exit: 3}\n"
                "  - {at: 500ms, do: flush, target: r1}\n"
                "  - {at: 700ms, do: reload, target: [alpha, beta]}\n"
                "  - {at: 1s, do: restart, target: beta, away: 100ms, name: bounce}\n")
    result = drill.drill(path, "--set", "baseline=0%")
    texts = [(e["id"], e["ok"], e.get("text", "")) for e in result.events("step.host")]
    assert all(ok for _, ok, _ in texts), texts
    assert any(i == 1 and "exit status 3: deployed" in text for i, _, text in texts), texts
    assert any(e["host"] == "beta.ns1" and e.get("cause") == "bounce" for e in result.events("server.exit"))


@drill.case
def a_step_that_fails_makes_the_run_an_error_unless_it_may():
    failing = "  - {at: 300ms, do: run, target: office, command: 'echo no such provider; exit 4'%s}\n"
    result = drill.drill(plan(failing % ""), check=3)
    assert "exit status 4: no such provider" in result.done.stdout, result.done.stdout
    drill.drill(plan(failing % ", may_fail: true"))


@drill.case
def a_push_that_nobody_reads_says_that_its_file_lies_there():
    result = drill.drill(plan("  - {at: 500ms, for: 900ms, fault: kill, target: alpha}\n"
                              f"  - {{at: 700ms, do: push, zone: example.com, file: {FOLDER}/zones/example.com.v2.zone, timeout: 500ms, may_fail: true}}\n"),
                         check=3)  # the server has the new zone once it starts again
    host, = result.events("step.host")
    assert not host["ok"] and "the new file is in place, but the server could not be told" in host["text"], host
    assert "failed, but there were answers as only its zone holds them" in result.json()["reason"], result.json()["reason"]


@drill.case
def each_software_takes_a_push_as_a_primary():
    result = drill.drill(plan(
        f"  - {{at: 300ms, do: push, zone: example.com, file: {FOLDER}/zones/example.com.v2.zone}}\n"
        "  - {at: 1500ms, do: raise-serial, zone: example.com, by: 10}\n", lab="""\
lab:
  zones: {example.com: {providers: [alpha, beta, gamma], apex_ns: from-lab}}
  providers:
    gamma:
      nameservers:
        knot: {address: 198.51.100.11, server: knot}
        nsd: {address: 198.51.100.12, server: nsd}
        pdns: {address: 198.51.100.13, server: powerdns}
"""))
    hosts = [(e["id"], e["host"], e["ok"], e.get("shown_ns", 0) > 0) for e in result.events("step.host")]
    assert len(hosts) == 8 and all(ok and shown for _, _, ok, shown in hosts), hosts
    last = {e["host"]: e["serial"] for e in result.events("sample.part")}
    assert {last[h] for h in last if h != "beta.ns1"} == {18}, last


ZONE = ("$ORIGIN example.com.\n$TTL 60\n@ SOA ns1.alpha-dns.net. hostmaster %d 2 1 3600 1\n@ NS ns1.alpha-dns.net.\n"
        "@ NS ns1.beta-dns.org.\n@ MX 10 mail\nmail A 192.0.2.25\nwww 1 A %s\n")


@drill.case
def pushes_that_meet_come_one_after_the_other():
    files = {f"{serial}.zone": ZONE % (serial, www) for serial, www in ((8, "192.0.2.8"), (9, "192.0.2.80"), (10, "192.0.2.8"))}
    steps = "".join(f"  - {{at: {at}ms, do: push, zone: example.com, file: {serial}.zone}}\n"
                    for at, serial in ((300, 8), (320, 9), (900, 10)))
    result = drill.drill(plan(steps, **files), "--set", "recovery=3s")
    recompute(result)
    assert all(e["ok"] for e in result.events("step.host")), result.events("step.host")
    served = [e["serial"] for e in result.events("sample.part") if e["host"] == "alpha.ns1"]
    assert served == sorted(served) and served[0] == 7 and served[-1] >= 9, served


@drill.case
def parity_sees_flags_and_ttls_and_a_truncated_answer_says_nothing():
    big = ZONE % (7, "192.0.2.80") + "".join(f'big TXT "{i:0200}"\n' for i in range(9))
    result = drill.drill(plan("  - {at: 300ms, do: flush, target: r1}\n", lab="lab: {zones: {example.com: {file: big.zone}}}\n",
                              probes="  big: {kind: parity, from: office, query: big.example.com TXT, every: 50ms}\n"
                              "  aa: {kind: parity, from: office, query: www.example.com A, every: 50ms, good: {aa: true, max_ttl: 1}}\n"
                              "  ad: {kind: parity, from: office, query: www.example.com A, every: 50ms, good: {ad: true}}\n",
                              **{"big.zone": big}), "--set", "baseline=0%", check=0)
    big = result.samples("big")
    assert big and all(s["outcome"] == "error" and "truncated" in s["detail"] and not s.get("differs") for s in big), big[0]
    assert {s["outcome"] for s in result.samples("aa")} == {"ok"}, result.samples("aa")[0]
    assert {s["outcome"] for s in result.samples("ad")} == {"wrong"}, result.samples("ad")[0]


@drill.case
def an_update_that_builds_on_one_that_failed_proves_nothing():
    path = plan("  - {at: 300ms, for: 700ms, fault: kill, target: alpha}\n"
                "  - {at: 500ms, do: update, zone: example.com, add: one 1 A 192.0.2.1, may_fail: true, timeout: 300ms}\n"
                "  - {at: 2s, do: update, zone: example.com, add: two 1 A 192.0.2.2, may_fail: true, timeout: 500ms}\n",
                lab="lab: {zones: {example.com: {updates: true}}}\n")
    result = drill.drill(path, check=3)
    assert "failed, but there were answers as only its zone holds them" in result.json()["reason"], result.json()["reason"]


@drill.case
def the_serial_a_fault_leaves_is_right_when_another_zone_changes():
    other = "$ORIGIN example.org.\n$TTL 60\n@ SOA ns1.alpha-dns.net. hostmaster %d 2 1 3600 1\n@ NS ns1.alpha-dns.net.\n"
    path = plan("  - {at: 300ms, do: raise-serial, zone: example.com}\n"
                "  - {at: 600ms, for: 500ms, fault: zone-push, zone: example.com, target: alpha, settle: 300ms}\n"
                "  - {at: 1500ms, do: push, zone: example.org, file: other2.zone}\n",
                lab="lab: {zones: {example.org: {file: other.zone, providers: [alpha]}}}\n",
                **{"other.zone": other % 1, "other2.zone": other % 2})
    result = drill.drill(path, "--set", "recovery=3s")
    recompute(result)
    last = [e for e in result.events("sample.part") if e["serial"] == 10]
    assert last and all(e["fits"] == 0b110 for e in last), last[-1:]
    assert not [s for s in result.samples("serial")[-10:] if s["outcome"] != "ok"]


@drill.case
def nsupdate_takes_what_explain_says_of_an_update():
    said = drill.run("explain", os.path.join(FOLDER, "race-guarded.yaml"), check=0).stdout
    updates = [text.split("\nsend\n")[0] for text in said.split("<<'.'\n")[1:]]
    assert len(updates) == 3, said
    for text in updates:
        done = subprocess.run(["nsupdate"], input=text + "\nshow\n", capture_output=True, text=True, check=True)
        names = [line.split()[0] for line in done.stdout.partition("UPDATE SECTION:\n")[2].splitlines() if line]
        assert names and set(names) == {"www.example.com."} and "PREREQUISITE" in done.stdout, done.stdout + done.stderr


drill.main(at_once=4)
