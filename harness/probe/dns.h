/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the dns probe, shared by dns.c (opening, asking), dns_sample.c (what came of it) and one file per transport (sockets): dns_udp.c, dns_conn.c (TCP and TLS), dns_doh.c. Nobody else
 * includes it.
 *
 * A transport's start() sends the query of one asking; whatever comes of it ends in exactly one of dns_answered, dns_garbled, dns_refused or dns_failed, each of which
 * gives the asking up: the transport must not touch it afterwards. Otherwise the asking's deadline does.
 */
#pragma once
#include "harness/api/probe.h"
#include "harness/base/rng.h"
#include "harness/probe/dns_wire.h"
#include "harness/probe/inflight.h"
#include "harness/probe/unique.h"
#include <event2/event_struct.h>
#include <openssl/types.h>

#define DNS_MESSAGE_MAX 65535

enum dns_transport { DNS_UDP, DNS_TCP, DNS_DOT, DNS_DOH };
enum dns_connection { DNS_CONNECTION_NEW, DNS_CONNECTION_KEEP };

struct dns_probe {
	struct probe probe;
	struct text via;
	struct text tls_name;
	int64_t transport, family; /* enum dns_transport; index of dns_families */
	int64_t connection; /* enum dns_connection */
	bool recursion, dnssec;
	int64_t edns_bytes; /* 0: no EDNS */
};

struct dns {
	const struct dns_probe *probe;
	struct probe_ctx ctx;
	struct arena *arena; /* of good */
	struct good good; /* the plan's, record data in canonical text */
	const struct address *address; /* of the server */
	const char *tls_name; /* that its certificate must have */
	struct sockaddr_storage server;
	socklen_t server_len;
	SSL_CTX *tls; /* DoT; NULL: other transports */
	struct dns_conn *conn; /* the connection that is kept, if there is one */
	struct doh *doh; /* where DoH requests go at present */
	struct dns_query query;
	struct unique unique;
	struct rng ids;
	struct inflight inflight;
	uint8_t message[DNS_MESSAGE_MAX]; /* a datagram just read */
};

struct dns_ask {
	struct flight flight; /* first */
	struct dns *dns;
	struct event event; /* on fd; not added while fd is -1 */
	int fd; /* of UDP */
	int64_t sent_ns; /* of the first query, on the run's clock */
	uint16_t id;
	bool is_retried; /* over TCP, after a truncated answer */
	unsigned strangers; /* datagrams that were no answer to this query */
	/* TCP and TLS: */
	struct dns_conn *conn; /* it waits on; NULL: none */
	struct dns_ask *conn_next;
	bool is_resent; /* on a second connection, since the kept one was closed */
	/* DoH: */
	struct doh *doh; /* NULL: none */
	void *easy; /* CURL *, in doh */
	struct buf body; /* of the answer so far; owned */
	char words[256]; /* libcurl's, of what went wrong: CURL_ERROR_SIZE */
	int open_fd; /* the socket libcurl was given for it, libcurl's own; 0: none; negative: the errno why there is none */
};

int64_t dns_now(const struct dns *dns);
/* Writes the asking's ID and label into dns->query. */
void dns_prepare(struct dns_ask *ask);

/* A socket to the server: connected, or connecting. A descriptor, or a negative errno. */
int dns_connect(const struct dns *dns, int type);
void dns_disconnect(struct dns_ask *ask); /* of UDP */

void dns_udp_start(struct dns_ask *ask);

void dns_conn_start(struct dns_ask *ask);
void dns_conn_leave(struct dns_ask *ask); /* it waits no more; fine if it did not */
void dns_conn_expired(struct dns_ask *ask); /* before it leaves: it got no answer in time */
const char *dns_conn_stage(
	const struct dns_ask *ask); /* how far it came, to be appended to "no answer within …"; or "" */
void dns_conn_close(struct dns *dns); /* the kept one; nobody may wait on it */

int dns_doh_open(struct dns *dns, struct err *err);
void dns_doh_start(struct dns_ask *ask);
void dns_doh_leave(struct dns_ask *ask);
void dns_doh_expired(struct dns_ask *ask);
const char *dns_doh_stage(const struct dns_ask *ask);
void dns_doh_close(struct dns *dns);

/* A message that matches the query, just read. */
void dns_answered(struct dns_ask *ask, const uint8_t *wire, size_t len);
/* A DNS message it is not, or none that answers the query, though it bears its mark. */
void dns_garbled(struct dns_ask *ask, const char *detail);
/* A socket call failed: an error that the network caused is "no answer", any other means that the harness could not ask. */
void dns_failed(struct dns_ask *ask, int error);
/* The server, or somebody in its place, would not do what it takes to get an answer: "no answer", "refused: <why>". */
void dns_refused(struct dns_ask *ask, const char *why);

/* Its deadline has passed. */
void dns_expire(void *arg, struct flight *flight);
/* A sample for which there is nothing in flight. */
void dns_not_asked(struct dns *dns, int64_t i, int64_t due_ns, const char *why);
/* No more of it, and no sample. */
void dns_give_up(struct dns_ask *ask);
