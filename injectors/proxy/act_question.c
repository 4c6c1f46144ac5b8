/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answer's question, and names that cannot be.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "injectors/proxy/act.h"

/* Records that name the question's by a pointer follow it. */
static void rename_question(uint8_t *qname)
{
	if (!*qname)
		return;
	qname[1] = isalpha(qname[1]) && tolower(qname[1]) != 'z' ? (uint8_t)(qname[1] + 1) : 'a';
}

static void swap_case(uint8_t *qname)
{
	for (; *qname; qname += 1u + *qname) {
		for (unsigned i = 1; i <= *qname; i++) {
			if (isalpha(qname[i]))
				qname[i] ^= 'a' ^ 'A';
		}
	}
}

static void lower_case(uint8_t *qname)
{
	for (; *qname; qname += 1u + *qname) {
		for (unsigned i = 1; i <= *qname; i++)
			qname[i] = (uint8_t)(isupper(qname[i]) ? tolower(qname[i]) : qname[i]);
	}
}

static int repeat_question(struct act *act, const struct msg *msg, unsigned times)
{
	struct msg_record record = {0};
	struct build build;
	int r;

	build_begin(&build, act->spare, msg);
	for (unsigned i = 0; i < times; i++)
		build_question(&build, msg);
	while ((r = msg_next(msg, &record)) > 0)
		build_record(&build, msg, &record);
	return r < 0 ? r : act_take(act, &build);
}

int act_question(struct act *act)
{
	struct msg msg;

	if (act->todo->question == PARAM_UNSET)
		return 0;
	if (act_parse(act, &msg))
		return -EBADMSG;
	if (!msg.has_question)
		return 0;
	switch ((enum rule_question)act->todo->question) {
	case RULE_QUESTION_MISSING:
		return repeat_question(act, &msg, 0);
	case RULE_QUESTION_OTHER: /* the first name of a message cannot be a pointer: nothing is before it */
		rename_question(act->bytes + MSG_HEADER);
		return 0;
	case RULE_QUESTION_CASE:
		swap_case(act->bytes + MSG_HEADER);
		return 0;
	case RULE_QUESTION_LOWER:
		lower_case(act->bytes + MSG_HEADER);
		return 0;
	case RULE_QUESTION_TWICE:
		return repeat_question(act, &msg, 2);
	}
	return 0;
}

struct bytes {
	uint8_t v[512];
	size_t len;
};

static void add(struct bytes *bytes, const void *data, size_t len)
{
	memcpy(bytes->v + bytes->len, data, len);
	bytes->len += len;
}

static void add_pointer(struct bytes *bytes, size_t to)
{
	add(bytes, (uint8_t[]){(uint8_t)(0xc0 | to >> 8), (uint8_t)to}, 2);
}

static void add_label(struct bytes *bytes, uint8_t len)
{
	add(bytes, &len, 1);
	memset(bytes->v + bytes->len, 'a', len);
	bytes->len += len;
}

/* A IN 192.0.2.1, for five minutes. */
static void add_data(struct bytes *bytes)
{
	add(bytes, "\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1", 14);
}

/* Records whose first name is bad, to stand at offset at. Returns how many. */
static uint16_t make_bad(struct bytes *bytes, enum rule_name kind, size_t at)
{
	switch (kind) {
	case RULE_NAME_LOOP:
		add_pointer(bytes, at);
		break;
	case RULE_NAME_FORWARD: /* to the second record's name */
		add_pointer(bytes, at + 2 + 14);
		add_data(bytes);
		add(bytes, "\7forward\7invalid", 17);
		add_data(bytes);
		return 2;
	case RULE_NAME_LONG_LABEL:
		add_label(bytes, MSG_LABEL_MAX + 1);
		add(bytes, "", 1);
		break;
	case RULE_NAME_LONG: /* 4 × 64 + 1 = 257 */
		for (unsigned i = 0; i < 4; i++)
			add_label(bytes, MSG_LABEL_MAX);
		add(bytes, "", 1);
		break;
	}
	add_data(bytes);
	return 1;
}

int act_name(struct act *act)
{
	struct bytes bytes = {.len = 0};
	struct msg msg;
	uint16_t count;

	if (act->todo->bad_name == PARAM_UNSET)
		return 0;
	if (act_parse(act, &msg))
		return -EBADMSG;
	count = make_bad(&bytes, (enum rule_name)act->todo->bad_name, msg.question_end);
	if (msg.question_end + bytes.len > MSG_MAX || msg.question_end > 0x3f00)
		return -EMSGSIZE;
	memcpy(act->bytes + msg.question_end, bytes.v, bytes.len);
	act->len = msg.question_end + bytes.len;
	msg_put_u16(act->bytes + 2, (uint16_t)(msg.flags & ~0xf)); /* NOERROR */
	msg_put_u16(act->bytes + 6, count);
	memset(act->bytes + 8, 0, 4);
	return 0;
}
