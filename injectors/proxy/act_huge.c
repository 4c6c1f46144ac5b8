/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers of any size. As a server does it, one that is larger than the client takes over UDP is cut: TC, and no records (RFC 2181 section 9, RFC 6891 section 7).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "injectors/proxy/act.h"

#define TTL 300
#define TEXT 255
#define RECORD_MAX (TEXT + 1 + MSG_NAME_MAX + 10)

/* RFC 5737: 254 addresses of each of the three networks. */
static bool make_v4(unsigned n, uint8_t *ret)
{
	static const uint8_t networks[][3] = {{192, 0, 2}, {198, 51, 100}, {203, 0, 113}};

	if (n >= ARRAY_LEN(networks) * 254)
		return false;
	memcpy(ret, networks[n / 254], 3);
	ret[3] = (uint8_t)(1 + n % 254);
	return true;
}

/* The n-th record: an address, if that was asked for and there are any left, else a text. No two are alike. */
static void build_one(struct build *build, const struct msg *msg, unsigned n)
{
	uint8_t rdata[1 + TEXT + 1] = {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff};
	struct build_record record = {.section = MSG_ANSWER,
				      .owner = &msg->qname,
				      .type = MSG_TXT,
				      .klass = msg->qclass,
				      .ttl = TTL,
				      .rdlen = 1 + TEXT,
				      .rdata = rdata};

	if (msg->qtype == MSG_AAAA) { /* RFC 3849 */
		record.type = MSG_AAAA;
		record.rdlen = 16;
		msg_put_u32(rdata + 12, 1 + n);
	} else if (msg->qtype == MSG_A && make_v4(n, rdata)) {
		record.type = MSG_A;
		record.rdlen = 4;
	} else {
		rdata[0] = TEXT;
		snprintf((char *)rdata + 1, TEXT + 1, "%0*u", TEXT, n);
	}
	build_new_record(build, &record);
}

/* At least more bytes, or as many as there is room for before the records that follow. */
static void fill(struct build *build, const struct msg *msg, size_t more)
{
	size_t begin = build->len, rest = msg->len - msg->question_end;

	for (unsigned n = 0; build->len - begin < more && build->len + rest + RECORD_MAX <= MSG_MAX; n++)
		build_one(build, msg, n);
}

static int grow(struct act *act, const struct msg *msg, size_t more)
{
	struct msg_record record = {0};
	bool is_filled = false;
	struct build build;
	int r;

	build_begin(&build, act->spare, msg);
	build_question(&build, msg);
	while ((r = msg_next(msg, &record)) > 0) {
		if (record.section != MSG_ANSWER && !is_filled) {
			fill(&build, msg, more);
			is_filled = true;
		}
		build_record(&build, msg, &record);
	}
	if (!is_filled)
		fill(&build, msg, more);
	return r < 0 ? r : act_take(act, &build);
}

static bool keep_opt(const struct act *act, const struct msg *msg, const struct msg_record *record)
{
	(void)act;
	(void)msg;
	return record->type == MSG_OPT;
}

int act_huge(struct act *act)
{
	const struct rule_do *todo = act->todo;
	size_t limit = act->query->udp_size;
	struct msg msg;
	int r;

	if (todo->huge_bytes == PARAM_UNSET)
		return 0;
	if (act_parse(act, &msg))
		return -EBADMSG;
	if (!msg.has_question || msg_rcode(&msg) || msg.len >= (size_t)todo->huge_bytes)
		return 0;
	r = grow(act, &msg, (size_t)todo->huge_bytes - msg.len);
	if (todo->edns_size_bytes != PARAM_UNSET)
		limit = (size_t)todo->edns_size_bytes;
	if (r < 0 || act->transport != DECIDE_UDP || act->len <= limit)
		return r;
	r = act_keep(act, keep_opt);
	msg_put_u16(act->bytes + 2, msg_u16(act->bytes + 2) | MSG_TC);
	return r;
}
