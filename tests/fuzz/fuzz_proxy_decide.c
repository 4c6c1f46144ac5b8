/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules, a query and an answer, each preceded by its length (two octets, network order; what is missing is empty), through deciding. Whatever the rules say and the messages are: what is
 * sent lies in the answer or in scratch, nothing is invented, and without a rule that acts the very same bytes go on.
 */
#include "injectors/proxy/decide.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct part {
	uint8_t *v; /* a copy of exactly its size: a read past its end must be seen */
	size_t len;
};

static struct part take(const uint8_t **data, size_t *size)
{
	struct part part = {0};
	size_t len;

	if (*size >= 2) {
		len = msg_u16(*data);
		*data += 2;
		*size -= 2;
		part.len = len < *size ? len : *size;
	}
	part.v = malloc(part.len ? part.len : 1);
	if (!part.v)
		abort();
	if (part.len)
		memcpy(part.v, *data, part.len);
	*data += part.len;
	*size -= part.len;
	return part;
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_out(const struct decide_in *in, const struct decide_out *out)
{
	check(out->count <= 2);
	for (unsigned i = 0; i < out->count; i++) {
		const struct decide_send *send = &out->send[i];
		const uint8_t *end = out->scratch + out->scratch_size;

		check(send->delay_ns >= 0 && send->stream.pause_ns >= 0);
		check(send->msg == in->msg ? send->len == in->len
					   : send->msg >= out->scratch && send->msg + send->len <= end);
		check(send->to == (in->direction == DECIDE_QUERY ? DECIDE_TO_SERVER : DECIDE_TO_CLIENT));
	}
	if (!out->rule)
		check(out->count == 1 && out->send[0].msg == in->msg && !out->send[0].delay_ns);
}

/* Over UDP and over TCP. */
static void decide_both(struct rules *rules, const struct part *query, const struct part *answer,
			enum decide_transport transport)
{
	static uint8_t scratch[DECIDE_SCRATCH_SIZE];
	struct rng rng = rng_stream(1, "fuzz");
	struct address client = {.family = AF_INET, .bytes = {192, 0, 2, 7}}, server = {.family = AF_INET6};
	struct decide_out out = {.scratch = scratch, .scratch_size = sizeof(scratch)};
	struct decide_memo memo = {0};
	struct decide_in in = {.msg = query->v,
			       .len = query->len,
			       .client = &client,
			       .server = &server,
			       .memo = &memo,
			       .transport = transport};

	decide(rules, &in, &rng, &out);
	check_out(&in, &out);
	in.direction = DECIDE_ANSWER;
	in.query = query->v;
	in.query_len = query->len;
	in.msg = answer->v;
	in.len = answer->len;
	decide(rules, &in, &rng, &out);
	check_out(&in, &out);
}

/* Mutated rules are mostly refused: then one of these, by their length, so that messages reach every action. */
static void load_known(struct rules *rules, struct arena *arena, size_t which)
{
	static const char *const known[] = {
		"- {do: {rcode: BADVERS, ede: 1, ede_text: text}}",
		"- {do: {nxdomain: right-soa, question: twice}}",
		"- {do: {nodata: wrong-soa, question: missing}}",
		"- {do: {bad_name: loop, ra: set}}",
		"- {do: {lame: upward-referral, edns: strip}}",
		"- {do: {remove: [A, SOA, CNAME, NSEC], shuffle: true, ttl: 1s}}",
		"- {do: {shuffle: true, spoof: [192.0.2.1, 192.0.2.2, \"2001:db8::1\"], question: twice}}",
		"- {do: {signatures: corrupt, ttl_cap: 1s, ede_strip: true}}",
		"- {do: {bad_name: forward, question: other-case}}",
		"- {do: {bad_name: long-name, question: other-name, truncate: 300B}}",
		"- {match: {qname: [/a/, .com]}, do: {flip_bits: 9, append: 65535B}}",
		"- {match: {rcode: [NOERROR, NXDOMAIN], min_size: 20B}, do: {question: missing}}",
		"- {do: {ede: 22, shuffle: true}}",
		"- {match: {client: 192.0.2.0/24}, do: {edns: badvers, again: 1s}}",
		"- {do: {garbage: true, twice: true}}",
		"- {do: {add: [\"@ 60 IN TXT x\", \"a.example. MX 1 b.a.example.\"], add_authority: \"@ NS .\", "
		"ttl_jitter: 9s}}",
		"- {do: {replace: [\"@ A 192.0.2.1\", \"@ SOA . . 1 2 3 4 5\"], add_additional: \"@ A 192.0.2.1\", "
		"glue: "
		"missing}}",
		"- {do: {cname_chain: 9, glue: wrong, question: lower-case, source_port: 99}}",
		"- {do: {cname_loop: 3, ede: 1, huge: 2000B}}",
		"- {do: {huge: 65535B, edns_size: 512B, shuffle: true}}",
		"- {do: {signatures: expired, denial: other-name, ignore_do: true}}",
		"- {do: {signatures: wrong-signer, denial: wrong-types}}",
		"- {do: {signatures: wrong-labels, denial: wrong-next}}",
		"- {do: {signatures: wrong-algorithm, remove: NSEC3, source: [192.0.2.1, \"2001:db8::1\"]}}",
		"- {do: {cookie: wrong, subnet: other-network, subnet_scope: 255, nsid: wrong, edns_echo: true}}",
		"- {do: {cookie: missing, subnet: missing, nsid: missing}}",
		"- {do: {cookie: badcookie, ede: 2}}",
		"- {do: {lame: self-referral}}",
		"- {do: {lame: referral-loop, zone: a.example}}",
		"- {match: {answer: nodata}, do: {nxdomain: right-soa}}",
		"- {match: {answer: referral, case: mixed, max_labels: 9}, do: {glue: missing, twice: true}}",
		"- {above: 1/s, do: {drop: answer, slip: 1}}",
		"- {do: {tcp_cut: 7B, tcp_length: -9, tcp_pieces: 1B}}",
		"- {do: {tcp: reset}}\n- {do: {tcp: refuse}}",
		"- {match: {rcode: NOERROR}, do: {tcp: stall}}",
		"- {do: {delay: 1s, jitter: 1s, distribution: paretonormal, again: 1s}}",
		"- {do: {rcode: SERVFAIL, delay: 1s, jitter: 1s, wrong_id: true, opcode: 9, qdcount: 9}}",
	};
	const char *yaml = known[which % ARRAY_LEN(known)];
	struct errs errs = {0};

	rules_load_bytes(rules, arena, "known.yaml", yaml, strlen(yaml), &errs, &errs);
	errs_fini(&errs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct part yaml = take(&data, &size), query = take(&data, &size), answer = take(&data, &size);
	struct errs errs = {0}, warnings = {0};
	struct rules rules = {0};
	int r = rules_load_bytes(&rules, arena, "fuzz.yaml", (const char *)yaml.v, yaml.len, &errs, &warnings);

	check(!r == !(errs.count + errs.dropped));
	check(!r || !rules.count);
	if (r)
		load_known(&rules, arena, yaml.len);
	for (int i = 0; i < 3; i++)
		decide_both(&rules, &query, &answer, i < 2 ? DECIDE_UDP : DECIDE_TCP); /* twice: a rate is exceeded */
	rules_fini(&rules);
	errs_fini(&errs);
	errs_fini(&warnings);
	free(yaml.v);
	free(query.v);
	free(answer.v);
	return 0;
}
