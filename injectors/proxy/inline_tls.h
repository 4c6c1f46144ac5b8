/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an inline proxy shows in the name of a lab's hosts: for each that serves TLS the certificates of the lab's CA, and the CA as whom it believes itself.
 */
#pragma once
#include "harness/api/ca.h"
#include "injectors/proxy/proxy.h"

struct inline_tls {
	struct proxy_tls tls; /* for inline_start */
	struct tls_service **services; /* owned, as is all that tls points to */
	struct proxy_host *hosts;
	size_t service_count;
	struct tls_trust *trust;
};

/* Every certificate of every host, good and bad. 0 or a negative errno; in either case inline_tls_fini. */
int inline_tls_init(struct inline_tls *tls, struct ca *ca, struct err *err);
void inline_tls_fini(struct inline_tls *tls); /* zeroed: fine */
