/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What DNS over HTTPS (RFC 8484) makes of requests and answers: from header fields to a message, and what an answer's fields say. Pure; sockets and frames are elsewhere.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOH_CONTENT_TYPE "application/dns-message"
#define DOH_PATH_MAX 8192 /* with the query behind it; RFC 9110 section 4.1 asks for 8000 at least */
#define DOH_HEADER_MAX 16384 /* bytes of all names and values of a request or an answer */
#define DOH_FIELD_MAX 127

enum doh_method { DOH_NO_METHOD, DOH_GET, DOH_POST, DOH_OTHER };

/* A request, or an answer, as its header fields come. Zeroed → doh_add… → doh_fini. */
struct doh_head {
	enum doh_method method;
	char *path; /* owned; NULL: none yet */
	unsigned status; /* of an answer; 0: none yet */
	/* "": none, or longer */
	char authority[DOH_FIELD_MAX + 1], content_type[DOH_FIELD_MAX + 1], cache_control[DOH_FIELD_MAX + 1];
	size_t bytes; /* of all fields so far */
	bool is_too_large; /* more than DOH_HEADER_MAX, or the path is */
};

/* One header field; names are lower case (RFC 9113 section 8.2). 0, or -ENOMEM. */
int doh_add(struct doh_head *head, const char *name, size_t name_len, const char *value, size_t value_len);
void doh_fini(struct doh_head *head);

/*
 * The message of a request whose fields and body are there. 0 with *ret, which points into body or is *ret_owned (free it); or the status that says what is wrong with
 * the request (400, 405, 413, 414, 415, 431), or 500: out of memory.
 */
unsigned doh_message(const struct doh_head *head, const uint8_t *body, size_t body_len, const uint8_t **ret,
		     size_t *ret_len, uint8_t **ret_owned);

/* Whether the body of such an answer is a DNS message. */
bool doh_is_answer(const struct doh_head *head);

/* The path of a GET with that message (RFC 8484 section 4.1): path up to its query, and ?dns=. malloc'd; NULL: no memory. */
char *doh_path(const char *path, const uint8_t *msg, size_t len);

/* For how many seconds an answer may be kept (RFC 8484 section 5.1): the smallest TTL of its answer section; of one without, that of the SOA in the authority section, as bounded by
 * its MINIMUM (RFC 2308 section 5). 0 if it does not parse, or has neither. */
uint32_t doh_max_age(const uint8_t *msg, size_t len);
