#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills
"""dnsdrill lab and doctor, as a person uses them; as root, as an ordinary user, and where user namespaces are forbidden."""
import json
import os
import pwd
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import outage_plan  # noqa: E402

MAIN = os.path.join(drill.SCENARIOS, "10-outage", "drop-provider.yaml")


def on(host, *command, check=0):
    return drill.run("lab", MAIN, "--on", host, "--", *command, check=check).stdout


@drill.case
def dig_on_a_client_asks_its_resolver():
    out = on("office", "dig", "+noall", "+answer", "+comments", "www.example.com")
    assert "192.0.2.80" in out and "status: NOERROR" in out, out


@drill.case
def the_resolver_iterates_from_the_root_as_in_life():
    out = on("r1", "dig", "+trace", "+nodnssec", "@198.41.0.4", "www.example.com")
    assert "a.root-servers.net" in out and "a.nic.com" in out and "ns1.beta-dns.org" in out, out
    assert "192.0.2.80" in out, out


@drill.case
def every_nameserver_answers_with_authority_on_both_families():
    for address in ("192.0.2.1", "2001:db8:1::1", "198.51.100.1", "2001:db8:2::1"):
        out = on("office", "dig", "+norecurse", f"@{address}", "example.com", "SOA")
        assert " aa" in out.split("flags:")[1].split(";")[0], (address, out)


@drill.case
def a_secondary_needs_the_key_and_so_does_anybody_else():
    out = on("office", "dig", "+time=2", "+tries=1", "@192.0.2.1", "example.com", "AXFR")
    assert "Transfer failed" in out, out


@drill.case
def the_exit_status_is_the_commands():
    on("office", "sh", "-c", "exit 42", check=42)
    assert "command not found" in drill.run("lab", MAIN, "--", "no-such-command", check=127).stderr


@drill.case
def a_program_on_a_client_sees_its_own_resolv_conf():
    out = on("office", "cat", "/etc/resolv.conf")
    assert "nameserver 203.0.113.53\n" in out and "timeout:1" in out and "attempts:2" in out, out


@drill.case
def nothing_of_the_machine_is_reachable_from_the_lab():
    out = on("office", "sh", "-c", "ip -o link | wc -l; ls /run; ip route get 8.8.8.8 2>&1 || true; ping -c1 -W1 8.8.8.8 2>&1 || true")
    assert out.splitlines()[0].strip() == "2", out  # lo and eth0
    assert "1 received" not in out, out


@drill.case
def an_unknown_host_gets_the_nearest_and_the_list():
    done = drill.run("lab", MAIN, "--on", "offce", "--", "true", check=2)
    assert "did you mean 'office'" in done.stderr and "alpha.ns1" in done.stderr, done.stderr


@drill.case
def doctor_says_how_labs_are_built_and_what_each_server_needs():
    findings = {row["ability"]: row for row in json.loads(drill.run("doctor", "--json", check=0).stdout)}
    for name in ("labs", "bind", "knot", "nsd", "powerdns", "unbound", "knot-resolver", "powerdns-recursor", "dnsmasq"):
        assert findings[name]["has"] is True, findings[name]
    assert "yes labs" in drill.run("doctor", check=0).stdout


def without_user_namespaces(script):
    """A user namespace whose root may make no further ones: what a machine that forbids them looks like to its root."""
    limit = "echo 0 > /proc/sys/user/max_user_namespaces && "
    return subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", limit + script, drill.PROGRAM],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=120, check=False)


@drill.case
def where_user_namespaces_are_forbidden_root_builds_labs_by_its_own_capabilities():
    done = without_user_namespaces('"$0" doctor')
    assert done.returncode == 0 and "root's own capabilities" in done.stdout, done
    out = os.path.join(drill.scratch(), "out")
    done = without_user_namespaces(f'"$0" run {outage_plan.plan()} --out {out}')
    assert done.returncode == 0, done


@drill.case
def where_they_are_forbidden_and_nobody_is_root_doctor_tells_how_to_mend_it():
    done = without_user_namespaces('setpriv --bounding-set=-all --inh-caps=-all "$0" doctor')
    assert done.returncode == 3, done
    assert "user.max_user_namespaces" in done.stdout, done.stdout


@drill.case
def an_ordinary_user_runs_a_drill():
    if os.getuid() != 0:
        return  # then every other case has shown it
    nobody = pwd.getpwnam("nobody")
    out = drill.scratch()
    os.chown(out, nobody.pw_uid, nobody.pw_gid)
    plan = outage_plan.plan()
    for path in (os.path.dirname(plan), out):
        os.chmod(path, 0o755)
    done = drill.run("run", plan, "--out", os.path.join(out, "out"),
                     prefix=["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"])
    assert done.returncode == 0, done
    result = drill.Result(os.path.join(out, "out"))
    assert os.stat(result.path("report.html")).st_uid == nobody.pw_uid
    assert result.json()["faults"][0]["effect"]["took_effect"] is True


drill.main()
