/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "injectors/proxy/https_stream.h"
#include "injectors/proxy/msg.h"

#define BODY_FIRST 512 /* bytes; doubled as a body grows */

struct https_stream *https_stream_new(struct https *https, int32_t id)
{
	struct https_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->id = id;
	stream->next = https->streams;
	if (stream->next)
		stream->next->prev = stream;
	https->streams = stream;
	https->stream_count++;
	return stream;
}

void https_stream_free(struct https *https, struct https_stream *stream)
{
	if (stream->prev)
		stream->prev->next = stream->next;
	else
		https->streams = stream->next;
	if (stream->next)
		stream->next->prev = stream->prev;
	https->stream_count--;
	doh_fini(&stream->head);
	free(stream->in);
	free(stream->out);
	free(stream);
}

struct https_stream *https_stream_find(struct https *https, int32_t id)
{
	return nghttp2_session_get_stream_user_data(https->session, id);
}

static int reset(struct https *https, int32_t id, uint32_t code)
{
	return nghttp2_submit_rst_stream(https->session, NGHTTP2_FLAG_NONE, id, code) ? NGHTTP2_ERR_CALLBACK_FAILURE
										      : 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct https *https = user;
	struct https_stream *stream;

	if (!https->is_server || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	stream = https_stream_new(https, frame->hd.stream_id);
	if (!stream)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* the stream is reset */
	nghttp2_session_set_stream_user_data(session, stream->id, stream);
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
		     const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
	struct https_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

	(void)flags;
	(void)user;
	if (frame->hd.type == NGHTTP2_HEADERS && stream &&
	    doh_add(&stream->head, (const char *)name, name_len, (const char *)value, value_len))
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	return 0;
}

static bool make_room(struct https_stream *stream, size_t more)
{
	size_t cap = stream->in_cap ? stream->in_cap : BODY_FIRST;
	uint8_t *in;

	if (stream->in_len + more <= stream->in_cap)
		return true;
	while (cap < stream->in_len + more)
		cap *= 2;
	in = realloc(stream->in, cap);
	if (!in)
		return false;
	stream->in = in;
	stream->in_cap = cap;
	return true;
}

/* More than a message is counted, not kept. */
static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t len, void *user)
{
	struct https_stream *stream = nghttp2_session_get_stream_user_data(session, id);
	struct https *https = user;

	(void)flags;
	if (!stream || stream->is_answered)
		return 0;
	if (stream->in_len + len > MSG_MAX) {
		if (!https->is_server)
			return reset(https, id, NGHTTP2_CANCEL);
		https_refuse(https, id, 413);
		return 0;
	}
	if (!make_room(stream, len))
		return reset(https, id, NGHTTP2_INTERNAL_ERROR);
	memcpy(stream->in + stream->in_len, bytes, len);
	stream->in_len += len;
	return 0;
}

static void take_request(struct https *https, struct https_stream *stream)
{
	const uint8_t *msg = NULL;
	uint8_t *owned = NULL, *copy;
	size_t len = 0;
	unsigned status;

	if (stream->is_answered)
		return; /* refused already */
	status = doh_message(&stream->head, stream->in, stream->in_len, &msg, &len, &owned);
	if (status) {
		https_refuse(https, stream->id, status);
		return;
	}
	/* the answer may come before the event returns, and be the end of the stream */
	copy = owned ? owned : stream->in;
	if (!owned)
		stream->in = NULL;
	stream->in_len = stream->in_cap = 0;
	https->events.query(https->events.user, stream->id, copy, len);
	free(copy);
}

static void take_answer(struct https *https, struct https_stream *stream)
{
	struct https_answer answer = {.token = stream->token,
				      .status = stream->head.status,
				      .head = &stream->head,
				      .body = stream->in,
				      .len = stream->in_len};

	stream->is_answered = true;
	https->events.answer(https->events.user, &answer);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct https_stream *stream;
	struct https *https = user;

	if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) ||
	    !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (stream && https->is_server)
		take_request(https, stream);
	else if (stream)
		take_answer(https, stream);
	return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	struct https_stream *stream = nghttp2_session_get_stream_user_data(session, id);
	struct https *https = user;

	(void)code;
	if (!stream)
		return 0;
	nghttp2_session_set_stream_user_data(session, id, NULL);
	if (!https->is_server && !stream->is_answered) {
		stream->head.status = 0;
		stream->in_len = 0;
		take_answer(https, stream);
	}
	https_stream_free(https, stream);
	return 0;
}

static bool open_session(struct https *https)
{
	const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, HTTPS_STREAMS_MAX},
						   {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 2 * DOH_HEADER_MAX},
						   {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
	nghttp2_session_callbacks *callbacks;
	int r;

	if (nghttp2_session_callbacks_new(&callbacks))
		return false;
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
	r = https->is_server ? nghttp2_session_server_new(&https->session, callbacks, https)
			     : nghttp2_session_client_new(&https->session, callbacks, https);
	nghttp2_session_callbacks_del(callbacks);
	return !r && !nghttp2_submit_settings(https->session, NGHTTP2_FLAG_NONE, settings, https->is_server ? 2 : 3);
}

struct https *https_new(bool is_server, const struct https_events *events)
{
	struct https *https = calloc(1, sizeof(*https));

	if (!https)
		return NULL;
	https->is_server = is_server;
	https->events = *events;
	if (open_session(https))
		return https;
	https_free(https);
	return NULL;
}

void https_free(struct https *https)
{
	if (!https)
		return;
	nghttp2_session_del(https->session);
	while (https->streams)
		https_stream_free(https, https->streams);
	free(https);
}

int https_feed(struct https *https, const uint8_t *bytes, size_t len)
{
	ssize_t n = nghttp2_session_mem_recv(https->session, bytes, len);

	return n < 0 || (size_t)n != len ? -EPROTO : 0;
}

ssize_t https_next(struct https *https, const uint8_t **ret)
{
	ssize_t n = nghttp2_session_mem_send(https->session, ret);

	return n < 0 ? -ENOMEM : n;
}

bool https_is_over(struct https *https)
{
	return !nghttp2_session_want_read(https->session) && !nghttp2_session_want_write(https->session);
}

size_t https_open_streams(const struct https *https)
{
	return https->stream_count;
}
