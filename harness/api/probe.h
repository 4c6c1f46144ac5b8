/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes: one question asked again and again at a pace.
 *
 * The pace is common (probe/pace.h): sample i is due at start + i × every, or denser near faults, whether or not earlier ones were answered. A kind only asks
 * and judges. Life: parsed (common rows in plan/probes.c, then the kind's own) → validate → open → ask… → close. The
 * parsed probe lives in the plan's arena; what open returns is the kind's own until close.
 */
#pragma once
#include "harness/api/host.h"
#include "harness/api/param.h"
#include "harness/api/transport.h"
#include "harness/event/event.h"
#include <event2/event.h>

struct probe_ops;

/* What a good answer is. Empty answer list: the answer the zone holds (filled in by plan/probes.c, see answer_given). */
struct good {
	struct loc loc;
	struct text rcode; /* mnemonic; default NOERROR */
	struct texts answer; /* record data of the wanted type, any order */
	bool answer_given; /* answer was in the plan, or was found in the lab's zones: it is compared */
	int64_t min_ttl, max_ttl; /* seconds, of the answer's records; PARAM_UNSET: any */
	int64_t aa, ad; /* index into tristate_choices */
	/* Where steps change what the zones hold: what is good of each version, by its number from 0 (plan/versions.h). NULL: it is always the same. */
	const struct good *versions;
	size_t version_count;
};
enum tristate { TRISTATE_ANY, TRISTATE_TRUE, TRISTATE_FALSE };

struct probe_serial;

/* What every probe has. A kind's struct embeds this first. */
struct probe {
	struct loc loc;
	const struct probe_ops *ops;
	struct text kind;
	struct text name;
	struct text from; /* host that asks; a client's name, or any host's */
	struct text query; /* "www.example.com A" */
	const char *qname; /* absolute, without trailing dot; parsed from query */
	uint16_t qtype; /* 0: none given (a stub asks for both families) */
	int64_t every_ns, timeout_ns;
	int64_t near_faults_ns; /* every_ns where it is the same throughout; else a whole part of it */
	bool unique; /* a fresh label in front of qname each time */
	struct good good;
	const struct probe_serial *serials; /* of kinds that ask nameservers (ops->to) */
	size_t serial_count;
	int64_t tells; /* bit k: its good answers of version k are not those of the version before */
	int64_t stale; /* enum probe_stale */
};
/* A serial of the probe's zone, and the version of the lab's zones that has it. */
struct probe_serial {
	int64_t serial, version;
};
enum probe_stale { PROBE_STALE_OK, PROBE_STALE_BAD };

/* An address of a lab that a client's resolv.conf or a probe's `via` names. */
struct probe_server {
	const char *host;
	struct address address;
	const char *tls_name; /* that its certificate bears: a nameserver's hostname, a resolver's name in the lab */
};

struct probe_ctx {
	struct event_base *base;
	struct host *host; /* that asks */
	int64_t epoch_ns; /* what t_ns counts from: due_ns etc. of samples are CLOCK_MONOTONIC − epoch_ns */
	uint64_t seed;
	const char *trust_anchor; /* file with the root's DNSKEY, one a line; NULL: nothing in the lab is signed */
	/* Where questions go, in order: of `via`, or by default the client's resolvers. Borrowed from the plan. */
	const struct probe_server *servers;
	size_t server_count;
	const char *ca_file; /* PEM: what a TLS client trusts; NULL: nobody in the lab serves TLS */
	/* Takes a finished sample; its strings are borrowed until it returns. Exactly once for each ask, in any order, also from within ask. Must not
	 * call close. */
	void (*done)(void *arg, const struct ev_sample *sample);
	/* What came of one of several who were asked; before done, from the same call. Of kinds that ask nameservers. */
	void (*part)(void *arg, const struct ev_sample_part *part);
	/* Name of the host of the lab that bears an address, or NULL. */
	const char *(*host_at)(void *arg, const struct address *address);
	void *arg;
};

struct probe_ops {
	const char *kind, *summary;
	const struct param *params; /* the kind's own rows; ends with PARAM_END */
	size_t size; /* of the struct that embeds struct probe */
	int64_t default_timeout_ns;
	bool needs_type; /* query must name a type */
	bool needs_anchor; /* the lab must have a trust anchor: some zone is signed */

	void (*validate)(const struct probe *probe, struct errs *errs); /* may be NULL */
	/* In words for reports: "UDP to r1 (203.0.113.53)". */
	void (*describe)(const struct probe *probe, const struct probe_ctx *ctx, struct buf *out);
	const char *(*transport)(const struct probe *probe); /* "udp", "tcp", "getaddrinfo" */
	/* The `via` a plan gave, or an empty text: resolved by the plan into ctx->servers. May be NULL. */
	const struct text *(*via)(const struct probe *probe);
	/* Whether this probe's `via` means no host but the servers of every zone from the root down: ctx->servers are then the root's. May be NULL: never. */
	bool (*from_root)(const struct probe *probe);
	/* Of kinds that ask the nameservers of the zone that holds the name: the `to` a plan gave, or an empty list, which means all. NULL: of other kinds. */
	const struct texts *(*to)(const struct probe *probe);
	/* Which of enum encrypted the host that is asked first must serve; 0: none. Checked by the plan. May be NULL: none. */
	int (*encrypted)(const struct probe *probe);

	int (*open)(const struct probe *probe, const struct probe_ctx *ctx, void **ret_state, struct err *err);
	/* Sends sample i, due at due_ns (on the run's clock); i grows from call to call. Never blocks, never fails: a failure to ask is a sample with
	 * OUTCOME_ERROR. OUTCOME_TIMEOUT means "no answer", by silence or by refusal: a sample not answered by due_ns + timeout gets it with done_ns =
	 * due_ns + timeout; one that the network refused (port unreachable, connection refused, no route) or the server (a TLS handshake that fails, an
	 * HTTP status other than success) gets it with done_ns at the moment of the refusal, and detail says so. */
	void (*ask)(void *state, int64_t i, int64_t due_ns);
	/* Gives up what is in flight without reporting it. */
	void (*close)(void *state);
};
