/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The zone an answer is about, and referrals that lead nowhere.
 */
#include <errno.h>
#include <string.h>

#include "injectors/proxy/act.h"

#define ROOT_NS_TTL 518400
#define REFERRAL_TTL 300

/* Where the name without its first label begins. */
static size_t parent_at(const struct msg_name *name)
{
	return name->wire[0] ? 1u + name->wire[0] : 0;
}

static void cut_front(struct msg_name *name, size_t len)
{
	name->len -= len;
	memmove(name->wire, name->wire + len, name->len);
}

int act_zone(const struct act *act, const struct msg *msg, struct msg_name *ret)
{
	struct msg_record record = {0};
	size_t parent;

	if (act->todo->has_zone) {
		*ret = act->todo->zone_name;
		return 0;
	}
	while (msg_next(msg, &record) > 0) {
		if (record.section == MSG_AUTHORITY && (record.type == MSG_SOA || record.type == MSG_NS))
			return msg_name_at(msg, record.owner, true, ret, NULL);
	}
	if (!msg->has_question)
		return -EBADMSG;
	*ret = msg->qname;
	parent = parent_at(ret);
	if (parent && ret->wire[parent] && ret->wire[parent + 1 + ret->wire[parent]])
		cut_front(ret, parent);
	return 0;
}

int act_prepend(struct msg_name *ret, const char *label, const struct msg_name *name)
{
	size_t len = strlen(label);

	if (len > MSG_LABEL_MAX || len + 1 + name->len > MSG_NAME_MAX)
		return -EMSGSIZE;
	memmove(ret->wire + len + 1, name->wire, name->len);
	ret->wire[0] = (uint8_t)len;
	memcpy(ret->wire + 1, label, len);
	ret->len = len + 1 + name->len;
	return 0;
}

static void build_ns(struct build *build, const struct msg_name *zone, const struct msg_name *server, uint32_t ttl)
{
	build_new_record(build, &(struct build_record){.section = MSG_AUTHORITY,
						       .owner = zone,
						       .type = MSG_NS,
						       .klass = 1,
						       .ttl = ttl,
						       .rdlen = (uint16_t)server->len,
						       .rdata = server->wire});
}

static int refer_upward(struct build *build)
{
	static const struct msg_name root = {.wire = {0}, .len = 1};
	struct msg_name server;
	int r = msg_name_from_text(&server, "a.root-servers.net");

	if (!r)
		build_ns(build, &root, &server, ROOT_NS_TTL);
	return r;
}

/* To the zone that was asked for, at the server that was asked. */
static int refer_to_self(const struct act *act, struct build *build, const struct msg *msg)
{
	struct msg_name zone, server;
	int r = act_zone(act, msg, &zone);

	if (!r)
		r = act_prepend(&server, "ns", &zone);
	if (r < 0)
		return r;
	build_ns(build, &zone, &server, REFERRAL_TTL);
	if (act->server)
		build_new_record(build,
				 &(struct build_record){.section = MSG_ADDITIONAL,
							.owner = &server,
							.type = act->server->family == AF_INET ? MSG_A : MSG_AAAA,
							.klass = 1,
							.ttl = REFERRAL_TTL,
							.rdlen = act->server->family == AF_INET ? 4 : 16,
							.rdata = act->server->bytes});
	return 0;
}

static bool is_within(const struct msg_name *name, const struct msg_name *zone)
{
	return msg_name_is_equal(name, zone) || msg_name_is_below(name, zone);
}

/* Without glue, to a server in loop-a, whose own server is in loop-b, whose own is in loop-a. */
static int refer_in_circles(const struct act *act, struct build *build, const struct msg *msg)
{
	struct msg_name zone, loops[2], cut = msg->qname, server;
	int r = act_zone(act, msg, &zone);
	unsigned next = 0;

	if (!r)
		r = act_prepend(&loops[0], "loop-a", &zone);
	if (!r)
		r = act_prepend(&loops[1], "loop-b", &zone);
	if (r < 0)
		return r;
	while (msg_name_is_below(&cut, &zone) && cut.len > zone.len + 1u + cut.wire[0])
		cut_front(&cut, parent_at(&cut));
	if (is_within(&cut, &loops[0]))
		next = 1;
	r = act_prepend(&server, "ns", &loops[next]);
	if (!r)
		build_ns(build, &cut, &server, REFERRAL_TTL);
	return r;
}

int act_refer(const struct act *act, struct build *build, const struct msg *msg)
{
	switch ((enum rule_lame)act->todo->lame) {
	case RULE_LAME_NOT_AA:
		return 0;
	case RULE_LAME_UPWARD:
		return refer_upward(build);
	case RULE_LAME_SELF:
		return refer_to_self(act, build, msg);
	case RULE_LAME_LOOP:
		return refer_in_circles(act, build, msg);
	}
	return 0;
}
