/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/run/trial.h"
#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/engine/engine.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static void on_stopped(void *arg)
{
	struct trial *trial = arg;

	trial->report.is_stopped = true;
	event_base_loopbreak(trial->base);
}

/* One exchange within a second. Length of the answer, or -1. */
static ssize_t exchange(int fd, bool is_tcp, const uint8_t *query, size_t len, uint8_t *answer, size_t size)
{
	struct timeval patience = {.tv_sec = 1};
	uint16_t prefix = htons((uint16_t)len);
	ssize_t n;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (!is_tcp) {
		if (send(fd, query, len, 0) < 0)
			return -1;
		/* A server's child that ends interrupts it, whatever SA_RESTART says, for it has a time limit (signal(7)). */
		do
			n = recv(fd, answer, size, 0);
		while (n < 0 && errno == EINTR);
		return n;
	}
	if (send(fd, &prefix, 2, MSG_MORE) != 2 || send(fd, query, len, 0) < 0 ||
	    recv(fd, &prefix, 2, MSG_WAITALL) != 2)
		return -1;
	n = recv(fd, answer, ntohs(prefix) < size ? ntohs(prefix) : size, MSG_WAITALL);
	return n;
}

static bool has_type(const ldns_pkt *packet, ldns_rr_type type)
{
	ldns_rr_list *found = ldns_pkt_rr_list_by_type(packet, type, LDNS_SECTION_ANY_NOQUESTION);

	ldns_rr_list_deep_free(found);
	return found != NULL;
}

static void read_answer(struct trial_ask *ask, const uint8_t *wire, size_t len)
{
	ldns_pkt *packet = NULL;
	ldns_rr_list *answer;
	char *text;

	if (ldns_wire2pkt(&packet, wire, len) != LDNS_STATUS_OK)
		return;
	answer = ldns_pkt_answer(packet);
	text = ldns_pkt_rcode2str(ldns_pkt_get_rcode(packet));
	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		if (ldns_rr_get_type(ldns_rr_list_rr(answer, i)) == ask->type || ask->type == LDNS_RR_TYPE_AXFR) {
			free(text);
			text = ldns_rdf2str(
				ldns_rr_rdf(ldns_rr_list_rr(answer, i), ask->type == LDNS_RR_TYPE_SOA ? 2 : 0));
			break;
		}
	}
	snprintf(ask->answer, sizeof(ask->answer), "%s%s%s%s%s", text, ldns_pkt_aa(packet) ? " aa" : "",
		 ldns_pkt_ad(packet) ? " ad" : "", has_type(packet, LDNS_RR_TYPE_RRSIG) ? " rrsig" : "",
		 has_type(packet, LDNS_RR_TYPE_NSEC) ? " nsec" : "");
	free(text);
	ldns_pkt_free(packet);
}

static void ask_once(struct trial *trial, struct trial_ask *ask)
{
	struct host *from = lab_host_named(trial->lab, ask->from), *to = lab_host_named(trial->lab, ask->to);
	const struct address *address = &host_addresses(to)->v[0];
	struct sockaddr_storage sockaddr;
	socklen_t sockaddr_len = address_to_sockaddr(address, 53, &sockaddr);
	int fd = host_socket(from, address->family, ask->is_tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	ldns_pkt *packet = NULL;
	uint8_t *wire = NULL, answer[65535];
	size_t len = 0;
	ssize_t n = -1;

	snprintf(ask->answer, sizeof(ask->answer), "no answer");
	ldns_pkt_query_new_frm_str(&packet, ask->name, ask->type, ask->is_chaos ? LDNS_RR_CLASS_CH : LDNS_RR_CLASS_IN,
				   LDNS_RD | LDNS_AD);
	if (ask->is_do) {
		ldns_pkt_set_edns_udp_size(packet, 4096);
		ldns_pkt_set_edns_do(packet, true);
	}
	ldns_pkt2wire(&wire, packet, &len);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	if (connect(fd, (struct sockaddr *)&sockaddr, sockaddr_len) == 0)
		n = exchange(fd, ask->is_tcp, wire, len, answer, sizeof(answer));
	if (n > 0)
		read_answer(ask, answer, (size_t)n);
	close(fd);
	free(wire);
	ldns_pkt_free(packet);
}

static void ask_all(struct trial *trial)
{
	static const struct timespec pause = {.tv_nsec = 50 * NSEC_PER_MSEC};

	for (size_t i = 0; i < trial->ask_count; i++) {
		struct trial_ask *ask = &trial->asks[i];
		int64_t give_up = clock_now_ns() + 20 * SEC;

		ask_once(trial, ask);
		while (ask->until && strcmp(ask->answer, ask->until) && clock_now_ns() < give_up) {
			nanosleep(&pause,
				  NULL); /* nothing tells when another server's state has changed: it is asked again */
			ask_once(trial, ask);
		}
		memcpy(trial->report.answers[i], ask->answer, sizeof(ask->answer));
	}
}

static void on_done(void *arg, const struct err *err)
{
	struct trial *trial = arg;
	const struct topo_host *hosts = trial->topology->hosts;

	if (err)
		trial->report.err = *err;
	for (size_t i = 0; i < trial->topology->host_count; i++)
		trial->report.versions += bringup_version(trial->bringup, &hosts[i]) != NULL;
	if (bringup_version(trial->bringup, &hosts[0]))
		snprintf(trial->report.version, sizeof(trial->report.version), "%s",
			 bringup_version(trial->bringup, &hosts[0]));
	if (!err && trial->body) {
		event_base_loopbreak(trial->base);
		return;
	}
	if (!err && trial->before_asks)
		trial->before_asks(trial);
	if (!err)
		ask_all(trial);
	if (!err && trial->kill)
		kill(bringup_pid(trial->bringup, topology_host(trial->topology, trial->kill)), SIGKILL);
	else
		bringup_stop(trial->bringup, 5 * SEC, on_stopped, trial);
}

static void on_exit_of(void *arg, const struct topo_host *host, const char *status, const char *log_tail,
		       const char *cause)
{
	struct trial *trial = arg;

	if (cause) {
		trial->report.excused++;
		return;
	}
	snprintf(trial->report.exited, sizeof(trial->report.exited), "%s", host->name);
	snprintf(trial->report.exit_status, sizeof(trial->report.exit_status), "%s", status);
	snprintf(trial->report.log_tail, sizeof(trial->report.log_tail), "%s", log_tail);
	bringup_stop(trial->bringup, 5 * SEC, on_stopped, trial);
}

static void on_lost(void *arg, const struct topo_host *host UNUSED, const struct err *err)
{
	struct trial *trial = arg;

	snprintf(trial->report.lost, sizeof(trial->report.lost), "%s", err->text);
}

static void on_child(evutil_socket_t fd, short what, void *arg)
{
	struct trial *trial = arg;
	int status;
	pid_t pid;

	(void)fd, (void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (!jobs_child_exited(trial->jobs, pid, status))
			bringup_child_exited(trial->bringup, pid, status);
	}
}

bool trial_turn(struct trial *trial, bool (*is_so)(void *arg), void *arg)
{
	const struct timeval step = {.tv_usec = 20000};

	for (int i = 0; i < 750; i++) {
		if (is_so(arg))
			return true;
		event_base_loopexit(trial->base, &step);
		event_base_dispatch(trial->base);
	}
	return false;
}

static int inside(void *arg)
{
	struct trial *trial = arg;
	struct bringup_options options = {
		.logs_dirfd = trial->logs_dirfd,
		.limit_ns = trial->limit_ns,
		.cgroup = trial->cgroup,
		.done = on_done,
		.on_exit = on_exit_of,
		.on_lost = on_lost,
		.arg = trial,
	};
	struct event *children;

	trial->base = event_base_new();
	children = evsignal_new(trial->base, SIGCHLD, on_child, trial);
	event_add(children, NULL);
	trial->jobs = jobs_new(trial->base);
	trial->lab = lab_open(trial->topology, &trial->report.err);
	if (trial->lab)
		trial->bringup = bringup_start(trial->base, trial->lab, trial->topology, &options, &trial->report.err);
	if (trial->bringup)
		event_base_dispatch(trial->base);
	if (trial->bringup && trial->body && !trial->report.err.code) {
		trial->body(trial, &trial->report.err);
		bringup_stop(trial->bringup, 5 * SEC, on_stopped, trial);
		if (!trial->report.is_stopped)
			event_base_dispatch(trial->base);
	}
	jobs_free(trial->jobs);
	bringup_free(trial->bringup);
	event_free(children);
	event_base_free(trial->base);
	lab_close(trial->lab);
	return fd_write_all(trial->report_fd, &trial->report, sizeof(trial->report)) < 0;
}

static void remove_logs(const struct trial *trial, const char *dir)
{
	for (size_t i = 0; i < trial->topology->host_count; i++) {
		char name[80];

		snprintf(name, sizeof(name), "%s.log", trial->topology->hosts[i].name);
		unlinkat(trial->logs_dirfd, name, 0);
	}
	close(trial->logs_dirfd);
	rmdir(dir);
}

void trial_run(struct trial *trial)
{
	char logs[] = "/tmp/dnsdrill-logs-XXXXXX";
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
	for (size_t at = 0; at < sizeof(trial->report);) {
		ssize_t n = read(fds[0], (char *)&trial->report + at, sizeof(trial->report) - at);

		if (n <= 0) {
			err_set(&trial->report.err, -ECHILD, LOC_NONE, "the lab died");
			break;
		}
		at += (size_t)n;
	}
	close(fds[0]);
	waitpid(proc.pid, NULL, 0);
	close(proc.alive_fd);
	remove_logs(trial, logs);
	for (size_t i = 0; i < trial->ask_count; i++)
		memcpy(trial->asks[i].answer, trial->report.answers[i], sizeof(trial->asks[i].answer));
}

void trial_must(struct trial *trial)
{
	trial_run(trial);
	if (trial->report.err.code)
		fail_msg("%s", trial->report.err.text);
	assert_true(trial->report.is_stopped);
}
