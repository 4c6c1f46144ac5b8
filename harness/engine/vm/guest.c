/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/engine/vm/guest.h"
#include "harness/base/fd.h"
#include "harness/base/rng.h"
#include "harness/engine/vm/pack.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/module.h>
#include <linux/random.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define LOGS_DIR "/drill/logs"
#define PORT_WAIT_MS 5000

/* Nothing on /tmp and /run: a plan may lie there, and the root is in memory anyway. */
static const struct {
	const char *type, *at, *options;
	unsigned long flags;
} mounts[] = {
	{"devtmpfs", "/dev", "mode=0755", MS_NOSUID},
	{"proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
};

/*
 * An idle machine costs nothing: time is skipped to the next timer. So what sets timers for no good of ours is told not to. A setting that this kernel has not is no loss. Memory that runs out ends
 * the machine: a server killed instead would look like a fault nobody ordered.
 */
static const struct {
	const char *path, *value;
} settings[] = {
	{"/proc/sys/vm/compaction_proactiveness", "0"},
	{"/proc/sys/vm/dirty_writeback_centisecs", "0"},
	{"/proc/sys/vm/stat_interval", "2000000"},
	{"/proc/sys/vm/panic_on_oom", "2"},
	{"/proc/sys/net/ipv4/neigh/default/base_reachable_time_ms", "2000000000"},
	{"/proc/sys/net/ipv6/neigh/default/base_reachable_time_ms", "2000000000"},
	{"/proc/sys/net/ipv4/neigh/default/interval_probe_time_ms", "2000000000"},
	{"/proc/sys/net/ipv6/neigh/default/interval_probe_time_ms", "2000000000"},
};

static int mount_all(struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		/* -EBUSY: the kernel has mounted /dev itself. */
		if (mount(mounts[i].type, mounts[i].at, mounts[i].type, mounts[i].flags, mounts[i].options) &&
		    errno != EBUSY)
			return err_set(err, -errno, LOC_NONE, "mounting %s: %s", mounts[i].at, strerror(errno));
	}
	if ((mkdir("/dev/shm", 01777) || mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")) &&
	    errno != EEXIST)
		return err_set(err, -errno, LOC_NONE, "mounting /dev/shm: %s", strerror(errno));
	/* For quotas of the processor's time; a kernel that has none is a guest without. */
	(void)mount("cgroup2", "/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	return 0;
}

/* What is printed from here on is in the host's logs/console.log. */
static void take_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	for (int i = 0; fd >= 0 && i <= STDERR_FILENO; i++)
		dup2(fd, i);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* Forced first: then its signature is not checked, which would cost a tenth of the start. A kernel that cannot be forced, can be asked. */
static int load_module(const char *path, struct err *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	long r = fd < 0 ? -1 : syscall(SYS_finit_module, fd, "", MODULE_INIT_IGNORE_VERMAGIC);

	if (fd >= 0 && r && errno != EEXIST)
		r = syscall(SYS_finit_module, fd, "", 0);
	if (fd < 0 || (r && errno != EEXIST))
		return err_set(err, -errno, LOC_NONE, "loading %s: %s", path, strerror(errno));
	return 0;
}

static int load_modules(struct err *err)
{
	CLEANUP_FREE char *list = NULL;
	size_t len;
	int r = fd_read_file(AT_FDCWD, PACK_MODULES, 1 << 16, &list, &len);

	if (r)
		return err_set(err, r, LOC_NONE, "reading " PACK_MODULES ": %s", strerror(-r));
	for (char *line = list; !r && *line;) {
		char *end = strchrnul(line, '\n');
		bool is_last = !*end;

		*end = '\0';
		r = load_module(line, err);
		line = end + !is_last;
	}
	return r;
}

static void apply_settings(void)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		CLEANUP_CLOSE int fd = open(settings[i].path, O_WRONLY | O_CLOEXEC);

		if (fd >= 0)
			(void)!write(fd, settings[i].value, strlen(settings[i].value));
	}
}

/* The driver makes its ports a while after it is loaded. */
static int wait_for(int watch, const char *path, struct err *err)
{
	struct pollfd ready = {.fd = watch, .events = POLLIN};
	char events[4096];

	while (access(path, F_OK)) {
		if (poll(&ready, 1, PORT_WAIT_MS) <= 0 || read(watch, events, sizeof(events)) <= 0)
			return err_set(err, -ENODEV, LOC_NONE, "%s did not come", path);
	}
	return 0;
}

static int open_ports(struct guest *guest, struct err *err)
{
	const struct {
		const char *path;
		int *fd, flags;
	} ports[] = {
		{"/dev/vport0p1", &guest->events_fd, O_WRONLY},
		{"/dev/vport0p2", &guest->capture_fd, O_WRONLY},
		{"/dev/vport0p3", &guest->report_fd, O_WRONLY},
		{"/dev/vport0p4", &guest->control_fd, O_RDONLY},
	};
	CLEANUP_CLOSE int watch = inotify_init1(IN_CLOEXEC);
	int r;

	if (watch < 0 || inotify_add_watch(watch, "/dev", IN_CREATE) < 0)
		return err_set(err, -errno, LOC_NONE, "watching /dev: %s", strerror(errno));
	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		r = wait_for(watch, ports[i].path, err);
		if (r)
			return r;
		*ports[i].fd = open(ports[i].path, ports[i].flags | O_CLOEXEC);
		if (*ports[i].fd < 0)
			return err_set(err, -errno, LOC_NONE, "opening %s: %s", ports[i].path, strerror(errno));
	}
	return 0;
}

int guest_boot(struct guest *ret, struct err *err)
{
	struct guest guest = {-1, -1, -1, -1, -1};
	int r = mount_all(err);

	take_console();
	if (!r)
		r = load_modules(err);
	if (!r)
		r = open_ports(&guest, err);
	if (r)
		return r;
	apply_settings();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin", 1);
	setenv("HOME", "/root", 1);
	if (mkdir(LOGS_DIR, 0755) && errno != EEXIST)
		return err_set(err, -errno, LOC_NONE, "making " LOGS_DIR ": %s", strerror(errno));
	guest.logs_dirfd = open(LOGS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret = guest;
	return 0;
}

int guest_seed(long long seed, struct err *err)
{
	struct { /* struct rand_pool_info, whose last member has no size */
		int entropy_count, buf_size;
		uint64_t words[8];
	} pool = {.entropy_count = 512, .buf_size = sizeof(pool.words)};
	struct rng rng = rng_stream((uint64_t)seed, "guest");
	CLEANUP_CLOSE int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_LEN(pool.words); i++)
		pool.words[i] = rng_next(&rng);
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &pool) || ioctl(fd, RNDRESEEDCRNG))
		return err_set(err, -errno, LOC_NONE, "seeding the kernel's random numbers: %s", strerror(errno));
	return 0;
}

void guest_off(void)
{
	sync();
	for (;;)
		reboot(RB_POWER_OFF);
}
