/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS (OpenSSL) below DNS: what a server shows, what a client trusts, and one connection's state over a non-blocking socket.
 *
 * tls_service and tls_trust are made once and read by every worker; a struct tls is one connection's.
 */
#pragma once
#include "harness/api/ca.h"
#include "injectors/proxy/decide.h"

#include <sys/types.h>

/* What the two ends agree on (RFC 7301): "dot" (RFC 7858), "h2" (RFC 9113). */
enum tls_protocol { TLS_DOT, TLS_H2 };

/* A server's certificates: the sound one and each with a flaw. */
struct tls_service;
/* Borrows nothing. identities[i].certificate NULL: there is none with that flaw, the sound one is shown. 0 or a negative errno. */
int tls_service_new(const struct ca_identity identities[CA_FLAW_COUNT], struct tls_service **ret, struct err *err);
/* The same with a chain and a key in PEM files for the sound one; others (may be NULL) has those with flaws. */
int tls_service_from_files(const char *chain_file, const char *key_file, const struct ca_identity *others,
			   struct tls_service **ret, struct err *err);
void tls_service_free(struct tls_service *service); /* NULL is fine */

/* Whom a client believes. */
struct tls_trust;
/* ca_file: PEM; NULL: the system's authorities. name: what the certificate must be for, a name or an address; NULL: what tls_connect says. verify false: anything is believed.
 * 0 or a negative errno. */
int tls_trust_new(const char *ca_file, const char *name, bool verify, struct tls_trust **ret, struct err *err);
void tls_trust_free(struct tls_trust *trust); /* NULL is fine */
/* What the certificate must be for, and what is asked for (SNI); NULL: what tls_connect says. */
const char *tls_trust_name(const struct tls_trust *trust);

struct ssl_st;
struct tls {
	struct ssl_st *ssl;
	bool is_up; /* the handshake is done */
	bool wants_write; /* goes on when the socket can be written */
	bool is_broken;
	const char *why; /* it broke: tls_reason */
};

/* The server's end over fd, which stays the caller's. fault: what decide_connection said, with no handshake of RULE_HANDSHAKE_STALL or _RESET. NULL: no memory. */
struct tls *tls_accept(const struct tls_service *service, enum tls_protocol protocol, const struct decide_tls *fault,
		       int fd);
/* The client's end. name: as above, an address or a name. */
struct tls *tls_connect(const struct tls_trust *trust, enum tls_protocol protocol, const char *name, int fd);
/* Says goodbye, without waiting, unless the connection is broken; frees. NULL is fine. */
void tls_free(struct tls *tls);

/* Both do the handshake first. What is read is at most a record (16 KiB): with that much room, nothing is left behind that the socket does not tell of. > 0: so many bytes; 0 (reading): the other end said goodbye or is gone; -EAGAIN: later; another: the connection is broken. */
ssize_t tls_read(struct tls *tls, void *buf, size_t size);
ssize_t tls_write(struct tls *tls, const void *bytes, size_t len);
/* Why a broken connection broke, as OpenSSL says it; of a certificate that does not convince, what is wrong with it. NULL: nobody knows. Lives for ever. */
const char *tls_reason(const struct tls *tls);
/* Whether the other end agreed to speak the protocol. */
bool tls_is_agreed(const struct tls *tls);
