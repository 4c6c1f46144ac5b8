/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A companion: a process that a fault has on the path, in a network namespace of its own, which does as it is told over a socket.
 *
 * The maker: companion_start → companion_tell* → companion_end. The process: companion_enter → companion_answer(its namespace) → { recv → companion_answer }*.
 * It dies with its maker, and ends when the maker's end of the socket is closed. Every order is answered by one struct err; the greeting carries the namespace's descriptor.
 */
#pragma once
#include "harness/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct companion {
	const char *what; /* "the relay": for errors; borrowed */
	pid_t pid;
	int pid_fd; /* to reap just that process, or learn that somebody else has; -1 on kernels before 5.3 */
	int ctl_fd, netns_fd;
};
#define COMPANION_NONE(text)                                               \
	{                                                                  \
		.what = (text), .pid_fd = -1, .ctl_fd = -1, .netns_fd = -1 \
	}

/* Forks; the child calls run, which never returns, with its end of the socket. Waits for its greeting. *companion is COMPANION_NONE; in every case
 * companion_end. 0 or a negative errno. */
int companion_start(struct companion *companion, void (*run)(int ctl_fd, void *arg), void *arg, struct err *err);
/* Sends an order and waits for the answer. The answer's code; -ECHILD if the process has died, -ETIMEDOUT. */
int companion_tell(const struct companion *companion, const void *order, size_t size, struct err *err);
bool companion_is_alive(const struct companion *companion);
/* "the relay … died": -ECHILD. */
int companion_died(const struct companion *companion, struct err *err);
/* The process ends when it hears nothing more; it is not waited for. Twice is harmless. */
void companion_end(struct companion *companion);

/* --- within the process --- */

/* The first thing it does: default signals but SIGINT, which is the maker's to hear; a name (15 bytes) for ps; no descriptors but the standard ones and the socket, whose number it
 * returns. */
int companion_enter(int ctl_fd, const char *name);
/* fd: sent along; -1: none. */
void companion_answer(int ctl_fd, int fd, const struct err *err);
