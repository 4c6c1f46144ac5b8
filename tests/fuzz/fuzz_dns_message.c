/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever a server may send as an answer: matched, decoded, judged. The corpus' messages bear ID 0x1234 and www.example.com A.
 */
#include "harness/probe/dns_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge_reply(const struct dns_query *query, const uint8_t *data, size_t size, struct arena *arena)
{
	const struct good good = {.min_ttl = 1, .max_ttl = PARAM_UNSET, .aa = TRISTATE_TRUE};
	struct dns_reply reply;
	struct buf detail = {0};

	if (dns_reply_parse(&reply, query, data, size, arena) < 0)
		return;
	judge(&good, &reply.answer, &detail);
	buf_fini(&detail);
	dns_reply_fini(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t qtypes[] = {1, 5, 16, 48, 255};
	struct arena *arena = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(qtypes); i++) {
		struct dns_question question = {.qname = "www.example.com", .qtype = qtypes[i]};
		struct dns_query query;
		struct err err;

		if (dns_query_new(&query, &question, &err) < 0)
			abort();
		dns_query_set_id(&query, 0x1234);
		/* Parsed even where it does not match: the decoder must bear it all, and the fuzzer need not guess the question. */
		if (dns_match(&query, data, size) == DNS_MATCH)
			dns_is_truncated(data);
		judge_reply(&query, data, size, arena);
		dns_query_fini(&query);
	}
	arena_free(arena);
	return 0;
}
