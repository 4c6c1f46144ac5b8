/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both ends of HTTP/2, plugged into each other.
 */
#include "injectors/proxy/https.h"

#include "tests/unit/injectors/proxy/drill.h"

#define ASKED_MAX 200

struct pair {
	struct https *server, *client;
	struct {
		int32_t stream;
		size_t len;
		uint8_t first;
	} asked[ASKED_MAX];
	size_t asked_count, answered, failed, paced;
	int64_t paced_ns;
	unsigned status;
	char type[DOH_FIELD_MAX + 1], age[DOH_FIELD_MAX + 1];
	uint8_t body[MSG_MAX];
	size_t len;
	uint64_t token;
};

static void on_query(void *user, int32_t stream, uint8_t *msg, size_t len)
{
	struct pair *pair = user;

	pair->asked[pair->asked_count].stream = stream;
	pair->asked[pair->asked_count].len = len;
	pair->asked[pair->asked_count++].first = msg[0];
}

static void on_answer(void *user, const struct https_answer *answer)
{
	struct pair *pair = user;

	pair->status = answer->status;
	pair->token = answer->token;
	pair->len = answer->len;
	if (answer->len)
		memcpy(pair->body, answer->body, answer->len);
	snprintf(pair->type, sizeof(pair->type), "%s", answer->head->content_type);
	snprintf(pair->age, sizeof(pair->age), "%s", answer->head->cache_control);
	if (answer->status)
		pair->answered++;
	else
		pair->failed++;
}

static void on_pace(void *user, int32_t stream, int64_t delay_ns)
{
	struct pair *pair = user;

	(void)stream;
	pair->paced++;
	pair->paced_ns += delay_ns;
}

static int setup(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	struct https_events events = {pair, on_query, on_answer, on_pace};

	pair->server = https_new(true, &events);
	pair->client = https_new(false, &events);
	*state = pair;
	return 0;
}

static int teardown(void **state)
{
	struct pair *pair = *state;

	https_free(pair->server);
	https_free(pair->client);
	free(pair);
	return 0;
}

/* Everything that one has to say reaches the other, in pieces of that size. */
static bool carry(struct https *from, struct https *to, size_t piece)
{
	const uint8_t *bytes;
	bool any = false;
	ssize_t n;

	while ((n = https_next(from, &bytes)) > 0) {
		any = true;
		for (ssize_t at = 0; at < n; at += (ssize_t)piece) {
			size_t left = (size_t)(n - at);

			if (https_feed(to, bytes + at, left < piece ? left : piece))
				return any;
		}
	}
	return any;
}

static void talk(struct pair *pair)
{
	bool is_asked = true, is_answered = true;

	while (is_asked || is_answered) {
		is_asked = carry(pair->client, pair->server, 7);
		is_answered = carry(pair->server, pair->client, 1000);
	}
}

static void ask(struct pair *pair, enum doh_method method, const void *msg, size_t len, uint64_t token)
{
	struct https_ask request = {
		.method = method, .authority = "dns.example", .path = "/q", .msg = msg, .len = len, .token = token};

	assert_int_equal(https_ask(pair->client, &request), 0);
}

static void reply(struct pair *pair, size_t which, const void *msg, size_t len, const struct decide_http *fault)
{
	https_reply(pair->server, pair->asked[which].stream, &(struct https_reply){msg, len, fault});
}

static void a_query_goes_there_and_its_answer_back(void **state)
{
	struct pair *pair = *state;

	ask(pair, DOH_GET, QUERY, sizeof(QUERY) - 1, 7); /* without a body: whole before the other */
	ask(pair, DOH_POST, QUERY, sizeof(QUERY) - 1, 8);
	talk(pair);
	assert_int_equal(pair->asked_count, 2);
	assert_int_equal(pair->asked[0].len, sizeof(QUERY) - 1);
	assert_int_equal(pair->asked[1].len, sizeof(QUERY) - 1);
	assert_string_equal(https_request(pair->server, pair->asked[0].stream)->authority, "dns.example");
	reply(pair, 1, ANSWER, sizeof(ANSWER) - 1, NULL); /* in another order */
	talk(pair);
	assert_int_equal(pair->token, 8);
	assert_int_equal(pair->status, 200);
	assert_int_equal(pair->len, sizeof(ANSWER) - 1);
	assert_memory_equal(pair->body, ANSWER, pair->len);
	assert_string_equal(pair->age, "max-age=300");
	https_set_cache_control(pair->server, pair->asked[0].stream, "no-store");
	reply(pair, 0, ANSWER, sizeof(ANSWER) - 1, NULL);
	talk(pair);
	assert_int_equal(pair->token, 7);
	assert_string_equal(pair->age, "no-store");
	assert_int_equal(https_open_streams(pair->server) + https_open_streams(pair->client), 0);
}

static void the_largest_message_passes_and_a_larger_one_does_not(void **state)
{
	uint8_t *bytes = calloc(1, MSG_MAX + 1);
	struct pair *pair = *state;

	ask(pair, DOH_POST, bytes, MSG_MAX, 1);
	talk(pair);
	assert_int_equal(pair->asked[0].len, MSG_MAX);
	reply(pair, 0, bytes, MSG_MAX, NULL);
	talk(pair);
	assert_int_equal(pair->len, MSG_MAX);
	ask(pair, DOH_POST, bytes, MSG_MAX + 1, 2);
	talk(pair);
	assert_int_equal(pair->asked_count, 1);
	assert_int_equal(pair->status, 413);
	free(bytes);
}

static void more_streams_than_allowed_wait_their_turn(void **state)
{
	struct pair *pair = *state;

	talk(pair);
	for (uint64_t i = 0; i < HTTPS_STREAMS_MAX + 20; i++)
		ask(pair, DOH_POST, QUERY, sizeof(QUERY) - 1, i);
	talk(pair);
	assert_int_equal(pair->asked_count, HTTPS_STREAMS_MAX);
	for (size_t i = 0; i < pair->asked_count; i++) {
		reply(pair, i, ANSWER, sizeof(ANSWER) - 1, NULL);
		talk(pair);
	}
	assert_int_equal(pair->answered, HTTPS_STREAMS_MAX + 20);
}

static void what_rules_say_of_http_is_done(void **state)
{
	struct pair *pair = *state;

	for (uint64_t i = 0; i < 4; i++)
		ask(pair, DOH_POST, QUERY, sizeof(QUERY) - 1, i);
	talk(pair);
	reply(pair, 0, ANSWER, sizeof(ANSWER) - 1, &(struct decide_http){.status = 503});
	talk(pair);
	assert_int_equal(pair->status, 503);
	assert_int_equal(pair->len, 0);
	reply(pair, 1, ANSWER, sizeof(ANSWER) - 1, &(struct decide_http){.content_type = "text/html"});
	talk(pair);
	assert_string_equal(pair->type, "text/html");
	assert_int_equal(pair->len, sizeof(ANSWER) - 1);
	reply(pair, 2, ANSWER, sizeof(ANSWER) - 1, &(struct decide_http){.is_truncated = true, .truncate_bytes = 9});
	talk(pair);
	assert_int_equal(pair->failed, 1); /* content-length promised more: malformed, RFC 9113 section 8.1.1 */
	reply(pair, 3, ANSWER, sizeof(ANSWER) - 1, &(struct decide_http){.end = DECIDE_HTTP_RESET});
	talk(pair);
	assert_int_equal(pair->failed, 2);
	assert_int_equal(pair->token, 3);
	assert_false(https_is_over(pair->client));
}

static void goaway_ends_all_of_the_connection(void **state)
{
	struct pair *pair = *state;

	ask(pair, DOH_POST, QUERY, sizeof(QUERY) - 1, 1);
	talk(pair);
	reply(pair, 0, ANSWER, sizeof(ANSWER) - 1, &(struct decide_http){.end = DECIDE_HTTP_GOAWAY});
	talk(pair);
	assert_true(https_is_over(pair->server));
	assert_int_equal(pair->answered, 0);
	ask(pair, DOH_POST, QUERY, sizeof(QUERY) - 1, 2); /* the client was told: it is not even sent */
	talk(pair);
	assert_int_equal(pair->asked_count, 1);
}

static void a_slow_body_comes_in_pieces_as_it_is_told_to_go_on(void **state)
{
	struct pair *pair = *state;
	size_t resumed = 0;

	ask(pair, DOH_POST, QUERY, sizeof(QUERY) - 1, 1);
	talk(pair);
	reply(pair, 0, ANSWER, 10, &(struct decide_http){.body_rate_bytes = 10});
	talk(pair);
	while (!pair->answered && resumed < 20) {
		https_resume(pair->server, pair->asked[0].stream);
		talk(pair);
		resumed++;
	}
	assert_int_equal(resumed, 9);
	assert_int_equal(pair->paced, 9);
	assert_int_equal(pair->paced_ns, 900000000);
	assert_memory_equal(pair->body, ANSWER, 10);
}

static void what_is_gone_is_not_answered_and_garbage_ends_the_connection(void **state)
{
	struct pair *pair = *state;

	https_reply(pair->server, 1, &(struct https_reply){(const uint8_t *)"x", 1, NULL});
	https_refuse(pair->server, 1, 500);
	https_resume(pair->server, 1);
	assert_null(https_request(pair->server, 1));
	assert_int_not_equal(https_feed(pair->server, (const uint8_t *)"GET / HTTP/1.1\r\n\r\n      ", 24), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_query_goes_there_and_its_answer_back, setup, teardown),
		cmocka_unit_test_setup_teardown(the_largest_message_passes_and_a_larger_one_does_not, setup, teardown),
		cmocka_unit_test_setup_teardown(more_streams_than_allowed_wait_their_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(what_rules_say_of_http_is_done, setup, teardown),
		cmocka_unit_test_setup_teardown(goaway_ends_all_of_the_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slow_body_comes_in_pieces_as_it_is_told_to_go_on, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_gone_is_not_answered_and_garbage_ends_the_connection, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
