/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that no well-behaved server sends, as bytes.
 */
#include "harness/probe/dns_wire.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define HEAD(flags, counts) "\x12\x34" flags counts
#define ONE_QUESTION "\0\1\0\0\0\0\0\0"
#define WWW "\3www\7example\3com\0\0\1\0\1"

struct fixture {
	struct dns_query query; /* www.example.com A, ID 0x1234 */
	struct arena *arena;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct dns_question question = {.qname = "www.example.com", .qtype = 1};
	struct err err = {0};

	f->arena = arena_new();
	assert_int_equal(dns_query_new(&f->query, &question, &err), 0);
	dns_query_set_id(&f->query, 0x1234);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	dns_query_fini(&f->query);
	arena_free(f->arena);
	free(f);
	return 0;
}

#define MATCH(f, literal) dns_match(&(f)->query, (const uint8_t *)(literal), sizeof(literal) - 1)
#define PARSE(f, literal, ret) \
	dns_reply_parse((ret), &(f)->query, (const uint8_t *)(literal), sizeof(literal) - 1, (f)->arena)

static void an_answer_bears_the_id_and_the_question_in_any_case(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(MATCH(f, HEAD("\x80\0", ONE_QUESTION) WWW), DNS_MATCH);
	assert_int_equal(MATCH(f, HEAD("\x80\0", ONE_QUESTION) "\3wWw\7eXAMPLE\3Com\0\0\1\0\1"), DNS_MATCH);
}

static void another_id_name_type_or_class_is_no_answer(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(MATCH(f, "\x12\x35\x80\0" ONE_QUESTION WWW), DNS_OTHER);
	assert_int_equal(MATCH(f, HEAD("\x80\0", ONE_QUESTION) "\3wwx\7example\3com\0\0\1\0\1"), DNS_OTHER);
	assert_int_equal(MATCH(f, HEAD("\x80\0", ONE_QUESTION) "\3www\7example\3com\0\0\x1c\0\1"), DNS_OTHER);
	assert_int_equal(MATCH(f, HEAD("\x80\0", ONE_QUESTION) "\3www\7example\3com\0\0\1\0\3"), DNS_OTHER);
}

static void a_query_and_a_cut_question_are_no_answers(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(MATCH(f, HEAD("\0\0", ONE_QUESTION) WWW), DNS_OTHER);
	assert_int_equal(MATCH(f, HEAD("\x80\0", ONE_QUESTION) "\3www\7exam"), DNS_OTHER);
	assert_int_equal(MATCH(f, HEAD("\x80\0", "\0\2\0\0\0\0\0\0") WWW WWW), DNS_OTHER);
	assert_int_equal(MATCH(f, ""), DNS_OTHER);
}

/* A forger need not know the question to leave it out: only what could not be read may lack it, never a statement about the name. */
static void only_an_error_answer_may_lack_the_question(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(MATCH(f, HEAD("\x80\1", "\0\0\0\0\0\0\0\0")), DNS_MATCH); /* FORMERR */
	assert_int_equal(MATCH(f, HEAD("\x80\0", "\0\0\0\0\0\0\0\0")), DNS_OTHER); /* NOERROR */
	assert_int_equal(MATCH(f, HEAD("\x80\3", "\0\0\0\0\0\0\0\0")), DNS_OTHER); /* NXDOMAIN */
}

static void a_circle_of_cnames_ends_without_an_answer(void **state)
{
	struct dns_reply reply;

	/* www → a → www */
	assert_int_equal(PARSE((struct fixture *)*state,
			       HEAD("\x80\0", "\0\1\0\2\0\0\0\0") WWW "\xc0\x0c\0\5\0\1\0\0\0\1\0\3\1a\0"
								      "\1a\0\0\5\0\1\0\0\0\1\0\2\xc0\x0c",
			       &reply),
			 0);
	assert_int_equal(reply.answer.count, 0);
	assert_int_equal(reply.answer.min_ttl, PARAM_UNSET);
	dns_reply_fini(&reply);
}

/* RFC 2181 section 8: a TTL with the top bit set is 0. The records' lowest and highest are both told. */
static void ttls_are_those_of_the_records_and_never_negative(void **state)
{
	struct dns_reply reply;

	assert_int_equal(PARSE((struct fixture *)*state,
			       HEAD("\x80\0", "\0\1\0\2\0\0\0\0") WWW "\xc0\x0c\0\1\0\1\x80\0\0\1\0\4\xc0\0\2\1"
								      "\xc0\x0c\0\1\0\1\0\0\1\0\0\4\xc0\0\2\2",
			       &reply),
			 0);
	assert_int_equal(reply.answer.min_ttl, 0);
	assert_int_equal(reply.answer.max_ttl, 256);
	dns_reply_fini(&reply);
}

static void a_record_that_comes_twice_is_shown_once(void **state)
{
	struct dns_reply reply;

	assert_int_equal(PARSE((struct fixture *)*state,
			       HEAD("\x80\0", "\0\1\0\2\0\0\0\0") WWW "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1"
								      "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1",
			       &reply),
			 0);
	assert_int_equal(reply.answer.count, 1);
	assert_string_equal(reply.answer.rdata[0], "192.0.2.1");
	dns_reply_fini(&reply);
}

static void a_record_longer_than_the_message_is_malformed(void **state)
{
	struct dns_reply reply;

	assert_int_equal(PARSE((struct fixture *)*state,
			       HEAD("\x80\0", "\0\1\0\1\0\0\0\0") WWW "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\xc0\0", &reply),
			 -EBADMSG);
}

/* Text in an EDE option comes from anybody: it must not drive a terminal, and an option cut short is passed over. */
static void extended_errors_are_shown_harmlessly(void **state)
{
	struct dns_reply reply;

	assert_int_equal(PARSE((struct fixture *)*state,
			       HEAD("\x80\2", "\0\1\0\0\0\0\0\1") WWW "\0\0\x29\4\xd0\0\0\0\0\0\x18"
								      "\0\xf\0\x3\0\x9\x1b" /* 9, ESC */
								      "\0\xf\0\2\x10\0" /* 4096, no text */
								      "\0\xa\0\x1x" /* a cookie */
								      "\0\xf\0\x9" /* longer than what is left */
								      "\0\0",
			       &reply),
			 0);
	assert_string_equal(reply.ede.data, "EDE 9 DNSKEY Missing: \\x1B; EDE 4096");
	dns_reply_fini(&reply);
}

static void rcodes_have_their_iana_names(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(dns_rcode_name(0, f->arena), "NOERROR");
	assert_string_equal(dns_rcode_name(4, f->arena), "NOTIMP");
	assert_string_equal(dns_rcode_name(16, f->arena), "BADVERS");
	assert_string_equal(dns_rcode_name(23, f->arena), "BADCOOKIE");
	assert_string_equal(dns_rcode_name(12, f->arena), "RCODE12");
	assert_string_equal(dns_rcode_name(4095, f->arena), "RCODE4095");
}

/* What a person writes and what an answer shows become the same text; what is no such data stays to be shown as it was written. */
static void the_plan_s_spelling_becomes_the_answers(void **state)
{
	struct fixture *f = *state;
	struct text aaaa[] = {{.value = "2001:DB8:0:0::0080"}}, mx[] = {{.value = "10  Mail.Example.COM."}};
	struct text bad[] = {{.value = "not an address"}};

	assert_string_equal(dns_canonical(&(struct texts){.v = aaaa, .count = 1}, 28, f->arena).v[0].value,
			    "2001:db8::80");
	assert_string_equal(dns_canonical(&(struct texts){.v = mx, .count = 1}, 15, f->arena).v[0].value,
			    "10 mail.example.com.");
	assert_string_equal(dns_canonical(&(struct texts){.v = bad, .count = 1}, 1, f->arena).v[0].value,
			    "not an address");
}

static void the_root_can_be_asked_for_and_a_bad_name_is_refused(void **state UNUSED)
{
	char label[70];
	struct dns_question root = {.qname = "", .qtype = 2}, bad = {.qname = label, .qtype = 1};
	struct dns_query query;
	struct err err = {0};

	assert_int_equal(dns_query_new(&query, &root, &err), 0);
	assert_int_equal(query.len, 12 + 1 + 4);
	dns_query_fini(&query);
	memset(label, 'a', sizeof(label) - 1); /* a label of 69 octets; 63 is the most */
	label[sizeof(label) - 1] = '\0';
	assert_int_equal(dns_query_new(&query, &bad, &err), -EINVAL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_answer_bears_the_id_and_the_question_in_any_case),
		CASE(another_id_name_type_or_class_is_no_answer),
		CASE(a_query_and_a_cut_question_are_no_answers),
		CASE(only_an_error_answer_may_lack_the_question),
		CASE(a_circle_of_cnames_ends_without_an_answer),
		CASE(ttls_are_those_of_the_records_and_never_negative),
		CASE(a_record_that_comes_twice_is_shown_once),
		CASE(a_record_longer_than_the_message_is_malformed),
		CASE(extended_errors_are_shown_harmlessly),
		CASE(rcodes_have_their_iana_names),
		CASE(the_plan_s_spelling_becomes_the_answers),
		CASE(the_root_can_be_asked_for_and_a_bad_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
