/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/build.h"

#include <string.h>

#define POINTER 0xc000
#define POINTER_MAX 0x3fff

static void put(struct build *build, const void *data, size_t len)
{
	if (build->failed || len > MSG_MAX - build->len) {
		build->failed = true;
		return;
	}
	if (len)
		memcpy(build->out + build->len, data, len);
	build->len += len;
}

static void put_u16(struct build *build, uint16_t value)
{
	uint8_t bytes[2];

	msg_put_u16(bytes, value);
	put(build, bytes, sizeof(bytes));
}

static void count(struct build *build, enum msg_count which)
{
	uint8_t *at = build->out + 4 + 2 * which;

	if (!build->failed)
		msg_put_u16(at, (uint16_t)(msg_u16(at) + 1));
}

/* Whether the name written at offset `at` is this one, to the case of its letters. Pointers in what was written lead backwards. */
static bool is_written_at(const struct build *build, size_t at, const uint8_t *name)
{
	for (;;) {
		uint8_t len = build->out[at];

		if (len >= POINTER >> 8) {
			at = msg_u16(build->out + at) & POINTER_MAX;
			continue;
		}
		if (memcmp(build->out + at, name, 1u + len) != 0)
			return false;
		if (!len)
			return true;
		at += 1u + len;
		name += 1u + len;
	}
}

/* Where name is written already; 0: nowhere. */
static uint16_t find_name(const struct build *build, const uint8_t *name)
{
	for (unsigned i = 0; i < build->name_count; i++) {
		if (is_written_at(build, build->names[i], name))
			return build->names[i];
	}
	return 0;
}

static void put_name(struct build *build, const struct msg_name *name)
{
	unsigned known = build->name_count; /* names of this one are whole only at its end */
	size_t at = 0;

	while (name->wire[at] && !build->failed) {
		unsigned all = build->name_count;
		uint16_t where;

		build->name_count = known;
		where = find_name(build, name->wire + at);
		build->name_count = all;
		if (where) {
			put_u16(build, POINTER | where);
			return;
		}
		if (all < BUILD_NAMES_MAX && build->len <= POINTER_MAX)
			build->names[build->name_count++] = (uint16_t)build->len;
		put(build, name->wire + at, 1u + name->wire[at]);
		at += 1u + name->wire[at];
	}
	put(build, "", 1);
}

void build_begin(struct build *build, uint8_t *out, const struct msg *msg)
{
	*build = (struct build){.out = out};
	put(build, msg->bytes, 4);
	put(build, "\0\0\0\0\0\0\0", 8);
}

void build_question(struct build *build, const struct msg *msg)
{
	struct msg_name name;

	if (!msg->has_question || msg_name_at(msg, MSG_HEADER, true, &name, NULL))
		return;
	put_name(build, &name);
	put_u16(build, msg->qtype);
	put_u16(build, msg->qclass);
	count(build, MSG_QDCOUNT);
}

/* Data with its names expanded and compressed again. */
static void put_rdata(struct build *build, const struct msg *msg, const struct msg_record *record)
{
	size_t prefix = 0, at;
	unsigned names = msg_rdata_names(record->type, &prefix);
	struct msg_name name;

	at = record->rdata + (names ? prefix : 0);
	if (at > record->end) {
		build->failed = true;
		return;
	}
	put(build, msg->bytes + record->rdata, at - record->rdata);
	for (; names && !build->failed; names--) {
		if (msg_name_at(msg, at, true, &name, &at) || at > record->end)
			build->failed = true;
		else
			put_name(build, &name);
	}
	if (!build->failed)
		put(build, msg->bytes + at, record->end - at);
}

void build_record(struct build *build, const struct msg *msg, const struct msg_record *record)
{
	struct msg_name owner;

	if (build->failed || msg_name_at(msg, record->owner, true, &owner, NULL))
		build->failed = true;
	else
		build_record_as(build, msg, record, &owner);
}

void build_record_as(struct build *build, const struct msg *msg, const struct msg_record *record,
		     const struct msg_name *owner)
{
	size_t rdlen_at;

	put_name(build, owner);
	put(build, msg->bytes + record->fixed, 8);
	rdlen_at = build->len;
	put_u16(build, 0);
	put_rdata(build, msg, record);
	if (!build->failed)
		msg_put_u16(build->out + rdlen_at, (uint16_t)(build->len - rdlen_at - 2));
	count(build, MSG_ANCOUNT + record->section);
}

void build_new_record(struct build *build, const struct build_record *record)
{
	uint8_t ttl[4];

	put_name(build, record->owner);
	put_u16(build, record->type);
	put_u16(build, record->klass);
	msg_put_u32(ttl, record->ttl);
	put(build, ttl, sizeof(ttl));
	put_u16(build, record->rdlen);
	put(build, record->rdata, record->rdlen);
	count(build, MSG_ANCOUNT + record->section);
}
