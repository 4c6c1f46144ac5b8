/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of rules, from the presentation format (RFC 1035 section 5.1).
 */
#include <ctype.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <string.h>

#include "harness/base/rr.h"

#include "injectors/proxy/rule_words.h"

#define TTL 300

/* The record's data as bytes in arena. */
static int write_rdata(const ldns_rr *rr, struct arena *arena, struct rule_record *ret)
{
	ldns_buffer *buffer = ldns_buffer_new(MSG_MAX);
	uint8_t *rdata;
	int r = -EINVAL;

	if (!buffer)
		return -ENOMEM;
	if (ldns_rr_rdata2buffer_wire(buffer, rr) == LDNS_STATUS_OK) {
		ret->rdlen = (uint16_t)ldns_buffer_position(buffer);
		rdata = ARENA_ARRAY(arena, uint8_t, ret->rdlen + 1u);
		memcpy(rdata, ldns_buffer_begin(buffer), ret->rdlen);
		ret->rdata = rdata;
		r = 0;
	}
	ldns_buffer_free(buffer);
	return r;
}

static int write_record(const ldns_rr *rr, struct arena *arena, struct rule_record *ret)
{
	const ldns_rdf *owner = ldns_rr_owner(rr);

	if (ldns_rdf_size(owner) > sizeof(ret->owner.wire))
		return -EINVAL;
	ret->owner.len = ldns_rdf_size(owner);
	memcpy(ret->owner.wire, ldns_rdf_data(owner), ret->owner.len);
	ret->type = (uint16_t)ldns_rr_get_type(rr);
	ret->klass = (uint16_t)ldns_rr_get_class(rr);
	ret->ttl = ldns_rr_ttl(rr);
	return write_rdata(rr, arena, ret);
}

int rule_word_record(const char *text, struct arena *arena, struct rule_record *ret, char *why, size_t why_size)
{
	struct rule_record record = {.is_qname = text[0] == '@' && isspace((unsigned char)text[1])};
	ldns_rdf *root = ldns_dname_new_frm_str(".");
	ldns_rr *rr = NULL;
	ldns_status status = LDNS_STATUS_MEM_ERR;
	int r = -EINVAL;

	if (root)
		status = rr_from_text(&rr, text, TTL, root);
	if (status == LDNS_STATUS_OK && rr)
		r = write_record(rr, arena, &record);
	snprintf(why, why_size, "%s",
		 status == LDNS_STATUS_OK ? "its data cannot be" : ldns_get_errorstr_by_id(status));
	ldns_rr_free(rr);
	ldns_rdf_deep_free(root);
	if (!r)
		*ret = record;
	return r;
}
