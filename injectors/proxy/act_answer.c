/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers that say something else as a whole: errors, negative answers, empty and lame ones. The question and, unless it is taken away, EDNS stay.
 */
#include <errno.h>
#include <string.h>

#include "injectors/proxy/act.h"

#define SOA_TTL 300
#define BADVERS 16
#define BADCOOKIE 23
#define GIVEN(n) ((n) != PARAM_UNSET)

struct whole {
	unsigned rcode;
	uint16_t clear, set; /* flags */
	bool has_opt, needs_opt;
	int64_t soa; /* rule_soa; PARAM_UNSET: none */
	bool is_referral;
};

/* What the keys say; false: nothing of this kind. */
static bool plan_whole(const struct act *act, struct whole *ret)
{
	const struct rule_do *todo = act->todo;

	*ret = (struct whole){.clear = MSG_AA | MSG_TC | MSG_AD, .has_opt = true, .soa = PARAM_UNSET};
	if (act->is_slip) {
		ret->set = MSG_TC;
	} else if (GIVEN(todo->rcode_value)) {
		ret->rcode = (unsigned)todo->rcode_value;
	} else if (GIVEN(todo->nodata) || GIVEN(todo->nxdomain)) {
		ret->rcode = GIVEN(todo->nxdomain) ? 3 : 0;
		ret->clear = MSG_TC | MSG_AD;
		ret->soa = GIVEN(todo->nxdomain) ? todo->nxdomain : todo->nodata;
	} else if (todo->empty) {
		ret->clear = MSG_TC;
	} else if (GIVEN(todo->lame)) {
		ret->is_referral = todo->lame != RULE_LAME_NOT_AA;
	} else if (todo->edns == RULE_EDNS_FORMERR) {
		ret->rcode = 1;
		ret->has_opt = false; /* RFC 6891 section 7: a server that does not know OPT */
	} else if (todo->edns == RULE_EDNS_BADVERS) {
		ret->rcode = BADVERS;
	} else if (todo->cookie == RULE_COOKIE_BAD && act_asked(act, OPTION_COOKIE, NULL)) {
		ret->rcode = BADCOOKIE;
	} else {
		return false;
	}
	ret->needs_opt = ret->rcode > 15;
	return true;
}

static bool find_type(const struct msg *msg, uint16_t type, struct msg_record *ret)
{
	struct msg_record record = {0};

	while (msg_next(msg, &record) > 0) {
		if (record.section == MSG_AUTHORITY && record.type == type) {
			*ret = record;
			return true;
		}
	}
	return false;
}

/* An invented SOA: the zone's name as primary and mailbox, and timers of which the last makes the answer be kept for five minutes (RFC 2308 section 5). */
static int build_soa(const struct act *act, struct build *build, const struct msg *msg, bool is_wrong)
{
	static const uint32_t numbers[] = {1, 3600, 600, 86400, SOA_TTL};
	uint8_t rdata[2 * MSG_NAME_MAX + sizeof(numbers)];
	struct msg_name zone;
	size_t len = 0;
	int r = is_wrong ? msg_name_from_text(&zone, "wrong.invalid") : act_zone(act, msg, &zone);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < 2; i++, len += zone.len)
		memcpy(rdata + len, zone.wire, zone.len);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++, len += 4)
		msg_put_u32(rdata + len, numbers[i]);
	build_new_record(build, &(struct build_record){.section = MSG_AUTHORITY,
						       .owner = &zone,
						       .type = MSG_SOA,
						       .klass = msg->has_question ? msg->qclass : 1,
						       .rdlen = (uint16_t)len,
						       .ttl = SOA_TTL,
						       .rdata = rdata});
	return 0;
}

static int build_negative(const struct act *act, struct build *build, const struct msg *msg, int64_t soa)
{
	struct msg_record record;

	if (soa == PARAM_UNSET || soa == RULE_SOA_NONE)
		return 0;
	if (soa == RULE_SOA_RIGHT && find_type(msg, MSG_SOA, &record)) {
		build_record(build, msg, &record);
		return 0;
	}
	return build_soa(act, build, msg, soa == RULE_SOA_WRONG);
}

static int build_opt(struct act *act, struct build *build, const struct msg *msg, const struct whole *whole)
{
	struct act_opt opt;
	struct msg_record record;
	int r;

	if (!whole->has_opt || !(whole->needs_opt || msg_opt(msg, &record)))
		return 0;
	r = act_opt_read(act, msg, &opt);
	if (r < 0)
		return r;
	opt.ttl = (opt.ttl & 0xffffff) | (uint32_t)(whole->rcode >> 4) << 24;
	act_opt_build(build, &opt);
	return 0;
}

int act_answer(struct act *act)
{
	struct whole whole;
	struct build build;
	struct msg msg;
	uint16_t flags;
	int r;

	if (!plan_whole(act, &whole))
		return 0;
	if (act_parse(act, &msg))
		return -EBADMSG;
	build_begin(&build, act->spare, &msg);
	build_question(&build, &msg);
	r = build_negative(act, &build, &msg, whole.soa);
	if (!r && whole.is_referral)
		r = act_refer(act, &build, &msg);
	if (!r)
		r = build_opt(act, &build, &msg, &whole);
	if (r < 0)
		return r;
	flags = (uint16_t)((msg.flags & ~(whole.clear | 0xf)) | whole.set | (whole.rcode & 0xf));
	msg_put_u16(act->spare + 2, flags);
	return act_take(act, &build);
}
