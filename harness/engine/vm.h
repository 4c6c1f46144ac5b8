/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine `vm`: a lab in a QEMU machine whose clock counts instructions and skips idle time, with one processor, no network device and nothing of the host's: same guest, seed and start
 * date, same nanoseconds. No privileges are needed.
 *
 * vm_start → the process runs; vm_tick now and then → it ends → vm_finish → vm_free. Out of the guest come bytes: events and capture go straight into their files, a report (engine/vm/report.h)
 * brings logs and how it ended. Into it goes one: "end now". QEMU dies with its maker, SIGKILL included.
 */
#pragma once
#include "harness/engine/vm/pack.h"
#include <stdbool.h>
#include <sys/types.h>

#define VM_CLOCK_DEFAULT_S INT64_C(1767225600) /* 2026-01-01: the same each time, so that runs are */

struct vm_options {
	const char *qemu; /* path of qemu-system-x86_64 */
	struct pack pack;
	int64_t seed; /* of the guest's randomness */
	int64_t clock_s; /* start date, seconds since 1970; PARAM_UNSET: VM_CLOCK_DEFAULT_S */
	int events_fd; /* appended to */
	int capture_fd;
	int logs_dirfd; /* console.log goes there at once, the guest's logs at its end */
};

struct vm;

/* Whether a guest can be made here: this machine's kind, a kernel. 0, or a negative errno with how to mend it. */
int vm_check(struct err *err);

/* *ret is the caller's. */
int vm_start(const struct vm_options *options, struct vm **ret, struct err *err);
pid_t vm_pid(const struct vm *vm); /* reaped by the caller */
/* Asks the guest to undo everything and end; asked again it hurries. */
void vm_ask_end(struct vm *vm);
/* Looks whether the guest makes progress; one that makes none is killed, and vm_finish says so. */
void vm_tick(struct vm *vm);
/* After QEMU has ended, with the status of waitpid(2): fetches the logs. 0: the guest came to its end. Else a negative errno with what became of it and the last lines of its console. */
int vm_finish(struct vm *vm, int status, struct err *err);
void vm_free(struct vm *vm);
