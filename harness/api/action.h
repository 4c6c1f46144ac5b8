/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Actions: the steps of a timeline that do something as an operator would, rather than break something (`do:` beside `fault:`).
 *
 * Life: parsed from the plan by the common rows (plan/actions.c) and the kind's own → resolve → … started at its time: perform runs once for each host it acts on,
 * all at once, each in a child process (api/job.h), so that no probe is held up. The step ends when the last of them did. One that failed makes the
 * run an error, unless the plan says may_fail.
 *
 * The instance lives in the plan's arena; nothing in it changes after loading.
 */
#pragma once
#include "harness/api/control.h"
#include "harness/api/param.h"
#include "harness/base/buf.h"

struct action_ops;
struct arena;
struct plan;
struct zone_version; /* plan/versions.h */

/* What every step of this kind has. A kind's struct embeds this first. */
struct action {
	struct loc loc;
	const struct action_ops *ops;
	int64_t id; /* 1… in the order of the plan */
	int64_t at_ns; /* planned, from the start of the timeline */
	int64_t timeout_ns;
	struct text kind; /* `do:` */
	struct text name; /* unique in the plan */
	bool may_fail;
	struct text zone; /* ACTION_ON_ZONE */
	struct texts to; /* ACTION_ON_ZONE: by default the zone's primaries */
	struct texts target; /* ACTION_ON_SERVERS, ACTION_ON_HOST */
	/* Resolved: names of the hosts it acts on. */
	const char **hosts;
	size_t host_count;
	const struct zone_version *version; /* ACTION_ON_ZONE: what is right from then on; set by resolve */
	bool is_broken; /* of use while the plan is loaded: something was said of it */
};

enum action_on {
	ACTION_ON_ZONE, /* rows zone and to */
	ACTION_ON_SIGNED_ZONE, /* the same rows, of any zone of the plan; resolve sets the hosts */
	ACTION_ON_SERVERS, /* row target: everything named that has a server */
	ACTION_ON_HOST, /* row target: any hosts, clients too */
};

/* Where perform runs. */
struct action_place {
	const char *host;
	struct host *at;
	struct server_process *server; /* NULL: the host has none */
	const struct control *
		control; /* of the lab, for what other servers are known to have; their processes are not the child's to touch */
};

struct action_ops {
	const char *kind, *summary; /* summary: one sentence, as for a row */
	enum action_on on;
	unsigned verbs; /* set of 1 << enum server_verb: what every server it acts on must be able to do */
	const struct param *params; /* the kind's own rows; ends with PARAM_END; may be NULL */
	size_t size; /* of the struct that embeds struct action */

	/* What takes the plan's zones and hosts; cross-field checks. Adds every error it finds. Steps are resolved in the order of time. May be NULL. */
	void (*resolve)(struct action *action, struct plan *plan, struct arena *arena, struct errs *errs);
	/* In a child, on the host. Returns 0 or an exit status; report->text says what came of it. */
	int (*perform)(const struct action *action, const struct action_place *place, struct job_report *report);
	/* Instead of perform: the servers are ended and started again, away for so long. */
	int64_t (*restart_away_ns)(const struct action *action);

	/* Calls add for each program that it runs, by name or path, for a guest to have them. May be NULL: none. */
	void (*programs)(const struct action *action, void (*add)(void *arg, const char *program), void *arg);

	/* A sentence that says what it does ("pushes zones/v2.zone, serial 8, as example.com to alpha.ns1"). */
	void (*sentence)(const struct action *action, struct buf *out);
	/* What an operator would type, one command a line. Pure. */
	void (*commands)(const struct action *action, struct buf *out);
};
