/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probe kind `serial`: the SOA at every nameserver of a zone; who shows which version.
 */
#include "harness/probe/fanout.h"
#include <ldns/ldns.h>
#include <string.h>

struct serial_probe {
	struct probe probe;
	struct texts to;
};

static const struct param serial_params[] = {
	P_TEXTS(struct serial_probe, to, "to",
		"nameservers or providers that are asked; by default every nameserver of the zone, at every address"),
	PARAM_END,
};

static const struct texts *serial_to(const struct probe *probe)
{
	return &((const struct serial_probe *)(const void *)probe)->to;
}

static void serial_validate(const struct probe *probe, struct errs *errs)
{
	if (probe->qtype != LDNS_RR_TYPE_SOA)
		errs_add(errs, probe->query.loc,
			 "query: a serial probe asks for the SOA of a zone, such as \"example.com SOA\"");
	if (probe->unique)
		errs_add(errs, probe->loc, "unique: nameservers answer for the zone itself; leave it out");
}

static void serial_judge(const struct fanout *fanout, struct fanout_part *part, struct arena *arena)
{
	const struct probe *probe = fanout->probe;

	if (part->serial < 0) {
		part->outcome = OUTCOME_RCODE;
		part->detail = arena_printf(arena, "%s without an SOA", part->rcode);
		return;
	}
	for (size_t i = 0; i < probe->serial_count; i++) {
		if (probe->serials[i].serial == part->serial)
			part->fits |= INT64_C(1) << probe->serials[i].version;
	}
	part->outcome = part->fits ? OUTCOME_OK : OUTCOME_WRONG;
	if (!part->fits)
		part->detail =
			arena_printf(arena, "serial %lld, which no version of the plan has", (long long)part->serial);
}

/* "serial 7 at beta.ns1 (198.51.100.1); serial 8 at the rest" would leave something out: each is named. */
static void add_serials(const struct fanout *fanout, const struct fanout_part *parts, struct buf *detail)
{
	for (size_t i = 0; i < fanout->count; i++) {
		buf_puts(detail, i ? "; " : "");
		fanout_add_server(fanout, i, detail);
		if (parts[i].serial >= 0)
			buf_printf(detail, ": %lld", (long long)parts[i].serial);
		else
			buf_printf(detail, ": %s", parts[i].detail ? parts[i].detail : "no serial");
	}
}

static void serial_combine(const struct fanout *fanout, const struct fanout_part *parts, struct ev_sample *sample,
			   struct buf *detail)
{
	size_t index;
	const struct fanout_part *worst = fanout_worst(fanout, parts, &index);
	int64_t serial = -1, fits = 0, common = ~INT64_C(0);
	bool are_many = false;

	for (size_t i = 0; i < fanout->count; i++) {
		if (parts[i].serial < 0)
			continue;
		are_many |= serial >= 0 && serial != parts[i].serial;
		common &= parts[i].fits;
		serial = parts[i].serial;
		/* The oldest is what the slowest shows: its last version is the lowest. */
		if (!i || parts[i].fits < fits)
			fits = parts[i].fits;
	}
	/* Who signs anew raises the serial of a version: serials of one version are the same. */
	sample->differs = are_many && !common;
	sample->outcome = worst->outcome;
	sample->rcode = worst->rcode;
	sample->fits = worst->outcome == OUTCOME_OK ? fits : 0;
	if (worst->outcome != OUTCOME_OK || are_many)
		add_serials(fanout, parts, detail);
}

static int serial_open(const struct probe *probe, const struct probe_ctx *ctx, void **ret_state, struct err *err)
{
	struct fanout *fanout = NULL;
	int r = fanout_open(probe, ctx, &fanout, err);

	if (r)
		return r;
	fanout->judge = serial_judge;
	fanout->combine = serial_combine;
	*ret_state = fanout;
	return 0;
}

extern const struct probe_ops serial_ops;
const struct probe_ops serial_ops = {
	.kind = "serial",
	.summary = "the SOA at every nameserver of a zone, and who shows which serial",
	.params = serial_params,
	.size = sizeof(struct serial_probe),
	.default_timeout_ns = 1 * SEC,
	.needs_type = true,
	.to = serial_to,
	.validate = serial_validate,
	.describe = fanout_describe,
	.transport = fanout_transport,
	.open = serial_open,
	.ask = fanout_ask,
	.close = fanout_close,
};
