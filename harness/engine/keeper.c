/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/engine/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/fd.h"

#define PATIENCE_NS (20 * SEC)
#define LOOK_AGAIN_NS (5 * MSEC)

/* A lab's processes close what they have open before they leave their cgroup, and version 1 has no event for that: hence the looking again. */
static void remove_tree(const struct cgroup_tree *tree)
{
	int64_t end_ns = clock_now_ns() + PATIENCE_NS;

	while (cgroup_tree_remove(tree) == -EBUSY && clock_now_ns() < end_ns)
		clock_sleep_ns(LOOK_AGAIN_NS);
}

/* Makes the tree itself, so that there is no moment at which nobody would remove it. Whatever is sent to the maker's process group or terminal is not meant for it. */
static _Noreturn void keep(int report_fd, int watch_fd)
{
	static const int deaf_to[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	struct cgroup_tree tree;
	struct err err = {0};
	char byte;

	setsid();
	for (size_t i = 0; i < ARRAY_LEN(deaf_to); i++)
		signal(deaf_to[i], SIG_IGN);
	if (cgroup_tree_make(&tree, &err))
		_exit(1);
	(void)fd_write_all(report_fd, &tree, sizeof(tree)); /* else the maker is gone, which the next line finds out */
	while (read(watch_fd, &byte, 1) < 0 && errno == EINTR)
		;
	remove_tree(&tree);
	_exit(0);
}

static int open_his(pid_t pid, int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The keeper's tree with descriptors of our own. */
static bool take_tree(struct keeper *keeper, int report_fd)
{
	struct cgroup_tree his;
	ssize_t n;

	while ((n = read(report_fd, &his, sizeof(his))) < 0 && errno == EINTR)
		;
	if (n != sizeof(his))
		return false;
	keeper->tree = his;
	keeper->tree.parent_fd = open_his(keeper->pid, his.parent_fd);
	keeper->tree.dirfd = open_his(keeper->pid, his.dirfd);
	return keeper->tree.parent_fd >= 0 && !cgroup_tree_lock(&keeper->tree);
}

static void start(struct keeper *keeper, const int alive[2], const int report[2])
{
	keeper->pid = fork();
	if (!keeper->pid) {
		close(alive[1]);
		keep(report[1], alive[0]);
	}
	close(alive[0]);
	close(report[1]);
	keeper->alive_fd = alive[1];
	if (keeper->pid < 0 || !take_tree(keeper, report[0]))
		keeper_stop(keeper);
	close(report[0]);
}

void keeper_start(struct keeper *ret)
{
	int alive[2], report[2];

	*ret = (struct keeper){.alive_fd = -1, .tree = {.parent_fd = -1, .dirfd = -1}};
	if (pipe2(alive, O_CLOEXEC))
		return;
	if (!pipe2(report, O_CLOEXEC)) {
		start(ret, alive, report);
		return;
	}
	close(alive[0]);
	close(alive[1]);
}

const struct cgroup_tree *keeper_tree(const struct keeper *keeper)
{
	return keeper->pid > 0 ? &keeper->tree : NULL;
}

void keeper_stop(struct keeper *keeper)
{
	if (keeper->alive_fd < 0 || !keeper->pid)
		return;
	close(keeper->alive_fd);
	while (keeper->pid > 0 && waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (keeper->tree.dirfd >= 0)
		(void)cgroup_tree_remove(&keeper->tree); /* where the keeper was killed */
	cgroup_tree_close(&keeper->tree);
	*keeper = (struct keeper){.alive_fd = -1};
}
