#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: parallel
# dnsdrill-test: sanitized
"""The schema that `dnsdrill schema` prints, in the eyes of an independent implementation: it is right draft-07, takes the
plans that `dnsdrill check` takes, and refuses what an editor should mark."""
import copy
import glob
import json
import os
import re
import sys

import jsonschema
import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402


class Loader(yaml.SafeLoader):
    """YAML as the language server types it (1.2 core): yes is a text, 0:30 is no number of base 60."""
    yaml_implicit_resolvers = {}

    def flatten_mapping(self, node):
        """What is merged may only be known once the matrix is: <<: ${key} stays a key with a text."""
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge" and isinstance(value, yaml.ScalarNode):
                key.tag = "tag:yaml.org,2002:str"
        super().flatten_mapping(node)


for tag, pattern, first in [("bool", r"true|false", "tf"), ("int", r"[-+]?[0-9]+", "-+0123456789"),
                            ("float", r"[-+]?[0-9]+\.[0-9]+", "-+0123456789"), ("null", r"~|null|", ["~", "n", ""]),
                            ("merge", r"<<", "<")]:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))

PLAN = """\
plan: 1
name: All that a plan can say
seed: 7
matrix: {resolver: [unbound, bind]}
recovery: 5s
duration: 1m30s
baseline: 99.5%
stable: 3
lab:
  zones:
    example.com: {file: example.com.zone, apex_ns: from-lab, sign: true, providers: [alpha]}
  providers:
    alpha:
      nameservers:
        ns1: {hostname: ns1.alpha-dns.net, address: [192.0.2.1, "2001:db8:1::1"], server: bind}
        ns2: {address: 192.0.2.2, server: knot, primary: alpha.ns1, options: "# text"}
  resolvers:
    r1: {address: 203.0.113.53, server: "${resolver}"}
    r2: {server: dnsmasq, forward: r1}
  clients:
    office: {resolvers: [r1, r2], timeout: 1s, attempts: 2}
  root: {server: nsd}
  tlds:
    com: {address: 198.51.100.53}
probes:
  www:
    from: office
    query: www.example.com A
    every: 100ms
    unique: false
    good: {rcode: NOERROR, answer: [192.0.2.80], min_ttl: 0, aa: any, ad: true}
  stub: {kind: stub, from: office, query: www.example.com}
timeline:
  - {at: 5s, for: 20s, fault: blackhole, target: alpha, name: alpha dark}
  - {at: 30s, for: 5s, fault: reject, target: [alpha.ns1, r1], from: office}
expect:
  - {probe: www, during: alpha dark, time_to_failover: "<= 3s", time_to_recover: never}
  - {probe: www, availability: ">= 95%"}
"""

ZONE = """\
$ORIGIN example.com.
$TTL 300
@    IN SOA ns1.alpha-dns.net. hostmaster.example.com. 1 3600 600 86400 60
@    IN NS  ns1.alpha-dns.net.
www  IN A   192.0.2.80
"""

SCHEMA = json.loads(drill.run("schema", check=0).stdout)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def load(text):
    return yaml.load(text, Loader)


def complaints(plan):
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in VALIDATOR.iter_errors(plan)]


def check(text):
    return drill.run("check", drill.write_plan(text, **{"example.com.zone": ZONE}))


def put(plan, path, value):
    """A copy of plan with value at path; None takes the key away."""
    plan = copy.deepcopy(plan)
    *way, last = path.split("/")
    place = plan
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    if value is None:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return plan


@drill.case
def it_is_a_right_draft_07_schema():
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@drill.case
def every_reference_leads_somewhere():
    targets = set(re.findall(r'"\$ref": "#/definitions/([^"]+)"', json.dumps(SCHEMA)))
    assert targets and targets <= set(SCHEMA["definitions"]), targets - set(SCHEMA["definitions"])


@drill.case
def it_takes_a_plan_that_says_everything():
    assert complaints(load(PLAN)) == []


@drill.case
def it_takes_every_scenario_that_ships():
    plans = [path for path in glob.glob(os.path.join(drill.SCENARIOS, "**", "*.yaml"), recursive=True)]
    assert plans
    for path in plans:
        with open(path, encoding="utf-8") as file:
            plan = load(file.read())
        if "plan" in plan or "include" in plan:  # else a part that plans include
            assert complaints(plan) == [], (path, complaints(plan))


@drill.case
def it_takes_what_the_matrix_fills_in():
    plan = load(PLAN)
    for path, value in [("probes/www/every", "${pace}"), ("probes/www/every", "1${pace}ms"), ("probes/www/unique", "${u}"),
                        ("lab/clients/office/attempts", "${n}"), ("timeline/0/fault", "${kind}"),
                        ("lab/providers/alpha/nameservers/ns1/address", "${a}"), ("lab/zones/example.com/apex_ns", "${x}"),
                        ("expect/1/availability", ">= ${share}"), ("lab", "${lab}"), ("probes/www/good", "${good}"),
                        ("lab/resolvers/r1", {"<<": "${extra}"}), ("timeline/0", "${step}")]:
        assert complaints(put(plan, path, value)) == [], (path, value, complaints(put(plan, path, value)))


@drill.case
def it_takes_a_plan_whose_lab_is_included():
    assert complaints(load("include: lab.yaml\nprobes: {}\n")) == []
    assert complaints(load("include: [a.yaml, b.yaml]\n")) == []


@drill.case
def it_refuses_what_check_refuses():
    plan = load(PLAN)
    for path, value in [("lab", None), ("plan", None), ("plan", 2), ("nonsense", 1), ("baseline", 99), ("recovery", 5),
                        ("recovery", "5 s"), ("recovery", "5"), ("stable", 0), ("stable", "3"), ("seed", -1),
                        ("probes/www/evry", "1s"), ("probes/www/from", None), ("probes/www/query", None),
                        ("probes/www/kind", "dsn"), ("probes/www/unique", "yes"), ("probes/www/good/aa", "sometimes"),
                        ("probes", []), ("timeline/0/at", None), ("timeline/0/target", None), ("timeline/0/fault", None),
                        ("timeline/0/fault", "blackhol"), ("timeline/0/for", 20), ("timeline/0/colour", "red"), ("timeline", {}),
                        ("expect/0/time_to_failover", "3s"), ("expect/0/time_to_failover", "<= 3"),
                        ("expect/0/time_to_failover", "<= 3%"), ("expect/1/availability", "never"),
                        ("expect/1/availability", ">= 3s"), ("expect/1/probe", None), ("expect/1/avail", ">= 3%"),
                        ("lab/zones/example.com/file", None), ("lab/zones/example.com/apex_ns", "from-labb"),
                        ("lab/providers/alpha/nameservers/ns1/address", None),
                        ("lab/providers/alpha/nameservers/ns1/address", []),
                        ("lab/providers/alpha/nameservers/ns1/address", "ns1.example"),
                        ("lab/providers/alpha/nameservers/ns1/address", ["192.0.2.1", "192.0.2.1"]),
                        ("lab/providers/alpha/nameservers/ns1/server", "unbound"),
                        ("lab/resolvers/r1/server", "bnd"), ("lab/clients/office/attempts", 99),
                        ("lab/clients/office/timeout", 1), ("include", {}), ("matrix", [])]:
        changed = put(plan, path, value)
        assert complaints(changed), f"{path}: {value} was taken by the schema"
        done = check(yaml.safe_dump(changed, sort_keys=False))
        assert done.returncode == 2, f"{path}: {value} was taken by check: {done.stdout}{done.stderr}"


@drill.case
def check_takes_the_plan_that_says_everything():
    """Else the refusals above would say nothing."""
    for text in [PLAN, yaml.safe_dump(load(PLAN), sort_keys=False)]:
        done = check(text)
        assert done.returncode == 0, done.stderr


drill.main()
