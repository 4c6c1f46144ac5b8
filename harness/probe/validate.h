/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of the probe kind `validate`: the kind itself, one asking's conversation, and the end of it. Nobody else includes it.
 */
#pragma once
#include "harness/api/probe.h"
#include "harness/dnssec/validate.h"
#include "harness/probe/dns_wire.h"
#include "harness/probe/inflight.h"
#include "harness/probe/unique.h"
#include "harness/probe/walk.h"
#include <event2/bufferevent.h>

struct validate_probe {
	struct probe probe;
	struct text via;
	int64_t chain; /* index of chain_choices */
	int64_t attempt_ns;
};

struct validate {
	const struct validate_probe *probe;
	struct probe_ctx ctx;
	bool asks_servers; /* from the root down; else a resolver */
	ldns_rr_list *anchor;
	struct arena *arena; /* of good, roots */
	struct good good;
	struct address *roots; /* asks_servers */
	int families; /* WALK_IPV4… */
	struct unique unique;
	struct inflight inflight;
	uint16_t id;
};

struct asking {
	struct flight flight; /* first */
	struct validate *validate;
	struct bufferevent *conn;
	struct event *attempt; /* asks_servers: when the next one is asked */
	struct validation *validation;
	struct walk *walk; /* NULL: a resolver is asked */
	struct dns_query query; /* that is out */
	bool is_walking; /* the walk has a question to answer */
	bool is_plain; /* the first to a resolver: as users ask */
	uint16_t wanted_type; /* that is_walking is about */
	int64_t sent_ns;
	char qname[UNIQUE_LABEL_LEN + 1 + 256];
	char resolver_says[160]; /* "SERVFAIL, EDE 7 Signature Expired"; "" if it has validated it, too */
	char rcode[24]; /* of the last answer to the question itself */
	struct arena *arena; /* of answer */
	struct dns_reply reply; /* to the question itself */
	bool has_reply;
	int64_t fits; /* versions that a good answer is of */
};

/* Begins: connects and asks the first question. 0 or a negative errno. */
int validate_start(struct asking *asking);

/* Each of these ends the asking: its sample is told, and it is gone. */
void validate_finish(struct asking *asking, enum outcome outcome, const char *detail);
void validate_conclude(struct asking *asking, const struct validation_verdict *verdict);
void validate_walk_failed(struct asking *asking);
void validate_give_up(struct asking *asking); /* without a sample */
void validate_expire(void *arg, struct flight *flight);
/* No asking could even begin. */
void validate_not_asked(struct validate *v, int64_t i, int64_t due_ns, const char *why);

int64_t validate_now(const struct validate *v);
