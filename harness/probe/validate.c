/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probe kind `validate`: one question, and every signature and proof from the lab's trust anchor down to its answer, looked at by ourselves.
 *
 * By way of a resolver each sample has one TCP connection: first the question as users ask it, which shows what the resolver itself makes of it; then, with CD set, so
 * that bogus data are shown too, whatever the validator (dnssec/validate.h) needs next, one after the other. With `via: servers` nothing stands between: each question goes
 * from the root down to the servers that know (walk.h), and nothing is remembered from one sample to the next.
 */
#include "harness/probe/validate.h"
#include "harness/api/transport.h"
#include "harness/base/units.h"
#include <errno.h>
#include <string.h>

static const char *const chain_choices[] = {"secure", "insecure", "bogus", NULL}; /* as in validate_sample.c */

static const struct param validate_params[] = {
	P_TEXT(struct validate_probe, via, "via",
	       "resolver that is asked for everything, with CD set; without it, the first resolver of `from`; or "
	       "servers: the nameservers of every zone from the root down are asked themselves"),
	P_ENUM(struct validate_probe, chain, "chain", chain_choices, 0,
	       "what a good sample finds: a chain of trust, the proof that there is none, or a broken one"),
	P_DURATION(struct validate_probe, attempt_ns, "attempt", 10 * MSEC, 60 * SEC, 500 * MSEC,
		   "via servers: how long one of a zone's servers may take before the next is asked"),
	PARAM_END,
};

static const struct validate_probe *validate_of(const struct probe *probe)
{
	return (const struct validate_probe *)(const void *)probe;
}

static bool validate_from_root(const struct probe *probe)
{
	const struct text *via = &validate_of(probe)->via;

	return via->value && !strcmp(via->value, "servers");
}

static void validate_validate(const struct probe *probe, struct errs *errs)
{
	if (probe->good.ad != TRISTATE_ANY)
		errs_add(errs, probe->good.loc,
			 "ad: a probe of kind validate looks at the chain itself: say chain:, or ask for AD by kind: "
			 "dns");
}

static void validate_describe(const struct probe *probe, const struct probe_ctx *ctx, struct buf *out)
{
	if (!ctx->server_count)
		buf_puts(out, "nobody");
	else if (validate_from_root(probe))
		buf_printf(out, "chain of trust from the servers themselves, %s (%s) first", ctx->servers[0].host,
			   ctx->servers[0].address.text);
	else
		buf_printf(out, "chain of trust by way of %s (%s)", ctx->servers[0].host, ctx->servers[0].address.text);
}

static const char *validate_transport(const struct probe *probe)
{
	(void)probe;
	return "tcp";
}

static const struct text *validate_via(const struct probe *probe)
{
	return &validate_of(probe)->via;
}

static void validate_ask(void *state, int64_t i, int64_t due_ns)
{
	struct validate *v = state;
	char label[UNIQUE_LABEL_LEN + 1], why[128];
	struct asking *asking;
	int r;

	if (validate_now(v) >= due_ns + v->probe->probe.timeout_ns) {
		validate_not_asked(v, i, due_ns,
				   "could not ask: the harness was busy until the sample's time was over");
		return;
	}
	asking = (struct asking *)(void *)inflight_add(&v->inflight, i, due_ns);
	if (!asking) {
		validate_not_asked(v, i, due_ns, "could not ask: out of memory");
		return;
	}
	asking->validate = v;
	snprintf(asking->qname, sizeof(asking->qname), "%s", v->probe->probe.qname);
	if (v->probe->probe.unique) {
		unique_label(&v->unique, i, label);
		snprintf(asking->qname, sizeof(asking->qname), "%s.%s", label, v->probe->probe.qname);
	}
	r = validate_start(asking);
	if (r == 0)
		return;
	snprintf(why, sizeof(why), "could not ask: %s", strerror(-r));
	validate_finish(asking, OUTCOME_ERROR, why);
}

/* ---- open and close ---- */

static void validate_close(void *state)
{
	struct validate *v = state;
	struct flight *flight;

	if (!v)
		return;
	while (v->inflight.ring && (flight = inflight_first(&v->inflight)))
		validate_give_up((struct asking *)(void *)flight);
	inflight_fini(&v->inflight);
	ldns_rr_list_deep_free(v->anchor);
	arena_free(v->arena);
	free(v);
}

static void note_roots(struct validate *v)
{
	v->asks_servers = validate_from_root(&v->probe->probe);
	v->roots = ARENA_ARRAY(v->arena, struct address, v->ctx.server_count + 1);
	for (size_t i = 0; v->asks_servers && i < v->ctx.server_count; i++) {
		v->roots[i] = v->ctx.servers[i].address;
		v->families |= v->roots[i].family == AF_INET ? WALK_IPV4 : WALK_IPV6;
	}
}

static int validate_open(const struct probe *probe, const struct probe_ctx *ctx, void **ret_state, struct err *err)
{
	struct validate *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	v->probe = validate_of(probe);
	v->ctx = *ctx;
	v->arena = arena_new();
	v->good = probe->good;
	v->good.answer = dns_canonical(&probe->good.answer, probe->qtype, v->arena);
	v->unique = unique_new(ctx->seed, probe->name.value);
	note_roots(v);
	if (!ctx->server_count)
		r = err_set(err, -EINVAL, probe->loc,
			    "probe %s has nobody to ask: give it `via`, or `from` a client with resolvers",
			    probe->name.value);
	else
		r = validation_anchor(ctx->trust_anchor, &v->anchor, err);
	if (r == 0 && inflight_init(&v->inflight, ctx->base, ctx->epoch_ns, probe->timeout_ns, sizeof(struct asking),
				    validate_expire, v) < 0)
		r = err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	if (r < 0) {
		validate_close(v);
		return r;
	}
	*ret_state = v;
	return 0;
}

const struct probe_ops validate_ops = {
	.kind = "validate",
	.summary = "the chain of trust of one answer, from the lab's trust anchor down, validated by ourselves; says "
		   "why it "
		   "is bogus",
	.params = validate_params,
	.size = sizeof(struct validate_probe),
	.default_timeout_ns = 5 * SEC,
	.needs_type = true,
	.needs_anchor = true,
	.validate = validate_validate,
	.describe = validate_describe,
	.transport = validate_transport,
	.via = validate_via,
	.from_root = validate_from_root,
	.open = validate_open,
	.ask = validate_ask,
	.close = validate_close,
};
