/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/http/front.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "injectors/http/front_child.h"

static int wait_ready(int fd, struct err *err)
{
	char byte;
	ssize_t len;

	do
		len = read(fd, &byte, 1);
	while (len < 0 && errno == EINTR);
	return len == 1 ? 0 : err_set(err, -EIO, LOC_NONE, "api: the proxy before the API could not be started");
}

static int start(struct front *front, struct host *host, const struct address *address, struct err *err)
{
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC))
		return err_set(err, -errno, LOC_NONE, "making a pipe: %s", strerror(errno));
	front->pid = host_fork(host);
	if (!front->pid)
		front_child_run(front, address, fds[1]);
	close(fds[1]);
	r = front->pid > 0 ? wait_ready(fds[0], err)
			   : err_set(err, (int)front->pid, LOC_NONE, "starting a process: %s", strerror(-front->pid));
	close(fds[0]);
	return r;
}

static struct front *make(struct host *host, const struct address *address, struct err *err)
{
	void *memory = mmap(NULL, sizeof(struct front), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		err_set(err, -errno, LOC_NONE, "mapping memory: %s", strerror(errno));
		return NULL;
	}
	if (!start(memory, host, address, err))
		return memory;
	front_end(memory);
	return NULL;
}

int front_open(struct host *host, const struct address *address, struct front *before, const struct front_rule *rule,
	       struct front **ret, int *ret_rule, struct err *err)
{
	struct front *front = before;
	int count;

	if (front && atomic_load(&front->count) == FRONT_RULES_MAX)
		return err_set(err, -E2BIG, LOC_NONE, "api: at most %d faults of one server", FRONT_RULES_MAX);
	if (!front)
		front = make(host, address, err);
	if (!front)
		return err->code;
	count = atomic_load(&front->count);
	front->slots[count].rule = *rule;
	atomic_store(&front->count, count + 1);
	front->users++;
	*ret = front;
	*ret_rule = count;
	return 0;
}

pid_t front_pid(const struct front *front)
{
	return front->pid;
}

void front_set(struct front *front, int rule, bool on)
{
	struct front_slot *slot = &front->slots[rule];

	if (on)
		atomic_store(&slot->left, slot->rule.first ? slot->rule.first : INT64_MAX);
	atomic_store(&slot->is_on, on);
}

struct front_counts front_counts(const struct front *front, int rule)
{
	const struct front_slot *slot = &front->slots[rule];

	return (struct front_counts){atomic_load(&slot->matched), atomic_load(&slot->acted)};
}

bool front_close(struct front *front)
{
	return --front->users == 0;
}

void front_end(struct front *front)
{
	if (front->pid > 0) {
		kill(front->pid, SIGKILL);
		while (waitpid(front->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	munmap(front, sizeof(*front));
}
