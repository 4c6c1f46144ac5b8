/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the machine: dnsdrill as its first process. guest_boot mounts what programs expect, loads modules, stops what would wake an idle machine, and opens the ports out. guest_off switches the
 * machine off; nothing follows it.
 */
#pragma once
#include "harness/base/err.h"

struct guest {
	int events_fd, capture_fd, report_fd, control_fd; /* ports, open until the end */
	int logs_dirfd; /* of the guest's own memory */
};

int guest_boot(struct guest *ret, struct err *err);
/* Adds to the kernel's random numbers what follows from the seed, as if it were entropy: the same numbers each time. */
int guest_seed(long long seed, struct err *err);
_Noreturn void guest_off(void);
