/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/doh.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "injectors/proxy/msg.h"

#define BASE64URL "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static bool is_name(const char *name, size_t len, const char *want)
{
	return len == strlen(want) && !memcmp(name, want, len);
}

static void keep(char *ret, const char *value, size_t len)
{
	*ret = 0;
	if (len > DOH_FIELD_MAX)
		return;
	memcpy(ret, value, len);
	ret[len] = 0;
}

static int keep_path(struct doh_head *head, const char *value, size_t len)
{
	if (len > DOH_PATH_MAX) {
		head->is_too_large = true;
		return 0;
	}
	free(head->path);
	head->path = malloc(len + 1);
	if (!head->path)
		return -ENOMEM;
	memcpy(head->path, value, len);
	head->path[len] = 0;
	return 0;
}

static unsigned read_status(const char *value, size_t len)
{
	unsigned status = 0;

	for (size_t i = 0; i < len; i++) {
		if (len != 3 || value[i] < '0' || value[i] > '9')
			return 0;
		status = status * 10 + (unsigned)(value[i] - '0');
	}
	return status;
}

int doh_add(struct doh_head *head, const char *name, size_t name_len, const char *value, size_t value_len)
{
	head->bytes += name_len + value_len;
	if (head->bytes > DOH_HEADER_MAX)
		head->is_too_large = true;
	if (head->is_too_large)
		return 0;
	if (is_name(name, name_len, ":method"))
		head->method = is_name(value, value_len, "GET")    ? DOH_GET
			       : is_name(value, value_len, "POST") ? DOH_POST
								   : DOH_OTHER;
	else if (is_name(name, name_len, ":path"))
		return keep_path(head, value, value_len);
	else if (is_name(name, name_len, ":status"))
		head->status = read_status(value, value_len);
	else if (is_name(name, name_len, ":authority"))
		keep(head->authority, value, value_len);
	else if (is_name(name, name_len, "content-type"))
		keep(head->content_type, value, value_len);
	else if (is_name(name, name_len, "cache-control"))
		keep(head->cache_control, value, value_len);
	return 0;
}

void doh_fini(struct doh_head *head)
{
	free(head->path);
	*head = (struct doh_head){0};
}

/* Media types know no case, and parameters may follow (RFC 9110 section 8.3.1). */
static bool is_dns_message(const char *type)
{
	size_t len = strlen(DOH_CONTENT_TYPE);

	return !strncasecmp(type, DOH_CONTENT_TYPE, len) && (!type[len] || strchr("; \t", type[len]));
}

bool doh_is_answer(const struct doh_head *head)
{
	return head->status >= 200 && head->status <= 299 && is_dns_message(head->content_type);
}

/* The value of the parameter `dns`; NULL: there is none. */
static const char *find_parameter(const char *path, size_t *ret_len)
{
	const char *at = strchr(path, '?');

	while (at) {
		at++;
		if (!strncmp(at, "dns=", 4)) {
			*ret_len = strcspn(at + 4, "&");
			return at + 4;
		}
		at = strchr(at, '&');
	}
	return NULL;
}

static void translate(char *text, size_t len, const char *from, const char *to)
{
	for (size_t i = 0; i < len; i++) {
		const char *found = memchr(from, text[i], 2);

		text[i] = found ? to[found - from] : text[i];
	}
}

/* base64url without padding (RFC 4648 section 5, RFC 8484 section 6). text has room for (len + 2) / 3 * 4 + 1 bytes. Returns its length. */
static size_t encode(char *text, const uint8_t *bytes, size_t len)
{
	size_t text_len = (size_t)EVP_EncodeBlock((uint8_t *)text, bytes, (int)len);

	translate(text, text_len, "+/", "-_");
	text_len -= (3 - len % 3) % 3; /* the padding */
	text[text_len] = 0;
	return text_len;
}

/* Returns how many bytes, or -EINVAL. text has room for len + 4 bytes and is used up; ret has as many. */
static int decode(char *text, size_t len, uint8_t *ret)
{
	size_t padding = (4 - len % 4) % 4;
	int count;

	if (strspn(text, BASE64URL) != len || padding == 3)
		return -EINVAL;
	translate(text, len, "-_", "+/");
	memset(text + len, '=', padding);
	count = EVP_DecodeBlock(ret, (const uint8_t *)text, (int)(len + padding)) - (int)padding;
	/* padding counts as bytes of zero; what is left over of the last digit has to be zero, too (RFC 4648 section 3.5) */
	return count < 0 || (padding && ret[count]) ? -EINVAL : count;
}

static unsigned message_of_get(const struct doh_head *head, const uint8_t **ret, size_t *ret_len, uint8_t **ret_owned)
{
	size_t len = 0;
	const char *text = head->path ? find_parameter(head->path, &len) : NULL;
	char *copy;
	uint8_t *bytes;
	int count;

	if (!text)
		return 400;
	copy = calloc(1, len + 5);
	bytes = malloc(len + 5);
	if (copy)
		memcpy(copy, text, len);
	count = copy && bytes ? decode(copy, len, bytes) : -ENOMEM;
	free(copy);
	if (count <= 0) {
		free(bytes);
		return count == -ENOMEM ? 500 : 400;
	}
	*ret = *ret_owned = bytes;
	*ret_len = (size_t)count;
	return 0;
}

unsigned doh_message(const struct doh_head *head, const uint8_t *body, size_t body_len, const uint8_t **ret,
		     size_t *ret_len, uint8_t **ret_owned)
{
	*ret_owned = NULL;
	if (head->is_too_large)
		return head->bytes > DOH_HEADER_MAX ? 431 : 414;
	if (head->method == DOH_GET)
		return message_of_get(head, ret, ret_len, ret_owned);
	if (head->method != DOH_POST)
		return 405;
	if (!is_dns_message(head->content_type))
		return 415;
	if (!body_len)
		return 400;
	if (body_len > MSG_MAX)
		return 413;
	*ret = body;
	*ret_len = body_len;
	return 0;
}

char *doh_path(const char *path, const uint8_t *msg, size_t len)
{
	size_t path_len = strcspn(path, "?"), at = path_len + 5;
	char *text = malloc(at + (len + 2) / 3 * 4 + 1);

	if (!text)
		return NULL;
	memcpy(text, path, path_len);
	memcpy(text + path_len, "?dns=", 5);
	encode(text + at, msg, len);
	return text;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint32_t doh_max_age(const uint8_t *bytes, size_t len)
{
	struct msg_record record = {0};
	uint32_t answer = UINT32_MAX, negative = 0;
	struct msg msg;
	int r;

	if (msg_parse(&msg, bytes, len))
		return 0;
	while ((r = msg_next(&msg, &record)) > 0) {
		if (record.section == MSG_ANSWER)
			answer = least(answer, record.ttl);
		else if (record.section == MSG_AUTHORITY && record.type == MSG_SOA && record.rdlen >= 4)
			negative = least(record.ttl, msg_u32(bytes + record.end - 4)); /* MINIMUM is the last field */
	}
	if (r < 0)
		return 0;
	return answer != UINT32_MAX ? answer : msg.counts[MSG_ANCOUNT] ? 0 : negative;
}
