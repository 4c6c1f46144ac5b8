/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/rr.h"

#include <string.h>

ldns_status rr_from_text(ldns_rr **ret, const char *text, uint32_t ttl, const ldns_rdf *origin)
{
	if (strchr(text, '\n'))
		return LDNS_STATUS_SYNTAX_SUPERFLUOUS_TEXT_ERR;
	return ldns_rr_new_frm_str(ret, text, ttl, origin, NULL);
}
