/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One query and its answer through rules written as YAML, compared byte by byte.
 */
#pragma once
#include "injectors/proxy/decide.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bytes {
	const void *v;
	size_t len;
};
/* Of a string literal. */
#define BYTES(literal) ((struct bytes){literal, sizeof(literal) - 1})

/* ID 0x1234, www.example.com A IN. */
#define QNAME "\3www\7example\3com\0"
#define QUESTION QNAME "\0\1\0\1"
#define HEAD(flags, counts) "\x12\x34" flags counts
#define WWW "\xc0\x0c" /* the name in the question, which begins at 12 */
#define A_REST(ttl) "\0\1\0\1" ttl "\0\4\xc0\0\2\x50" /* 192.0.2.80 */
#define OPT "\0\0\x29\x04\xd0\0\0\0\0\0\0" /* size 1232, no flags, no options */
#define OPT_WITH_DO "\0\0\x29\x04\xd0\0\0\x80\0\0\0"

#define QUERY HEAD("\1\0", "\0\1\0\0\0\0\0\0") QUESTION
#define QUERY_EDNS HEAD("\1\0", "\0\1\0\0\0\0\0\1") QUESTION OPT
#define QUERY_DO HEAD("\1\0", "\0\1\0\0\0\0\0\1") QUESTION OPT_WITH_DO
/* QR AA RD, one address for 300 s */
#define ANSWER HEAD("\x85\0", "\0\1\0\1\0\0\0\0") QUESTION WWW A_REST("\0\0\1\x2c")
#define ANSWER_EDNS HEAD("\x85\0", "\0\1\0\1\0\0\0\1") QUESTION WWW A_REST("\0\0\1\x2c") OPT

struct drill {
	struct arena *arena;
	struct rules rules;
	struct errs errs, warnings;
	struct rng rng;
	struct decide_out out;
	struct address client, server;
	enum decide_transport transport;
	uint8_t scratch[DECIDE_SCRATCH_SIZE];
	uint8_t *copies[2]; /* exactly as long as the messages, so that a read past their end is seen */
};

UNUSED static int drill_setup(void **state)
{
	struct drill *drill = calloc(1, sizeof(*drill));

	drill->arena = arena_new();
	drill->rng = rng_stream(1, "proxy");
	assert_int_equal(address_parse("192.0.2.7", &drill->client), 0);
	assert_int_equal(address_parse("198.51.100.1", &drill->server), 0);
	*state = drill;
	return 0;
}

UNUSED static int drill_teardown(void **state)
{
	struct drill *drill = *state;

	rules_fini(&drill->rules);
	errs_fini(&drill->errs);
	errs_fini(&drill->warnings);
	arena_free(drill->arena);
	free(drill->copies[0]);
	free(drill->copies[1]);
	free(drill);
	return 0;
}

UNUSED static void drill_rules(struct drill *drill, const char *yaml)
{
	rules_fini(&drill->rules);
	if (rules_load_bytes(&drill->rules, drill->arena, "rules.yaml", yaml, strlen(yaml), &drill->errs,
			     &drill->warnings))
		errs_print(&drill->errs, stderr);
	assert_int_equal(drill->errs.count, 0);
}

/* Expects the rules to be refused with this error at "line:col". */
UNUSED static void drill_refuse(struct drill *drill, const char *yaml, const char *place, const char *text)
{
	char at[32];

	assert_int_equal(rules_load_bytes(&drill->rules, drill->arena, "rules.yaml", yaml, strlen(yaml), &drill->errs,
					  &drill->warnings),
			 -EINVAL);
	assert_true(drill->errs.count > 0);
	snprintf(at, sizeof(at), "%u:%u", drill->errs.v[0].loc.line, drill->errs.v[0].loc.col);
	if (!strstr(drill->errs.v[0].text, text))
		assert_string_equal(drill->errs.v[0].text, text);
	assert_string_equal(at, place);
	assert_int_equal(drill->rules.count, 0);
	errs_fini(&drill->errs);
}

static const uint8_t *drill_copy(struct drill *drill, unsigned which, struct bytes bytes)
{
	free(drill->copies[which]);
	drill->copies[which] = malloc(bytes.len ? bytes.len : 1);
	memcpy(drill->copies[which], bytes.v, bytes.len);
	return drill->copies[which];
}

static void drill_decide(struct drill *drill, struct decide_in *in)
{
	in->client = &drill->client;
	in->server = &drill->server;
	in->transport = drill->transport;
	drill->out.scratch = drill->scratch;
	drill->out.scratch_size = sizeof(drill->scratch);
	decide(&drill->rules, in, &drill->rng, &drill->out);
}

/* Whether the query reaches the server. Its memo is left in *ret. */
UNUSED static bool drill_query(struct drill *drill, struct bytes query, struct decide_memo *ret)
{
	struct decide_in in = {.direction = DECIDE_QUERY, .len = query.len, .memo = ret};

	*ret = (struct decide_memo){0};
	in.msg = drill_copy(drill, 0, query);
	drill_decide(drill, &in);
	if (drill->out.count) {
		assert_ptr_equal(drill->out.send[0].msg, in.msg);
		assert_int_equal(drill->out.send[0].to, DECIDE_TO_SERVER);
	}
	return drill->out.count > 0;
}

/* Query and answer; what becomes of the answer is in drill->out. */
UNUSED static void drill_answer(struct drill *drill, struct bytes query, struct bytes answer)
{
	struct decide_memo memo;
	struct decide_in in = {.direction = DECIDE_ANSWER, .len = answer.len, .query_len = query.len, .memo = &memo};

	assert_true(drill_query(drill, query, &memo));
	in.query = drill->copies[0];
	in.msg = drill_copy(drill, 1, answer);
	drill_decide(drill, &in);
}

UNUSED static void drill_expect_bytes(const struct decide_send *send, struct bytes want)
{
	assert_int_equal(send->to, DECIDE_TO_CLIENT);
	assert_int_equal(send->len, want.len);
	assert_memory_equal(send->msg, want.v, want.len);
}

/* A single rule `do: {…}`: answer becomes want. */
UNUSED static void drill_becomes(struct drill *drill, const char *todo, struct bytes query, struct bytes answer,
				 struct bytes want)
{
	char yaml[1024];

	snprintf(yaml, sizeof(yaml), "- do: {%s}\n", todo);
	drill_rules(drill, yaml);
	drill_answer(drill, query, answer);
	assert_int_equal(drill->out.count, 1);
	drill_expect_bytes(&drill->out.send[0], want);
	assert_int_equal(drill->rules.v[0]->done, 1);
}

/* The answer goes as it came: the very same bytes in the same place. */
UNUSED static void drill_passes(struct drill *drill, struct bytes query, struct bytes answer)
{
	drill_answer(drill, query, answer);
	assert_int_equal(drill->out.count, 1);
	assert_ptr_equal(drill->out.send[0].msg, drill->copies[1]);
	assert_int_equal(drill->out.send[0].len, answer.len);
	assert_int_equal(drill->out.send[0].delay_ns, 0);
	assert_null(drill->out.rule);
}

#define DRILL_TEST(f) cmocka_unit_test_setup_teardown(f, drill_setup, drill_teardown)
