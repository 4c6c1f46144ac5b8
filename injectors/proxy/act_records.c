/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of the server's answer, changed. What keeps its length is changed in place, so that the rest stays as the server wrote it.
 */
#include <errno.h>
#include <string.h>

#include "injectors/proxy/act.h"

#define SHUFFLE_MAX 256 /* answer records */

static bool is_removed_type(const struct rule_do *todo, uint16_t type)
{
	for (size_t i = 0; i < todo->remove_types.count; i++) {
		if (todo->remove_types.v[i] == type)
			return true;
	}
	return false;
}

/* RFC 4034 section 3.1.1: a signature's data begins with the type it covers. */
static bool keep_record(const struct act *act, const struct msg *msg, const struct msg_record *record)
{
	if (record->type == MSG_RRSIG && record->rdlen >= 2 &&
	    is_removed_type(act->todo, msg_u16(msg->bytes + record->rdata)))
		return false;
	return !is_removed_type(act->todo, record->type);
}

static const struct address *next_address(const struct addresses *list, int family, size_t *index)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct address *address = &list->v[(*index)++ % list->count];

		if (address->family == family)
			return address;
	}
	return NULL;
}

static void spoof_record(struct act *act, const struct msg_record *record, size_t index[2])
{
	bool is_v6 = record->type == MSG_AAAA && record->rdlen == 16;
	const struct address *address;

	if (!is_v6 && (record->type != MSG_A || record->rdlen != 4))
		return;
	address = next_address(&act->todo->spoof, is_v6 ? AF_INET6 : AF_INET, &index[is_v6]);
	if (address)
		memcpy(act->bytes + record->rdata, address->bytes, record->rdlen);
}

/* By at most that many seconds more or less, within what a TTL can be (RFC 2181 section 8). */
static uint32_t move_ttl(uint32_t ttl, int64_t most, struct rng *rng)
{
	int64_t moved = (int64_t)ttl - most + (int64_t)rng_below(rng, 2 * (uint64_t)most + 1);

	return moved < 0 ? 0 : moved > INT32_MAX ? INT32_MAX : (uint32_t)moved;
}

static void set_ttl(struct act *act, const struct msg_record *record)
{
	const struct rule_do *todo = act->todo;
	uint8_t *at = act->bytes + record->fixed + 4;

	if (record->type == MSG_OPT)
		return; /* not a TTL: RFC 6891 section 6.1.3 */
	if (todo->ttl_ns != PARAM_UNSET)
		msg_put_u32(at, (uint32_t)(todo->ttl_ns / SEC));
	else if (todo->ttl_cap_ns != PARAM_UNSET && record->ttl > todo->ttl_cap_ns / SEC)
		msg_put_u32(at, (uint32_t)(todo->ttl_cap_ns / SEC));
	if (todo->ttl_jitter_ns != PARAM_UNSET)
		msg_put_u32(at, move_ttl(msg_u32(at), todo->ttl_jitter_ns / SEC, act->rng));
}

static int change_in_place(struct act *act)
{
	struct msg_record record = {0};
	size_t index[2] = {0, 0};
	struct msg msg;
	int r = act_parse(act, &msg);

	while (!r && (r = msg_next(&msg, &record)) > 0) {
		r = 0;
		set_ttl(act, &record);
		if (act->todo->spoof.count)
			spoof_record(act, &record, index);
	}
	return r;
}

static int collect_answers(const struct msg *msg, struct msg_record *ret, size_t *ret_count)
{
	struct msg_record record = {0};
	size_t count = 0;
	int r;

	while ((r = msg_next(msg, &record)) > 0 && record.section == MSG_ANSWER) {
		if (count == SHUFFLE_MAX)
			return -E2BIG;
		ret[count++] = record;
	}
	*ret_count = count;
	return r < 0 ? r : 0;
}

/* Fisher and Yates. */
static void shuffle_records(struct rng *rng, struct msg_record *records, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t j = (size_t)rng_below(rng, i);
		struct msg_record other = records[j];

		records[j] = records[i - 1];
		records[i - 1] = other;
	}
}

static int shuffle(struct act *act)
{
	struct msg_record answers[SHUFFLE_MAX], record = {0};
	struct build build;
	struct msg msg;
	size_t count = 0;
	int r = act_parse(act, &msg);

	if (!r)
		r = collect_answers(&msg, answers, &count);
	if (r < 0 || count < 2)
		return r;
	shuffle_records(act->rng, answers, count);
	build_begin(&build, act->spare, &msg);
	build_question(&build, &msg);
	for (size_t i = 0; i < count; i++)
		build_record(&build, &msg, &answers[i]);
	while ((r = msg_next(&msg, &record)) > 0) {
		if (record.section != MSG_ANSWER)
			build_record(&build, &msg, &record);
	}
	return r < 0 ? r : act_take(act, &build);
}

int act_records(struct act *act)
{
	int r = 0;

	if (act->todo->remove_types.count)
		r = act_keep(act, keep_record);
	if (!r && act->todo->shuffle)
		r = shuffle(act);
	return r < 0 ? r : change_in_place(act);
}
