/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any answers at all: the input is a row of messages behind two octets of length each, given for whatever the validator asks next. */
#include "harness/dnssec/validate.h"
#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first message's DNSKEYs are the trust anchor, so that an input can get past it. */
static void take_anchor(ldns_rr_list *anchor, const ldns_pkt *packet)
{
	ldns_rr_list *answer = ldns_pkt_answer(packet);

	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++)
		if (ldns_rr_get_type(ldns_rr_list_rr(answer, i)) == LDNS_RR_TYPE_DNSKEY &&
		    ldns_rr_rd_count(ldns_rr_list_rr(answer, i)) == 4)
			ldns_rr_list_push_rr(anchor, ldns_rr_clone(ldns_rr_list_rr(answer, i)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ldns_rr_list *anchor = ldns_rr_list_new();
	struct validation *v = validation_new(anchor, "www.example.com.", LDNS_RR_TYPE_A, 1800000000);
	struct validation_verdict verdict;

	validation_next(v, &verdict);
	while (verdict.status == VALIDATION_NEEDS && size > 2) {
		size_t len = (size_t)data[0] << 8 | data[1];
		ldns_pkt *packet = NULL;

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		if (ldns_wire2pkt(&packet, data, len) == LDNS_STATUS_OK) {
			if (!ldns_rr_list_rr_count(anchor))
				take_anchor(anchor, packet);
			validation_add(v, packet);
		}
		validation_next(v, &verdict);
		data += len;
		size -= len;
	}
	validation_free(v);
	ldns_rr_list_deep_free(anchor);
	return 0;
}
