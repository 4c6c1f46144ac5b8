/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting until a server's encrypted listeners are there: a TLS handshake with each, from the server's own host, again and again until it completes. Whether the certificate is
 * good is not looked at: a plan's options may want a bad one.
 *
 * ready_tls_start → done once all were done → ready_tls_cancel. No limit of its own: the caller gives up by ready_tls_cancel.
 */
#pragma once
#include "harness/api/host.h"
#include "harness/base/buf.h"
#include <event2/event.h>

struct ready_tls;

/* addresses are borrowed until ready_tls_cancel; encrypted: set of enum encrypted, not 0. done is called once, from the loop. */
struct ready_tls *ready_tls_start(struct event_base *base, struct host *host, const struct addresses *addresses,
				  int encrypted, void (*done)(void *arg), void *arg, struct err *err);
void ready_tls_cancel(struct ready_tls *ready); /* frees; NULL is fine */

/* Appends the first listener that is not there yet and why: "a TLS handshake with 192.0.2.1 port 853: Connection refused". */
void ready_tls_describe(const struct ready_tls *ready, struct buf *out);
