/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bound of the dns probe's pace: 1,000 samples a second for 30 s, none skipped, 99 % sent within a millisecond of their due time on an idle machine.
 * In a network namespace of its own, against a process that answers at once. `bench_probe SECONDS` is for a shorter look.
 */
#include "harness/api/probe.h"
#include "harness/base/clock.h"
#include "harness/probe/pacer.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVERY MSEC
#define TIMEOUT (2 * SEC)

extern const struct probe_ops dns_ops;

/* Hosts are this process: the functions of api/host.h that the probe needs. */
int host_socket(struct host *host UNUSED, int domain, int type, int protocol)
{
	int fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	return fd < 0 ? -errno : fd;
}

/* The rows of the dns probe's own struct are its business: their defaults are zero, but for these. */
struct dns_like {
	struct probe probe;
	char rest[256];
};

struct bench {
	struct event_base *base;
	void *dns;
	int64_t epoch_ns, wanted, count, good, next;
	bool is_skipping;
	int64_t *late_ns, *took_ns; /* sent − due, done − sent; by order of ending */
};

static void done(void *arg, const struct ev_sample *sample)
{
	struct bench *bench = arg;

	bench->late_ns[bench->count] = sample->sent_ns - sample->due_ns;
	bench->took_ns[bench->count] = sample->done_ns - sample->sent_ns;
	bench->good += sample->outcome == OUTCOME_OK;
	if (++bench->count == bench->wanted)
		event_base_loopbreak(bench->base);
}

static void ask(void *arg, int64_t i, int64_t due_ns)
{
	struct bench *bench = arg;

	bench->is_skipping |= i != bench->next++;
	dns_ops.ask(bench->dns, i, due_ns - bench->epoch_ns);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -errno : 0;
}

static int enter_network(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	char map[32];
	int fd, r;

	snprintf(map, sizeof(map), "0 %u 1", getuid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -errno;
	r = write_file("/proc/self/uid_map", map);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (r == 0 && ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* Answers every query with one A record, in a process of its own, until it is killed. */
static _Noreturn void serve(int fd)
{
	static const uint8_t record[] = "\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x50";
	uint8_t message[1024];
	struct sockaddr_storage from;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(fd, message, 512, 0, (struct sockaddr *)&from, &from_len);
		size_t len = (size_t)n - 11; /* without the OPT that the probe sends */

		if (n < 28)
			continue;
		message[2] |= 0x80;
		message[7] = 1;
		message[11] = 0;
		memcpy(message + len, record, sizeof(record) - 1);
		sendto(fd, message, len + sizeof(record) - 1, 0, (const struct sockaddr *)&from, from_len);
	}
}

static pid_t start_server(const struct address *address)
{
	struct sockaddr_storage sa;
	socklen_t len = address_to_sockaddr(address, 53, &sa);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	if (bind(fd, (const struct sockaddr *)&sa, len) < 0) {
		close(fd);
		return -errno;
	}
	pid = fork();
	if (pid == 0)
		serve(fd);
	close(fd);
	return pid;
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double percentile_us(const int64_t *sorted, int64_t count, double percent)
{
	return (double)sorted[(int64_t)((double)(count - 1) * percent / 100)] / 1e3;
}

static void show(struct bench *bench, int64_t cpu_ns)
{
	int64_t in_time = 0, count = bench->count;

	for (int64_t i = 0; i < count; i++)
		in_time += bench->late_ns[i] <= MSEC;
	qsort(bench->late_ns, (size_t)count, sizeof(int64_t), ascending);
	qsort(bench->took_ns, (size_t)count, sizeof(int64_t), ascending);
	printf("dns probe, 1,000 samples/s, skipped\t%d\tsamples\t<= 0.5\n",
	       bench->is_skipping || count != bench->wanted ? 1 : 0);
	printf("dns probe, not answered rightly\t%lld\tsamples\t-\n", (long long)(count - bench->good));
	printf("dns probe, sent within 1 ms of due\t%.3f\t%%\t>= 99\n", 100.0 * (double)in_time / (double)count);
	printf("dns probe, lateness p50\t%.0f\tµs\t-\n", percentile_us(bench->late_ns, count, 50));
	printf("dns probe, lateness p99\t%.0f\tµs\t-\n", percentile_us(bench->late_ns, count, 99));
	printf("dns probe, lateness p99.9\t%.0f\tµs\t-\n", percentile_us(bench->late_ns, count, 99.9));
	printf("dns probe, lateness worst\t%.0f\tµs\t-\n", percentile_us(bench->late_ns, count, 100));
	printf("dns probe, answer after sending p50\t%.0f\tµs\t-\n", percentile_us(bench->took_ns, count, 50));
	printf("dns probe, CPU time for each sample\t%.1f\tµs\t-\n", (double)cpu_ns / 1e3 / (double)count);
}

static int run(struct bench *bench, const struct probe *probe, const struct probe_ctx *ctx)
{
	struct err err = {0};
	int64_t cpu_ns = clock_of_ns(CLOCK_PROCESS_CPUTIME_ID);
	struct pace_plan plan = {.every_ns = EVERY, .near_ns = EVERY, .stable = 1};
	struct pacer *pacer;

	if (dns_ops.open(probe, ctx, &bench->dns, &err) < 0) {
		err_print(&err, stderr);
		return 1;
	}
	plan.start_ns = clock_now_ns() + 10 * MSEC;
	plan.end_ns = plan.start_ns + bench->wanted * EVERY;
	pacer = pacer_start(bench->base, &plan, ask, bench);
	event_base_dispatch(bench->base);
	cpu_ns = clock_of_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
	pacer_cancel(pacer);
	dns_ops.close(bench->dns);
	show(bench, cpu_ns);
	return 0;
}

static struct dns_like make_probe(void)
{
	struct dns_like like = {.probe = {.name.value = "www", .qname = "www.example.com", .qtype = 1}};

	like.probe.timeout_ns = TIMEOUT;
	like.probe.every_ns = EVERY;
	like.probe.good.min_ttl = like.probe.good.max_ttl = PARAM_UNSET;
	for (const struct param *param = dns_ops.params; param->key; param++) {
		if (param->type == PARAM_SIZE)
			memcpy((char *)&like + param->offset, &param->def, sizeof(int64_t));
	}
	return like;
}

int main(int argc, char **argv)
{
	struct bench bench = {.wanted = (argc > 1 ? atoll(argv[1]) : 30) * SEC / EVERY, .epoch_ns = clock_now_ns()};
	struct dns_like like = make_probe();
	struct probe_server server = {.host = "r1"};
	struct event_config *config = event_config_new();
	struct probe_ctx ctx = {.epoch_ns = bench.epoch_ns, .servers = &server, .server_count = 1};
	pid_t pid;
	int r = enter_network();

	if (r < 0 || address_parse("127.0.0.1", &server.address) < 0 || (pid = start_server(&server.address)) < 0) {
		fprintf(stderr, "bench_probe: no network of its own: %s\n", strerror(r < 0 ? -r : EIO));
		return 1;
	}
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	bench.base = event_base_new_with_config(config);
	event_config_free(config);
	bench.late_ns = calloc((size_t)bench.wanted, sizeof(int64_t));
	bench.took_ns = calloc((size_t)bench.wanted, sizeof(int64_t));
	ctx.base = bench.base;
	ctx.done = done;
	ctx.arg = &bench;
	r = run(&bench, &like.probe, &ctx);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	event_base_free(bench.base);
	free(bench.late_ns);
	free(bench.took_ns);
	return r;
}
