/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside https: what https.c (which receives) and https_send.c (which sends) share.
 */
#pragma once
#include "injectors/proxy/https.h"

#include <nghttp2/nghttp2.h>

struct https_stream {
	struct https_stream *prev, *next;
	int32_t id;
	struct doh_head head; /* of the peer's request or answer */
	uint8_t *in; /* the peer's body so far; owned */
	size_t in_len, in_cap;
	uint8_t *out; /* our body; owned */
	size_t out_len, out_done;
	int64_t rate_bytes; /* per second; 0: at once */
	bool may_go; /* of a slow body: the next piece */
	bool is_answered;
	uint64_t token;
	char cache_control[DOH_FIELD_MAX + 1];
	bool has_cache_control;
};

struct https {
	nghttp2_session *session;
	struct https_events events;
	struct https_stream *streams;
	size_t stream_count;
	bool is_server;
};

/* Linked, with no memory but its own; NULL: no memory. */
struct https_stream *https_stream_new(struct https *https, int32_t id);
void https_stream_free(struct https *https, struct https_stream *stream);
struct https_stream *https_stream_find(struct https *https, int32_t id);
/* nghttp2 reads the body of a stream from here. */
ssize_t https_read_body(nghttp2_session *session, int32_t id, uint8_t *buf, size_t size, uint32_t *flags,
			nghttp2_data_source *source, void *user);
