#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills
"""Pushes by PowerDNS's HTTP API: the plans 20-zone/api-* pass, and prove nothing without their fault; what the API said and what is served is in the stream."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import harmless  # noqa: E402

FOLDER = os.path.join(drill.SCENARIOS, "20-zone")

# A fault that no request meets, each time: the push then goes well, and the run is inconclusive.
HARMLESS = {
    "api-not-applied": ["timeline.0.method=DELETE"],
    "api-partial": ["timeline.0.target=alpha.ns1", "timeline.1.batch=1"],
    "api-refused": ["timeline.0.method=DELETE", "matrix.status=[403]"],
    "api-retried": ["timeline.0.method=DELETE", "matrix.failure={\"503\": {what: status, status: 503}}"],
    "api-something-else": ["timeline.0.method=DELETE", "matrix.answer={\"a page\": {body: page}}"],
    "api-stale": ["timeline.1.at=10ms", "timeline.1.for=300ms"],
}

# The same with another end: the push that is guarded is refused though nobody expected it, or goes through though it was to be refused.
SPOILT = {
    "api-race": ["timeline.1.if_serial=7"],
    "api-race-guarded": ["timeline.1.if_serial=8"],
    "api-race-late": ["timeline.0.delay=1ms"],
}

for name, sets in SPOILT.items():
    harmless.add_case(f"{name} passes", os.path.join(FOLDER, name + ".yaml"), "pass")
    harmless.add_case(f"{name} without its sting does not", os.path.join(FOLDER, name + ".yaml"), "error", sets)
harmless.add_case("api-lab passes", os.path.join(FOLDER, "api-lab.yaml"), "pass")
for name, sets in HARMLESS.items():
    harmless.add_case(f"{name} passes", os.path.join(FOLDER, name + ".yaml"), "pass")
    harmless.add_case(f"{name} without its sting does not", os.path.join(FOLDER, name + ".yaml"), "inconclusive", sets)


def one(push, fault, check=0):
    """A lab with a push by the API at one second, and a fault of the API around it."""
    return drill.drill(drill.write_plan(
        f"plan: 1\ninclude: {FOLDER}/api-lab.yaml\nname: api\nrecovery: 500ms\nexpect: []\ntimeline:\n"
        f"  - {{at: 1s, do: push, by: api, zone: example.com, file: {FOLDER}/zones/example.com.v2.zone, {push}}}\n"
        f"  - {{at: 500ms, for: 3s, fault: api, target: alpha.ns1, {fault}}}\n"), check=check)


def said(result):
    host, = result.events("step.host")
    return host


@drill.case
def a_refusal_is_not_repeated_and_its_words_are_in_the_stream():
    host = said(one("may_fail: true", "status: 403, method: PATCH"))
    assert not host["ok"] and host["text"].count("PATCH") == 1, host
    assert 'PATCH 403 {"error"' in host["text"] and "serial 7" in host["text"], host


@drill.case
def a_push_that_fails_is_an_error_of_the_run_unless_it_may():
    result = one("retries: 1, backoff: 50ms", "status: 503", check=3)
    assert "gave up after 1 retries" in " ".join(result.done.stdout.split() + result.done.stderr.split()), result.done.stdout


@drill.case
def retry_after_is_waited_for():
    result = one("backoff: 10ms", "status: 429, retry_after: 1s, first: 1, method: PATCH")
    host, = result.events("step.host")
    start, = result.events("step.started")
    assert host["ok"] and "429 (Retry-After 1 s)" in host["text"] and "serial 8" in host["text"], host
    assert host["t_ns"] - start["t_ns"] >= 1_000_000_000, (start, host)


@drill.case
def what_is_accepted_and_not_applied_is_not_served():
    result = one("timeout: 1s, may_fail: true", "what: not-applied")
    host = said(result)
    assert not host["ok"] and "PATCH 204" in host["text"] and "serial 7" in host["text"], host
    assert not [s for s in result.samples("alpha") if s["outcome"] == "ok"], "somebody has seen the new address"


@drill.case
def what_is_no_zone_is_said_and_nothing_is_sent():
    host = said(one("may_fail: true", 'what: body, body: "<html>Please sign in</html>", first: 1'))
    assert not host["ok"] and "GET 200 (text/html) <html>Please sign in</html> that is no JSON" in host["text"], host
    assert "PATCH" not in host["text"] and "serial 7" in host["text"], host


@drill.case
def half_a_push_says_how_much_is_there_and_what_others_wrote_is_seen_by_verifying():
    host = said(one("retries: 0, may_fail: true", "what: partial"))
    assert "not as pushed: 2 (3 had differed before)" in host["text"], host
    host = said(one("retries: 0, verify: true", "what: late, delay: 300ms, method: GET, first: 1"))
    assert host["ok"] and "all is as pushed" in host["text"], host


@drill.case
def a_batch_at_a_time_is_patched():
    host = said(one("batch: 1", "status: 500, method: GET, first: 1"))
    assert host["ok"] and host["text"].count("PATCH 204") == 3 and host["text"].count("GET") == 2, host


@drill.case
def what_has_no_api_is_said_before_anything_is_touched():
    plan = drill.write_plan(
        f"plan: 1\ninclude: {FOLDER}/lab.yaml\nname: none\nexpect: []\ntimeline:\n"
        f"  - {{at: 1s, do: push, by: api, zone: example.com, file: {FOLDER}/zones/example.com.v2.zone}}\n"
        "  - {at: 1s, for: 1s, fault: api, target: alpha.ns1}\n")
    done = drill.run("check", plan)
    assert done.returncode == 2, done
    for words in ("give it api: true", "runs bind, which has no HTTP API", "alpha.ns1 has no HTTP API"):
        assert words in done.stderr + done.stdout, done.stderr


drill.main(at_once=4)
