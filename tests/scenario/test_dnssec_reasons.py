#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills
"""Zones damaged in every way at once, in one lab: what the probe finds wrong with each, asking a resolver and asking the servers themselves, delv and drill find, too."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402

SIGNING = "fault: signing, target: alpha, zone: %s, what: "
PARENT = "fault: delegation, target: tld.com, zone: %s, what: "
ANSWER = "fault: dns, target: alpha, match: {qname: www.%s, qtype: A}, do: "
DENIAL = "fault: dns, target: alpha, match: {qname: no.%s}, do: "

# zone → (how it is damaged, its EDE and what the probe says, what delv says, what drill says)
ZONES = {
    "expired": (SIGNING + "expired", 7, r"of expired\.com DNSKEY by key \d+ ran out at", "RRSIG has expired", "DNSSEC signature has expired"),
    "notyet": (SIGNING + "not-yet-valid", 8, "is not valid before", "RRSIG validity period has not begun", "DNSSEC signature not incepted yet"),
    "withdrawn": (SIGNING + "key-withdrawn", 9, r"www\.withdrawn\.com A is signed by key \d+ \(algorithm 13\), which withdrawn\.com does not have",
                  "validating www.withdrawn.com/A: no valid signature found", "No DNSSEC public key"),
    "stopped": (SIGNING + "rollover-stopped", 9, r"no DNSKEY of stopped\.com is the one that its DS names",
                "validating stopped.com/DNSKEY: no valid signature found (DS)", "No DNSSEC public key"),
    "half": (SIGNING + "algorithm-half", 9, r"no DNSKEY of half\.com is the one that its DS names",
             "validating half.com/DNSKEY: no valid signature found (DS)", "No DNSSEC public key"),
    "unsigned": (SIGNING + "unsigned", 9, r"unsigned\.com has a DS \(key \d+\), but no DNSKEY", "got insecure response; parent indicates it should be secure", "<no data>"),
    "dswrong": (PARENT + "ds-wrong", 9, r"no DNSKEY of dswrong\.com is the one that its DS names",
                "validating dswrong.com/DNSKEY: no valid signature found (DS)", "No DNSSEC public key"),
    "dsleft": (PARENT + "ds-left-behind", 9, r"dsleft\.com has a DS \(key \d+\), but no DNSKEY", "got insecure response; parent indicates it should be secure", "<no data>"),
    "stripped": (ANSWER + "{remove: RRSIG}", 10, r"www\.stripped\.com A has no signature, and stripped\.com is signed", "insecurity proof failed", "<no data>"),
    "corrupt": (ANSWER + "{signatures: corrupt}", 6, r"the signature of www\.corrupt\.com A by key \d+ does not fit the records", "RRSIG failed to verify", "Bogus DNSSEC signature"),
    "signer": (ANSWER + "{signatures: wrong-signer}", 6, r"of www\.signer\.com A names \S+ as its signer, not signer\.com",
               "validating www.signer.com/A: no valid signature found", "No DNSSEC public key"),
    "gap": (DENIAL + "{remove: NSEC}", 12, r"gap\.com does not prove that no\.gap\.com does not exist$", "no valid RRSIG resolving 'no.gap.com/DS", "No DNSSEC public key"),
    "gapped": (DENIAL + "{denial: wrong-next}", 6, r"no\.gapped\.com does not exist: the signature of gapped\.com NSEC by key \d+ does not fit",
               "validating gapped.com/NSEC: no valid signature found", "Bogus DNSSEC signature"),
    "hashgap": (DENIAL + "{remove: NSEC3}", 12, r"no\.hashgap\.com does not exist$", "no valid RRSIG resolving 'no.hashgap.com/DS", "No DNSSEC public key"),
    "good": ("", 0, "", "; fully validated", "Chase successful"),
}

LAB = """plan: 1
name: bogus in every way
lab:
  zones:
%s  providers:
    alpha:
      nameservers:
        ns1: {hostname: ns1.alpha-dns.net, address: [192.0.2.1, "2001:db8:1::1"], server: knot}
  resolvers:
    r1: {address: [203.0.113.53], server: unbound, options: "incoming-num-tcp: 100"}   # by default 10: more wait, or are closed
  clients:
    office: {address: [203.0.113.9, "2001:db8:9::9"], resolvers: [r1]}
probes:
%sduration: 8500ms
timeline:
%s  - {at: 400ms, do: run, target: office, command: [sh, %s, %s], expect_exit: 0}
"""

# Both with the lab's anchor, delv in its own syntax, asking the resolver with CD.
LOOK = """
anchor=/run/dnsdrill/.zones/root.key out=$1
set -- $(cat $anchor)
printf 'trust-anchors { . static-key %%s %%s %%s "%%s"; };\\n' "$5" "$6" "$7" "$8" >$out.conf
# until every change shows, and everybody has forgotten what was before: TTLs are a second, which unbound counts from the next whole one
until [ "$(for zone in expired notyet withdrawn stopped half unsigned; do dig +short @192.0.2.1 $zone.com SOA; done | grep -c ' 2 3600 ')" = 6 ] &&
	dig +short @198.19.1.1 com SOA | grep -q ' 2026010103 '; do sleep 0.1; done
sleep 2.2
for name in %s; do
	{
		echo "DELV $name"; delv @203.0.113.53 -a $out.conf +root=. +cdflag $name A 2>&1
		echo "DRILL $name"; drill -S -o CD -k $anchor @203.0.113.53 $name A 2>&1
	} >$out.$name &
done
wait
cat $out.[nw]*.com >$out
"""


def asked(zone):
    return ("no." if "gap" in zone else "www.") + zone + ".com"


def build():
    """The plan, and the file that delv's and drill's words come into."""
    zones = probes = timeline = ""
    files = {"look.sh": LOOK % " ".join(map(asked, ZONES))}
    for zone, (fault, *_) in ZONES.items():
        name = zone + ".com"
        sign = "" if zone == "dsleft" else ", sign: {nsec: %s, dnskey_ttl: 1s, ds_ttl: 1s}" % ("nsec3" if zone == "hashgap" else "nsec")
        files[zone + ".zone"] = (f"$ORIGIN {name}.\n$TTL 1\n@ IN SOA ns1.alpha-dns.net. h 1 3600 600 86400 1\n"
                                 "@ IN NS ns1.alpha-dns.net.\nwww IN A 192.0.2.80\n")
        zones += f"    {name}: {{file: {zone}.zone{sign}}}\n"
        good = "good: {rcode: %s}" % ("NXDOMAIN" if "gap" in zone else "NOERROR")
        for way, via in (("resolver", ""), ("servers", ", via: servers, attempt: 3s")):
            probes += f"  {zone}-{way}: {{kind: validate, from: office, query: {asked(zone)} A, every: 2500ms, timeout: 5s, {good}{via}}}\n"
        if fault:
            timeline += f"  - {{at: 200ms, for: 8s, {fault.replace('%s', name)}, name: {zone}}}\n"
    path = drill.write_plan("", **files)
    said = os.path.join(os.path.dirname(path), "said")
    with open(path, "w", encoding="utf-8") as out:
        out.write(LAB % (zones, probes, timeline, os.path.join(os.path.dirname(path), "look.sh"), said))
    return path, said


def add_cases(result, said):
    with open(said, encoding="utf-8", errors="replace") as file:
        parts = re.split(r"^(DELV|DRILL) (\S+)$", file.read(), flags=re.MULTILINE)
    words = {(who, name): text for who, name, text in zip(parts[1::3], parts[2::3], parts[3::3])}
    for zone in ZONES:
        add_case(zone, result, words)


def add_case(zone, result, words):
    _, ede, why, delv, drilled = ZONES[zone]

    def check():
        assert delv in words["DELV", asked(zone)], words["DELV", asked(zone)]
        assert drilled in words["DRILL", asked(zone)], words["DRILL", asked(zone)]
        for way in ("resolver", "servers"):
            sample = [s for s in result.samples(f"{zone}-{way}") if s["done_ns"] < result.events("fault.reverting")[0]["t_ns"]][-1]
            if not ede:
                assert sample["outcome"] == "ok", sample
                continue
            assert sample["outcome"] == "wrong" and f"bogus (EDE {ede} " in sample["detail"], sample
            reason, _, rest = sample["detail"].partition("; ")
            assert re.search(why, reason), sample
            if way == "resolver":
                assert "r1 says SERVFAIL" in rest, sample
                continue
            # the record whose signature or key it is, and the server that gave it
            assert "alpha.ns1 (" in rest and not rest.startswith("r1"), sample
            assert ("DS from tld.com (" in rest) == ("DNSKEY" in reason and "which" not in reason), sample
    check.__name__ = f"{zone} is found by all of them, for the same reason" if ede else "a good zone is good for all of them"
    drill.case(check)


def main():
    path, said = build()
    out = os.path.join(drill.scratch(), "out")
    done = drill.run("run", path, "--out", out, timeout=120)
    result = drill.Result(out, done)

    @drill.case
    def every_damage_took_effect_as_the_record_itself_shows_and_was_undone():
        assert done.returncode == 3 and "there is no baseline" in done.stdout, done.stdout[:2000] + done.stderr
        undone = result.events("fault.reverted")
        assert len(undone) == len(ZONES) - 1 and all(event["took_effect"] for event in undone), undone
        proofs = [event.get("effect") or "" for event in undone]
        for record in (r"expired\.com DNSKEY: key \d+, key \d+, signed by key \d+, ran out at 20", r"notyet\.com DNSKEY: .*, not valid before 20",
                       r"withdrawn\.com DNSKEY: key \d+, signed by", r"unsigned\.com DNSKEY: none", r"dswrong\.com DS: \d+ 13 2 ", r"dsleft\.com DS: \d+ 13 2 "):
            assert len([proof for proof in proofs if re.search(record, proof)]) == 1, (record, proofs)
        assert [event["ok"] for event in result.events("step.ended")] == [True], result.events("step.host")

    add_cases(result, said)
    drill.main()


main()
