# SPDX-License-Identifier: GPL-2.0-or-later
"""A small drill for tests that are about the harness, not about DNS: one provider, one resolver, one client."""
import drill

ZONE = """\
$ORIGIN example.com.
$TTL 5
@        IN SOA ns1.alpha-dns.net. hostmaster.example.com. 1 3600 600 86400 5
@        IN NS  ns1.alpha-dns.net.
www      IN A   192.0.2.80
*.fresh  IN A   192.0.2.81
"""

PLAN = """\
plan: 1
name: Small
lab:
  zones:
    example.com: {{file: example.com.zone}}
  providers:
    alpha:
      nameservers:
        ns1: {{hostname: ns1.alpha-dns.net, address: [192.0.2.1, "2001:db8:1::1"], server: knot}}
  resolvers:
    r1: {{address: 203.0.113.53, server: unbound{resolver_options}}}
  clients:
    office: {{resolvers: [r1]}}
recovery: {recovery}
probes:
  www: {{from: office, query: www.example.com A, every: 20ms, timeout: 500ms}}
  fresh: {{from: office, query: fresh.example.com A, unique: true, every: 20ms, timeout: 500ms}}
timeline:
  - {{at: {at}, for: {length}, fault: blackhole, target: {target}, name: dark}}
{more}"""


def plan(at="500ms", length="1s", recovery="500ms", target="alpha", resolver_options="", zone=ZONE, more=""):
    """Writes it and returns its path."""
    text = PLAN.format(at=at, length=length, recovery=recovery, target=target, resolver_options=resolver_options,
                       more=more)
    return drill.write_plan(text, **{"example.com.zone": zone})
