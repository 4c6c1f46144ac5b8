/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the engine: the parts of engine_netns_start that the check and the tests use by themselves.
 */
#pragma once
#include "harness/base/buf.h"
#include "harness/engine/engine.h"

/* As engine_netns_start; *ret_way says which way was taken. */
int engine_start_any(int (*inside)(void *arg), void *arg, bool keep_tty, struct engine_proc *ret,
		     enum engine_way *ret_way, struct err *err);
/* In one way only: what is refused is not tried another way, and the error carries no mend. */
int engine_start_way(enum engine_way way, int (*inside)(void *arg), void *arg, bool keep_tty, struct engine_proc *ret,
		     struct err *err);

/* Furnishes the new namespaces from within; uid and gid are the maker's, as seen outside. */
int engine_setup(enum engine_way way, uid_t uid, gid_t gid, struct err *err);

/* What about this machine decides whether a lab can live here. -1: the kernel does not have the switch. */
struct engine_facts {
	bool is_root; /* uid 0 with CAP_SYS_ADMIN */
	bool in_container;
	long long userns_clone; /* kernel.unprivileged_userns_clone (Debian's older kernels) */
	long long max_userns; /* user.max_user_namespaces */
	long long apparmor; /* kernel.apparmor_restrict_unprivileged_userns (Ubuntu 23.10 and later) */
	char program[256]; /* this program's path, for an AppArmor profile */
};
void engine_facts_read(struct engine_facts *ret);
/* Appends to err how to mend what the facts say forbids a lab. Pure. Returns err->code. */
int engine_add_mend(const struct engine_facts *facts, struct err *err);

/* Fills all of *ret. Inside a network namespace that has a link try0 and is thrown away afterwards: the process may end up in another one. */
void abilities_try(struct abilities *ret);
