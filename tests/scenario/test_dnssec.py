#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills timeout=600
"""Every plan of scenarios/50-dnssec passes, and stops passing when its fault is made harmless; and what is signed in each way is good for the probe, delv and drill."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import harmless  # noqa: E402

FOLDER = "50-dnssec"

# Most faults hit another zone then, which nobody asks for.
HARMLESS = {
    "delegation": (["timeline.0.zone=other.com", "matrix.what=[ds-wrong]"], "fail"),
    "ds-left-behind": (["timeline.0.what=ds-left-behind", "timeline.0.zone=other.com"], "fail"),
    "ds-removed": (["timeline.0.zone=other.com"], "fail"),
    "glue-stale": (["timeline.0.zone=other.com", "timeline.0.target=tld.com"], "inconclusive"),  # which has no glue
    "ns-removed": (["timeline.0.zone=other.com"], "fail"),
    "nsec3-iterations": (["timeline.0.what=zonemd-wrong"], "fail"),
    "nsec3-parameters": (["timeline.0.what=zonemd-wrong"], "fail"),
    "one-provider-expired": (["timeline.0.zone=other.com"], "fail"),
    "providers": (["timeline.0.target=[alpha, beta]"], "fail"),  # the other way round: it is the second provider that carries it
    "providers-key-missing": (["timeline.0.what=zonemd-wrong"], "fail"),
    "push": (["lab.zones.example.com.sign.dnskey_ttl=1h"], "fail"),  # signed by a key that resolvers do not know yet
    "rollover": (["matrix.dnskey_ttl=[1h]"], "fail"),  # resolvers hold on to the old keys: steps were really taken, and too early
    "rollover-too-soon": (["lab.zones.example.com.sign.ds_ttl=1s"], "fail"),
    "signing": (["timeline.0.zone=other.com", "matrix.what=[expired]"], "fail"),
    "zonemd-wrong": (["timeline.0.what=expired"], "fail"),
}

ZONE = """$ORIGIN example.com.
$TTL 60
@ IN SOA ns1.alpha-dns.net. hostmaster 1 3600 600 86400 60
@ IN NS ns1.alpha-dns.net.
www IN A 192.0.2.80
"""

PLAN = """plan: 1
lab:
  zones:
    example.com: {file: example.com.zone, sign: %s}
  providers:
    alpha:
      nameservers:
        ns1: {hostname: ns1.alpha-dns.net, address: [192.0.2.1], server: knot}
  resolvers:
    r1: {address: [203.0.113.53], server: unbound}
  clients:
    office: {address: [203.0.113.9], resolvers: [r1]}
probes:
  chain: {kind: validate, from: office, query: www.example.com A, every: 100ms, timeout: 2s}
duration: 1s
baseline: 0%%
"""

# In the lab: delv with the lab's anchor, in its own syntax; drill chasing signatures with the same. Both ask the resolver with CD.
LOOK = """
anchor=/run/dnsdrill/.zones/root.key conf=$(mktemp)
set -- $(cat $anchor)
printf 'trust-anchors { . static-key %s %s %s "%s"; };\\n' "$5" "$6" "$7" "$8" >$conf
echo DELV; delv @203.0.113.53 -a $conf +root=. +cdflag www.example.com A 2>&1
echo DRILL; drill -S -o CD -k $anchor @203.0.113.53 www.example.com A 2>&1; rm $conf
"""


def looked_at(sign):
    plan = drill.write_plan(PLAN % sign, **{"example.com.zone": ZONE})
    done = drill.run("lab", plan, "--on", "office", "--", "sh", "-c", LOOK, timeout=60)
    delv, _, drilled = done.stdout.partition("DRILL")
    return delv, drilled, done.stdout + done.stderr


def probed(sign):
    plan = drill.write_plan(PLAN % sign, **{"example.com.zone": ZONE})
    out = os.path.join(drill.scratch(), "out")
    drill.run("run", plan, "--out", out, timeout=60)
    return drill.Result(out).samples("chain")


def add_good(sign):
    def check():
        delv, drilled, everything = looked_at(sign)
        assert "; fully validated" in delv, everything
        assert "Chase successful" in drilled, everything
        samples = probed(sign)
        assert samples and all(sample["outcome"] == "ok" for sample in samples[-3:]), samples
    check.__name__ = f"a zone signed {sign} is good for all of them"
    drill.case(check)


for how in ("{algorithm: 8, nsec: nsec3}", "{algorithm: 13}", "{algorithm: 15, keys: csk}"):
    add_good(how)

harmless.folder(FOLDER, HARMLESS, without=["lab"], seconds=25)
harmless.add_case("lab passes", os.path.join(drill.SCENARIOS, FOLDER, "lab.yaml"), "pass")
drill.main(at_once=4)
