/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events: all that a run says. Everything that happens becomes one event; measurements and reports know nothing else.
 *
 * An event is a value. Strings in it are borrowed: by bus_emit() until it returns, by a decoder's caller until the next event is
 * decoded. A NULL string and an empty list mean "not said" and are left out of the NDJSON. Times are integer nanoseconds on the run's one
 * monotonic clock, counted from the moment the run began (run.start has t_ns 0); names that end in _ns say so.
 *
 * Adding a field: one member here and one row in event.c. Adding a kind: one line in EV_KINDS, one struct, its rows.
 */
#pragma once
#include "harness/base/arena.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EV_SCHEMA 1 /* raised when a reader of the old stream would misread the new one */

#define EV_KINDS(X)                                            \
	X(RUN_START, run_start, "run.start")                   \
	X(PLAN_PROBE, plan_probe, "plan.probe")                \
	X(PLAN_FAULT, plan_fault, "plan.fault")                \
	X(PLAN_STEP, plan_step, "plan.step")                   \
	X(PLAN_EXPECT, plan_expect, "plan.expect")             \
	X(LAB_HOST, lab_host, "lab.host")                      \
	X(LAB_READY, lab_ready, "lab.ready")                   \
	X(CAPTURE_START, capture_start, "capture.start")       \
	X(CAPTURE_END, capture_end, "capture.end")             \
	X(TIMELINE_START, timeline_start, "timeline.start")    \
	X(PROBE_START, probe_start, "probe.start")             \
	X(SAMPLE, sample, "sample")                            \
	X(SAMPLE_PART, sample_part, "sample.part")             \
	X(FAULT_APPLYING, fault_applying, "fault.applying")    \
	X(FAULT_APPLIED, fault_applied, "fault.applied")       \
	X(FAULT_SWITCHED, fault_switched, "fault.switched")    \
	X(FAULT_REVERTING, fault_reverting, "fault.reverting") \
	X(FAULT_REVERTED, fault_reverted, "fault.reverted")    \
	X(FAULT_FAILED, fault_failed, "fault.failed")          \
	X(STEP_STARTED, step_started, "step.started")          \
	X(STEP_HOST, step_host, "step.host")                   \
	X(STEP_ENDED, step_ended, "step.ended")                \
	X(SERVER_EXIT, server_exit, "server.exit")             \
	X(SERVER_START, server_start, "server.start")          \
	X(SERVER_ANSWER, server_answer, "server.answer")       \
	X(NOTE, note, "note")                                  \
	X(ERROR, error, "error")                               \
	X(RUN_END, run_end, "run.end")

#define EV_ENUM(upper, lower, text) EV_##upper,
enum ev_kind { EV_KINDS(EV_ENUM) EV_KIND_COUNT };
#undef EV_ENUM

/* What came of one asking (see docs/metrics.md). */
enum outcome {
	OUTCOME_OK, /* a right answer */
	OUTCOME_WRONG, /* an answer, not the right one */
	OUTCOME_RCODE, /* an error answer */
	OUTCOME_TIMEOUT, /* no answer: silence until the probe's timeout, or a refusal before it (port unreachable) */
	OUTCOME_ERROR, /* the harness could not ask: says nothing about DNS */
	OUTCOME_COUNT
};
const char *outcome_name(enum outcome outcome); /* "ok", "wrong", "rcode", "timeout", "error" */

struct ev_strings {
	const char *const *v;
	size_t count;
};

struct ev_run_start {
	int64_t schema; /* EV_SCHEMA */
	const char *plan; /* the plan's name */
	const char *plan_file;
	const char *description;
	const char *case_label; /* which combination of the matrix: "resolver=unbound"; NULL without a matrix */
	const char *command; /* what repeats this run */
	int64_t seed;
	const char *engine;
	const char *version; /* of dnsdrill */
	const char *kernel; /* uname -sr of where the lab lives */
	int64_t wall_ns; /* CLOCK_REALTIME at t_ns 0, nanoseconds since 1970 */
	int64_t recovery_ns; /* planned length after the last step */
	int64_t end_ns; /* planned length of the timeline, recovery included */
	int64_t stable; /* good samples in a row that count as failed over */
	int64_t baseline_ppm; /* availability the baseline must reach */
};

struct ev_plan_probe {
	const char *probe, *kind, *from, *via, *query, *transport;
	const char *good; /* in words */
	int64_t every_ns, timeout_ns;
	int64_t tells; /* bit k: it can tell version k of the lab's zones from the one before */
	int64_t stale_is_bad; /* 1: answers of replaced versions are bad */
	int64_t near_faults_ns; /* the pace near faults, a whole part of every_ns; 0: it is the same throughout */
};

struct ev_plan_fault {
	int64_t id; /* 1… in the order of the plan; the key of all fault.* events */
	const char *name, *kind, *target, *from;
	int64_t at_ns, for_ns; /* planned, from timeline.start */
	const char *sentence; /* what it does, in words */
	int64_t ramp_ns; /* grows to full over that time; 0: full at once */
	int64_t on_ns, off_ns; /* of one that flaps; 0: it does not */
};

struct ev_plan_step { /* `do:` */
	int64_t id; /* 1… in the order of the plan; the key of all step.* events */
	const char *name, *kind, *target;
	int64_t at_ns; /* planned, from timeline.start */
	bool may_fail; /* the plan allows it to */
	const char *sentence; /* what it does, in words */
	const char *zone; /* that it changes; NULL: none */
	int64_t version; /* of the lab's zones, from then on: 1… in the order of time; 0: it changes none */
	int64_t serial; /* of that zone then */
};

struct ev_plan_expect {
	const char *text; /* as a person reads it: "www: time_to_failover <= 3s during alpha dark" */
	const char *probe, *during; /* during: a fault's name, "baseline", "recovery"; NULL: the whole run */
	const char *metric; /* a row of the table in measure/metric.h */
	const char *op; /* "<=", "<", ">=", ">", "=" or "never" */
	int64_t bound; /* in the metric's unit: ns or ppm */
	const char *file;
	int64_t line;
};

struct ev_lab_host {
	const char *host, *role, *server, *version;
	struct ev_strings addresses;
	const char *ifname; /* its link as the core sees it */
	int64_t ifindex; /* of that link: what the capture calls it */
};

struct ev_lab_ready {
	int64_t took_ns; /* from the first server's start until the last one answered */
};

struct ev_capture_start {
	const char *file; /* relative to the output directory */
	int64_t wall_minus_t_ns; /* capture timestamp = t_ns + this */
};

struct ev_capture_end {
	int64_t packets, dropped;
};

struct ev_timeline_start {
	int64_t planned_end_ns; /* from here */
};

struct ev_probe_start {
	const char *probe;
	int64_t start_ns; /* due time of sample 0, on the run's clock */
};

struct ev_sample {
	const char *probe;
	int64_t i; /* counts from 0 for each probe */
	int64_t due_ns, sent_ns,
		done_ns; /* due: on the grid start + n × near_faults, or every; done: answered, or given up */
	enum outcome outcome;
	const char *rcode; /* mnemonic, if an answer came: "NOERROR"; a stub's "EAI_NONAME" */
	const char *detail; /* why it is not ok, in words */
	struct ev_strings answer; /* record data of the answer, in canonical text order */
	const char *name; /* the name that was asked, where it is not the probe's own (unique) */
	int64_t fits; /* bit k: the answer is that of version k of the lab's zones; only of probes that can tell some apart */
	int64_t differs; /* 1: those who were asked did not say the same (serial, parity) */
};

struct ev_sample_part { /* what one of several servers answered (serial, parity) */
	const char *probe;
	int64_t i;
	const char *host, *address; /* that was asked */
	int64_t due_ns, sent_ns, done_ns;
	enum outcome outcome;
	const char *rcode, *detail;
	struct ev_strings answer;
	int64_t serial; /* of the SOA in the answer; -1: there is none */
	int64_t fits; /* as of a sample */
};

struct ev_fault_applying {
	int64_t id;
	const char *undo; /* commands that undo it, written before anything is done */
};

struct ev_fault_applied {
	int64_t id; /* the event's t_ns is the instant T */
	const char *backend; /* what does the damage, where a kind has several: "netem", "relay" */
};

struct ev_fault_switched { /* by a flap, between applied and reverted; it begins on */
	int64_t id; /* the event's t_ns is the instant of the switch */
	bool on;
};

struct ev_fault_reverting {
	int64_t id;
};

struct ev_fault_reverted {
	int64_t id; /* the event's t_ns is the end R */
	bool took_effect;
	int64_t packets, bytes; /* that the fault acted on */
	const char *effect; /* in words */
};

struct ev_fault_failed {
	int64_t id;
	const char *stage; /* "apply", "adjust", "effect", "revert" */
	const char *message;
};

struct ev_step_started {
	int64_t id;
};

struct ev_step_host { /* what came of a step on one of its hosts */
	int64_t id;
	const char *host;
	bool ok;
	int64_t shown_ns; /* when the host's server was first seen to serve the new version; 0: it was not, or there is nothing to see */
	const char *text; /* what it did, or why not */
};

struct ev_step_ended {
	int64_t id;
	bool ok; /* on every host */
	const char *text; /* why not */
};

struct ev_server_exit {
	const char *host, *server, *status, *log_tail;
	const char *cause; /* the fault or step that may have ended it; NULL: it spoils the run */
};

struct ev_server_start { /* again, while the lab stands */
	const char *host, *server;
};

struct ev_server_answer { /* for the first time since it was started again */
	const char *host, *server;
	int64_t took_ns; /* since then */
};

struct ev_note {
	const char *level; /* "info" or "warning" */
	const char *text;
};

struct ev_error {
	const char *message, *host, *file;
	int64_t line, col;
};

struct ev_run_end {
	const char *reason; /* "complete", "interrupted", "error" */
};

struct ev {
	enum ev_kind kind;
	int64_t seq; /* 0… without gaps within a run; set by the bus */
	int64_t t_ns; /* set by the bus */
	union {
#define EV_MEMBER(upper, lower, text) struct ev_##lower lower;
		EV_KINDS(EV_MEMBER)
#undef EV_MEMBER
	};
};

const char *ev_kind_name(enum ev_kind kind);

/* Appends the event as one line of JSON with its newline. Same event, same bytes. Text that is not UTF-8 becomes U+FFFD. */
void ev_encode(const struct ev *ev, struct buf *out);

/* Decodes one line (len bytes, newline optional). Strings of *ret live in arena. Unknown fields are ignored; an unknown kind,
 * a missing or mistyped field is -EINVAL with what and where (loc is the line's own place; the text says which field). */
int ev_decode(const char *line, size_t len, struct loc loc, struct arena *arena, struct ev *ret, struct err *err);
