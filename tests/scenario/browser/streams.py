# SPDX-License-Identifier: GPL-2.0-or-later
"""Streams of events as a run writes them, made up, to draw reports from: python3 streams.py drop > events.ndjson"""
import json
import random
import sys

MS, SEC = 10**6, 10**9
HOSTILE = '<script>document.title="owned"</script>"\'><img src=x onerror=alert(1)>&lt;|`\u0007\u202etxt.exe\u202c'


class Stream:
    """Numbers the events of a run and writes them to out."""

    def __init__(self, out):
        self.out, self.seq = out, 0

    def say(self, event, t_ns, **fields):
        self.out.write(json.dumps({"seq": self.seq, "t_ns": t_ns, "event": event, **fields}, ensure_ascii=False) + "\n")
        self.seq += 1


def start(stream, **changes):
    fields = {
        "schema": 1, "plan": "Provider alpha goes dark", "plan_file": "scenarios/10-outage/drop-provider.yaml",
        "description": "Both of alpha's nameservers vanish; beta must carry example.com.",
        "command": "dnsdrill run scenarios/10-outage/drop-provider.yaml --seed 42", "seed": 42, "engine": "netns",
        "version": "0.1.0", "kernel": "Linux 6.1.0-18-amd64", "wall_ns": 1767225600 * SEC, "recovery_ns": 10 * SEC,
        "end_ns": 35 * SEC, "stable": 5, "baseline_ppm": 1000000}
    stream.say("run.start", 0, **{**fields, **changes})


def probe(stream, name, every=100 * MS, timeout=2 * SEC, query="www.example.com A", via="r1", source="office"):
    stream.say("plan.probe", 0, probe=name, kind="dns", **{"from": source}, via=via, query=query, transport="udp",
               good="NOERROR with 192.0.2.80", every_ns=every, timeout_ns=timeout)


def fault(stream, number, name, target="alpha", at=5 * SEC, length=20 * SEC):
    stream.say("plan.fault", 0, id=number, name=name, kind="blackhole", target=target, at_ns=at, for_ns=length,
               sentence="drops every packet to and from 192.0.2.1, 2001:db8:1::1 and 192.0.2.2")


def expect(stream, text, name, metric, op, bound, during=None, line=20):
    fields = {"during": during} if during else {}
    stream.say("plan.expect", 0, text=text, probe=name, metric=metric, op=op, bound=bound,
               file="scenarios/10-outage/drop-provider.yaml", line=line, **fields)


def hosts(stream):
    for host, role, server, version, addresses in (
            ("alpha.ns1", "authoritative", "bind", "9.18.24", ["192.0.2.1", "2001:db8:1::1"]),
            ("alpha.ns2", "authoritative", "bind", "9.18.24", ["192.0.2.2"]),
            ("beta.ns1", "authoritative", "knot", "3.2.6", ["198.51.100.1", "2001:db8:2::1"]),
            ("r1", "resolver", "unbound", "1.17.1", ["203.0.113.53"]), ("office", "client", None, None, ["203.0.113.10"])):
        fields = {k: v for k, v in (("server", server), ("version", version)) if v}
        stream.say("lab.host", 0, host=host, role=role, addresses=addresses, ifname="c-" + host, ifindex=7, **fields)


def sample(stream, asker, i, due, latency, outcome="ok", **fields):
    if outcome in ("ok", "wrong"):
        fields = {"rcode": "NOERROR", "answer": ["192.0.2.80"], **fields}
    stream.say("sample", due + latency, probe=asker, i=i, due_ns=due, sent_ns=due + 20000, done_ns=due + latency,
               outcome=outcome, **fields)


def judge(rng, t, dark, back, slow):
    """Latency, outcome and fields of a sample due t after the first fault, which failed over after dark and ended at back."""
    if 0 <= t < dark:
        kind = rng.random()
        if kind < 0.15:
            return 180 * MS, "rcode", {"rcode": "SERVFAIL", "detail": "SERVFAIL instead of NOERROR"}
        if kind < 0.22:
            return 3 * MS, "wrong", {"answer": ["192.0.2.99"], "detail": "192.0.2.99 is not the answer expected"}
        return 2 * SEC, "timeout", {"detail": "no answer within 2s"}
    if dark <= t < back and rng.random() < 0.1:
        return int(376 * MS * rng.uniform(1, 1.6)), "ok", {}
    return int(slow * rng.lognormvariate(0, 0.5)), "ok", {}


def samples(stream, name, begin, count, every, instant, dark, length, seed=1, slow=600000):
    rng = random.Random(seed)
    for i in range(count):
        due = begin + i * every
        latency, outcome, fields = judge(rng, due - instant, dark, length, slow)
        sample(stream, name, i, due, latency, outcome, **fields)


def drop(out, label=None, dark=1150 * MS, seed=1, probes=("www", "www fresh name", "www via stub"), **changes):
    """One run: 35 s, alpha is dark from 5 s on for 20 s, and failover takes dark."""
    stream, t0 = Stream(out), 2 * SEC
    start(stream, **({"case_label": label} if label else {}), **changes)
    for name in probes:
        probe(stream, name)
    fault(stream, 1, "alpha dark")
    expect(stream, "www: time_to_failover <= 3s during alpha dark", "www", "time_to_failover", "<=", 3 * SEC, "alpha dark")
    expect(stream, "www: availability >= 99%", "www", "availability", ">=", 990000, line=21)
    hosts(stream)
    stream.say("lab.ready", t0, took_ns=812 * MS)
    stream.say("capture.start", t0, file="capture.pcap", wall_minus_t_ns=1767225600 * SEC)
    stream.say("timeline.start", t0, planned_end_ns=35 * SEC)
    for name in probes:
        stream.say("probe.start", t0, probe=name, start_ns=t0)
    instant = t0 + 5 * SEC + 2 * MS
    stream.say("fault.applying", instant - MS, id=1, undo="nft delete chain ip dnsdrill fault1\nnft delete set ip dnsdrill alpha")
    stream.say("fault.applied", instant, id=1)
    for k, name in enumerate(probes):
        samples(stream, name, t0, 350, 100 * MS, instant, dark * (k + 1) // 2, 20 * SEC, seed + k)
    stream.say("fault.reverting", instant + 20 * SEC, id=1)
    stream.say("fault.reverted", instant + 20 * SEC + MS, id=1, took_effect=True, packets=412, bytes=29664,
               effect="412 packets matched the rule")
    stream.say("note", instant + 21 * SEC, level="info", text="the resolver marked 192.0.2.1 as lame")
    stream.say("capture.end", t0 + 36 * SEC, packets=8123, dropped=0)
    stream.say("run.end", t0 + 36 * SEC, reason="complete")


def matrix(out):
    for k, (resolver, dark) in enumerate((("unbound", 900 * MS), ("bind", 1700 * MS), ("knot-resolver", 2400 * MS),
                                          ("pdns-recursor", 4100 * MS), ("dnsmasq", 90 * SEC))):
        drop(out, "resolver=" + resolver, dark, seed=10 * k, probes=("www", "www fresh name"))


def dense(out, count=200000):
    """Two probes at a high rate: marks have to be put together."""
    stream, t0, every = Stream(out), 2 * SEC, 60 * SEC * 2 // count
    start(stream, plan="Dense", end_ns=60 * SEC)
    for name in ("fast", "faster"):
        probe(stream, name, every)
    fault(stream, 1, "alpha dark", at=20 * SEC)
    stream.say("timeline.start", t0, planned_end_ns=60 * SEC)
    instant = t0 + 20 * SEC
    stream.say("fault.applied", instant, id=1)
    for k, name in enumerate(("fast", "faster")):
        stream.say("probe.start", t0, probe=name, start_ns=t0)
        samples(stream, name, t0, count // 2, every, instant, 3 * SEC, 20 * SEC, k)
    stream.say("fault.reverted", instant + 20 * SEC, id=1, took_effect=True, packets=100000, bytes=7200000)
    stream.say("run.end", t0 + 61 * SEC, reason="complete")


def hostile(out):
    """Every text is somebody's attack; two faults, one without effect, one that could not be applied; nothing comes back."""
    stream, t0 = Stream(out), 2 * SEC
    start(stream, plan=HOSTILE, description=HOSTILE, command=HOSTILE, plan_file=HOSTILE, kernel=HOSTILE, engine=HOSTILE)
    probe(stream, HOSTILE, query=HOSTILE, via=HOSTILE, source=HOSTILE)
    fault(stream, 1, HOSTILE, HOSTILE)
    fault(stream, 2, "second", HOSTILE, at=10 * SEC)
    expect(stream, HOSTILE, HOSTILE, "time_to_failover", "<=", 3 * SEC, HOSTILE)
    stream.say("lab.host", 0, host=HOSTILE, role=HOSTILE, server=HOSTILE, version=HOSTILE, addresses=[HOSTILE], ifname="c", ifindex=1)
    stream.say("timeline.start", t0, planned_end_ns=35 * SEC)
    stream.say("probe.start", t0, probe=HOSTILE, start_ns=t0)
    stream.say("fault.applying", t0 + 5 * SEC, id=1, undo=HOSTILE)
    stream.say("fault.applied", t0 + 5 * SEC, id=1)
    for i in range(300):
        bad = {"outcome": "wrong", "rcode": HOSTILE, "detail": HOSTILE, "answer": [HOSTILE], "name": HOSTILE} if i > 60 else {}
        sample(stream, HOSTILE, i, t0 + i * 100 * MS, 2 * MS, **bad)
    sample(stream, HOSTILE, 300, t0 + 30 * SEC, 0, "error", detail="socket: out of files")
    stream.say("fault.failed", t0 + 10 * SEC, id=2, stage="apply", message=HOSTILE)
    stream.say("fault.reverted", t0 + 25 * SEC, id=1, took_effect=False, packets=0, bytes=0, effect=HOSTILE)
    stream.say("server.exit", t0 + 26 * SEC, host=HOSTILE, server=HOSTILE, status=HOSTILE, log_tail=HOSTILE + "\n" + HOSTILE)
    stream.say("note", t0 + 26 * SEC, level="warning", text=HOSTILE)
    stream.say("error", t0 + 26 * SEC, message=HOSTILE, host=HOSTILE, file=HOSTILE, line=3, col=4)
    stream.say("run.end", t0 + 30 * SEC, reason=HOSTILE)


STREAMS = {"drop": drop, "matrix": matrix, "dense": dense, "hostile": hostile}

if __name__ == "__main__":
    if sys.argv[1] == "dense" and len(sys.argv) > 2:
        dense(sys.stdout, int(sys.argv[2]))
    else:
        STREAMS[sys.argv[1]](sys.stdout)
