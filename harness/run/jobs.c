/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "harness/base/fd.h"

struct running {
	struct jobs *jobs;
	struct host_job job;
	pid_t pid;
	int report_fd; /* the child's end writes one struct job_report */
	struct event *timeout;
	bool is_late; /* it was killed for being so */
	struct running *next;
};

struct jobs {
	struct event_base *base;
	struct running *first;
};

struct jobs *jobs_new(struct event_base *base)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	if (jobs)
		jobs->base = base;
	return jobs;
}

static void free_running(struct running *running)
{
	if (running->timeout)
		event_free(running->timeout);
	if (running->report_fd >= 0)
		close(running->report_fd);
	free(running);
}

/* Its session: what it started, too. */
static void kill_running(const struct running *running)
{
	kill(-running->pid, SIGKILL);
	kill(running->pid, SIGKILL);
}

void jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return;
	while (jobs->first) {
		struct running *running = jobs->first;

		jobs->first = running->next;
		kill_running(running);
		free_running(running);
	}
	free(jobs);
}

void job_say(struct job_report *report, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(report->text, sizeof(report->text), fmt, ap);
	va_end(ap);
}

void job_say_before(struct job_report *report, const char *words)
{
	struct job_report said = *report;

	job_say(report, "%s%.900s", words, said.text);
}

static void be_child(const struct host_job *job, int fd)
{
	struct job_report report = {.serial = -1};
	int status;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	status = job->run(job->arg, &report);
	report.text[sizeof(report.text) - 1] = '\0';
	if (fd_write_all(fd, &report, sizeof(report)))
		status = 99;
	_exit(status);
}

static void on_timeout(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct running *running = arg;

	running->is_late = true;
	kill_running(running);
}

static int watch(struct running *running, struct err *err)
{
	const int64_t ns = running->job.timeout_ns;
	const struct timeval timeout = {.tv_sec = ns / SEC, .tv_usec = ns % SEC / NSEC_PER_USEC};

	running->timeout = evtimer_new(running->jobs->base, on_timeout, running);
	if (!running->timeout || evtimer_add(running->timeout, &timeout))
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	return 0;
}

int job_start(struct jobs *jobs, const struct host_job *job, struct err *err)
{
	struct running *running = calloc(1, sizeof(*running));
	int fds[2] = {-1, -1};

	if (!running)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	*running = (struct running){.jobs = jobs, .job = *job, .report_fd = -1, .next = jobs->first};
	if (pipe2(fds, O_CLOEXEC)) {
		free_running(running);
		return err_set(err, -errno, LOC_NONE, "cannot make a pipe: %s", strerror(errno));
	}
	running->report_fd = fds[0];
	running->pid = host_fork(job->host);
	if (running->pid == 0)
		be_child(job, fds[1]);
	close(fds[1]);
	if (running->pid < 0) {
		int r = (int)running->pid;

		free_running(running);
		return err_set(err, r, LOC_NONE, "cannot fork: %s", strerror(-r));
	}
	jobs->first = running;
	return watch(running, err);
}

/* What the child said before it ended; what ended it, where it said nothing. */
static struct job_end end_of(const struct running *running, int status)
{
	struct job_end end = {.ok = WIFEXITED(status) && !WEXITSTATUS(status), .report = {.serial = -1}};

	if (running->is_late) {
		end.ok = false;
		job_say(&end.report, "it did not end within its time (%.3g s)", (double)running->job.timeout_ns / SEC);
	} else if (read(running->report_fd, &end.report, sizeof(end.report)) != sizeof(end.report)) {
		end.ok = false;
		end.report = (struct job_report){.serial = -1};
		job_say(&end.report, WIFSIGNALED(status) ? "it was killed by signal %d" : "it ended with status %d",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
	return end;
}

bool jobs_child_exited(struct jobs *jobs, pid_t pid, int status)
{
	for (struct running **at = &jobs->first; *at; at = &(*at)->next) {
		struct running *running = *at;
		struct job_end end;

		if (running->pid != pid)
			continue;
		*at = running->next;
		end = end_of(running, status);
		if (running->job.done)
			running->job.done(running->job.done_arg, &end);
		free_running(running);
		return true;
	}
	return false;
}

void jobs_wait(struct jobs *jobs)
{
	while (jobs->first) {
		struct running *running = jobs->first;
		int status = 0;

		/* The child keeps its own deadline; a reader that sees the pipe's end knows it is over. */
		if (waitpid(running->pid, &status, 0) < 0 && errno == EINTR)
			continue;
		jobs_child_exited(jobs, running->pid, status);
	}
}
