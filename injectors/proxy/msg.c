/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/msg.h"

#include <errno.h>
#include <string.h>

#include "harness/base/macro.h"

#define POINTER 0xc0
#define FIXED 10 /* type, class, TTL, RDLENGTH */

uint16_t msg_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t msg_u32(const uint8_t *at)
{
	return (uint32_t)msg_u16(at) << 16 | msg_u16(at + 2);
}

void msg_put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void msg_put_u32(uint8_t *at, uint32_t value)
{
	msg_put_u16(at, (uint16_t)(value >> 16));
	msg_put_u16(at + 2, (uint16_t)value);
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* Adds a label and its length octet. -EBADMSG: the name would be longer than 255 with the root's octet. */
static int add_label(struct msg_name *name, const uint8_t *label, size_t len, bool keep_case)
{
	if (name->len + 1 + len + 1 > MSG_NAME_MAX)
		return -EBADMSG;
	name->wire[name->len++] = (uint8_t)len;
	for (size_t i = 0; i < len; i++)
		name->wire[name->len++] = keep_case ? label[i] : lower(label[i]);
	return 0;
}

int msg_name_at(const struct msg *msg, size_t at, bool keep_case, struct msg_name *ret, size_t *ret_end)
{
	size_t limit = at + 1, end = 0; /* a pointer must lead to before the name (part) that holds it, so this ends */
	struct msg_name name;

	name.len = 0;
	for (;;) {
		uint8_t len;

		if (at >= msg->len)
			return -EBADMSG;
		len = msg->bytes[at];
		if ((len & POINTER) == POINTER) {
			if (at + 2 > msg->len)
				return -EBADMSG;
			if (!end)
				end = at + 2;
			at = msg_u16(msg->bytes + at) & 0x3fff;
			if (at + 1 >= limit || at < MSG_HEADER)
				return -EBADMSG;
			limit = at + 1;
			continue;
		}
		if (len > MSG_LABEL_MAX || at + 1 + len > msg->len)
			return -EBADMSG;
		if (!len)
			break;
		if (add_label(&name, msg->bytes + at + 1, len, keep_case))
			return -EBADMSG;
		at += 1 + (size_t)len;
	}
	name.wire[name.len++] = 0;
	if (ret) {
		memcpy(ret->wire, name.wire, name.len);
		ret->len = name.len;
	}
	if (ret_end)
		*ret_end = end ? end : at + 1;
	return 0;
}

int msg_parse(struct msg *ret, const uint8_t *bytes, size_t len)
{
	struct msg_name *qname = &ret->qname;
	size_t at = MSG_HEADER;

	if (len < MSG_HEADER || len > MSG_MAX)
		return -EBADMSG;
	ret->bytes = bytes;
	ret->len = len;
	ret->id = msg_u16(bytes);
	ret->flags = msg_u16(bytes + 2);
	for (size_t i = 0; i < ARRAY_LEN(ret->counts); i++)
		ret->counts[i] = msg_u16(bytes + 4 + 2 * i);
	ret->has_question = ret->counts[MSG_QDCOUNT] > 0;
	qname->len = 0;
	ret->qtype = ret->qclass = 0;
	for (unsigned i = 0; i < ret->counts[MSG_QDCOUNT]; i++) {
		if (msg_name_at(ret, at, false, i ? NULL : qname, &at) || at + 4 > len)
			return -EBADMSG;
		if (!i) {
			ret->qtype = msg_u16(bytes + at);
			ret->qclass = msg_u16(bytes + at + 2);
		}
		at += 4;
	}
	ret->question_end = at;
	return 0;
}

/* The section in which the record before this one was the index-th of its own; index counts over all sections. */
static int next_section(const struct msg *msg, const struct msg_record *record, enum msg_section *ret)
{
	unsigned section = record->end ? record->section : MSG_ANSWER;
	unsigned taken = record->end ? record->index + 1 : 0;

	for (; section <= MSG_ADDITIONAL; section++, taken = 0) {
		if (taken < msg->counts[MSG_ANCOUNT + section]) {
			*ret = (enum msg_section)section;
			return 1;
		}
	}
	return 0;
}

int msg_next(const struct msg *msg, struct msg_record *record)
{
	struct msg_record next = {.owner = record->end ? record->end : msg->question_end};
	int r = next_section(msg, record, &next.section);

	if (r <= 0)
		return r;
	if (record->end && next.section == record->section)
		next.index = record->index + 1;
	if (msg_name_at(msg, next.owner, false, NULL, &next.fixed) || next.fixed + FIXED > msg->len)
		return -EBADMSG;
	next.type = msg_u16(msg->bytes + next.fixed);
	next.klass = msg_u16(msg->bytes + next.fixed + 2);
	next.ttl = msg_u32(msg->bytes + next.fixed + 4);
	next.rdlen = msg_u16(msg->bytes + next.fixed + 8);
	next.rdata = next.fixed + FIXED;
	next.end = next.rdata + next.rdlen;
	if (next.end > msg->len)
		return -EBADMSG;
	*record = next;
	return 1;
}

unsigned msg_rdata_names(uint16_t type, size_t *ret_prefix)
{
	static const struct {
		uint8_t type, prefix, names;
	} layouts[] = {
		{2, 0, 1},  {3, 0, 1},  {4, 0, 1},  {5, 0, 1},  {6, 0, 2},  {7, 0, 1},
		{8, 0, 1},  {9, 0, 1},  {12, 0, 1}, {14, 0, 2}, {15, 2, 1}, {17, 0, 2},
		{18, 2, 1}, {21, 2, 1}, {26, 2, 2}, {33, 6, 1}, {36, 2, 1}, {39, 0, 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		if (layouts[i].type == type) {
			*ret_prefix = layouts[i].prefix;
			return layouts[i].names;
		}
	}
	return 0;
}

static bool is_whole_record(const struct msg *msg, const struct msg_record *record)
{
	size_t prefix = 0, at;
	unsigned names = msg_rdata_names(record->type, &prefix);

	at = record->rdata + prefix;
	for (unsigned i = 0; i < names; i++) {
		if (at >= record->end || msg_name_at(msg, at, false, NULL, &at) || at > record->end)
			return false;
	}
	return true;
}

bool msg_is_whole(const struct msg *msg)
{
	struct msg_record record = {0};
	int r;

	while ((r = msg_next(msg, &record)) > 0) {
		if (!is_whole_record(msg, &record))
			return false;
	}
	return !r;
}

bool msg_opt(const struct msg *msg, struct msg_record *ret)
{
	struct msg_record record = {0};

	if (!msg->counts[MSG_ARCOUNT])
		return false;
	while (msg_next(msg, &record) > 0) {
		if (record.type == MSG_OPT && record.section == MSG_ADDITIONAL) {
			*ret = record;
			return true;
		}
	}
	return false;
}

unsigned msg_rcode(const struct msg *msg)
{
	struct msg_record opt;
	unsigned rcode = msg->flags & 0xf;

	return msg_opt(msg, &opt) ? opt.ttl >> 24 << 4 | rcode : rcode;
}
