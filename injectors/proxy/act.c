/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/act.h"

#include <errno.h>
#include <string.h>

#define NEW_UDP_SIZE 1232
#define OPT_DO 0x8000u

int act_all(struct act *act)
{
	static int (*const functions[])(struct act *) = {
		act_answer, act_records,  act_add,  act_chain,  act_dnssec,   act_edns,  act_options,
		act_huge,   act_question, act_name, act_header, act_transfer, act_bytes,
	};
	struct msg msg;

	if (act_parse(act, &msg) || !msg_is_whole(&msg))
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		int r = functions[i](act);

		if (r < 0)
			return r;
	}
	return 0;
}

int act_parse(const struct act *act, struct msg *ret)
{
	return msg_parse(ret, act->bytes, act->len);
}

int act_take(struct act *act, const struct build *build)
{
	uint8_t *was = act->bytes;

	if (build->failed)
		return -EMSGSIZE;
	act->bytes = act->spare;
	act->len = build->len;
	act->spare = was;
	return 0;
}

int act_keep(struct act *act, act_keep_fn *keep)
{
	struct msg_record record = {0};
	struct build build;
	bool has_dropped = false;
	struct msg msg;
	int r = act_parse(act, &msg);

	if (r < 0)
		return r;
	build_begin(&build, act->spare, &msg);
	build_question(&build, &msg);
	while ((r = msg_next(&msg, &record)) > 0) {
		if (keep(act, &msg, &record))
			build_record(&build, &msg, &record);
		else
			has_dropped = true;
	}
	if (r < 0 || !has_dropped)
		return r;
	return act_take(act, &build);
}

int act_opt_read(const struct act *act, const struct msg *msg, struct act_opt *ret)
{
	struct msg_record record;

	if (!msg_opt(msg, &record)) {
		ret->udp_size = NEW_UDP_SIZE;
		ret->ttl = act->query->is_dnssec_ok ? OPT_DO : 0; /* RFC 3225 section 3: copied from the query */
		ret->rdlen = 0;
		return 0;
	}
	if (record.rdlen > sizeof(ret->rdata))
		return -EMSGSIZE;
	ret->udp_size = record.klass;
	ret->ttl = record.ttl;
	ret->rdlen = record.rdlen;
	memcpy(ret->rdata, msg->bytes + record.rdata, record.rdlen);
	return 0;
}

void act_opt_build(struct build *build, const struct act_opt *opt)
{
	static const struct msg_name root = {.wire = {0}, .len = 1};

	build_new_record(build, &(struct build_record){.section = MSG_ADDITIONAL,
						       .owner = &root,
						       .type = MSG_OPT,
						       .klass = opt->udp_size,
						       .ttl = opt->ttl,
						       .rdlen = opt->rdlen,
						       .rdata = opt->rdata});
}

int act_opt_replace(struct act *act, const struct msg *msg, const struct act_opt *opt)
{
	struct msg_record record = {0};
	struct build build;
	int r;

	build_begin(&build, act->spare, msg);
	build_question(&build, msg);
	while ((r = msg_next(msg, &record)) > 0) {
		if (record.type != MSG_OPT)
			build_record(&build, msg, &record);
	}
	act_opt_build(&build, opt);
	return r < 0 ? r : act_take(act, &build);
}
