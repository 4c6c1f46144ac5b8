/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS over HTTPS: the first byte chooses what the rest is. Fields of a request and its body; frames for the server's end, or the client's, of a connection; an answer whose age is wanted. Whatever
 * comes: a message is what was sent, one query has one answer, and memory stays within its bounds.
 */
#include "injectors/proxy/https.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/macro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct end {
	struct https *https;
	size_t asked, answered;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* A copy of exactly its size: a read past its end must be seen. */
static uint8_t *copy(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size ? size : 1);

	if (!bytes)
		abort();
	if (size)
		memcpy(bytes, data, size);
	return bytes;
}

/* Each answer in another way. */
static void on_query(void *user, int32_t stream, uint8_t *msg, size_t len)
{
	static const struct decide_http faults[] = {{.status = 503},
						    {.is_truncated = true, .truncate_bytes = 3},
						    {.body_rate_bytes = 5},
						    {.content_type = "a/b"},
						    {.end = DECIDE_HTTP_RESET}};
	struct end *end = user;
	size_t which = end->asked++ % (ARRAY_LEN(faults) + 2);

	check(len > 0 && len <= MSG_MAX);
	if (which <= ARRAY_LEN(faults))
		https_reply(end->https, stream, &(struct https_reply){msg, len, which ? &faults[which - 1] : NULL});
}

static void on_answer(void *user, const struct https_answer *answer)
{
	struct end *end = user;

	check(answer->len <= MSG_MAX && answer->token == 5);
	end->answered++;
}

static void on_pace(void *user, int32_t stream, int64_t delay_ns)
{
	struct end *end = user;

	check(delay_ns > 0);
	(void)stream;
	(void)end;
}

static void say_all(struct https *https)
{
	const uint8_t *bytes;

	while (https_next(https, &bytes) > 0)
		;
}

static void play(bool is_server, const uint8_t *data, size_t size)
{
	static const uint8_t preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	struct end end = {0};
	struct https_events events = {&end, on_query, on_answer, on_pace};

	end.https = https_new(is_server, &events);
	if (!end.https)
		abort();
	if (is_server)
		https_feed(end.https, preface, sizeof(preface) - 1);
	else
		check(!https_ask(end.https, &(struct https_ask){DOH_POST, "a", "/", (const uint8_t *)"abc", 3, 5}));
	say_all(end.https);
	for (size_t at = 0; at < size; at += 64) {
		size_t left = size - at;

		if (https_feed(end.https, data + at, left < 64 ? left : 64))
			break;
		for (int32_t stream = 1; stream < 9; stream += 2)
			https_resume(end.https, stream);
		say_all(end.https);
	}
	check(https_open_streams(end.https) <= HTTPS_STREAMS_MAX + 1 && end.answered <= 1);
	https_free(end.https);
}

/* Name and value, each behind its length, up to one of length 0; then the body. */
static void fields(const uint8_t *data, size_t size)
{
	struct doh_head head = {0};
	const uint8_t *msg;
	uint8_t *owned;
	size_t len;

	while (size > 2 && data[0]) {
		size_t name = data[0], value = data[1];

		if (name + value > size - 2)
			break;
		check(!doh_add(&head, (const char *)data + 2, name, (const char *)data + 2 + name, value));
		data += 2 + name + value;
		size -= 2 + name + value;
	}
	if (!doh_message(&head, data, size, &msg, &len, &owned)) {
		check(len > 0 && len <= MSG_MAX);
		free(owned);
	}
	doh_is_answer(&head);
	doh_fini(&head);
}

/* What a GET's path was made of comes out of it again. */
static void there_and_back(const uint8_t *data, size_t size)
{
	struct doh_head head = {0};
	size_t len, want = size < 4096 ? size : 4096;
	char *path = doh_path("/q", data, want);
	const uint8_t *msg;
	uint8_t *owned;
	unsigned status;

	if (!path)
		abort();
	check(!doh_add(&head, ":method", 7, "GET", 3) && !doh_add(&head, ":path", 5, path, strlen(path)));
	status = doh_message(&head, NULL, 0, &msg, &len, &owned);
	check(want ? !status && len == want && !memcmp(msg, data, len) : status == 400);
	free(owned);
	free(path);
	doh_fini(&head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes;

	if (!size)
		return 0;
	bytes = copy(data + 1, size - 1);
	switch (data[0] % 5) {
	case 0:
		play(true, bytes, size - 1);
		break;
	case 1:
		play(false, bytes, size - 1);
		break;
	case 2:
		fields(bytes, size - 1);
		break;
	case 3:
		there_and_back(bytes, size - 1);
		break;
	default:
		doh_max_age(bytes, size - 1);
	}
	free(bytes);
	return 0;
}
