/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the front's process: an HTTP server, and a client of the API behind it. Of use in http/.
 */
#pragma once
#include "injectors/http/front.h"

struct front_slot {
	struct front_rule rule;
	atomic_bool is_on;
	_Atomic int64_t left; /* of rule.first */
	_Atomic int64_t matched, acted;
};

struct front { /* shared memory */
	pid_t pid;
	int users; /* these two are the maker's */
	atomic_int count;
	struct front_slot slots[FRONT_RULES_MAX];
};

/* Serves at address, with a byte to ready_fd once it does. Ends with the process that made it. */
_Noreturn void front_child_run(struct front *front, const struct address *address, int ready_fd);
