/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stepping into a host's namespaces and back. The lab lives in the core's; it works in a host's only between two calls here.
 * The way back cannot be allowed to fail: a process left in the wrong namespace would measure the wrong thing. It aborts instead.
 */
#pragma once
#include "harness/base/err.h"

/* The namespaces to come back to: those of the calling process when it was opened. */
struct home {
	int net_fd, mnt_fd;
};

int home_open(struct home *ret, struct err *err);
void home_close(struct home *home);

/* Makes a network namespace, or a copy of the mount namespace, and stays in it until home_return_*(). *ret_fd holds it, owned by the caller. */
int netns_new(int *ret_fd, struct err *err);
int mntns_new(int *ret_fd, struct err *err);

void home_return_net(const struct home *home);
/* cwd_fd: the working directory from before, opened with O_PATH: changing the mount namespace loses it. */
void home_return_mnt(const struct home *home, int cwd_fd);

/* Writes /proc/sys/<path>, in the network namespace the process is in. sysctl_try_all: in order; a kernel that lacks one of the switches is fine. */
int sysctl_set(const char *path, const char *value, struct err *err);
struct sysctl {
	const char *path, *value;
};
int sysctl_try_all(const struct sysctl *rows, size_t count, struct err *err);
