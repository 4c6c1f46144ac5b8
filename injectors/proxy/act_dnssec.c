/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures (RFC 4034 section 3) and proofs of non-existence (RFC 4034 section 4, RFC 5155 section 3) that do not hold. What keeps its length is changed in place.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "injectors/proxy/act.h"

enum {
	RRSIG_ALGORITHM = 2,
	RRSIG_LABELS = 3,
	RRSIG_EXPIRATION = 8,
	RRSIG_INCEPTION = 12,
	RRSIG_TAG = 16,
	RRSIG_SIGNER = 18
};
#define ALGORITHM_RSA 8
#define ALGORITHM_ECDSA 13

/* Far from any clock, and less than 68 years from each that this is run at (RFC 1982): all of January 2001, of January 2060. */
#define PAST_FROM 978307200u
#define PAST_TO 980985600u
#define FUTURE_FROM 2840140800u
#define FUTURE_TO 2842819200u

static void set_times(uint8_t *rrsig, uint32_t inception, uint32_t expiration)
{
	msg_put_u32(rrsig + RRSIG_EXPIRATION, expiration);
	msg_put_u32(rrsig + RRSIG_INCEPTION, inception);
}

static void change_letter(uint8_t *c)
{
	*c = isalpha(*c) && tolower(*c) != 'z' ? (uint8_t)(*c + 1) : 'a';
}

static void spoil_signature(uint8_t *rrsig, size_t len, enum rule_signatures how)
{
	switch (how) {
	case RULE_SIGNATURES_CORRUPT:
		rrsig[len - 1] ^= 1;
		break;
	case RULE_SIGNATURES_EXPIRED:
		set_times(rrsig, PAST_FROM, PAST_TO);
		break;
	case RULE_SIGNATURES_EARLY:
		set_times(rrsig, FUTURE_FROM, FUTURE_TO);
		break;
	case RULE_SIGNATURES_TAG:
		msg_put_u16(rrsig + RRSIG_TAG, msg_u16(rrsig + RRSIG_TAG) ^ 1);
		break;
	case RULE_SIGNATURES_ALGORITHM:
		rrsig[RRSIG_ALGORITHM] = rrsig[RRSIG_ALGORITHM] == ALGORITHM_ECDSA ? ALGORITHM_RSA : ALGORITHM_ECDSA;
		break;
	case RULE_SIGNATURES_LABELS: /* more than the owner has: RFC 4035 section 5.3.1 */
		rrsig[RRSIG_LABELS]++;
		break;
	case RULE_SIGNATURES_SIGNER: /* the signer's name is not compressed: RFC 4034 section 3.1.7 */
		if (rrsig[RRSIG_SIGNER] && rrsig[RRSIG_SIGNER] <= MSG_LABEL_MAX)
			change_letter(&rrsig[RRSIG_SIGNER + 1]);
		break;
	}
}

/* Where the next name, or hash, and the type bitmap of an NSEC or NSEC3 record's data begin. False: it does not parse. */
static bool read_denial(const struct msg *msg, const struct msg_record *record, size_t *ret_next, size_t *ret_types)
{
	size_t at = record->rdata + 4;

	if (record->type == MSG_NSEC) {
		*ret_next = record->rdata + 1; /* behind the first label's length */
		return record->rdlen > 2 && msg->bytes[record->rdata] <= MSG_LABEL_MAX && msg->bytes[record->rdata] &&
		       !msg_name_at(msg, record->rdata, true, NULL, ret_types) && *ret_types <= record->end;
	}
	if (record->rdlen < 6)
		return false;
	at += 1u + msg->bytes[at]; /* salt */
	if (at + 1 >= record->end || !msg->bytes[at])
		return false;
	*ret_next = at + 1;
	*ret_types = at + 1 + msg->bytes[at];
	return *ret_types <= record->end;
}

/* Claims, or denies, the type asked for, or where that has no bit, the first type of the first window (RFC 4034 section 4.1.2). */
static void flip_type(uint8_t *types, size_t len, uint16_t type)
{
	for (size_t at = 0; at + 2 < len; at += 2u + types[at + 1]) {
		unsigned octet = (type & 0xffu) / 8;

		if (types[at] == type >> 8 && octet < types[at + 1] && at + 2 + octet < len) {
			types[at + 2 + octet] ^= (uint8_t)(0x80 >> type % 8);
			return;
		}
	}
	if (len > 2)
		types[2] ^= 0x40;
}

static bool is_denial(uint16_t type)
{
	return type == MSG_NSEC || type == MSG_NSEC3;
}

static void spoil_denial(struct act *act, const struct msg *msg, const struct msg_record *record)
{
	size_t next, types;

	if (!read_denial(msg, record, &next, &types))
		return;
	if (act->todo->denial == RULE_DENIAL_TYPES)
		flip_type(act->bytes + types, record->end - types, msg->qtype);
	else if (record->type == MSG_NSEC)
		change_letter(act->bytes + next);
	else
		act->bytes[next] ^= 0x80;
}

/* With another first letter, and so does the signature over it, which then proves something about a name nobody asked for. */
static int rename_denials(struct act *act, const struct msg *msg)
{
	struct msg_record record = {0};
	struct build build;
	int r;

	build_begin(&build, act->spare, msg);
	build_question(&build, msg);
	while ((r = msg_next(msg, &record)) > 0) {
		bool is_signature = record.type == MSG_RRSIG && record.rdlen >= 2;
		struct msg_name owner;

		if (msg_name_at(msg, record.owner, true, &owner, NULL))
			return -EBADMSG;
		if (owner.wire[0] && is_denial(is_signature ? msg_u16(msg->bytes + record.rdata) : record.type))
			change_letter(&owner.wire[1]);
		build_record_as(&build, msg, &record, &owner);
	}
	return r < 0 ? r : act_take(act, &build);
}

int act_dnssec(struct act *act)
{
	const struct rule_do *todo = act->todo;
	struct msg_record record = {0};
	bool has_denials = false;
	struct msg msg;
	int r;

	if (todo->signatures == PARAM_UNSET && todo->denial == PARAM_UNSET)
		return 0;
	if (act_parse(act, &msg))
		return -EBADMSG;
	while ((r = msg_next(&msg, &record)) > 0) {
		if (todo->signatures != PARAM_UNSET && record.type == MSG_RRSIG && record.rdlen > RRSIG_SIGNER + 1)
			spoil_signature(act->bytes + record.rdata, record.rdlen,
					(enum rule_signatures)todo->signatures);
		if (todo->denial != PARAM_UNSET && todo->denial != RULE_DENIAL_OWNER && is_denial(record.type))
			spoil_denial(act, &msg, &record);
		has_denials |= is_denial(record.type);
	}
	if (r < 0 || todo->denial != RULE_DENIAL_OWNER || !has_denials)
		return r;
	return rename_denials(act, &msg);
}
