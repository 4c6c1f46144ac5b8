/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS clients on non-blocking sockets of their caller (OpenSSL): TLS 1.2 or later, no session resumption, so that each connection is what a first one is.
 *
 * tls_client_new → { tls_open → SSL_do_handshake until done → SSL_read, SSL_write … → SSL_free }* → SSL_CTX_free. The socket is the caller's: SSL_free does not close it.
 */
#pragma once
#include "harness/base/err.h"
#include <openssl/ssl.h>

/* ca_file: PEM, what is trusted; NULL: whoever answers will do. */
SSL_CTX *tls_client_new(const char *ca_file, struct err *err);

/* On a socket that is connected or connecting. name: what the certificate must be for, and what the server is told (SNI, RFC 6066 section 3); NULL: no name. NULL: no memory. */
SSL *tls_open(SSL_CTX *client, int fd, const char *name);

/* After a call of OpenSSL that returned result <= 0: EV_READ or EV_WRITE to wait for, or 0: it failed. */
short tls_waits_for(SSL *ssl, int result);

/* Why it failed, in words. "certificate has expired", "hostname mismatch", the peer's alert, "connection closed", or what the system said. Clears OpenSSL's queue of errors.
 * *ret_errno: 0, or the errno where the network was at fault and TLS was not. */
void tls_why(SSL *ssl, int result, char *buf, size_t size, int *ret_errno);
