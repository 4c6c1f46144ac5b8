/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/guest_run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness/base/fd.h"
#include "harness/engine/engine.h"
#include "harness/engine/keeper.h"
#include "harness/engine/vm/report.h"
#include "harness/plan/topology.h"
#include "harness/run/runner.h"

#define TICK_MS 60000

struct guest_run {
	const struct plan *plan;
	struct keeper keeper;
	const struct guest_run_options *options;
};

/* Inside the lab's namespaces: pid 1 there. */
static int inside(void *arg)
{
	const struct guest_run *run = arg;
	const struct guest *guest = run->options->guest;
	struct runner_options options = {
		.events_fd = guest->events_fd,
		.logs_dirfd = guest->logs_dirfd,
		.capture_fd = guest->capture_fd,
		.capture_name = run->options->capture_name,
		.command = run->options->command,
		.engine = "vm",
		.abilities = run->options->abilities,
		.cgroup = keeper_tree(&run->keeper),
		.saves_timers = true,
	};
	int stream_error;

	return runner_run(run->plan, &options, &stream_error);
}

/* Until the lab's init has ended. A byte from the host asks it to. */
static void watch(const struct guest *guest, pid_t pid, int *ret_status)
{
	CLEANUP_CLOSE int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd fds[] = {{.fd = pid_fd, .events = POLLIN}, {.fd = guest->control_fd, .events = POLLIN}};
	char byte;

	while (!(fds[0].revents & POLLIN)) {
		int n = poll(fds, ARRAY_LEN(fds), TICK_MS);

		if (n == 0)
			(void)report_tick(guest->report_fd);
		else if (n > 0 && fds[1].revents & POLLIN && read(guest->control_fd, &byte, 1) == 1)
			kill(pid, SIGTERM);
		else if (n > 0 && fds[1].revents)
			fds[1].fd = -1; /* the host has closed its end */
	}
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
}

int guest_run(const struct plan *plan, const struct guest_run_options *options, struct err *err)
{
	struct guest_run run = {.plan = plan, .options = options};
	const struct guest *guest = options->guest;
	struct engine_proc proc;
	int status = 0, r;

	if (topology_demands(plan->topology, INJECTOR_DEMANDS_QUOTA))
		keeper_start(&run.keeper); /* it ends with the machine */
	r = engine_netns_start(inside, &run, false, &proc, err);
	if (r)
		return r;
	watch(guest, proc.pid, &status);
	close(proc.alive_fd);
	r = report_logs(guest->report_fd, guest->logs_dirfd);
	if (!r && !WIFEXITED(status))
		return err_set(err, -ECHILD, LOC_NONE, "the lab's init was killed by signal %d (%s)", WTERMSIG(status),
			       strsignal(WTERMSIG(status)));
	if (!r)
		r = report_end(guest->report_fd, WEXITSTATUS(status));
	return r ? err_set(err, r, LOC_NONE, "writing the report: %s", strerror(-r)) : 0;
}
