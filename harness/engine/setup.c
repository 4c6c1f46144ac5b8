/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/fd.h"
#include "harness/engine/start.h"
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

/* A quarter of the memory: servers' databases and logs fit, and one gone wild cannot take the machine with it. */
#define RUN_OPTIONS "mode=0755,size=25%"

/* These files take one write(2) each. */
static int write_proc(const char *path, const char *text, struct err *err)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_set(err, -errno, LOC_NONE, "writing '%s' to %s: %s", text, path, strerror(errno));
	return 0;
}

/* One id only: 0 inside is the maker outside. The kernel wants setgroups given up before an ordinary user may map a group
 * (user_namespaces(7)). */
static int map_ids(uid_t uid, gid_t gid, struct err *err)
{
	char text[64];
	int rc = write_proc("/proc/self/setgroups", "deny", err);

	if (rc)
		return rc;
	snprintf(text, sizeof(text), "0 %u 1", (unsigned)gid);
	rc = write_proc("/proc/self/gid_map", text, err);
	if (rc)
		return rc;
	snprintf(text, sizeof(text), "0 %u 1", (unsigned)uid);
	return write_proc("/proc/self/uid_map", text, err);
}

static int make_mounts(struct err *err)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return err_set(err, -errno, LOC_NONE, "making the lab's mounts private: %s", strerror(errno));
	/* Refused where a container masks parts of /proc; the old one then serves, and only shows foreign processes. */
	(void)mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, RUN_OPTIONS))
		return err_set(err, -errno, LOC_NONE, "mounting a tmpfs on /run: %s", strerror(errno));
	return 0;
}

static int bring_lo_up(struct err *err)
{
	struct ifreq request = {.ifr_name = "lo"};
	CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request))
		return err_set(err, -errno, LOC_NONE, "looking at lo in the new network namespace: %s",
			       strerror(errno));
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		return err_set(err, -errno, LOC_NONE, "bringing lo up in the new network namespace: %s",
			       strerror(errno));
	return 0;
}

int engine_setup(enum engine_way way, uid_t uid, gid_t gid, struct err *err)
{
	int rc = way == ENGINE_WAY_USERNS ? map_ids(uid, gid, err) : 0;

	if (!rc)
		rc = make_mounts(err);
	if (!rc)
		rc = bring_lo_up(err);
	if (!rc && sethostname("dnsdrill", strlen("dnsdrill")))
		rc = err_set(err, -errno, LOC_NONE, "setting the lab's host name: %s", strerror(errno));
	return rc;
}
