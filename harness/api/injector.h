/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Injectors: the code for one kind of fault.
 *
 * Life: parsed from the plan by the common rows (plan/steps.c) and the kind's own → compile → validate → available → prepare →
 * { apply → adjust* → effect → revert }* → release. The instance lives in the plan's arena: no free. compile, validate and available touch nothing. revert works
 * twice, after a half-done apply, and with nothing but the parameters. effect is asked before revert, while the fault still stands.
 *
 * Shapes are the runner's business. A fault that flaps is applied and reverted at each switch; effects are added up. One that grows (`ramp`)
 * is applied with ctx->progress_ppm 0 and adjusted ten times a second until 1,000,000; while a flap has it off it is not adjusted, and the next
 * apply finds the progress of that moment.
 */
#pragma once
#include "harness/api/ability.h"
#include "harness/api/ca.h"
#include "harness/api/core.h"
#include "harness/api/param.h"
#include "harness/api/server_process.h"
#include "harness/base/arena.h"
#include "harness/base/buf.h"

#include <sys/types.h>

struct injector_ops;
struct chain;
struct control;
struct plan;

/* Switched on and off again as long as the fault lasts, beginning with on. */
struct flap {
	struct loc loc;
	int64_t on_ns, off_ns; /* PARAM_UNSET: it does not flap */
};

/* What a fault remembers of a server from apply to revert (injectors/process/servers.h). Zero: it is not held. */
struct server_mark {
	bool is_held;
	pid_t pid; /* that it had then */
	int64_t log_from; /* size of its log then */
	int64_t crashes; /* that it had had then */
	int64_t count, more; /* of whatever the kind counts, then */
};

/* A server that a fault hits. */
struct injector_server {
	const char *host; /* as plans name it, "alpha.ns1" */
	const struct server_ops *software;
	int role; /* enum server_role */
	const struct addresses *addresses; /* of its host */
	bool validates; /* it has a trust anchor: a zone of the lab is signed */
	struct loc loc; /* of the target that means it */
	struct server_mark mark;
};

/* What every fault has. A kind's struct embeds this first. */
struct injector {
	struct loc loc;
	const struct injector_ops *ops;
	int64_t id; /* 1… in the order of the plan */
	int64_t at_ns; /* planned, from the start of the timeline */
	int64_t for_ns; /* PARAM_UNSET: until the run ends */
	struct text kind; /* `fault:` */
	struct text name; /* unique in the plan; by default "<kind> <target>" */
	struct texts target, from; /* as the plan names them */
	/* Resolved by plan/topology.c: every address of every host named. from empty: anybody. */
	struct addresses target_addresses, from_addresses;
	struct addresses dot_addresses, doh_addresses; /* the target's, of hosts that serve DNS over TLS, HTTPS */
	/* Instead of target and from, for kinds that say so: groups.v[i] as named, group_addresses[i] all of its addresses. No host is in two groups. */
	struct text_groups groups;
	struct addresses *group_addresses;
	struct injector_server *servers; /* of kinds that hit servers: every one that target means, each once */
	size_t server_count;
	int64_t ramp_ns; /* grows to full over that time; PARAM_UNSET: full at once */
	struct flap flap;
};

struct injector_ctx {
	struct core *core;
	struct ca *ca; /* the lab's (api/ca.h); NULL: no host serves an encrypted transport */
	struct injector *const
		*faults; /* all of the run's, in the order of the plan, for kinds whose faults share something */
	size_t fault_count;
	const struct abilities
		*abilities; /* of the kernel the lab lives in; NULL: nothing beyond what every lab needs */
	int64_t seed; /* of the run: mix the fault's id into it */
	int64_t progress_ppm; /* at apply: how much of its magnitude the fault begins with; 1,000,000 without a ramp */
	const char *backend; /* set by apply (static text) where a kind has several: "netem", "relay" */
	/* Told of every child an injector starts and, before it ends it (and reaps it by its pid), that it does not need it any more. A child
	 * that ends while it is needed is an error of the run. NULL: nobody watches. */
	void (*child)(void *arg, const struct injector *injector, pid_t pid, bool is_needed);
	void *child_arg;
	/* The server that runs on the lab's host of that name; NULL: it is a client. */
	struct server_process *(*server)(void *arg, const char *host);
	void *server_arg;
	const struct control *control; /* of the lab's servers, for what takes time: jobs */
	/* Told of a failure that came to light after apply or revert had returned. stage: "apply" or "revert". */
	void (*failed)(void *arg, const struct injector *injector, const char *stage, const struct err *err);
	void *failed_arg;
};

struct effect {
	bool took_effect;
	int64_t packets, bytes; /* that the fault acted on */
	const char *unit; /* what `packets` counts, where it is not packets: "message"; static */
	char text[512]; /* the proof in words */
};

enum injector_hits {
	INJECTOR_HITS_TARGET, /* packets: rows target and from */
	INJECTOR_HITS_GROUPS, /* packets: row groups */
	INJECTOR_HITS_SERVERS, /* processes: row target; a client is refused */
};

/* What a kind needs of the hosts it hits before their servers are started. */
enum injector_demand {
	INJECTOR_DEMANDS_DISK = 1, /* the server's directory is a file system of its own */
	INJECTOR_DEMANDS_CLOCK = 2, /* the server's clock can be shifted */
	INJECTOR_DEMANDS_API =
		4, /* the server's HTTP API leaves its place to the fault's proxy (server_spec.api_is_fronted) */
	INJECTOR_DEMANDS_QUOTA =
		8, /* the server's processor time can be limited, where this machine has a place for that (server_process_cgroup) */
};

struct injector_ops {
	const char *kind, *summary; /* summary: one sentence, as for a row */
	enum injector_hits hits;
	int demands; /* set of enum injector_demand */
	const struct param *params; /* the kind's own rows; ends with PARAM_END */
	size_t size; /* of the struct that embeds struct injector */
	const struct chain
		*chain; /* of a kind that is one chain of nft rules and nothing else (injectors/chain.h); or NULL */

	/* Makes of the plan's words what the kind needs, in the plan's arena. Adds every error it finds, and then validate is not asked. May be NULL. */
	void (*compile)(struct injector *injector, struct arena *arena, struct errs *errs);
	/* What takes the plan's zones: asked when the fault begins, and when it ends, in the order of the plan's time, among the steps that change zones.
	 * May be NULL. */
	void (*resolve)(struct injector *injector, struct plan *plan, bool is_end, struct arena *arena,
			struct errs *errs);
	/* Cross-field checks only. Adds every error it finds. May be NULL. */
	void (*validate)(const struct injector *injector, struct errs *errs);
	/* Whether this kernel can do what the plan demands of it. -EOPNOTSUPP, located, naming the ability that is missing and the ways out (api/ability.h).
	 * Asked for every fault before anything is touched. NULL: every kernel that can hold a lab can. */
	int (*available)(const struct injector *injector, const struct abilities *abilities, struct err *err);
	/* Does beforehand, while nothing is measured yet, what takes the kernel longer than a probe may be held up (links, namespaces, processes): no packet is touched.
	 * Then apply and revert take well under a millisecond. release takes it away again once nothing is measured any more; it works as revert does. Both or neither
	 * are NULL. Without prepare apply does all of it, and revert undoes all of it. */
	int (*prepare)(struct injector *injector, struct injector_ctx *ctx, struct err *err);
	int (*release)(struct injector *injector, struct injector_ctx *ctx, struct err *err);
	int (*apply)(struct injector *injector, struct injector_ctx *ctx, struct err *err);
	/* Changes the magnitude of a fault that stands: progress_ppm of what the plan says, by straight lines. NULL: the kind has no magnitude, and plans that want
	 * it to ramp are refused. */
	int (*adjust)(struct injector *injector, struct injector_ctx *ctx, int64_t progress_ppm, struct err *err);
	int (*revert)(struct injector *injector, struct injector_ctx *ctx, struct err *err);
	int (*effect)(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err);

	/* A sentence that says what it does ("drops every packet to and from 192.0.2.1 and 2001:db8:1::1"). */
	void (*sentence)(const struct injector *injector, struct buf *out);
	/* The commands apply (at full magnitude) and revert equal, one per line, as a person would paste them into a POSIX shell. Where backends differ: those of
	 * the kernel's. Pure: no abilities are asked. Reverting commands must do on a router where not all of the applying ones ran. */
	void (*commands)(const struct injector *injector, struct buf *apply, struct buf *revert);
};
