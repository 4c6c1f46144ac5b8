/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One record from text in presentation format (RFC 1035 section 5.1), by ldns.
 */
#pragma once
#include <ldns/ldns.h>

/*
 * text: one line, however it came here; ldns 1.8.3 itself writes past its buffers where lines end within parentheses, so text with a line's end is refused (LDNS_STATUS_SYNTAX_SUPERFLUOUS_TEXT_ERR).
 * ttl: seconds, where text says none. origin: what ends a relative name; NULL: the root. ret: the caller's to free with ldns_rr_free.
 * Use this, not ldns_rr_new_frm_str.
 */
ldns_status rr_from_text(ldns_rr **ret, const char *text, uint32_t ttl, const ldns_rdf *origin);
