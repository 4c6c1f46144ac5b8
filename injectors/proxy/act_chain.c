/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CNAME records (RFC 1034 section 3.6.2) between the name asked for and its records: c1, c2, … beside it. A query for one of them gets the rest of the chain, or the loop from there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "injectors/proxy/act.h"

#define TTL 300
#define GIVEN(n) ((n) != PARAM_UNSET)

struct chain {
	struct msg_name beside; /* what the names c1, c2, … end in */
	unsigned begin; /* the name asked for is this one of them; 0: none */
};

/* The n of a first label "c" n; 0: it is none. */
static unsigned read_place(const struct msg_name *name)
{
	unsigned n = 0;

	if (name->wire[0] < 2 || name->wire[0] > 5 || name->wire[1] != 'c' || name->wire[2] == '0')
		return 0;
	for (unsigned i = 2; i <= name->wire[0]; i++) {
		if (name->wire[i] < '0' || name->wire[i] > '9')
			return 0;
		n = n * 10 + (name->wire[i] - '0');
	}
	return n;
}

static int name_of(const struct chain *chain, unsigned n, struct msg_name *ret)
{
	char label[16];

	snprintf(label, sizeof(label), "c%u", n);
	return act_prepend(ret, label, &chain->beside);
}

static void begin(const struct msg_name *qname, struct chain *ret)
{
	size_t first = qname->wire[0] && qname->wire[1 + qname->wire[0]] ? 1u + qname->wire[0] : 0;

	ret->begin = read_place(qname);
	ret->beside.len = qname->len - first;
	memcpy(ret->beside.wire, qname->wire + first, ret->beside.len);
}

static void build_cname(struct build *build, const struct msg *msg, const struct msg_name *owner,
			const struct msg_name *target)
{
	build_new_record(build, &(struct build_record){.section = MSG_ANSWER,
						       .owner = owner,
						       .type = MSG_CNAME,
						       .klass = msg->qclass,
						       .ttl = TTL,
						       .rdlen = (uint16_t)target->len,
						       .rdata = target->wire});
}

/* The CNAMEs. *ret_last: where they end. */
static int build_links(struct act *act, struct build *build, const struct msg *msg, struct msg_name *ret_last)
{
	bool is_loop = GIVEN(act->todo->cname_loop);
	unsigned last = (unsigned)(is_loop ? act->todo->cname_loop - 1 : act->todo->cname_chain);
	struct msg_name qname, owner, target;
	struct chain chain;
	int r = msg_name_at(msg, MSG_HEADER, true, &qname, NULL);

	begin(&msg->qname, &chain);
	owner = qname;
	for (unsigned n = is_loop ? 1 : chain.begin + 1; !r && n <= last; n++) {
		if (n == chain.begin)
			continue;
		r = name_of(&chain, n, &target);
		if (!r)
			build_cname(build, msg, &owner, &target);
		owner = target;
	}
	if (!r && is_loop)
		build_cname(build, msg, &owner, &qname);
	*ret_last = owner;
	return r;
}

/* Records of the name asked for are those of the chain's end. A loop has no end, so they go. */
static int build_rest(struct act *act, struct build *build, const struct msg *msg, const struct msg_name *last)
{
	struct msg_record record = {0};
	struct msg_name owner;
	int r;

	while ((r = msg_next(msg, &record)) > 0) {
		if (msg_name_at(msg, record.owner, false, &owner, NULL))
			return -EBADMSG;
		if (record.section != MSG_ANSWER)
			build_record(build, msg, &record);
		else if (!GIVEN(act->todo->cname_loop))
			build_record_as(build, msg, &record, msg_name_is_equal(&owner, &msg->qname) ? last : &owner);
	}
	return r;
}

int act_chain(struct act *act)
{
	const struct rule_do *todo = act->todo;
	struct msg_name last;
	struct build build;
	struct msg msg;
	int r;

	if (!GIVEN(todo->cname_chain) && !GIVEN(todo->cname_loop))
		return 0;
	if (act_parse(act, &msg))
		return -EBADMSG;
	if (!msg.has_question || msg_rcode(&msg))
		return 0;
	build_begin(&build, act->spare, &msg);
	build_question(&build, &msg);
	r = build_links(act, &build, &msg, &last);
	if (!r)
		r = build_rest(act, &build, &msg, &last);
	return r < 0 ? r : act_take(act, &build);
}
