/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/out.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct pair {
	int from, to;
	struct out *out;
	char bytes[OUT_MAX][64];
};

static int set_up(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);

	pair->out = calloc(1, sizeof(*pair->out));
	pair->from = socket(AF_INET, SOCK_DGRAM, 0);
	pair->to = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(pair->to, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(pair->to, (struct sockaddr *)&at, &size), 0);
	assert_int_equal(connect(pair->from, (struct sockaddr *)&at, sizeof(at)), 0);
	pair->out->fd = pair->from;
	*state = pair;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *pair = *state;

	close(pair->from);
	close(pair->to);
	free(pair->out);
	free(pair);
	return 0;
}

/* As udp_put puts a query: its ID, and the rest. */
static void put(struct pair *pair, const char *text)
{
	struct out *out = pair->out;
	unsigned i = out->count++;

	snprintf(pair->bytes[i], sizeof(pair->bytes[i]), "%s", text);
	memset(&out->headers[i], 0, sizeof(out->headers[i]));
	memcpy(&out->ids[i], text, 2);
	out->parts[i][0] = (struct iovec){&out->ids[i], 2};
	out->parts[i][1] = (struct iovec){pair->bytes[i] + 2, strlen(text) - 2};
	out->headers[i].msg_hdr.msg_iov = out->parts[i];
	out->headers[i].msg_hdr.msg_iovlen = 2;
}

static void assert_next(struct pair *pair, const char *text)
{
	char bytes[256] = {0};
	ssize_t len = recv(pair->to, bytes, sizeof(bytes) - 1, MSG_DONTWAIT);

	assert_int_equal(len, (ssize_t)strlen(text));
	assert_string_equal(bytes, text);
}

static void assert_no_more(struct pair *pair)
{
	char byte;

	assert_int_equal(recv(pair->to, &byte, 1, MSG_DONTWAIT), -1);
}

static void every_datagram_arrives_by_itself_and_in_order(void **state)
{
	static const char *const texts[] = {"aa1", "bb2", "cc3", "longer than these", "dd4", "ee5"};
	struct pair *pair = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		put(pair, texts[i]);
	out_send(pair->out);
	assert_int_equal(pair->out->count, 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_next(pair, texts[i]);
	assert_no_more(pair);
	assert_int_equal(pair->out->lengths[0], 3); /* or nothing was tested */
}

static void many_of_one_length_are_all_sent(void **state)
{
	struct pair *pair = *state;
	char text[16];

	for (unsigned i = 0; i < OUT_MAX; i++) {
		snprintf(text, sizeof(text), "id%02u", i);
		put(pair, text);
	}
	out_send(pair->out);
	for (unsigned i = 0; i < OUT_MAX; i++) {
		snprintf(text, sizeof(text), "id%02u", i);
		assert_next(pair, text);
	}
	assert_no_more(pair);
}

/* A socket without checksums takes no segments: EINVAL. */
static void where_segments_are_refused_datagrams_go_one_by_one(void **state)
{
	struct pair *pair = *state;
	int on = 1;

	assert_int_equal(setsockopt(pair->from, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)), 0);
	put(pair, "aa1");
	put(pair, "bb2");
	out_send(pair->out);
	assert_true(pair->out->is_single);
	assert_next(pair, "aa1");
	assert_next(pair, "bb2");
	put(pair, "cc3");
	put(pair, "dd4");
	out_send(pair->out);
	assert_next(pair, "cc3");
	assert_next(pair, "dd4");
	assert_no_more(pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_datagram_arrives_by_itself_and_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_of_one_length_are_all_sent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(where_segments_are_refused_datagrams_go_one_by_one, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
