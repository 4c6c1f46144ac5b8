/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bringing a lab's servers up, watching them, taking them down.
 *
 * bringup_start → done(NULL) or done(err) → … on_exit for a server that ends later … → bringup_stop → stopped → bringup_free.
 * Servers start as soon as those they depend on answer: a secondary after its primary, resolvers after every nameserver, a forwarder after what it forwards
 * to; everything else at once. Ready means that it answered (run/ready.h).
 *
 * The caller runs the event loop and reaps: it hands every child it reaped to bringup_child_exited. One thread.
 */
#pragma once
#include "harness/api/server_process.h"
#include "harness/lab/lab.h"
#include <event2/event.h>
#include <stdbool.h>

struct bringup;

struct bringup_options {
	int logs_dirfd; /* borrowed until bringup_free: a server's output goes to <host>.log in it */
	int64_t limit_ns; /* for everything; 0: 30 s */
	const struct cgroup_tree *cgroup; /* borrowed; NULL: servers stay in our own control group */
	/* Once: err is NULL when every server answers; else borrowed during the call, and servers already started still run until bringup_stop. */
	void (*done)(void *arg, const struct err *err);
	/* A server that exited after done(NULL) and before bringup_stop. status: in words, "exit status 1", "killed by signal 11 (Segmentation fault)"; log_tail: its
	 * last lines; cause: what it was that may have ended it, NULL: nothing may. All borrowed during the call. May be NULL. */
	void (*on_exit)(void *arg, const struct topo_host *host, const char *status, const char *log_tail,
			const char *cause);
	/* Of servers that are started again (api/server_process.h). May be NULL. Started; answers (took_ns after that); did not come back, and nobody else was told. */
	void (*on_start)(void *arg, const struct topo_host *host);
	void (*on_answer)(void *arg, const struct topo_host *host, int64_t took_ns);
	void (*on_lost)(void *arg, const struct topo_host *host, const struct err *err);
	void *arg;
};

/* Adds an error at the host's place in the plan for every server whose program is not installed, or delegation text that does not parse. Touches nothing. */
void bringup_check(const struct topology *topology, struct errs *errs);

/* Writes zones and configurations into the lab and starts the first servers. NULL with err if that could not be done: done is not called then.
 * topology and lab are borrowed until bringup_free. */
struct bringup *bringup_start(struct event_base *base, struct lab *lab, const struct topology *topology,
			      const struct bringup_options *options, struct err *err);
void bringup_free(struct bringup *bringup); /* stops waiting, kills nothing; NULL is fine */

/* True if pid was one of ours. status as of waitpid(2). */
bool bringup_child_exited(struct bringup *bringup, pid_t pid, int status);

/* The server's process, or -ESRCH if the host has none that runs (or has not started yet). */
pid_t bringup_pid(const struct bringup *bringup, const struct topo_host *host);

/* The host's server, for those who may end and start it; NULL: no such host, or a client. From bringup_start until bringup_free. */
struct server_process *bringup_process(struct bringup *bringup, const char *host);
/* No server is on its way to be started, or to its first answer. */
bool bringup_is_settled(const struct bringup *bringup);

/* The file with the root's DNSKEY, or NULL: nothing is signed. From bringup_start until bringup_free. */
const char *bringup_trust_anchor(const struct bringup *bringup);

/* What the host's software says of its version, or NULL: unknown, or a client. Known once done was called. */
const char *bringup_version(const struct bringup *bringup, const struct topo_host *host);

/* From bringup_start until all answered; 0 before that. */
int64_t bringup_took_ns(const struct bringup *bringup);

/* SIGTERM to every server, SIGKILL to what is left after grace_ns; stopped is called from the loop (at once if nothing runs: before the return) when all were
 * reaped. on_exit is not called for these. Calling it again with a shorter grace hurries it. */
void bringup_stop(struct bringup *bringup, int64_t grace_ns, void (*stopped)(void *arg), void *arg);
