/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The OPT record (RFC 6891) and the extended errors in it (RFC 8914).
 */
#include <errno.h>
#include <string.h>

#include "injectors/proxy/act.h"

static bool keep_all_but_opt(const struct act *act, const struct msg *msg, const struct msg_record *record)
{
	(void)act;
	(void)msg;
	return record->type != MSG_OPT;
}

/* Takes out every extended error. -EBADMSG: the options do not parse. */
static int strip_ede(struct act_opt *opt)
{
	size_t kept = 0;

	for (size_t at = 0; at < opt->rdlen;) {
		size_t size;

		if (at + 4 > opt->rdlen)
			return -EBADMSG;
		size = 4u + msg_u16(opt->rdata + at + 2);
		if (at + size > opt->rdlen)
			return -EBADMSG;
		if (msg_u16(opt->rdata + at) != OPTION_EDE) {
			memmove(opt->rdata + kept, opt->rdata + at, size);
			kept += size;
		}
		at += size;
	}
	opt->rdlen = (uint16_t)kept;
	return 0;
}

static int add_ede(struct act_opt *opt, const struct rule_do *todo)
{
	size_t text = todo->ede_text.value ? strlen(todo->ede_text.value) : 0;
	uint8_t *at = opt->rdata + opt->rdlen;

	if (opt->rdlen + 6 + text > sizeof(opt->rdata))
		return -EMSGSIZE;
	msg_put_u16(at, OPTION_EDE);
	msg_put_u16(at + 2, (uint16_t)(2 + text));
	msg_put_u16(at + 4, (uint16_t)todo->ede);
	if (text)
		memcpy(at + 6, todo->ede_text.value, text);
	opt->rdlen = (uint16_t)(opt->rdlen + 6 + text);
	return 0;
}

int act_edns(struct act *act)
{
	const struct rule_do *todo = act->todo;
	struct act_opt opt;
	struct msg_record record;
	struct msg msg;
	uint16_t was;
	int r;

	if (todo->edns == RULE_EDNS_STRIP)
		return act_keep(act, keep_all_but_opt);
	if (!todo->ede_strip && todo->ede == PARAM_UNSET)
		return 0;
	if (act_parse(act, &msg))
		return -EBADMSG;
	if (todo->ede_strip && !msg_opt(&msg, &record))
		return 0;
	r = act_opt_read(act, &msg, &opt);
	if (r < 0)
		return r;
	was = opt.rdlen;
	r = todo->ede_strip ? strip_ede(&opt) : add_ede(&opt, todo);
	if (r < 0 || opt.rdlen == was)
		return r;
	return act_opt_replace(act, &msg, &opt);
}
