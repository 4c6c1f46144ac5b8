/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * half-open: TCP connects, then nothing. The handshake passes, both ways, and so do bare acknowledgements, of which it has one; what carries data, ends
 * or resets a connection does not. A refused connection stays refused.
 *
 * nft does not compare header fields with each other, so "carries no data" is spelled out: for each length of the TCP header, the length that the packet has
 * then. Packets with IPv4 options or IPv6 extension headers, which Linux does not send with TCP, count as data.
 */
#include "injectors/chain.h"

#include <inttypes.h>

struct half_open {
	struct injector injector;
	struct traffic traffic;
};

static const struct param params[] = {
	TRAFFIC_PARAMS_WITHOUT_PROTOCOL(struct half_open, traffic, TRAFFIC_EITHER),
	PARAM_END,
};

/* In words of 4 octets: RFC 9293 section 3.1; an IPv4 header without options, RFC 791 section 3.1. */
enum { WORD = 4, DATA_OFFSET_MIN = 5, DATA_OFFSET_MAX = 15, IHL_MIN = 5 };

static struct traffic traffic_of(const struct injector *injector)
{
	struct traffic traffic = ((const struct half_open *)injector)->traffic;

	traffic.protocol = TRAFFIC_TCP;
	return traffic;
}

static void validate(const struct injector *injector, struct errs *errs)
{
	struct traffic traffic = traffic_of(injector);

	traffic_validate(&traffic, injector, errs);
}

static void objects(const struct injector *injector, struct buf *out)
{
	buf_printf(out, "add chain " CORE_TABLE " fault_%" PRId64 "_bare\n", injector->id);
	buf_printf(out, "add chain " CORE_TABLE " fault_%" PRId64 "_segment\n", injector->id);
}

/* Segments without data. A SYN with data (RFC 7413) is not one: its sender falls back to one without. */
static void bare_rules(int64_t id, struct buf *out)
{
	static const char *const passes[] = {
		"tcp flags & (fin | syn | rst) == syn",
		"tcp flags & (fin | syn | rst | ack) == ack",
		/* the answer to a SYN that nobody listens for: RFC 9293 section 3.10.7.1 */
		"tcp flags & (fin | syn | rst | ack) == rst | ack tcp sequence 0",
	};

	for (size_t i = 0; i < ARRAY_LEN(passes); i++)
		buf_printf(out, "add rule " CORE_TABLE " fault_%" PRId64 "_bare %s accept\n", id, passes[i]);
	buf_printf(out, "add rule " CORE_TABLE " fault_%" PRId64 "_bare counter name fault_%" PRId64 "_packets drop\n",
		   id, id);
}

static void segment_rules(int64_t id, struct buf *out)
{
	for (int offset = DATA_OFFSET_MIN; offset <= DATA_OFFSET_MAX; offset++) {
		buf_printf(out,
			   "add rule " CORE_TABLE " fault_%" PRId64
			   "_segment ip hdrlength %d ip length %d tcp doff %d goto fault_%" PRId64 "_bare\n",
			   id, IHL_MIN, WORD * (IHL_MIN + offset), offset, id);
		buf_printf(out,
			   "add rule " CORE_TABLE " fault_%" PRId64
			   "_segment ip6 nexthdr tcp ip6 length %d tcp doff %d goto fault_%" PRId64 "_bare\n",
			   id, WORD * offset, offset, id);
	}
	buf_printf(out,
		   "add rule " CORE_TABLE " fault_%" PRId64 "_segment counter name fault_%" PRId64 "_packets drop\n",
		   id, id);
}

static void rules(const struct injector *injector, struct buf *out)
{
	struct traffic traffic = traffic_of(injector);
	char verdict[64];

	snprintf(verdict, sizeof(verdict), "jump fault_%" PRId64 "_segment", injector->id);
	bare_rules(injector->id, out);
	segment_rules(injector->id, out);
	traffic_rules(&traffic, injector, &(struct traffic_rule){.verdict = verdict, .is_exemption = true}, out);
}

static const struct chain chain = {.rules = rules, .objects = objects, .verb = "dropped"};

static void sentence(const struct injector *injector, struct buf *out)
{
	struct traffic traffic = traffic_of(injector);

	buf_puts(out, "lets connections open, then drops all they carry, of ");
	traffic_describe(&traffic, injector, out);
}

const struct injector_ops half_open_ops = {
	.kind = "half-open",
	.summary = "TCP connects, then nothing",
	.params = params,
	.size = sizeof(struct half_open),
	.chain = &chain,
	.validate = validate,
	CHAIN_OPS,
	.sentence = sentence,
};
