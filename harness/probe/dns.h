/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the dns probe, shared by dns.c (samples) and one file per transport (sockets). Nobody else includes it.
 *
 * A transport's start() sends the query of one asking; whatever comes of it ends in exactly one of dns_answered, dns_unanswered or dns_failed, each of which gives
 * the asking up: the transport must not touch it afterwards. Otherwise the asking's deadline does (dns.c).
 */
#pragma once
#include "harness/api/probe.h"
#include "harness/base/rng.h"
#include "harness/probe/dns_wire.h"
#include "harness/probe/inflight.h"
#include "harness/probe/unique.h"
#include <event2/event_struct.h>

#define DNS_MESSAGE_MAX 65535

struct dns_probe {
	struct probe probe;
	struct text via;
	int64_t transport, family; /* indices of dns_transports, dns_families */
	bool recursion, dnssec;
	int64_t edns_bytes; /* 0: no EDNS */
};

struct dns {
	const struct dns_probe *probe;
	struct probe_ctx ctx;
	struct arena *arena; /* of good */
	struct good good; /* the plan's, record data in canonical text */
	struct sockaddr_storage server;
	socklen_t server_len;
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
	int fd;
	int64_t sent_ns; /* of the first query, on the run's clock */
	uint16_t id;
	bool is_retried; /* over TCP, after a truncated answer */
	unsigned strangers; /* datagrams that were no answer to this query */
	struct {
		uint8_t *bytes; /* two octets of length, then the message (RFC 1035 section 4.2.2); owned */
		size_t done, want;
	} stream;
};

int64_t dns_now(const struct dns *dns);
/* Writes the asking's ID and label into dns->query. */
void dns_prepare(struct dns_ask *ask);

/* Opens ask->fd to the server: connected, or connecting. 0 or a negative errno. */
int dns_connect(struct dns_ask *ask, int type);
void dns_disconnect(struct dns_ask *ask);

void dns_udp_start(struct dns_ask *ask);
void dns_tcp_start(struct dns_ask *ask);

/* A message that matches the query, just read. */
void dns_answered(struct dns_ask *ask, const uint8_t *wire, size_t len);
/* Bears the query's ID, but cannot be read. */
void dns_garbled(struct dns_ask *ask);
/* A socket call failed: an error that the network caused is "no answer", any other means that the harness could not ask. */
void dns_failed(struct dns_ask *ask, int error);
