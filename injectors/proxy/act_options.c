/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options in the OPT record of an answer: NSID (RFC 5001), client subnet (RFC 7871), cookies (RFC 7873), and those that a server does not know and echoes.
 */
#include <errno.h>
#include <string.h>

#include "injectors/proxy/act.h"

#define CLIENT_COOKIE 8
#define SUBNET_SCOPE 3
#define SUBNET_ADDRESS 4
#define GIVEN(n) ((n) != PARAM_UNSET)

/* The option from *at on, and *at behind it. False: there is none. */
static bool next_option(const uint8_t *options, size_t len, size_t *at, uint16_t *ret_code, struct act_data *ret)
{
	if (*at + 4 > len || *at + 4 + msg_u16(options + *at + 2) > len)
		return false;
	*ret_code = msg_u16(options + *at);
	*ret = (struct act_data){options + *at + 4, msg_u16(options + *at + 2)};
	*at += 4 + ret->len;
	return true;
}

static bool find(const uint8_t *options, size_t len, uint16_t code, struct act_data *ret)
{
	struct act_data data;
	uint16_t found;

	for (size_t at = 0; next_option(options, len, &at, &found, &data);) {
		if (found != code)
			continue;
		if (ret)
			*ret = data;
		return true;
	}
	return false;
}

bool act_asked(const struct act *act, enum act_option option, struct act_data *ret)
{
	const struct msg *query = &act->query->msg;
	struct msg_record opt;

	return msg_opt(query, &opt) && find(query->bytes + opt.rdata, opt.rdlen, (uint16_t)option, ret);
}

static void take_out(struct act_opt *opt, uint16_t code)
{
	struct act_data data;
	uint16_t found;

	for (size_t at = 0, begin = 0; next_option(opt->rdata, opt->rdlen, &at, &found, &data); begin = at) {
		if (found != code)
			continue;
		memmove(opt->rdata + begin, opt->rdata + at, opt->rdlen - at);
		opt->rdlen = (uint16_t)(opt->rdlen - (at - begin));
		at = begin;
	}
}

static int append(struct act_opt *opt, uint16_t code, const uint8_t *data, size_t len)
{
	uint8_t *at = opt->rdata + opt->rdlen;

	if (opt->rdlen + 4 + len > sizeof(opt->rdata))
		return -EMSGSIZE;
	msg_put_u16(at, code);
	msg_put_u16(at + 2, (uint16_t)len);
	if (len)
		memcpy(at + 4, data, len);
	opt->rdlen = (uint16_t)(opt->rdlen + 4 + len);
	return 0;
}

/* What of the server's option there is, else base, as the option's new data; up to size. */
static size_t current(const struct act_opt *opt, uint16_t code, struct act_data base, uint8_t *ret, size_t size)
{
	if (find(opt->rdata, opt->rdlen, code, &base) && base.len > size)
		base.len = size;
	base.len = base.len < size ? base.len : size;
	memcpy(ret, base.v, base.len);
	return base.len;
}

static int change_cookie(const struct act *act, struct act_opt *opt)
{
	uint8_t cookie[40] = {0}; /* the client's 8 and up to 32 of the server */
	struct act_data asked;
	size_t len;

	if (!GIVEN(act->todo->cookie))
		return 0;
	if (act->todo->cookie == RULE_COOKIE_MISSING) {
		take_out(opt, OPTION_COOKIE);
		return 0;
	}
	if (!act_asked(act, OPTION_COOKIE, &asked) || asked.len < CLIENT_COOKIE)
		return 0;
	len = current(opt, OPTION_COOKIE, (struct act_data){asked.v, CLIENT_COOKIE}, cookie, sizeof(cookie));
	if (len < 2 * CLIENT_COOKIE)
		len = 2 * CLIENT_COOKIE; /* the shortest server cookie, of zeroes */
	if (act->todo->cookie == RULE_COOKIE_WRONG)
		cookie[0] ^= 0xff; /* not the client's: RFC 7873 section 5.3 */
	take_out(opt, OPTION_COOKIE);
	return append(opt, OPTION_COOKIE, cookie, len);
}

static int change_subnet(const struct act *act, struct act_opt *opt)
{
	uint8_t subnet[SUBNET_ADDRESS + 16] = {0};
	struct act_data asked;
	size_t len;

	if (act->todo->subnet == RULE_SUBNET_MISSING)
		take_out(opt, OPTION_SUBNET);
	if (act->todo->subnet == RULE_SUBNET_MISSING || (!GIVEN(act->todo->subnet) && !GIVEN(act->todo->subnet_scope)))
		return 0;
	if (!act_asked(act, OPTION_SUBNET, &asked) || asked.len < SUBNET_ADDRESS)
		return 0;
	len = current(opt, OPTION_SUBNET, asked, subnet, sizeof(subnet));
	if (len < SUBNET_ADDRESS)
		return 0;
	if (GIVEN(act->todo->subnet_scope))
		subnet[SUBNET_SCOPE] = (uint8_t)act->todo->subnet_scope;
	if (GIVEN(act->todo->subnet) && len > SUBNET_ADDRESS)
		subnet[SUBNET_ADDRESS] ^= 0x40;
	take_out(opt, OPTION_SUBNET);
	return append(opt, OPTION_SUBNET, subnet, len);
}

static int change_nsid(const struct act *act, struct act_opt *opt)
{
	static const uint8_t wrong[] = "wrong";

	if (!GIVEN(act->todo->nsid) || !act_asked(act, OPTION_NSID, NULL))
		return 0;
	take_out(opt, OPTION_NSID);
	return act->todo->nsid == RULE_NSID_WRONG ? append(opt, OPTION_NSID, wrong, sizeof(wrong) - 1) : 0;
}

/* Every option of the query that the answer has not. */
static int echo(const struct act *act, struct act_opt *opt)
{
	const struct msg *query = &act->query->msg;
	struct act_data data;
	struct msg_record asked;
	uint16_t code;
	int r = 0;

	if (!act->todo->edns_echo || !msg_opt(query, &asked))
		return 0;
	for (size_t at = 0; !r && next_option(query->bytes + asked.rdata, asked.rdlen, &at, &code, &data);) {
		if (!find(opt->rdata, opt->rdlen, code, NULL))
			r = append(opt, code, data.v, data.len);
	}
	return r;
}

int act_options(struct act *act)
{
	const struct rule_do *todo = act->todo;
	struct act_opt opt, was;
	struct msg msg;
	int r;

	if (!GIVEN(todo->cookie) && !GIVEN(todo->subnet) && !GIVEN(todo->subnet_scope) && !GIVEN(todo->nsid) &&
	    !todo->edns_echo)
		return 0;
	if (act_parse(act, &msg))
		return -EBADMSG;
	r = act_opt_read(act, &msg, &opt);
	if (r < 0)
		return r;
	was.rdlen = opt.rdlen;
	memcpy(was.rdata, opt.rdata, opt.rdlen);
	r = echo(act, &opt);
	if (!r)
		r = change_cookie(act, &opt);
	if (!r)
		r = change_subnet(act, &opt);
	if (!r)
		r = change_nsid(act, &opt);
	if (r < 0 || (was.rdlen == opt.rdlen && !memcmp(was.rdata, opt.rdata, opt.rdlen)))
		return r;
	return act_opt_replace(act, &msg, &opt);
}
