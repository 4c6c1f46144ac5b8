/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One message from its bytes (RFC 1035 section 4.1), by ldns.
 */
#pragma once
#include <ldns/ldns.h>

/*
 * wire, len: what somebody sent, perhaps to harm. A message with more than one TSIG record is refused (LDNS_STATUS_ERR): it is malformed (RFC 8945 section 5.1), and ldns 1.8.3 loses the memory of all but the last.
 * ret: on success the caller's to free with ldns_pkt_free. Use this, not ldns_wire2pkt.
 */
ldns_status pkt_from_wire(ldns_pkt **ret, const uint8_t *wire, size_t len);
