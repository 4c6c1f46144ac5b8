/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The header, and damage to bytes whatever they mean.
 */
#include <string.h>

#include "injectors/proxy/act.h"

static uint16_t set_flag(uint16_t flags, uint16_t flag, int64_t how)
{
	switch (how) {
	case RULE_SET:
		return flags | flag;
	case RULE_CLEAR:
		return (uint16_t)(flags & ~flag);
	case RULE_FLIP:
		return flags ^ flag;
	}
	return flags; /* not given */
}

static uint16_t set_flags(const struct rule_do *todo, uint16_t flags)
{
	const struct {
		uint16_t flag;
		int64_t how;
	} all[] = {
		{MSG_QR, todo->qr}, {MSG_AA, todo->aa}, {MSG_TC, todo->tc},
		{MSG_RA, todo->ra}, {MSG_AD, todo->ad}, {MSG_CD, todo->cd},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		flags = set_flag(flags, all[i].flag, all[i].how);
	if (todo->opcode != PARAM_UNSET)
		flags = (uint16_t)((flags & ~(0xf << MSG_OPCODE_SHIFT)) | todo->opcode << MSG_OPCODE_SHIFT);
	return flags;
}

int act_header(struct act *act)
{
	const struct rule_do *todo = act->todo;
	const int64_t counts[] = {todo->qdcount, todo->ancount, todo->nscount, todo->arcount};

	if (todo->wrong_id)
		msg_put_u16(act->bytes, msg_u16(act->bytes) ^ (uint16_t)(1 + rng_below(act->rng, UINT16_MAX)));
	msg_put_u16(act->bytes + 2, set_flags(todo, msg_u16(act->bytes + 2)));
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		if (counts[i] != PARAM_UNSET)
			msg_put_u16(act->bytes + 4 + 2 * i, (uint16_t)counts[i]);
	}
	return 0;
}

/* As many bits as asked for (or as there are), none twice: each remaining one has the same chance (Knuth's selection sampling). */
static void flip_bits(struct act *act, size_t count)
{
	size_t bits = act->len > 2 ? (act->len - 2) * 8 : 0;

	for (size_t i = 0; i < bits && count; i++) {
		if (rng_below(act->rng, bits - i) >= count)
			continue;
		act->bytes[2 + i / 8] ^= (uint8_t)(0x80 >> i % 8);
		count--;
	}
}

int act_bytes(struct act *act)
{
	const struct rule_do *todo = act->todo;

	for (size_t i = 2; i < act->len && todo->garbage; i++)
		act->bytes[i] = (uint8_t)rng_next(act->rng);
	if (todo->flip_bits != PARAM_UNSET)
		flip_bits(act, (size_t)todo->flip_bits);
	if (todo->truncate_bytes != PARAM_UNSET && act->len > (size_t)todo->truncate_bytes)
		act->len = (size_t)todo->truncate_bytes;
	if (todo->append_bytes != PARAM_UNSET) {
		size_t room = MSG_MAX - act->len, more = (size_t)todo->append_bytes;

		more = more < room ? more : room;
		memset(act->bytes + act->len, 0, more);
		act->len += more;
	}
	return 0;
}
