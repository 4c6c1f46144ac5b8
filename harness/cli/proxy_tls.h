/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of dnsdrill proxy that are about TLS: what clients are shown, whom the upstream must convince.
 */
#pragma once
#include "harness/cli/cli.h"
#include "injectors/proxy/proxy.h"

struct proxy_tls_cli {
	const char *cert, *key, *self_made, *name, *ca, *hostname;
	bool no_verify;
};

#define PROXY_TLS_OPTIONS(T, f)                                                                                        \
	C_TEXT(T, f.cert, "tls-cert", "FILE",                                                                          \
	       "PEM: the certificate, and those between it and its authority, that clients of DoT and DoH are shown"), \
		C_TEXT(T, f.key, "tls-key", "FILE", "PEM: its key"),                                                   \
		C_TEXT(T, f.self_made, "tls-self-made", "DIR",                                                         \
		       "make an authority of our own, and its certificates, in DIR; clients trust DIR/ca.pem. It "     \
		       "signs the bad ones that rules show, and, without --tls-cert, the good one"),                   \
		C_TEXT(T, f.name, "tls-name", "NAME",                                                                  \
		       "the name, or address, on certificates of our own, besides the addresses listened on "          \
		       "(localhost)"),                                                                                 \
		C_TEXT(T, f.ca, "tls-ca", "FILE",                                                                      \
		       "PEM: the authorities that may have signed the upstream's certificate (the system's)"),         \
		C_TEXT(T, f.hostname, "tls-hostname", "NAME",                                                          \
		       "what the upstream's certificate must be for (its address)"),                                   \
		C_FLAG(T, f.no_verify, "tls-no-verify", "believe the upstream whatever its certificate")

/* What the proxy borrows. */
struct proxy_tls_parts {
	struct tls_service *service;
	struct tls_trust *trust;
	struct ca *ca;
	struct address addresses[PROXY_LISTEN_MAX + 1];
	struct addresses list;
};

/* Fills options->tls as chosen and as its endpoints need it; prints what is wrong. 0, or the exit status. In either case proxy_tls_fini once the proxy has stopped. */
int proxy_tls_prepare(const struct proxy_tls_cli *chosen, struct proxy_options *options, struct proxy_tls_parts *ret);
void proxy_tls_fini(struct proxy_tls_parts *parts);
