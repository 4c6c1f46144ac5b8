/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bound of `dnsdrill report`: a recorded stream of a million samples, all reports, time and memory. Also what decoding alone takes.
 * The program that is timed is $DNSDRILL, as a user runs it. `bench_report FILE` only writes the stream.
 */
#include "harness/base/clock.h"
#include "harness/event/bus.h"
#include "harness/event/ndjson.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBES 4
#define TICKS 250000 /* each probe asks every ms: 250 s, a million samples in all */
#define TIMEOUT_TICKS 2000
#define FAULT_FROM 100000
#define FAULT_TO 150000

static const char *const probe_names[PROBES] = {"www", "www-fresh", "mail", "api"};

static int64_t due_of(int64_t i)
{
	return SEC + i * MSEC;
}

/* During the fault every third question is lost. */
static bool is_lost(int64_t i)
{
	return i >= FAULT_FROM && i < FAULT_TO && i % 3 == 0;
}

static void emit_at(struct bus *bus, struct ev ev, int64_t t_ns)
{
	bus_emit_at(bus, &ev, t_ns);
}

static void emit_sample(struct bus *bus, size_t probe, int64_t i)
{
	static const char *const answer[] = {"192.0.2.80", "192.0.2.81"};
	bool lost = is_lost(i);
	struct ev ev = {.kind = EV_SAMPLE};
	char name[64];

	/* latencies that differ, so that sorting them is work */
	ev.sample = (struct ev_sample){
		.probe = probe_names[probe],
		.i = i,
		.due_ns = due_of(i),
		.sent_ns = due_of(i) + 20000 + i % 977,
		.done_ns = due_of(i) + (lost ? TIMEOUT_TICKS * MSEC : 300000 + i * 7919 % 600000),
		.outcome = lost ? OUTCOME_TIMEOUT : OUTCOME_OK,
		.rcode = lost ? NULL : "NOERROR",
		.detail = lost ? "no answer within 2s" : NULL,
		.answer = {answer, lost ? 0 : 1 + probe % 2},
	};
	snprintf(name, sizeof(name), "d%" PRId64 ".fresh.example.com", i);
	ev.sample.name = probe == 1 ? name : NULL;
	emit_at(bus, ev, ev.sample.done_ns);
}

static void emit_plan(struct bus *bus)
{
	struct ev ev = {.kind = EV_RUN_START};

	ev.run_start = (struct ev_run_start){.schema = EV_SCHEMA, .plan = "A million samples", .command = "make bench"};
	ev.run_start.stable = 5;
	ev.run_start.baseline_ppm = PPM_ONE;
	emit_at(bus, ev, 0);
	for (size_t p = 0; p < PROBES; p++) {
		ev = (struct ev){.kind = EV_PLAN_PROBE};
		ev.plan_probe =
			(struct ev_plan_probe){.probe = probe_names[p], .kind = "dns", .query = "www.example.com A"};
		ev.plan_probe.every_ns = MSEC;
		ev.plan_probe.timeout_ns = TIMEOUT_TICKS * MSEC;
		emit_at(bus, ev, 0);
		ev = (struct ev){.kind = EV_PROBE_START};
		ev.probe_start = (struct ev_probe_start){.probe = probe_names[p], .start_ns = due_of(0)};
		emit_at(bus, ev, due_of(0));
	}
	ev = (struct ev){.kind = EV_PLAN_FAULT};
	ev.plan_fault = (struct ev_plan_fault){.id = 1, .name = "alpha dark", .kind = "blackhole", .target = "alpha"};
	emit_at(bus, ev, 0);
	ev = (struct ev){.kind = EV_PLAN_EXPECT};
	ev.plan_expect = (struct ev_plan_expect){.text = "www: availability >= 90%", .probe = "www", .op = ">="};
	ev.plan_expect.metric = "availability";
	ev.plan_expect.bound = 900000;
	emit_at(bus, ev, 0);
}

static void emit_tick(struct bus *bus, int64_t i)
{
	struct ev ev = {.kind = EV_FAULT_APPLIED};

	if (i == FAULT_FROM) {
		ev.fault_applied.id = 1;
		emit_at(bus, ev, due_of(i));
	} else if (i == FAULT_TO) {
		ev.kind = EV_FAULT_REVERTED;
		ev.fault_reverted = (struct ev_fault_reverted){.id = 1, .took_effect = true, .packets = 50000};
		emit_at(bus, ev, due_of(i));
	}
	for (size_t p = 0; p < PROBES; p++) {
		if (i >= TIMEOUT_TICKS && is_lost(i - TIMEOUT_TICKS))
			emit_sample(bus, p, i - TIMEOUT_TICKS);
		if (i < TICKS && !is_lost(i))
			emit_sample(bus, p, i);
	}
}

static int write_stream(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct ndjson_writer *writer = ndjson_writer_new(fd);
	struct bus *bus = bus_new(0);
	struct ev end = {.kind = EV_RUN_END, .run_end = {.reason = "complete"}};
	int r;

	bus_add_sink(bus, ndjson_writer_take, writer);
	emit_plan(bus);
	for (int64_t i = 0; i < TICKS + TIMEOUT_TICKS; i++)
		emit_tick(bus, i);
	emit_at(bus, end, due_of(TICKS) + 3 * SEC);
	r = fd < 0 ? -errno : ndjson_writer_error(writer);
	bus_free(bus);
	ndjson_writer_free(writer);
	if (fd >= 0)
		close(fd);
	return r;
}

static int count_event(void *ctx, const struct ev *ev, struct err *err)
{
	(void)err;
	*(int64_t *)ctx += ev->kind == EV_SAMPLE;
	return 0;
}

static int time_decoding(const char *path)
{
	int64_t start_ns = clock_of_ns(CLOCK_PROCESS_CPUTIME_ID), samples = 0;
	struct err err;
	bool cut;

	if (ndjson_read(path, count_event, &samples, &cut, &err)) {
		err_print(&err, stderr);
		return -1;
	}
	printf("reading a stream, CPU time for each sample\t%.2f\tµs\t<= 3\n",
	       (double)(clock_of_ns(CLOCK_PROCESS_CPUTIME_ID) - start_ns) / 1e3 / (double)samples);
	return 0;
}

static int time_report(const char *program, const char *stream, const char *out)
{
	int64_t start_ns = clock_now_ns();
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execlp(program, program, "report", stream, "--out", out, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return -1;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		printf("%s report ended with status %d\n", program, status);
		return -1;
	}
	printf("report of 1,000,000 samples, all outputs\t%.2f\ts\t<= 5\n", (double)(clock_now_ns() - start_ns) / 1e9);
	printf("report of 1,000,000 samples, memory\t%.0f\tMiB\t<= 500\n", (double)usage.ru_maxrss / 1024);
	return 0;
}

static void remove_outputs(const char *dir)
{
	static const char *const names[] = {"events.ndjson", "result.json", "report.html", "junit.xml", "summary.md"};
	char path[4200];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
}

int main(int argc, char **argv)
{
	const char *program = getenv("DNSDRILL"), *tmp = getenv("TMPDIR");
	char dir[4096], path[4200];
	int r;

	if (argc == 2)
		return write_stream(argv[1]) ? 1 : 0;
	snprintf(dir, sizeof(dir), "%s/dnsdrill-bench-XXXXXX", tmp ? tmp : "/tmp");
	if (!program || !mkdtemp(dir)) {
		fprintf(stderr, "bench_report: needs DNSDRILL in the environment and a writable TMPDIR\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/events.ndjson", dir);
	r = write_stream(path);
	if (!r)
		r = time_decoding(path);
	if (!r)
		r = time_report(program, path, dir);
	remove_outputs(dir);
	rmdir(dir);
	return r ? 1 : 0;
}
