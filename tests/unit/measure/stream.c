/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/measure/stream.h"

#include "harness/api/sink.h"
#include "harness/base/fd.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

extern const struct report_ops report_json;

static void add_to_record(void *ctx, const struct ev *ev)
{
	struct stream *stream = ctx;
	struct err err;

	if (record_add(stream->record, ev, &err))
		fail_msg("%s", err.text);
	ev_encode(ev, &stream->lines);
}

void stream_emit(struct stream *stream, struct ev ev, int64_t t_ms)
{
	bus_emit_at(stream->bus, &ev, t_ms * MSEC);
}

void stream_begin_case(struct stream *stream, const char *case_label)
{
	struct ev ev = {.kind = EV_RUN_START};

	ev.run_start = (struct ev_run_start){
		.schema = EV_SCHEMA,
		.plan = "Test plan",
		.case_label = case_label,
		.command = "dnsdrill run test.yaml --seed 7",
		.seed = 7,
		.stable = STABLE,
		.baseline_ppm = PPM_ONE,
	};
	stream_emit(stream, ev, 0);
}

void stream_begin(struct stream *stream)
{
	*stream = (struct stream){.record = record_new(), .bus = bus_new(0)};
	bus_add_sink(stream->bus, add_to_record, stream);
	stream_begin_case(stream, NULL);
}

void stream_probe(struct stream *stream, const char *probe)
{
	struct ev ev = {.kind = EV_PLAN_PROBE};

	ev.plan_probe = (struct ev_plan_probe){
		.probe = probe,
		.kind = "dns",
		.every_ns = EVERY_MS * MSEC,
		.timeout_ns = TIMEOUT_MS * MSEC,
	};
	stream_emit(stream, ev, 0);
}

void stream_fault(struct stream *stream, int64_t id, const char *name)
{
	struct ev ev = {.kind = EV_PLAN_FAULT};

	ev.plan_fault = (struct ev_plan_fault){.id = id, .name = name, .kind = "blackhole", .target = "alpha"};
	stream_emit(stream, ev, 0);
}

void stream_shaped_fault(struct stream *stream, int64_t id, const char *name, int64_t ramp_ms, int64_t on_ms,
			 int64_t off_ms)
{
	struct ev ev = {.kind = EV_PLAN_FAULT};

	ev.plan_fault = (struct ev_plan_fault){
		.id = id,
		.name = name,
		.kind = "latency",
		.target = "alpha",
		.ramp_ns = ramp_ms * MSEC,
		.on_ns = on_ms * MSEC,
		.off_ns = off_ms * MSEC,
	};
	stream_emit(stream, ev, 0);
}

void stream_expect(struct stream *stream, const char *probe, const char *during, const char *metric, const char *op,
		   int64_t bound)
{
	struct ev ev = {.kind = EV_PLAN_EXPECT};
	char text[128];

	snprintf(text, sizeof(text), "%s: %s %s %lld", probe, metric, op, (long long)bound);
	ev.plan_expect = (struct ev_plan_expect){
		.text = text,
		.probe = probe,
		.during = during,
		.metric = metric,
		.op = op,
		.bound = bound,
		.file = "test.yaml",
		.line = 12,
	};
	stream_emit(stream, ev, 0);
}

void stream_applied(struct stream *stream, int64_t id, int64_t t_ms)
{
	stream_emit(stream, (struct ev){.kind = EV_FAULT_APPLIED, .fault_applied = {.id = id}}, t_ms);
}

void stream_switched(struct stream *stream, int64_t id, int64_t t_ms, bool on)
{
	stream_emit(stream, (struct ev){.kind = EV_FAULT_SWITCHED, .fault_switched = {.id = id, .on = on}}, t_ms);
}

void stream_reverted(struct stream *stream, int64_t id, int64_t t_ms, bool took_effect)
{
	struct ev ev = {.kind = EV_FAULT_REVERTED};

	ev.fault_reverted = (struct ev_fault_reverted){.id = id, .took_effect = took_effect, .effect = "counted"};
	stream_emit(stream, ev, t_ms);
}

void stream_sample(struct stream *stream, const char *probe, int64_t i, int64_t due_ms, int64_t done_ms,
		   enum outcome outcome)
{
	struct ev ev = {.kind = EV_SAMPLE};

	ev.sample = (struct ev_sample){
		.probe = probe,
		.i = i,
		.due_ns = due_ms * MSEC,
		.sent_ns = due_ms * MSEC,
		.done_ns = done_ms * MSEC,
		.outcome = outcome,
	};
	stream_emit(stream, ev, done_ms);
}

void stream_ask(struct stream *stream, const char *probe, int64_t first, const char *letters)
{
	static const char known[] = ".wrxe";
	static const enum outcome outcomes[] = {OUTCOME_OK, OUTCOME_WRONG, OUTCOME_RCODE, OUTCOME_TIMEOUT,
						OUTCOME_ERROR};

	for (int64_t i = first; *letters; i++, letters++) {
		const char *at = strchr(known, *letters);

		if (at)
			stream_sample(stream, probe, i, i * EVERY_MS, i * EVERY_MS + (*letters == 'x' ? TIMEOUT_MS : 1),
				      outcomes[at - known]);
	}
}

void stream_end(struct stream *stream, const char *reason, int64_t t_ms)
{
	struct err err;

	if (reason)
		stream_emit(stream, (struct ev){.kind = EV_RUN_END, .run_end = {.reason = reason}}, t_ms);
	else if (record_finish(stream->record, &err))
		fail_msg("%s", err.text);
	results_free(stream->results);
	stream->results = measure(stream->record);
}

static int run_recompute(const char *dir)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execlp("python3", "python3", "tests/scenario/recompute.py", dir, (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static void check_recompute(const struct stream *stream)
{
	char dir[] = "/tmp/dnsdrill-recompute-XXXXXX";
	struct buf json = {0};
	int dirfd, status;

	assert_non_null(mkdtemp(dir));
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	report_json.write(stream->record, stream->results, &json);
	assert_int_equal(fd_write_file(dirfd, "result.json", json.data, json.len, 0600), 0);
	assert_int_equal(fd_write_file(dirfd, "events.ndjson", stream->lines.data, stream->lines.len, 0600), 0);
	status = run_recompute(dir);
	unlinkat(dirfd, "result.json", 0);
	unlinkat(dirfd, "events.ndjson", 0);
	close(dirfd);
	rmdir(dir);
	buf_fini(&json);
	if (status)
		fail_msg("tests/scenario/recompute.py does not agree (status %d; run tests from the top folder)",
			 status);
}

void stream_fini(struct stream *stream)
{
	if (stream->results)
		check_recompute(stream);
	results_free(stream->results);
	record_free(stream->record);
	bus_free(stream->bus);
	buf_fini(&stream->lines);
}

const struct run_results *stream_run(const struct stream *stream)
{
	return &stream->results->runs[stream->results->count - 1];
}

const struct measurement *stream_find(const struct stream *stream, const char *probe, enum window_kind window,
				      const char *fault)
{
	const struct run_results *run = stream_run(stream);

	for (size_t i = 0; i < run->measurement_count; i++) {
		const struct measurement *m = &run->measurements[i];

		if (!strcmp(m->probe->plan.probe, probe) && m->window == window &&
		    (window != WINDOW_FAULT || !strcmp(m->fault->plan.name, fault)))
			return m;
	}
	fail_msg("no measurement of %s in that window", probe);
	return NULL;
}

const struct run_results *stream_push(struct stream *stream, bool stale_is_bad, int64_t accepted_ms, const char *fits)
{
	struct ev probe = {.kind = EV_PLAN_PROBE}, step = {.kind = EV_PLAN_STEP}, host = {.kind = EV_STEP_HOST};
	struct ev started = {.kind = EV_STEP_STARTED, .step_started = {.id = 1}};
	struct ev ended = {.kind = EV_STEP_ENDED, .step_ended = {.id = 1, .ok = accepted_ms > 0}};

	probe.plan_probe = (struct ev_plan_probe){.probe = "www",
						  .every_ns = 100 * MSEC,
						  .timeout_ns = 1000 * MSEC,
						  .tells = 2,
						  .stale_is_bad = stale_is_bad};
	step.plan_step = (struct ev_plan_step){.id = 1, .name = "push", .version = 1, .serial = 8, .may_fail = true};
	host.step_host = (struct ev_step_host){
		.id = 1, .host = "ns1", .ok = accepted_ms > 0, .shown_ns = accepted_ms > 0 ? accepted_ms * MSEC : 0};
	stream_begin(stream);
	stream_emit(stream, probe, 0);
	stream_emit(stream, step, 0);
	stream_emit(stream, started, 440);
	stream_emit(stream, host, 460);
	stream_emit(stream, ended, 460);
	for (int64_t i = 0; fits[i]; i++) {
		struct ev sample = {.kind = EV_SAMPLE};

		sample.sample = (struct ev_sample){
			.probe = "www",
			.i = i,
			.due_ns = 100 * i * MSEC,
			.sent_ns = 100 * i * MSEC,
			.done_ns = (100 * i + 1) * MSEC,
			.outcome = fits[i] == '-' ? OUTCOME_TIMEOUT : OUTCOME_OK,
			.fits = fits[i] == '-' ? 0 : 1 << (fits[i] - '0'),
		};
		if (fits[i] == '-')
			sample.sample.done_ns += 999 * MSEC;
		stream_emit(stream, sample, 100 * i + 1000);
	}
	stream_end(stream, "complete", 5000);
	return stream_run(stream);
}
