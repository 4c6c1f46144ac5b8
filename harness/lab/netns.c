/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/lab/netns.h"
#include "harness/base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int open_ns(const char *kind, int *ret_fd, struct err *err)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, LOC_NONE, "opening %s: %s", path, strerror(errno));
	*ret_fd = fd;
	return 0;
}

int home_open(struct home *ret, struct err *err)
{
	CLEANUP_CLOSE int net_fd = -1;
	int mnt_fd, rc = open_ns("net", &net_fd, err);

	if (!rc)
		rc = open_ns("mnt", &mnt_fd, err);
	if (rc)
		return rc;
	*ret = (struct home){.net_fd = TAKE_FD(net_fd), .mnt_fd = mnt_fd};
	return 0;
}

void home_close(struct home *home)
{
	if (home->net_fd >= 0)
		close(home->net_fd);
	if (home->mnt_fd >= 0)
		close(home->mnt_fd);
	*home = (struct home){-1, -1};
}

int netns_new(int *ret_fd, struct err *err)
{
	if (unshare(CLONE_NEWNET))
		return err_set(err, -errno, LOC_NONE,
			       "making a network namespace: %s (the limit is sysctl user.max_net_namespaces)",
			       strerror(errno));
	return open_ns("net", ret_fd, err);
}

int mntns_new(int *ret_fd, struct err *err)
{
	if (unshare(CLONE_NEWNS))
		return err_set(err, -errno, LOC_NONE,
			       "making a mount namespace: %s (the limit is sysctl user.max_mnt_namespaces)",
			       strerror(errno));
	return open_ns("mnt", ret_fd, err);
}

void home_return_net(const struct home *home)
{
	if (setns(home->net_fd, CLONE_NEWNET))
		abort();
}

void home_return_mnt(const struct home *home, int cwd_fd)
{
	if (setns(home->mnt_fd, CLONE_NEWNS) || fchdir(cwd_fd))
		abort();
}

static int write_sysctl(const char *path, const char *value, bool may_lack, struct err *err)
{
	char full[256];
	int fd;
	ssize_t n;

	snprintf(full, sizeof(full), "/proc/sys/%s", path);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && may_lack)
		return 0;
	n = fd < 0 ? -1 : write(fd, value, strlen(value));
	if (fd >= 0)
		close(fd);
	if (n >= 0)
		return 0;
	return err_set(err, -errno, LOC_NONE, "writing %s to %s: %s%s", value, full, strerror(errno),
		       errno == EROFS ? "; a container that mounts /proc/sys read-only needs --privileged or "
					"--security-opt systempaths=unconfined"
				      : "");
}

int sysctl_set(const char *path, const char *value, struct err *err)
{
	return write_sysctl(path, value, false, err);
}

int sysctl_try_all(const struct sysctl *rows, size_t count, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < count; i++)
		rc = write_sysctl(rows[i].path, rows[i].value, true, err);
	return rc;
}
