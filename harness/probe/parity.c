/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probe kind `parity`: the same question to every nameserver of a zone; whether all say the same.
 */
#include "harness/probe/fanout.h"
#include <string.h>

struct parity_probe {
	struct probe probe;
	struct texts to;
};

static const struct param parity_params[] = {
	P_TEXTS(struct parity_probe, to, "to",
		"nameservers or providers that are asked; by default every nameserver of the zone, at every address"),
	PARAM_END,
};

static const struct texts *parity_to(const struct probe *probe)
{
	return &((const struct parity_probe *)(const void *)probe)->to;
}

static void parity_validate(const struct probe *probe, struct errs *errs)
{
	if (probe->unique)
		errs_add(errs, probe->loc, "unique: a parity probe asks everybody for the same name; leave it out");
}

static void parity_judge(const struct fanout *fanout, struct fanout_part *part, struct arena *arena)
{
	const struct answer answer = {
		.rcode = part->rcode,
		.rdata = part->answer.v,
		.count = part->answer.count,
		.min_ttl = part->min_ttl,
		.max_ttl = part->max_ttl,
		.aa = part->aa,
		.ad = part->ad,
	};
	struct buf detail = {0};

	part->outcome = judge_versions(&fanout->probe->good, &answer, &detail, &part->fits);
	if (detail.len)
		part->detail = arena_strdup(arena, detail.data);
	buf_fini(&detail);
}

static bool is_same(const struct fanout_part *a, const struct fanout_part *b)
{
	if (strcmp(a->rcode, b->rcode) || a->answer.count != b->answer.count)
		return false;
	for (size_t i = 0; i < a->answer.count; i++) {
		if (strcmp(a->answer.v[i], b->answer.v[i]))
			return false;
	}
	return true;
}

static void add_part(const struct fanout *fanout, const struct fanout_part *parts, size_t i, struct buf *detail)
{
	const struct fanout_part *part = &parts[i];

	fanout_add_server(fanout, i, detail);
	buf_printf(detail, ": %s",
		   part->rcode && !part->is_cut ? part->rcode
		   : part->detail               ? part->detail
						: "nothing");
	for (size_t k = 0; k < part->answer.count; k++)
		buf_printf(detail, "%s%s", k ? ", " : " ", part->answer.v[k]);
}

static void parity_combine(const struct fanout *fanout, const struct fanout_part *parts, struct ev_sample *sample,
			   struct buf *detail)
{
	size_t index;
	const struct fanout_part *worst = fanout_worst(fanout, parts, &index), *first = NULL;

	for (size_t i = 0; i < fanout->count; i++) {
		if (!parts[i].rcode || parts[i].is_cut)
			continue;
		sample->differs |= first && !is_same(first, &parts[i]);
		first = first ? first : &parts[i];
	}
	sample->outcome = worst->outcome;
	sample->rcode = worst->rcode;
	if (sample->differs && (worst->outcome == OUTCOME_OK || worst->outcome == OUTCOME_RCODE))
		sample->outcome = OUTCOME_WRONG;
	if (sample->outcome == OUTCOME_OK) {
		sample->fits = first->fits;
		sample->answer = first->answer;
	}
	for (size_t i = 0; i < fanout->count && (sample->differs || sample->outcome != OUTCOME_OK); i++) {
		buf_puts(detail, i ? "; " : "");
		add_part(fanout, parts, i, detail);
	}
}

static int parity_open(const struct probe *probe, const struct probe_ctx *ctx, void **ret_state, struct err *err)
{
	struct fanout *fanout = NULL;
	int r = fanout_open(probe, ctx, &fanout, err);

	if (r)
		return r;
	fanout->judge = parity_judge;
	fanout->combine = parity_combine;
	*ret_state = fanout;
	return 0;
}

extern const struct probe_ops parity_ops;
const struct probe_ops parity_ops = {
	.kind = "parity",
	.summary = "the same question to every nameserver of a zone, and whether all say the same",
	.params = parity_params,
	.size = sizeof(struct parity_probe),
	.default_timeout_ns = 1 * SEC,
	.needs_type = true,
	.to = parity_to,
	.validate = parity_validate,
	.describe = fanout_describe,
	.transport = fanout_transport,
	.open = parity_open,
	.ask = fanout_ask,
	.close = fanout_close,
};
