/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the server is asked instead. It answers accordingly, so that its answers are sound.
 */
#include <string.h>

#include "injectors/proxy/act.h"

#define DO_OCTET 6 /* behind type, class, extended RCODE and version */
#define DO_BIT 0x80

bool act_query(const struct rule_do *todo, const struct match_query *query, uint8_t *ret)
{
	const struct msg *msg = &query->msg;
	struct msg_record opt;

	if ((todo->edns_size_bytes == PARAM_UNSET && !todo->ignore_do) || !msg_opt(msg, &opt))
		return false;
	memcpy(ret, msg->bytes, msg->len);
	if (todo->edns_size_bytes != PARAM_UNSET)
		msg_put_u16(ret + opt.fixed + 2, (uint16_t)todo->edns_size_bytes);
	if (todo->ignore_do)
		ret[opt.fixed + DO_OCTET] &= (uint8_t)~DO_BIT;
	return memcmp(ret, msg->bytes, msg->len) != 0;
}
