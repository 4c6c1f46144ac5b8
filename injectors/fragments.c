/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fragments: large answers vanish, small ones live. Three ways in which that happens: fragments are dropped; packets above a length are; or the path has a small
 * MTU, and the "packet too big" that would tell the sender of it is lost (RFC 2923 section 2.1). On such a path IPv4 packets that may be
 * fragmented are, and arrive; the others, and IPv6, vanish.
 */
#include "injectors/chain.h"
#include "injectors/detour.h"

#include <inttypes.h>

#define LENGTH_MIN 68 /* RFC 791: every module must forward these whole */
#define LENGTH_MAX 65535
#define MTU_MIN 1280 /* RFC 8200 section 5 */
#define MTU_MAX 1499 /* below that of the lab's links */

struct fragments {
	struct injector injector;
	struct traffic traffic;
	int64_t larger_than, path_mtu;
	bool is_prepared; /* the small link is there, with or without the rules that lead to it */
};

static const struct param params[] = {
	P_SIZE(struct fragments, larger_than, "larger_than", LENGTH_MIN, LENGTH_MAX - 1, PARAM_UNSET,
	       "drop packets longer than that, IP header and all, fragments or not; by default, fragments"),
	P_SIZE(struct fragments, path_mtu, "path_mtu", MTU_MIN, MTU_MAX, PARAM_UNSET,
	       "instead, a path of that MTU whose packet-too-big messages (ICMP) are lost"),
	TRAFFIC_PARAMS(struct fragments, traffic, TRAFFIC_EITHER),
	PARAM_END,
};

#define FRAGMENTS(injector) ((const struct fragments *)(injector))
#define TRAFFIC(injector) (&FRAGMENTS(injector)->traffic)

static bool has_path(const struct injector *injector)
{
	return FRAGMENTS(injector)->path_mtu != PARAM_UNSET;
}

static void validate(const struct injector *injector, struct errs *errs)
{
	traffic_validate(TRAFFIC(injector), injector, errs);
	if (has_path(injector) && FRAGMENTS(injector)->larger_than != PARAM_UNSET)
		errs_add(errs, injector->loc,
			 "larger_than and path_mtu are two ways to lose large packets; keep one of them");
}

static int available(const struct injector *injector, const struct abilities *abilities, struct err *err)
{
	return has_path(injector) ? detour_available(injector, abilities, err) : 0;
}

/* What the core itself says of the small link must not reach anybody. */
static void objects(const struct injector *injector, struct buf *out)
{
	if (!has_path(injector))
		return;
	buf_printf(out, "add counter " CORE_TABLE " fault_%" PRId64 "_errors\n", injector->id);
	buf_printf(out,
		   "add chain " CORE_TABLE " fault_%" PRId64
		   "_output { type filter hook output priority 0; policy accept; }\n",
		   injector->id);
}

/* The destination of the packet that an ICMP error quotes, behind 8 octets of ICMP: at 16 in an IPv4 header, at 24 in IPv6's. nft knows it as a number. */
static void add_quoted(const struct addresses *list, int family, struct buf *out)
{
	const char *separator = "";

	buf_puts(out, family == AF_INET ? "@th,192,32 { " : "@th,256,128 { ");
	for (size_t i = 0; i < list->count; i++) {
		const unsigned char *octets = list->v[i].bytes;

		if (list->v[i].family != family)
			continue;
		buf_printf(out, "%s0x", separator);
		for (size_t j = 0; j < (family == AF_INET ? 4U : 16U); j++)
			buf_printf(out, "%02x", octets[j]);
		separator = ", ";
	}
	buf_puts(out, " } ");
}

static void add_told(const struct addresses *list, int family, struct buf *out)
{
	const char *separator = "";

	buf_puts(out, family == AF_INET ? "ip daddr { " : "ip6 daddr { ");
	for (size_t i = 0; i < list->count; i++) {
		if (list->v[i].family != family)
			continue;
		buf_printf(out, "%s%s", separator, list->v[i].text);
		separator = ", ";
	}
	buf_puts(out, " } ");
}

/* The error goes back to the sender of a packet that was on that way. */
static void add_error_rule(const struct injector *injector, int family, bool is_to, struct buf *out)
{
	const struct addresses *target = &injector->target_addresses, *from = &injector->from_addresses;
	const struct addresses *told = is_to ? from : target, *quoted = is_to ? target : from;

	buf_printf(out, "add rule " CORE_TABLE " fault_%" PRId64 "_output ", injector->id);
	if (told->count)
		add_told(told, family, out);
	buf_printf(out,
		   family == AF_INET ? "icmp type destination-unreachable icmp code frag-needed icmp mtu %" PRId64 " "
				     : "icmpv6 type packet-too-big icmpv6 mtu %" PRId64 " ",
		   FRAGMENTS(injector)->path_mtu);
	if (quoted->count)
		add_quoted(quoted, family, out);
	buf_printf(out, "counter name fault_%" PRId64 "_errors drop\n", injector->id);
}

static void add_error_rules(const struct injector *injector, struct buf *out)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		for (int way = TRAFFIC_TO; way <= TRAFFIC_FROM; way++) {
			if (traffic_has(TRAFFIC(injector), injector, families[i], way))
				add_error_rule(injector, families[i], way == TRAFFIC_TO, out);
		}
	}
}

/* Only what is too long for the small link is sent there: the rest would come out the same. */
static void path_rules(const struct injector *injector, struct buf *out)
{
	char longer[40], verdict[DETOUR_VERDICT_SIZE];

	add_error_rules(injector, out);
	snprintf(longer, sizeof(longer), "meta length > %" PRId64, FRAGMENTS(injector)->path_mtu);
	detour_verdict(injector, verdict);
	traffic_rules(TRAFFIC(injector), injector,
		      &(struct traffic_rule){.ipv4 = longer, .ipv6 = longer, .verdict = verdict}, out);
}

static void rules(const struct injector *injector, struct buf *out)
{
	struct traffic_rule rule = {
		.ipv4 = "ip frag-off & 0x3fff != 0", /* more fragments, or an offset */
		.ipv6 = "exthdr frag exists",
		.verdict = "drop",
	};
	char longer[40];

	if (has_path(injector)) {
		path_rules(injector, out);
		return;
	}
	if (FRAGMENTS(injector)->larger_than != PARAM_UNSET) {
		snprintf(longer, sizeof(longer), "meta length > %" PRId64, FRAGMENTS(injector)->larger_than);
		rule.ipv4 = rule.ipv6 = longer;
	}
	traffic_rules(TRAFFIC(injector), injector, &rule, out);
}

static const struct chain chain = {.rules = rules, .objects = objects};

static int open_path(const struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return detour_open(injector, ctx, DETOUR_QDISC, -1, (unsigned)FRAGMENTS(injector)->path_mtu, err);
}

static int prepare(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	if (!has_path(injector))
		return 0;
	((struct fragments *)injector)->is_prepared = true;
	return open_path(injector, ctx, err);
}

static int release(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	if (!has_path(injector))
		return 0;
	((struct fragments *)injector)->is_prepared = false;
	return detour_close(injector, ctx, err);
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	int r = 0;

	if (has_path(injector) && !FRAGMENTS(injector)->is_prepared)
		r = open_path(injector, ctx, err);
	return r ? r : chain_apply(&chain, injector, ctx, err);
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct err later = {0};
	int r = chain_revert(&chain, injector, ctx, err), rc = 0;

	if (has_path(injector) && !FRAGMENTS(injector)->is_prepared)
		rc = detour_close(injector, ctx, r ? &later : err);
	return r ? r : rc;
}

static int path_effect(struct injector *injector, struct injector_ctx *ctx, struct effect *io, struct err *err)
{
	int64_t errors = 0;
	char counter[40];
	int r;

	snprintf(counter, sizeof(counter), "fault_%" PRId64 "_errors", injector->id);
	r = core_counters(ctx->core, counter, &errors, NULL, err);
	if (!r)
		snprintf(io->text, sizeof(io->text),
			 "%" PRId64 " packet%s longer than the path's %" PRId64 " bytes; %" PRId64
			 " packet-too-big message%s lost",
			 io->packets, io->packets == 1 ? "" : "s", FRAGMENTS(injector)->path_mtu, errors,
			 errors == 1 ? "" : "s");
	return r;
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err)
{
	struct effect effect;
	int r = chain_effect(injector, "dropped", ctx, &effect, err);

	if (!r && has_path(injector))
		r = path_effect(injector, ctx, &effect, err);
	if (!r)
		*ret = effect;
	return r;
}

static void sentence(const struct injector *injector, struct buf *out)
{
	const struct fragments *fragments = FRAGMENTS(injector);

	if (has_path(injector))
		buf_printf(out, "leads over a path of %" PRId64 " bytes, whose packet-too-big messages are lost, ",
			   fragments->path_mtu);
	else if (fragments->larger_than != PARAM_UNSET)
		buf_printf(out, "drops what is longer than %" PRId64 " bytes of ", fragments->larger_than);
	else
		buf_puts(out, "drops the fragments of ");
	traffic_describe(TRAFFIC(injector), injector, out);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	struct buf last = {0}; /* undone in reverse */

	if (has_path(injector))
		detour_commands(injector, (unsigned)FRAGMENTS(injector)->path_mtu, to_apply, &last);
	chain_commands(&chain, injector, to_apply, to_revert);
	buf_puts(to_revert, last.data ? last.data : "");
	buf_fini(&last);
}

const struct injector_ops fragments_ops = {
	.kind = "fragments",
	.summary = "large answers vanish, small ones live",
	.params = params,
	.size = sizeof(struct fragments),
	.validate = validate,
	.available = available,
	.prepare = prepare,
	.release = release,
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
