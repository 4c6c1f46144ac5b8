/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One dns probe for www.example.com A against one fake server, for the programs that test it.
 */
#pragma once
#include "harness/probe/dns.h"
#include "tests/unit/probe/fake_dns.h"
#include "tests/unit/probe/sandbox.h"

extern const struct probe_ops dns_ops;

#define TIMEOUT (500 * MSEC)
#define PATIENT (30 * SEC) /* where the answer must come, however busy the machine is */

enum { UDP, TCP };
enum { ANY, IPV4, IPV6 };

static struct text right[] = {{.value = "192.0.2.8"}, {.value = "192.0.2.80"}};

static inline struct dns_probe www(int64_t timeout_ns, int64_t transport)
{
	return (struct dns_probe){.probe = {.ops = &dns_ops,
					    .name.value = "www",
					    .query.value = "www.example.com A",
					    .qname = "www.example.com",
					    .qtype = 1,
					    .every_ns = 100 * MSEC,
					    .timeout_ns = timeout_ns,
					    .good = {.rcode.value = "NOERROR",
						     .answer = {.v = right, .count = 2},
						     .answer_given = true,
						     .min_ttl = PARAM_UNSET,
						     .max_ttl = PARAM_UNSET}},
				  .transport = transport,
				  .recursion = true,
				  .edns_bytes = 1232};
}

/* One sandbox, one fake server at 127.0.0.1, one open probe. */
struct rig {
	struct sandbox *box;
	struct fake_dns *fake;
	struct probe_server server;
	struct dns_probe probe;
	void *dns;
};

static inline struct rig *rig_new(struct dns_probe probe, int mode)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct err err = {0};

	rig->server = sandbox_server("r1", "127.0.0.1");
	rig->probe = probe;
	rig->box = sandbox_new(&rig->server, 1);
	if (mode >= 0)
		rig->fake = fake_dns_new(rig->box->base, "127.0.0.1", 1, (enum fake_mode)mode);
	assert_int_equal(dns_ops.open(&rig->probe.probe, &rig->box->ctx, &rig->dns, &err), 0);
	return rig;
}

static inline void rig_free(struct rig *rig)
{
	dns_ops.close(rig->dns);
	if (rig->fake)
		fake_dns_free(rig->fake);
	sandbox_free(rig->box);
	free(rig);
}

/* Asks once, due now, and gives what came of it. */
static inline struct seen rig_ask(struct rig *rig)
{
	size_t i = rig->box->count;

	dns_ops.ask(rig->dns, (int64_t)i, sandbox_now(rig->box));
	sandbox_await(rig->box, i + 1);
	return rig->box->seen[i];
}

static inline struct seen ask_once(struct dns_probe probe, int mode)
{
	struct rig *rig = rig_new(probe, mode);
	struct seen seen = rig_ask(rig);

	rig_free(rig);
	return seen;
}
