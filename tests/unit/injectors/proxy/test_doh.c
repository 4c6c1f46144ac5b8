/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From fields and a body to a message, and what an answer's fields say.
 */
#include "injectors/proxy/doh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/injectors/proxy/drill.h"

static struct doh_head head_of(const char *method, const char *path, const char *type)
{
	struct doh_head head = {0};

	assert_int_equal(doh_add(&head, ":method", 7, method, strlen(method)), 0);
	assert_int_equal(doh_add(&head, ":path", 5, path, strlen(path)), 0);
	if (type)
		assert_int_equal(doh_add(&head, "content-type", 12, type, strlen(type)), 0);
	return head;
}

/* The status; 0, and the message is as wanted. */
static unsigned status_of(struct doh_head head, const char *body, const char *want)
{
	const uint8_t *msg;
	uint8_t *owned;
	size_t len;
	unsigned status = doh_message(&head, (const uint8_t *)body, body ? strlen(body) : 0, &msg, &len, &owned);

	if (!status) {
		assert_int_equal(len, strlen(want));
		assert_memory_equal(msg, want, len);
	}
	free(owned);
	doh_fini(&head);
	return status;
}

static void the_message_of_a_get_is_in_its_path(UNUSED void **state)
{
	assert_int_equal(status_of(head_of("GET", "/dns-query?dns=YWJj", NULL), NULL, "abc"), 0);
	assert_int_equal(status_of(head_of("GET", "/?x=1&dns=YWI&y=2", NULL), NULL, "ab"), 0);
	assert_int_equal(status_of(head_of("GET", "/d?dns=fn5-fw", NULL), NULL, "~~~\x7f"), 0);
}

static void a_get_without_a_message_is_a_bad_request(UNUSED void **state)
{
	static const char *const paths[] = {"/dns-query",          "/dns-query?dns=",     "/dns-query?dns=A",
					    "/dns-query?dns=YW=",  "/dns-query?dns=YW+j", "/dns-query?dns=YX",
					    "/dns-query?ndns=YWJj"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		assert_int_equal(status_of(head_of("GET", paths[i], NULL), NULL, ""), 400);
}

static void a_post_is_a_message_of_the_right_type(UNUSED void **state)
{
	assert_int_equal(status_of(head_of("POST", "/", "application/dns-message"), "abc", "abc"), 0);
	assert_int_equal(status_of(head_of("POST", "/", "Application/DNS-Message; x=y"), "abc", "abc"), 0);
	assert_int_equal(status_of(head_of("POST", "/", "application/dns-messages"), "abc", ""), 415);
	assert_int_equal(status_of(head_of("POST", "/", NULL), "abc", ""), 415);
	assert_int_equal(status_of(head_of("POST", "/", "application/dns-message"), NULL, ""), 400);
	assert_int_equal(status_of(head_of("PUT", "/", "application/dns-message"), "abc", ""), 405);
}

static void fields_beyond_their_bounds_are_told(UNUSED void **state)
{
	struct doh_head head = {0};
	char *long_path = malloc(DOH_PATH_MAX + 2);

	memset(long_path, 'a', DOH_PATH_MAX + 1);
	long_path[DOH_PATH_MAX + 1] = 0;
	assert_int_equal(status_of(head_of("GET", long_path, NULL), NULL, ""), 414);
	long_path[0] = '/';
	for (int i = 0; i < 3; i++)
		assert_int_equal(doh_add(&head, "x", 1, long_path, DOH_PATH_MAX), 0);
	assert_int_equal(status_of(head, NULL, ""), 431);
	free(long_path);
}

static void the_path_of_a_get_holds_what_is_read_again(UNUSED void **state)
{
	static const char *const messages[] = {"a", "ab", "abc", "abcd", "\xff\xfe\xfd~"};

	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		char *path = doh_path("/q?dns=old&x=y", (const uint8_t *)messages[i], strlen(messages[i]));

		assert_int_equal(strncmp(path, "/q?dns=", 7), 0);
		assert_int_equal(status_of(head_of("GET", path, NULL), NULL, messages[i]), 0);
		free(path);
	}
}

static uint32_t age_of(struct bytes answer)
{
	return doh_max_age(answer.v, answer.len);
}

/* RFC 8484 section 5.1 and RFC 2308 section 5. */
static void an_answers_age_is_its_least_ttl_or_that_of_its_denial(UNUSED void **state)
{
#define SOA(ttl, minimum)             \
	"\0\0\6\0\1" ttl "\0\x16\0\0" \
	"\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1" minimum
	assert_int_equal(age_of(BYTES(ANSWER)), 300);
	assert_int_equal(age_of(BYTES(HEAD("\x85\0", "\0\1\0\2\0\0\0\0") QUESTION WWW A_REST("\0\0\1\x2c")
					      WWW A_REST("\0\0\0\x07"))),
			 7);
	assert_int_equal(age_of(BYTES(HEAD("\x85\0", "\0\1\0\0\0\1\0\0") QUESTION SOA("\0\0\0\x3c", "\0\0\0\5"))), 5);
	assert_int_equal(age_of(BYTES(HEAD("\x85\0", "\0\1\0\0\0\1\0\0") QUESTION SOA("\0\0\0\3", "\0\0\0\5"))), 3);
	assert_int_equal(age_of(BYTES(QUERY)), 0);
	assert_int_equal(age_of(BYTES(HEAD("\x85\0", "\0\1\0\1\0\0\0\0") QUESTION WWW "\0\1")), 0);
	assert_int_equal(age_of(BYTES("\x12")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_message_of_a_get_is_in_its_path),
		cmocka_unit_test(a_get_without_a_message_is_a_bad_request),
		cmocka_unit_test(a_post_is_a_message_of_the_right_type),
		cmocka_unit_test(fields_beyond_their_bounds_are_told),
		cmocka_unit_test(the_path_of_a_get_holds_what_is_read_again),
		cmocka_unit_test(an_answers_age_is_its_least_ttl_or_that_of_its_denial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
