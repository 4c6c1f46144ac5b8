/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/fd.h"

#define PREFIX "dnsdrill-"
#define TRIES 4 /* somebody who tidies up may take a new tree for an old one until it is locked */
#define FILE_MAX 65536

/* The kernel takes or refuses each of these in one write(2). */
static int put(int dirfd, const char *file, const char *text)
{
	CLEANUP_CLOSE int fd = openat(dirfd, file, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* Whether one of the words of a file, or of text, is this one. */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += len) {
		if ((at == text || strchr(" ,\n", at[-1])) && strchr(" ,\n", at[len]))
			return true;
	}
	return false;
}

static bool file_has_word(int dirfd, const char *file, const char *word)
{
	CLEANUP_FREE char *text = NULL;
	size_t len;

	return !fd_read_file(dirfd, file, FILE_MAX, &text, &len) && has_word(text, word);
}

/* The path of this process in the hierarchy, "" for its root: "0::/user.slice", or of version 1 "1:cpu,cpuacct:/". */
static int read_own_path(bool is_v1, char *ret, size_t size)
{
	CLEANUP_FREE char *text = NULL;
	char *line, *save = NULL;
	size_t len;
	int r = fd_read_file(AT_FDCWD, "/proc/self/cgroup", FILE_MAX, &text, &len);

	if (r)
		return r;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *controllers = strchr(line, ':'), *path = controllers ? strchr(++controllers, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		if (is_v1 ? has_word(controllers, "cpu") : !*controllers) {
			snprintf(ret, size, "%s", strcmp(path, "/") ? path : "");
			return 0;
		}
	}
	return -ENOENT;
}

/* Where a hierarchy that could have the controller is mounted. -ENOENT: nowhere. */
static int find_mount(bool is_v1, char *ret, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent entry;
	char line[4096];
	int r = -ENOENT;

	while (mounts && r && getmntent_r(mounts, &entry, line, sizeof(line))) {
		if (strcmp(entry.mnt_type, is_v1 ? "cgroup" : "cgroup2") || (is_v1 && !hasmntopt(&entry, "cpu")))
			continue;
		r = snprintf(ret, size, "%s", entry.mnt_dir) < (int)size ? 0 : -ENAMETOOLONG;
	}
	if (mounts)
		endmntent(mounts);
	return r;
}

/* A lock that is let go means that everybody who had to do with it is gone. */
static void remove_if_deserted(int parent_fd, const char *name, bool is_v1)
{
	struct cgroup_tree old = {.parent_fd = parent_fd, .is_v1 = is_v1};

	old.dirfd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (old.dirfd < 0)
		return;
	snprintf(old.name, sizeof(old.name), "%s", name);
	if (!flock(old.dirfd, LOCK_EX | LOCK_NB))
		(void)cgroup_tree_remove(&old);
	close(old.dirfd);
}

/* Calls back with the name of each directory in it. */
static void each_dir(int dirfd, void (*found)(void *arg, const char *name), void *arg)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			found(arg, entry->d_name);
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

struct sweep {
	int parent_fd;
	bool is_v1;
};

static void sweep_one(void *arg, const char *name)
{
	const struct sweep *sweep = arg;

	if (!strncmp(name, PREFIX, strlen(PREFIX)))
		remove_if_deserted(sweep->parent_fd, name, sweep->is_v1);
}

int cgroup_tree_lock(const struct cgroup_tree *tree)
{
	return flock(tree->dirfd, LOCK_SH | LOCK_NB) ? -errno : 0;
}

/* -EAGAIN: somebody has removed it already. */
static int make_dir(struct cgroup_tree *tree)
{
	if (mkdirat(tree->parent_fd, tree->name, 0755))
		return -errno;
	tree->dirfd = openat(tree->parent_fd, tree->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->dirfd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (!cgroup_tree_lock(tree) && !faccessat(tree->parent_fd, tree->name, F_OK, 0))
		return 0;
	close(tree->dirfd);
	tree->dirfd = -1;
	return -EAGAIN;
}

/* Version 2: the controller goes from parent to tree to leaves. A cgroup that has processes of its own (and is not the root of all) may hand it to threaded children only. */
static int hand_down(struct cgroup_tree *tree)
{
	bool is_handed = file_has_word(tree->parent_fd, "cgroup.subtree_control", "cpu");
	int r = 0;

	if (tree->is_threaded)
		r = put(tree->dirfd, "cgroup.type", "threaded");
	if (!r && !is_handed) {
		r = put(tree->parent_fd, "cgroup.subtree_control", "+cpu");
		tree->has_enabled = !r;
	}
	return r ? r : put(tree->dirfd, "cgroup.subtree_control", "+cpu");
}

static int make_in(const char *dir, bool is_v1, bool is_threaded, struct cgroup_tree *ret)
{
	struct cgroup_tree tree = {.dirfd = -1, .is_v1 = is_v1, .is_threaded = is_threaded};
	int r = -EAGAIN;

	tree.parent_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree.parent_fd < 0)
		return -errno;
	each_dir(tree.parent_fd, sweep_one, &(struct sweep){tree.parent_fd, is_v1});
	for (int i = 0; r == -EAGAIN && i < TRIES; i++) {
		snprintf(tree.name, sizeof(tree.name), PREFIX "%llx-%d", (unsigned long long)clock_wall_ns(),
			 (int)getpid());
		r = make_dir(&tree);
	}
	if (!r && !is_v1)
		r = hand_down(&tree);
	if (!r) {
		*ret = tree;
		return 0;
	}
	if (tree.dirfd >= 0)
		(void)cgroup_tree_remove(&tree);
	cgroup_tree_close(&tree);
	return r;
}

/* The nearest place, from home upwards, whose children have the controller already: nothing there changes but for our directory. */
static int make_above(const char *mount, const char *home, struct cgroup_tree *ret)
{
	CLEANUP_FREE char *dir = strdup(home);
	size_t floor = strlen(mount);

	for (; dir && strlen(dir) >= floor; *strrchr(dir, '/') = '\0') {
		CLEANUP_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && file_has_word(fd, "cgroup.subtree_control", "cpu") && !make_in(dir, false, false, ret))
			return 0;
	}
	return -ENOENT;
}

static int make_v2(const char *mount, const char *home, struct cgroup_tree *ret)
{
	CLEANUP_CLOSE int fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!make_above(mount, home, ret))
		return 0;
	return make_in(home, false, !faccessat(fd, "cgroup.type", F_OK, 0), ret); /* the root of all has none */
}

static int make_version(bool is_v1, struct cgroup_tree *ret)
{
	char mount[PATH_MAX], path[PATH_MAX], home[PATH_MAX];
	int r = find_mount(is_v1, mount, sizeof(mount));

	if (!r)
		r = read_own_path(is_v1, path, sizeof(path));
	if (r)
		return r;
	if (snprintf(home, sizeof(home), "%s%s", mount, path) >= (int)sizeof(home))
		return -ENAMETOOLONG;
	if (access(home, F_OK)) /* a container that sees its own part of the hierarchy only */
		snprintf(home, sizeof(home), "%s", mount);
	return is_v1 ? make_in(home, true, false, ret) : make_v2(mount, home, ret);
}

static const char *reason(int code)
{
	switch (code) {
	case -ENOENT:
		return "no cgroup hierarchy with the controller cpu is mounted";
	case -EACCES:
	case -EPERM:
		return "this process may not make a cgroup beside its own";
	case -EROFS:
		return "the cgroup hierarchy is mounted read-only";
	default:
		return strerror(-code);
	}
}

int cgroup_tree_make(struct cgroup_tree *ret, struct err *err)
{
	int v2 = make_version(false, ret), v1 = v2 ? make_version(true, ret) : 0;

	if (!v1)
		return 0;
	return err_set(err, v1 == -ENOENT ? v2 : v1, LOC_NONE, "%s", reason(v1 == -ENOENT ? v2 : v1));
}

static void remove_leaf(void *arg, const char *name)
{
	const struct cgroup_tree *tree = arg;

	(void)unlinkat(tree->dirfd, name, AT_REMOVEDIR);
}

int cgroup_tree_remove(const struct cgroup_tree *tree)
{
	struct cgroup_tree writable = *tree;

	each_dir(tree->dirfd, remove_leaf, &writable);
	if (unlinkat(tree->parent_fd, tree->name, AT_REMOVEDIR) && errno != ENOENT)
		return -errno;
	if (tree->has_enabled)
		(void)put(tree->parent_fd, "cgroup.subtree_control", "-cpu"); /* -EBUSY: another run needs it now */
	return 0;
}

void cgroup_tree_close(struct cgroup_tree *tree)
{
	fd_closep(&tree->dirfd);
	fd_closep(&tree->parent_fd);
	tree->dirfd = tree->parent_fd = -1;
}

int cgroup_leaf_make(const struct cgroup_tree *tree, const char *name, struct cgroup_leaf *ret, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	int r = mkdirat(tree->dirfd, name, 0755) && errno != EEXIST ? -errno : 0;

	if (!r) {
		fd = openat(tree->dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? -errno : 0;
	}
	if (!r && tree->is_threaded)
		r = put(fd, "cgroup.type", "threaded");
	if (r)
		return err_set(err, r, LOC_NONE, "making the cgroup %s/%s: %s", tree->name, name, strerror(-r));
	*ret = (struct cgroup_leaf){TAKE_FD(fd), tree->is_v1};
	return 0;
}

void cgroup_leaf_close(struct cgroup_leaf *leaf)
{
	fd_closep(&leaf->dirfd);
	leaf->dirfd = -1;
}

int cgroup_leaf_enter(const struct cgroup_leaf *leaf)
{
	return put(leaf->dirfd, "cgroup.procs", "0");
}

static int limit_v1(const struct cgroup_leaf *leaf, long long run_us, long long period_us)
{
	char text[32];
	int r;

	snprintf(text, sizeof(text), "%lld", period_us);
	r = run_us < 0 ? 0 : put(leaf->dirfd, "cpu.cfs_period_us", text);
	snprintf(text, sizeof(text), "%lld", run_us < 0 ? -1 : run_us);
	return r ? r : put(leaf->dirfd, "cpu.cfs_quota_us", text);
}

int cgroup_leaf_limit(const struct cgroup_leaf *leaf, int64_t run_ns, int64_t period_ns)
{
	long long run_us = run_ns < 0 ? -1 : run_ns / NSEC_PER_USEC, period_us = period_ns / NSEC_PER_USEC;
	char text[64];

	if (leaf->is_v1)
		return limit_v1(leaf, run_us, period_us);
	if (run_us < 0)
		snprintf(text, sizeof(text), "max");
	else
		snprintf(text, sizeof(text), "%lld %lld", run_us, period_us);
	return put(leaf->dirfd, "cpu.max", text);
}

/* "nr_throttled 12": of a file with a line for each. 0: it has none of that name. */
static int64_t figure(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoll(at + strlen(name), NULL, 10) : 0;
}

int cgroup_leaf_usage(const struct cgroup_leaf *leaf, struct cgroup_usage *ret)
{
	CLEANUP_FREE char *text = NULL;
	size_t len;
	int r = fd_read_file(leaf->dirfd, "cpu.stat", FILE_MAX, &text, &len);

	if (r)
		return r;
	*ret = (struct cgroup_usage){
		.throttled = figure(text, "nr_throttled "),
		.throttled_ns =
			leaf->is_v1 ? figure(text, "throttled_time ") : figure(text, "throttled_usec ") * NSEC_PER_USEC,
	};
	return 0;
}
