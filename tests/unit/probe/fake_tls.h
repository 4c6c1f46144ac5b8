/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server of DNS over TLS or HTTPS (HTTP/1.1, by hand) that does what real ones do on bad days: a process of its own, with a certificate of a CA of its own,
 * one connection after the other.
 */
#pragma once
#include "harness/api/ca.h"
#include <sys/types.h>

enum fake_tls_mode {
	FAKE_TLS_ANSWERS, /* A 192.0.2.80 and 192.0.2.8, as often as it is asked on a connection */
	FAKE_TLS_ANSWERS_ONCE, /* then closes the connection */
	FAKE_TLS_MUTE, /* no handshake: the connection stays as it is */
	FAKE_TLS_SILENT, /* reads queries, answers none */
	FAKE_TLS_CLOSES, /* reads a query, closes */
	FAKE_TLS_503,
	FAKE_TLS_HTML, /* status 200, a web page */
	FAKE_TLS_OTHER_QUESTION,
	FAKE_TLS_CUT, /* half an answer */
	FAKE_TLS_ENDLESS, /* a body longer than a DNS message can be */
};

struct fake_tls {
	struct ca *ca; /* of host r1 at 127.0.0.1 */
	struct address address;
	struct addresses addresses;
	char dir[64];
	pid_t pid;
	int *connections; /* so far; shared with the process */
	enum ca_flaw flaw;
};

/* port: DOT_PORT or DOH_PORT, of 127.0.0.1. */
struct fake_tls *fake_tls_new(unsigned port, enum fake_tls_mode mode, enum ca_flaw flaw);
void fake_tls_free(struct fake_tls *fake);
