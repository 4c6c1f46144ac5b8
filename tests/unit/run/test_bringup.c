/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/fd.h"
#include "harness/engine/engine.h"
#include "harness/run/bringup.h"
#include "tests/unit/run/small_plan.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

/* What happened in the lab, as its process says it through a pipe. */
struct report {
	struct err err; /* of bring-up; code 0: every server answered */
	int64_t took_ns;
	size_t versions; /* hosts whose version is known */
	bool is_stopped;
	char exited[32], exit_status[64], log_tail[256]; /* after on_exit */
	char answer[64]; /* rdata of the A record asked for */
};

struct trial {
	const struct topology *topology;
	const char *kill; /* host whose server gets SIGKILL once all is up */
	const char *resolver; /* is asked for www.example.com A */
	int64_t limit_ns;
	int logs_dirfd, report_fd;
	struct report report;
	struct event_base *base;
	struct lab *lab;
	struct bringup *bringup;
};

static void on_stopped(void *arg)
{
	struct trial *trial = arg;

	trial->report.is_stopped = true;
	event_base_loopbreak(trial->base);
}

static void stop(struct trial *trial)
{
	bringup_stop(trial->bringup, 5 * SEC, on_stopped, trial);
}

/* One question, answered or not within 5 s. */
static void ask_resolver(struct trial *trial)
{
	struct host *host = lab_host_named(trial->lab, trial->resolver);
	struct sockaddr_storage to;
	socklen_t len = address_to_sockaddr(&host_addresses(host)->v[0], 53, &to);
	int fd = host_socket(host, host_addresses(host)->v[0].family, SOCK_DGRAM, 0);
	struct timeval patience = {.tv_sec = 5};
	ldns_pkt *packet = NULL;
	uint8_t *wire = NULL, buf[4096];
	size_t size;
	ssize_t n;

	ldns_pkt_query_new_frm_str(&packet, "www.example.com", LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, LDNS_RD | LDNS_AD);
	ldns_pkt2wire(&wire, packet, &size);
	ldns_pkt_free(packet);
	packet = NULL;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	sendto(fd, wire, size, 0, (struct sockaddr *)&to, len);
	n = recv(fd, buf, sizeof(buf), 0);
	if (n > 0 && ldns_wire2pkt(&packet, buf, (size_t)n) == LDNS_STATUS_OK &&
	    ldns_rr_list_rr_count(ldns_pkt_answer(packet))) {
		char *text = ldns_rdf2str(ldns_rr_rdf(ldns_rr_list_rr(ldns_pkt_answer(packet), 0), 0));

		snprintf(trial->report.answer, sizeof(trial->report.answer), "%s%s", text,
			 ldns_pkt_ad(packet) ? " ad" : "");
		free(text);
	}
	ldns_pkt_free(packet);
	free(wire);
	close(fd);
}

static void on_done(void *arg, const struct err *err)
{
	struct trial *trial = arg;

	if (err)
		trial->report.err = *err;
	trial->report.took_ns = bringup_took_ns(trial->bringup);
	for (size_t i = 0; i < trial->topology->host_count; i++)
		trial->report.versions += bringup_version(trial->bringup, &trial->topology->hosts[i]) != NULL;
	if (!err && trial->resolver)
		ask_resolver(trial);
	if (!err && trial->kill)
		kill(bringup_pid(trial->bringup, topology_host(trial->topology, trial->kill)), SIGKILL);
	else
		stop(trial);
}

static void on_exit_of(void *arg, const struct topo_host *host, const char *status, const char *log_tail)
{
	struct trial *trial = arg;

	snprintf(trial->report.exited, sizeof(trial->report.exited), "%s", host->name);
	snprintf(trial->report.exit_status, sizeof(trial->report.exit_status), "%s", status);
	snprintf(trial->report.log_tail, sizeof(trial->report.log_tail), "%s", log_tail);
	stop(trial);
}

static void on_child(evutil_socket_t fd, short what, void *arg)
{
	struct trial *trial = arg;
	int status;
	pid_t pid;

	(void)fd, (void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		bringup_child_exited(trial->bringup, pid, status);
}

static int inside(void *arg)
{
	struct trial *trial = arg;
	struct bringup_options options = {
		.logs_dirfd = trial->logs_dirfd,
		.limit_ns = trial->limit_ns,
		.done = on_done,
		.on_exit = on_exit_of,
		.arg = trial,
	};
	struct event *children;

	trial->base = event_base_new();
	children = evsignal_new(trial->base, SIGCHLD, on_child, trial);
	event_add(children, NULL);
	trial->lab = lab_open(trial->topology, &trial->report.err);
	if (trial->lab)
		trial->bringup = bringup_start(trial->base, trial->lab, trial->topology, &options, &trial->report.err);
	if (trial->bringup)
		event_base_dispatch(trial->base);
	bringup_free(trial->bringup);
	event_free(children);
	event_base_free(trial->base);
	lab_close(trial->lab);
	return fd_write_all(trial->report_fd, &trial->report, sizeof(trial->report)) < 0;
}

/* Runs the trial in a lab of its own; its report is in trial->report. */
static void run_trial(struct trial *trial)
{
	char logs[] = "/tmp/dnsdrill-logs-XXXXXX", command[64];
	struct engine_proc proc;
	struct err err;
	int fds[2];

	assert_non_null(mkdtemp(logs));
	trial->logs_dirfd = open(logs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	trial->report_fd = fds[1];
	if (engine_netns_start(inside, trial, false, &proc, &err) < 0)
		fail_msg("%s", err.text);
	close(fds[1]);
	if (read(fds[0], &trial->report, sizeof(trial->report)) != (ssize_t)sizeof(trial->report))
		err_set(&trial->report.err, -ECHILD, LOC_NONE, "the lab died");
	close(fds[0]);
	waitpid(proc.pid, NULL, 0);
	close(proc.alive_fd);
	close(trial->logs_dirfd);
	if (getenv("KEEP_LOGS"))
		print_message("logs: %s\n", logs);
	else {
		snprintf(command, sizeof(command), "%s", logs);
		for (size_t i = 0; i < trial->topology->host_count; i++) {
			char path[256];

			snprintf(path, sizeof(path), "%s/%s.log", logs, trial->topology->hosts[i].name);
			unlink(path);
		}
		rmdir(logs);
	}
}

static void must_come_up(struct trial *trial)
{
	run_trial(trial);
	if (trial->report.err.code)
		fail_msg("%s", trial->report.err.text);
	assert_true(trial->report.is_stopped);
}

static void every_nameserver_software_comes_up_as_primary_and_secondary_of_every_other(void **state)
{
	static const char *const software[] = {"bind", "knot", "nsd", "powerdns"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (size_t k = 0; k < 4; k++) {
			struct small_plan small;
			struct trial trial = {0};

			small_demo(&small, software[i], software[k]);
			trial.topology = small_topology(&small);
			must_come_up(&trial);
			print_message("%s -> %s: %lld ms\n", software[i], software[k],
				      (long long)trial.report.took_ns / 1000000);
			small_plan_fini(&small);
		}
	}
}

static void every_resolver_follows_the_tree_from_the_root(void **state)
{
	static const char *const software[] = {"bind", "unbound", "knot-resolver", "powerdns-recursor"};

	(void)state;
	for (int sign = 0; sign < 2; sign++)
		for (size_t i = 0; i < 4; i++) {
			struct small_plan small;
			struct trial trial = {.resolver = "r1"};

			small_demo(&small, "bind", "knot");
			small.zones[0].sign = sign;
			small_resolver(&small, "r1", "203.0.113.53 2001:db8:53::1", software[i], NULL);
			trial.topology = small_topology(&small);
			must_come_up(&trial);
			print_message("%s sign=%d: %lld ms %s\n", software[i], sign,
				      (long long)trial.report.took_ns / 1000000, trial.report.answer);
			small_plan_fini(&small);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_nameserver_software_comes_up_as_primary_and_secondary_of_every_other),
		cmocka_unit_test(every_resolver_follows_the_tree_from_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
