/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records that the server did not send, and glue.
 */
#include <errno.h>
#include <string.h>

#include "injectors/proxy/act.h"

static bool has_type(const struct rule_records *records, uint16_t type)
{
	for (size_t i = 0; i < records->count; i++) {
		if (records->v[i].type == type)
			return true;
	}
	return false;
}

static bool is_replaced(const struct act *act, const struct msg *msg, const struct msg_record *record)
{
	uint16_t type = record->type;

	if (type == MSG_RRSIG && record->rdlen >= 2) /* RFC 4034 section 3.1.1: the type it covers */
		type = msg_u16(msg->bytes + record->rdata);
	return record->section == MSG_ANSWER && has_type(&act->todo->replaced, type);
}

static bool is_glue(const struct msg_record *record)
{
	return record->section == MSG_ADDITIONAL &&
	       ((record->type == MSG_A && record->rdlen == 4) || (record->type == MSG_AAAA && record->rdlen == 16));
}

static void build_all(struct build *build, const struct msg *msg, const struct rule_records *records,
		      enum msg_section section)
{
	for (size_t i = 0; i < records->count; i++) {
		const struct rule_record *record = &records->v[i];

		build_new_record(build, &(struct build_record){.section = section,
							       .owner = record->is_qname ? &msg->qname : &record->owner,
							       .type = record->type,
							       .klass = record->klass,
							       .ttl = record->ttl,
							       .rdlen = record->rdlen,
							       .rdata = record->rdata});
	}
}

struct adding {
	bool replaces;
	unsigned section; /* what comes behind the server's records of this one is still to be written */
};

/* What belongs before the first record of section `until`. */
static void build_until(struct act *act, struct build *build, const struct msg *msg, struct adding *adding,
			unsigned until)
{
	for (; adding->section < until; adding->section++) {
		if (adding->section == MSG_ANSWER && adding->replaces)
			build_all(build, msg, &act->todo->replaced, MSG_ANSWER);
		build_all(build, msg, &act->todo->added[adding->section], (enum msg_section)adding->section);
	}
}

static int rebuild(struct act *act, const struct msg *msg, bool replaces)
{
	struct adding adding = {.replaces = replaces};
	struct msg_record record = {0};
	struct build build;
	int r;

	build_begin(&build, act->spare, msg);
	build_question(&build, msg);
	while ((r = msg_next(msg, &record)) > 0) {
		build_until(act, &build, msg, &adding, record.section);
		if (!(replaces && is_replaced(act, msg, &record)) &&
		    !(act->todo->glue == RULE_GLUE_MISSING && is_glue(&record)))
			build_record(&build, msg, &record);
	}
	build_until(act, &build, msg, &adding, MSG_ADDITIONAL + 1);
	return r < 0 ? r : act_take(act, &build);
}

/* Addresses for documentation where nobody is: the last of RFC 5737 and of RFC 9637. */
static void misdirect(struct act *act, const struct msg_record *record)
{
	static const uint8_t v4[4] = {203, 0, 113, 254};
	static const uint8_t v6[16] = {0x3f, 0xff, 0x0f, 0xff, 0xff, 0xff, 0xff, 0xff,
				       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe};

	memcpy(act->bytes + record->rdata, record->rdlen == 4 ? v4 : v6, record->rdlen);
}

int act_add(struct act *act)
{
	const struct rule_do *todo = act->todo;
	bool replaces = false, adds = todo->added[0].count || todo->added[1].count || todo->added[2].count,
	     loses = false;
	struct msg_record record = {0};
	struct msg msg;
	int r;

	if (!adds && !todo->replaced.count && todo->glue == PARAM_UNSET)
		return 0;
	if (act_parse(act, &msg))
		return -EBADMSG;
	while ((r = msg_next(&msg, &record)) > 0) {
		replaces |= is_replaced(act, &msg, &record);
		loses |= todo->glue == RULE_GLUE_MISSING && is_glue(&record);
		if (todo->glue == RULE_GLUE_WRONG && is_glue(&record))
			misdirect(act, &record);
	}
	if (r < 0 || (!adds && !replaces && !loses))
		return r;
	return msg.has_question ? rebuild(act, &msg, replaces) : 0;
}
