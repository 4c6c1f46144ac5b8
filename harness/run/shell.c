/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "harness/base/fd.h"
#include "harness/base/signals.h"
#include "harness/lab/lab.h"
#include "harness/run/bringup.h"
#include "harness/run/loop.h"

#define LOGS_DIR LAB_DIR "/logs"
#define STOP_GRACE_NS SEC

struct shell {
	const struct plan *plan;
	const struct shell_options *options;
	struct event_base *base;
	struct event *child;
	struct lab *lab;
	struct bringup *bringup;
	int logs_fd;
	pid_t command;
	int status;
	struct err *err;
};

const struct topo_host *shell_host(const struct plan *plan, const char *name)
{
	static const enum host_role preferred[] = {HOST_CLIENT, HOST_RESOLVER};
	const struct topology *topology = plan->topology;

	if (name)
		return topology_host(topology, name);
	for (size_t i = 0; i < ARRAY_LEN(preferred); i++) {
		for (size_t j = 0; j < topology->host_count; j++) {
			if (topology->hosts[j].role == preferred[i])
				return &topology->hosts[j];
		}
	}
	return topology->host_count ? &topology->hosts[0] : NULL;
}

static void stopped(void *arg)
{
	struct shell *shell = arg;

	event_base_loopbreak(shell->base);
}

static void stop(struct shell *shell)
{
	if (shell->bringup)
		bringup_stop(shell->bringup, STOP_GRACE_NS, stopped, shell);
	else
		event_base_loopbreak(shell->base);
}

/* The command stays in the session of the terminal, so host_fork (a session of its own) is not for it. */
static pid_t start_command(struct shell *shell, const struct topo_host *topo)
{
	struct host *host = lab_host_named(shell->lab, topo->name);
	struct err err = {0};
	pid_t pid = fork();

	if (pid)
		return pid;
	signals_reset();
	if (host_enter(host, &err))
		_exit(125);
	setenv("DNSDRILL_HOST", topo->name, 1);
	if (lab_ca(shell->lab)) {
		setenv("SSL_CERT_FILE", ca_bundle(lab_ca(shell->lab)), 1); /* OpenSSL's, and most programs' */
		setenv("CURL_CA_BUNDLE", ca_bundle(lab_ca(shell->lab)), 1);
	}
	execvp(shell->options->argv[0], shell->options->argv);
	_exit(errno == ENOENT ? 127 : 126);
}

static void servers_ready(void *arg, const struct err *err)
{
	struct shell *shell = arg;

	if (err) {
		*shell->err = *err;
		stop(shell);
		return;
	}
	shell->command = start_command(shell, shell_host(shell->plan, shell->options->host));
	if (shell->command < 0) {
		err_set(shell->err, -errno, LOC_NONE, "cannot start the command: %s", strerror(errno));
		stop(shell);
	}
}

static void on_child(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct shell *shell = arg;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (shell->command > 0 && pid == shell->command) {
			shell->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
			stop(shell);
		} else if (shell->bringup) {
			bringup_child_exited(shell->bringup, pid, status);
		}
	}
}

static int bring_up(struct shell *shell)
{
	struct bringup_options options = {.done = servers_ready, .arg = shell};

	shell->lab = lab_open(shell->plan->topology, shell->err);
	if (!shell->lab)
		return shell->err->code;
	if (mkdir(LOGS_DIR, 0755) && errno != EEXIST)
		return err_set(shell->err, -errno, LOC_NONE, "cannot make " LOGS_DIR ": %s", strerror(errno));
	shell->logs_fd = open(LOGS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (shell->logs_fd < 0)
		return err_set(shell->err, -errno, LOC_NONE, "cannot open " LOGS_DIR ": %s", strerror(errno));
	options.logs_dirfd = shell->logs_fd;
	shell->bringup = bringup_start(shell->base, shell->lab, shell->plan->topology, &options, shell->err);
	return shell->bringup ? 0 : shell->err->code;
}

static void close_shell(struct shell *shell)
{
	bringup_free(shell->bringup);
	if (shell->child)
		event_free(shell->child);
	if (shell->lab)
		lab_close(shell->lab);
	if (shell->base)
		event_base_free(shell->base);
	fd_closep(&shell->logs_fd);
}

int shell_run(const struct plan *plan, const struct shell_options *options, struct err *err)
{
	struct shell shell = {.plan = plan, .options = options, .logs_fd = -1, .err = err};

	signal(SIGINT, SIG_IGN); /* Ctrl-C is for the command */
	signal(SIGQUIT, SIG_IGN);
	fd_raise_limit();
	shell.base = loop_new();
	shell.child = shell.base ? evsignal_new(shell.base, SIGCHLD, on_child, &shell) : NULL;
	if (!shell.child || event_add(shell.child, NULL))
		err_set(err, -ENOMEM, LOC_NONE, "cannot make an event loop");
	else if (!bring_up(&shell))
		event_base_dispatch(shell.base);
	close_shell(&shell);
	return shell.status;
}
