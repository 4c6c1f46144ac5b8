/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run seen from outside: starts the engine with a runner in it, follows the stream it writes, passes signals on, and waits for its end.
 *
 * The runner writes events.ndjson itself, so that what is on disk never lags behind what was done; the session reads it back for whoever watches. If the engine's
 * init dies without a word, the session writes the error and the run.end that are missing.
 */
#pragma once
#include "harness/engine/vm.h"
#include "harness/event/event.h"
#include "harness/plan/plan.h"
#include "harness/run/outdir.h"

/* In a virtual machine: how QEMU is called here, and what is in it. */
struct session_vm {
	const char *qemu;
	struct pack pack; /* its args make the guest command play this very plan */
	int64_t clock_s; /* start date, seconds since 1970, or PARAM_UNSET */
};

struct session_options {
	const struct outdir *outdir;
	const struct outdir_case *files; /* of this combination in it; borrowed */
	const char *command; /* what repeats this run */
	const struct abilities *abilities; /* of the kernel the lab will live in; NULL: no more than every lab needs */
	const struct session_vm *vm; /* NULL: in namespaces of this kernel */
	/* Takes every event soon after it was written, and NULL about ten times a second, so that a display can move. May be NULL. */
	void (*watch)(void *arg, const struct ev *ev);
	void *arg;
};

/*
 * Runs the plan to its end. 0 when the stream is whole (whatever it says); else a negative errno with what went wrong outside of it.
 * *ret_signal: SIGINT, SIGTERM or SIGHUP if one ended the run, else 0.
 */
int session_run(const struct plan *plan, const struct session_options *options, int *ret_signal, struct err *err);
