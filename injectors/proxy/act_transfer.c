/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of a zone transfer, and their TSIG (RFC 8945). What has been seen of the stream is in the memo.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "harness/plan/tsig.h"
#include "injectors/proxy/act.h"

#define TYPE_TSIG 250
#define CLASS_ANY 255
#define MAC_SIZE 32
#define AGE_S 3600 /* of wrong-time: beyond any fudge */
#define SERIAL_OFF 1000

struct tsig {
	struct msg_name key, algorithm;
	uint8_t time[6];
	uint16_t fudge, mac_len;
	const uint8_t *mac; /* borrowed from the message */
};

/* The last record, if it is one. */
static bool read_tsig(const struct msg *msg, struct tsig *ret)
{
	struct msg_record record = {0}, last = {0};
	size_t at;
	int r;

	while ((r = msg_next(msg, &record)) > 0)
		last = record;
	if (r < 0 || last.type != TYPE_TSIG || msg_name_at(msg, last.owner, false, &ret->key, NULL) ||
	    msg_name_at(msg, last.rdata, false, &ret->algorithm, &at) || at + 10 > last.end)
		return false;
	memcpy(ret->time, msg->bytes + at, sizeof(ret->time));
	ret->fudge = msg_u16(msg->bytes + at + 6);
	ret->mac_len = msg_u16(msg->bytes + at + 8);
	ret->mac = msg->bytes + at + 10;
	return at + 10 + ret->mac_len <= last.end;
}

static void set_time(struct tsig *tsig, int64_t off_s)
{
	uint64_t time = (uint64_t)msg_u16(tsig->time) << 32 | msg_u32(tsig->time + 2);

	time += (uint64_t)off_s;
	msg_put_u16(tsig->time, (uint16_t)(time >> 32));
	msg_put_u32(tsig->time + 2, (uint32_t)time);
}

/* The secret that the lab's servers have for the key. */
static void find_secret(const struct act *act, const struct tsig *tsig, uint8_t ret[TSIG_SECRET_SIZE])
{
	const struct rule_transfer *todo = &act->todo->transfer;
	char name[1024];

	msg_name_to_text(&tsig->key, name, sizeof(name));
	tsig_secret(todo->seed, name, ret);
	if (todo->tsig == RULE_TSIG_WRONG_KEY)
		ret[0] ^= 1;
}

/* What the digest is over after the message: RFC 8945 section 4.3.3; of all messages but the first only the timers. */
static size_t put_variables(const struct tsig *tsig, bool is_first, uint8_t *out)
{
	uint8_t *at = out;

	if (is_first) {
		memcpy(at, tsig->key.wire, tsig->key.len);
		at += tsig->key.len;
		msg_put_u16(at, CLASS_ANY);
		msg_put_u32(at + 2, 0);
		at += 6;
		memcpy(at, tsig->algorithm.wire, tsig->algorithm.len);
		at += tsig->algorithm.len;
	}
	memcpy(at, tsig->time, sizeof(tsig->time));
	msg_put_u16(at + 6, tsig->fudge);
	at += 8;
	if (is_first) {
		msg_put_u32(at, 0); /* no error, no other data */
		at += 4;
	}
	return (size_t)(at - out);
}

/* The digest into the memo. spare is free for the bytes it is over. */
static int digest(struct act *act, const struct tsig *tsig)
{
	struct decide_memo *memo = act->in->memo;
	bool is_first = !memo->mac_len;
	uint8_t secret[TSIG_SECRET_SIZE], variables[2 * MSG_NAME_MAX + 32], head[2];
	size_t prior_len = is_first ? tsig->mac_len : memo->mac_len, len;
	const uint8_t *prior = is_first ? tsig->mac : memo->mac;
	uint8_t *at = act->spare;
	unsigned mac_len = 0;

	len = put_variables(tsig, is_first, variables);
	if (2 + prior_len + act->len + len > MSG_MAX)
		return -EMSGSIZE;
	msg_put_u16(head, (uint16_t)prior_len);
	memcpy(at, head, 2);
	memcpy(at + 2, prior, prior_len);
	memcpy(at + 2 + prior_len, act->bytes, act->len);
	memcpy(at + 2 + prior_len + act->len, variables, len);
	find_secret(act, tsig, secret);
	if (!HMAC(EVP_sha256(), secret, sizeof(secret), at, 2 + prior_len + act->len + len, memo->mac, &mac_len))
		return -EIO;
	memo->mac_len = (uint8_t)mac_len;
	return 0;
}

static int append(struct act *act, const struct tsig *tsig)
{
	const struct decide_memo *memo = act->in->memo;
	size_t rdlen = tsig->algorithm.len + 10 + memo->mac_len + 6u;
	uint8_t *at = act->bytes + act->len;

	if (act->len + tsig->key.len + 10 + rdlen > MSG_MAX)
		return -EMSGSIZE;
	memcpy(at, tsig->key.wire, tsig->key.len);
	at += tsig->key.len;
	msg_put_u16(at, TYPE_TSIG);
	msg_put_u16(at + 2, CLASS_ANY);
	msg_put_u32(at + 4, 0);
	msg_put_u16(at + 8, (uint16_t)rdlen);
	memcpy(at + 10, tsig->algorithm.wire, tsig->algorithm.len);
	at += 10 + tsig->algorithm.len;
	memcpy(at, tsig->time, sizeof(tsig->time));
	msg_put_u16(at + 6, tsig->fudge);
	msg_put_u16(at + 8, memo->mac_len);
	memcpy(at + 10, memo->mac, memo->mac_len);
	at += 10 + memo->mac_len;
	memcpy(at, act->bytes, 2); /* the original ID */
	msg_put_u32(at + 2, 0);
	msg_put_u16(act->bytes + 10, (uint16_t)(msg_u16(act->bytes + 10) + 1));
	act->len = (size_t)(at + 6 - act->bytes);
	return 0;
}

static bool keep_unsigned(const struct act *act, const struct msg *msg, const struct msg_record *record)
{
	(void)act;
	(void)msg;
	return record->type != TYPE_TSIG;
}

/* The query says which key, and what time it is. Without TSIG in it there is none in the answer. */
static int sign(struct act *act)
{
	const struct rule_transfer *todo = &act->todo->transfer;
	static const char algorithm[] = "\13hmac-sha256";
	struct tsig tsig;
	struct msg query;
	int r;

	if (todo->tsig == RULE_TSIG_LEFT || msg_parse(&query, act->in->query, act->in->query_len) ||
	    !read_tsig(&query, &tsig))
		return 0;
	if (todo->tsig != RULE_TSIG_MISSING && (!todo->has_seed || tsig.algorithm.len != sizeof(algorithm) ||
						memcmp(tsig.algorithm.wire, algorithm, sizeof(algorithm))))
		return -ENOKEY;
	r = act_keep(act, keep_unsigned);
	act->in->memo->is_hit |= todo->tsig != RULE_TSIG_RESIGNED;
	if (r || todo->tsig == RULE_TSIG_MISSING)
		return r;
	if (todo->tsig == RULE_TSIG_WRONG_TIME)
		set_time(&tsig, -AGE_S);
	r = digest(act, &tsig);
	return r ? r : append(act, &tsig);
}

/* Where the serial of a SOA record stands; 0: it does not parse. */
static size_t serial_at(const struct msg *msg, const struct msg_record *record)
{
	size_t at = record->rdata;

	if (msg_name_at(msg, at, false, NULL, &at) || msg_name_at(msg, at, false, NULL, &at) || at + 4 > record->end)
		return 0;
	return at;
}

static bool is_altered(const struct act *act, const struct msg *msg, const struct msg_record *record)
{
	const struct rule_record *altered = act->todo->transfer.altered;
	struct msg_name owner;

	/* The first SOA, then what a whole zone holds; after the second, what an IXFR takes away; after the third, what it adds; and so on. */
	return altered && act->in->memo->soas % 2 && record->type == altered->type &&
	       !msg_name_at(msg, record->owner, false, &owner, NULL) && msg_name_is_equal(&owner, &altered->owner);
}

/* Counts SOA records. Returns whether this one is left out. */
static bool pass_soa(struct act *act, const struct msg *msg, const struct msg_record *record)
{
	const struct rule_transfer *todo = &act->todo->transfer;
	struct decide_memo *memo = act->in->memo;
	size_t at = serial_at(msg, record);
	uint32_t serial = at ? msg_u32(msg->bytes + at) : 0;

	if (!memo->soas++) {
		memo->serial = serial;
		return false;
	}
	if (todo->other_start && memo->soas == 2 && serial != memo->serial && at) {
		msg_put_u32(act->bytes + at, serial - SERIAL_OFF);
		memo->is_hit = true;
	}
	return todo->no_end && serial == memo->serial && record->index + 1u == msg->counts[MSG_ANCOUNT];
}

static void put_other(const struct act *act, const struct msg *msg, const struct msg_record *record,
		      struct build *build)
{
	const struct rule_record *altered = act->todo->transfer.altered;

	if (altered->rdata)
		build_new_record(build, &(struct build_record){.section = MSG_ANSWER,
							       .owner = &altered->owner,
							       .type = record->type,
							       .klass = record->klass,
							       .ttl = record->ttl,
							       .rdlen = altered->rdlen,
							       .rdata = altered->rdata});
	(void)msg;
}

static int change_records(struct act *act)
{
	struct decide_memo *memo = act->in->memo;
	struct msg_record record = {0};
	bool is_changed = false;
	struct build build;
	struct msg msg;
	int r = act_parse(act, &msg);

	if (r)
		return r;
	build_begin(&build, act->spare, &msg);
	build_question(&build, &msg);
	while ((r = msg_next(&msg, &record)) > 0) {
		bool is_answer = record.section == MSG_ANSWER;

		if (is_answer && record.type == MSG_SOA && pass_soa(act, &msg, &record)) {
			is_changed = true;
		} else if (is_answer && is_altered(act, &msg, &record)) {
			put_other(act, &msg, &record, &build);
			is_changed = true;
		} else {
			build_record(&build, &msg, &record);
		}
	}
	if (r < 0 || !is_changed)
		return r;
	memo->is_hit = true;
	return act_take(act, &build);
}

int act_transfer(struct act *act)
{
	int r;

	if (!act->todo->transfer.is_given || !act->in || act->transport == DECIDE_UDP)
		return 0;
	if (act->len != act->in->len || memcmp(act->bytes, act->in->msg, act->len) != 0)
		act->in->memo->is_hit = true; /* by other keys */
	r = change_records(act);
	return r < 0 ? r : sign(act);
}
