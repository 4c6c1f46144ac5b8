/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "injectors/proxy/https_stream.h"

#define PIECES_PER_SECOND 100 /* of a slow body, where it is fast enough for that */
#define FIELDS_MAX 8
#define NUMBER 24

struct fields {
	nghttp2_nv v[FIELDS_MAX];
	size_t count;
};

/* value must live until the fields are submitted, which copies. */
static void add(struct fields *fields, const char *name, const char *value)
{
	fields->v[fields->count++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
						  .value = (uint8_t *)(uintptr_t)value,
						  .namelen = strlen(name),
						  .valuelen = strlen(value),
						  .flags = NGHTTP2_NV_FLAG_NONE};
}

static size_t next_piece(struct https_stream *stream, size_t size)
{
	size_t left = stream->out_len - stream->out_done, piece;

	if (stream->rate_bytes) {
		piece = (size_t)(stream->rate_bytes / PIECES_PER_SECOND);
		piece = piece ? piece : 1;
		left = left < piece ? left : piece;
	}
	return left < size ? left : size;
}

ssize_t https_read_body(nghttp2_session *session, int32_t id, uint8_t *buf, size_t size, uint32_t *flags,
			nghttp2_data_source *source, void *user)
{
	struct https_stream *stream = nghttp2_session_get_stream_user_data(session, id);
	struct https *https = user;
	size_t n;

	(void)source;
	if (!stream)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	if (stream->rate_bytes && stream->out_done < stream->out_len) {
		if (!stream->may_go)
			return NGHTTP2_ERR_DEFERRED;
		stream->may_go = false;
	}
	n = next_piece(stream, size);
	if (n)
		memcpy(buf, stream->out + stream->out_done, n);
	stream->out_done += n;
	if (stream->out_done == stream->out_len)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	else if (stream->rate_bytes)
		https->events.pace(https->events.user, id, (int64_t)n * SEC / stream->rate_bytes);
	return (ssize_t)n;
}

static bool set_body(struct https_stream *stream, const uint8_t *bytes, size_t len)
{
	stream->out = malloc(len ? len : 1);
	if (!stream->out)
		return false;
	if (len)
		memcpy(stream->out, bytes, len);
	stream->out_len = len;
	return true;
}

static void submit(struct https *https, struct https_stream *stream, const struct fields *fields)
{
	nghttp2_data_provider body = {.read_callback = https_read_body};

	stream->is_answered = true;
	if (nghttp2_submit_response(https->session, stream->id, fields->v, fields->count, stream->out ? &body : NULL))
		nghttp2_submit_rst_stream(https->session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_INTERNAL_ERROR);
}

void https_refuse(struct https *https, int32_t id, unsigned status)
{
	struct https_stream *stream = https_stream_find(https, id);
	struct fields fields = {0};
	char number[NUMBER];

	if (!stream || stream->is_answered)
		return;
	if (!status) {
		stream->is_answered = true;
		nghttp2_submit_rst_stream(https->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
		return;
	}
	snprintf(number, sizeof(number), "%u", status);
	add(&fields, ":status", number);
	add(&fields, "content-length", "0");
	submit(https, stream, &fields);
}

/* Instead of an answer. */
static void end(struct https *https, struct https_stream *stream, bool all)
{
	stream->is_answered = true;
	if (!all)
		nghttp2_submit_rst_stream(https->session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_INTERNAL_ERROR);
	else
		nghttp2_session_terminate_session(https->session, NGHTTP2_INTERNAL_ERROR);
}

static void answer(struct https *https, struct https_stream *stream, const struct https_reply *reply,
		   const struct decide_http *fault)
{
	unsigned status = fault->status ? fault->status : 200;
	bool has_body = status < 300 || *fault->content_type;
	size_t len = has_body ? reply->len : 0;
	char number[NUMBER], length[NUMBER], age[NUMBER + 8];
	struct fields fields = {0};

	snprintf(number, sizeof(number), "%u", status);
	snprintf(length, sizeof(length), "%zu", len);
	snprintf(age, sizeof(age), "max-age=%u", doh_max_age(reply->msg, reply->len));
	add(&fields, ":status", number);
	if (has_body)
		add(&fields, "content-type", *fault->content_type ? fault->content_type : DOH_CONTENT_TYPE);
	add(&fields, "content-length", length);
	if (status < 300 && !stream->has_cache_control)
		add(&fields, "cache-control", age);
	else if (status < 300 && *stream->cache_control)
		add(&fields, "cache-control", stream->cache_control);
	if (fault->is_truncated && fault->truncate_bytes < len)
		len = fault->truncate_bytes;
	stream->rate_bytes = fault->body_rate_bytes;
	stream->may_go = true;
	if (has_body && !set_body(stream, reply->msg, len))
		end(https, stream, false);
	else
		submit(https, stream, &fields);
}

void https_reply(struct https *https, int32_t id, const struct https_reply *reply)
{
	static const struct decide_http none = {0};
	const struct decide_http *fault = reply->fault ? reply->fault : &none;
	struct https_stream *stream = https_stream_find(https, id);

	if (!stream || stream->is_answered)
		return;
	if (fault->end != DECIDE_HTTP_WHOLE)
		end(https, stream, fault->end == DECIDE_HTTP_GOAWAY);
	else
		answer(https, stream, reply, fault);
}

void https_set_cache_control(struct https *https, int32_t id, const char *value)
{
	struct https_stream *stream = https_stream_find(https, id);

	if (!stream)
		return;
	snprintf(stream->cache_control, sizeof(stream->cache_control), "%s", value);
	stream->has_cache_control = true;
}

void https_resume(struct https *https, int32_t id)
{
	struct https_stream *stream = https_stream_find(https, id);

	if (!stream)
		return;
	stream->may_go = true;
	nghttp2_session_resume_data(https->session, id);
}

void https_shut(struct https *https)
{
	nghttp2_submit_goaway(https->session, NGHTTP2_FLAG_NONE,
			      nghttp2_session_get_last_proc_stream_id(https->session), NGHTTP2_NO_ERROR, NULL, 0);
}

const struct doh_head *https_request(struct https *https, int32_t id)
{
	struct https_stream *stream = https_stream_find(https, id);

	return stream ? &stream->head : NULL;
}

static int submit_ask(struct https *https, struct https_stream *stream, const struct https_ask *ask, const char *path)
{
	bool is_get = ask->method == DOH_GET;
	nghttp2_data_provider body = {.read_callback = https_read_body};
	struct fields fields = {0};
	char length[NUMBER];
	int32_t id;

	snprintf(length, sizeof(length), "%zu", ask->len);
	add(&fields, ":method", is_get ? "GET" : "POST");
	add(&fields, ":scheme", "https");
	add(&fields, ":authority", ask->authority);
	add(&fields, ":path", path);
	add(&fields, "accept", DOH_CONTENT_TYPE);
	if (!is_get) {
		add(&fields, "content-type", DOH_CONTENT_TYPE);
		add(&fields, "content-length", length);
		if (!set_body(stream, ask->msg, ask->len))
			return -ENOMEM;
	}
	id = nghttp2_submit_request(https->session, NULL, fields.v, fields.count, is_get ? NULL : &body, stream);
	stream->id = id;
	return id < 0 ? -EPIPE : 0;
}

int https_ask(struct https *https, const struct https_ask *ask)
{
	struct https_stream *stream = https_stream_new(https, 0);
	char *path = ask->method == DOH_GET ? doh_path(ask->path, ask->msg, ask->len) : strdup(ask->path);
	int r = stream && path ? 0 : -ENOMEM;

	if (stream)
		stream->token = ask->token;
	if (!r)
		r = submit_ask(https, stream, ask, path);
	free(path);
	if (r && stream)
		https_stream_free(https, stream);
	return r;
}
