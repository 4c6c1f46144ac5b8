/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * junit.xml: what CI systems read. A test suite for each run; a test case for each expectation, for each fault's effect and undoing, for the
 * baseline, and for the run as a whole, so that a run that proves nothing is never all green.
 *
 * Kept to what Jenkins' junit-10.xsd allows, the strictest of the consumers: no file, line or properties on a test case. GitLab drops a
 * test case whose name it has seen and shows the text of a failure, not its message.
 */
#include "harness/api/sink.h"
#include "harness/base/units.h"
#include "harness/measure/results.h"
#include "report/escape.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

struct junit_case {
	char *name; /* unescaped, owned */
	enum verdict result;
	struct buf text; /* why it did not pass */
	int64_t took_ns;
};

struct junit_suite {
	const struct run_results *results;
	struct junit_case *v;
	size_t count;
	size_t failures, errors;
};

static void add_seconds(struct buf *out, int64_t ns)
{
	if (ns < 0)
		ns = 0;
	buf_printf(out, "%" PRId64 ".%06" PRId64, ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / NSEC_PER_USEC);
}

static bool is_taken(const struct junit_suite *suite, const char *name)
{
	for (size_t i = 0; i < suite->count; i++) {
		if (!strcmp(suite->v[i].name, name))
			return true;
	}
	return false;
}

/* The next test case; its name is made unique. The caller made room. */
static struct junit_case *case_new(struct junit_suite *suite, enum verdict result, const char *prefix, const char *name)
{
	struct junit_case *c = &suite->v[suite->count];
	struct buf full = {0};

	buf_printf(&full, "%s%s", prefix, name);
	for (unsigned n = 2; full.data && is_taken(suite, full.data); n++) {
		buf_clear(&full);
		buf_printf(&full, "%s%s (%u)", prefix, name, n);
	}
	*c = (struct junit_case){.name = full.data, .result = result};
	if (!c->name) {
		fputs("dnsdrill: out of memory\n", stderr);
		abort();
	}
	suite->count++;
	suite->failures += result == VERDICT_FAIL;
	suite->errors += result == VERDICT_INCONCLUSIVE || result == VERDICT_ERROR;
	return c;
}

static void add_value(struct buf *out, const struct ev_plan_expect *plan, int64_t value, bool is_lower_bound)
{
	char text[64];

	if (value == MEASURE_NONE)
		buf_puts(out, "nothing");
	else
		buf_puts(out, measured_text(metric_find(plan->metric), value, is_lower_bound, text, sizeof(text)));
}

static void add_expectation(struct junit_suite *suite, const struct expectation *e)
{
	struct junit_case *c = case_new(suite, e->result, "", e->plan->text);

	if (e->measurement)
		c->took_ns = e->measurement->to_ns - e->measurement->from_ns;
	buf_printf(&c->text, "measured: %s", e->censored ? "at least " : "");
	add_value(&c->text, e->plan, e->measured, e->censored);
	buf_printf(&c->text, ", expected: %s", e->plan->op);
	if (strcmp(e->plan->op, "never") != 0) {
		buf_putc(&c->text, ' ');
		add_value(&c->text, e->plan, e->plan->bound, false);
	}
	buf_printf(&c->text, "\nexpectation: %s", e->plan->text);
	if (e->why)
		buf_printf(&c->text, "\nwhy: %s", e->why);
	if (e->plan->file)
		buf_printf(&c->text, "\nwritten in: %s:%" PRId64, e->plan->file, e->plan->line);
}

static void add_effect(struct junit_suite *suite, const struct fault_record *fault)
{
	bool took_effect = fault->applied && fault->reverted && fault->took_effect &&
			   (!fault->failed || strcmp(fault->failed_stage, "effect") != 0);
	struct junit_case *c = case_new(suite, took_effect ? VERDICT_PASS : VERDICT_INCONCLUSIVE,
					"fault takes effect: ", fault->plan.name);

	if (fault->applied && fault->reverted)
		c->took_ns = fault->reverted_ns - fault->applied_ns;
	if (fault->failed)
		buf_puts(&c->text, fault->failed_message);
	else if (!fault->applied)
		buf_puts(&c->text, "it was never applied");
	else
		buf_printf(&c->text, "no effect was seen: %s", fault->effect ? fault->effect : "nothing was counted");
}

static void add_undo(struct junit_suite *suite, const struct fault_record *fault)
{
	bool failed = fault->failed && !strcmp(fault->failed_stage, "revert");
	bool undone = !failed && (fault->reverted || !fault->applied);
	struct junit_case *c =
		case_new(suite, undone ? VERDICT_PASS : VERDICT_ERROR, "fault is undone: ", fault->plan.name);

	buf_puts(&c->text, failed ? fault->failed_message : "the recording does not say that it was undone");
	if (fault->undo)
		buf_printf(&c->text, "\nundo by hand: %s", fault->undo);
}

static void add_baseline(struct junit_suite *suite)
{
	int64_t wanted_ppm = suite->results->run->start.baseline_ppm;
	struct buf sick = {0};
	char got[32], wanted[32];
	struct junit_case *c;

	units_format_share(wanted_ppm, wanted, sizeof(wanted));
	for (size_t i = 0; i < suite->results->measurement_count; i++) {
		const struct measurement *m = &suite->results->measurements[i];

		if (m->window != WINDOW_BASELINE || (m->samples && m->availability_ppm >= wanted_ppm))
			continue;
		buf_printf(&sick, "%s%s: %s good before the first fault, %s is needed", sick.len ? "\n" : "",
			   m->probe->plan.probe,
			   m->samples ? units_format_share(m->availability_ppm, got, sizeof(got)) : "no sample",
			   wanted);
	}
	c = case_new(suite, sick.len ? VERDICT_INCONCLUSIVE : VERDICT_PASS, "", "baseline is healthy");
	c->text = sick;
}

static void add_run(struct junit_suite *suite)
{
	enum verdict verdict = suite->results->verdict;
	bool trusted = verdict == VERDICT_PASS || verdict == VERDICT_FAIL;
	struct junit_case *c = case_new(suite, trusted ? VERDICT_PASS : verdict, "", "run can be judged");

	buf_puts(&c->text, suite->results->reason);
}

static struct junit_suite suite_of(const struct run_results *results)
{
	const struct run_record *run = results->run;
	size_t room = 2 + 2 * run->fault_count + results->expectation_count;
	struct junit_suite suite = {.results = results, .v = calloc(room, sizeof(*suite.v))};

	if (!suite.v) {
		fputs("dnsdrill: out of memory\n", stderr);
		abort();
	}
	for (size_t i = 0; i < results->expectation_count; i++)
		add_expectation(&suite, &results->expectations[i]);
	for (size_t i = 0; i < run->fault_count; i++) {
		add_effect(&suite, &run->faults[i]);
		add_undo(&suite, &run->faults[i]);
	}
	add_baseline(&suite);
	add_run(&suite);
	return suite;
}

static void suite_fini(struct junit_suite *suite)
{
	for (size_t i = 0; i < suite->count; i++) {
		free(suite->v[i].name);
		buf_fini(&suite->v[i].text);
	}
	free(suite->v);
}

static void add_attribute(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, " %s=\"", name);
	escape_xml(out, value);
	buf_putc(out, '"');
}

static void write_trouble(const struct junit_suite *suite, const struct junit_case *c, struct buf *out)
{
	const struct ev_run_start *start = &suite->results->run->start;
	const char *element = c->result == VERDICT_FAIL ? "failure" : "error";
	const char *first_end = c->text.data ? strchr(c->text.data, '\n') : NULL;
	struct buf message = {0};

	if (first_end)
		buf_add(&message, c->text.data, (size_t)(first_end - c->text.data));
	else
		buf_puts(&message, c->text.data ? c->text.data : "");
	buf_printf(out, "\n      <%s", element);
	add_attribute(out, "message", message.data ? message.data : "");
	add_attribute(out, "type", verdict_name(c->result));
	buf_putc(out, '>');
	escape_xml(out, c->text.data);
	if (start->command) {
		escape_xml(out, "\nrepeat with: ");
		escape_xml(out, start->command);
	}
	buf_printf(out, "</%s>\n    ", element);
	buf_fini(&message);
}

static void write_class(const struct ev_run_start *start, struct buf *out)
{
	buf_puts(out, " classname=\"");
	escape_xml(out, start->plan);
	buf_putc(out, '.');
	escape_xml(out, start->case_label ? start->case_label : "run");
	buf_putc(out, '"');
}

static void write_case(const struct junit_suite *suite, const struct junit_case *c, struct buf *out)
{
	buf_puts(out, "    <testcase");
	add_attribute(out, "name", c->name);
	write_class(&suite->results->run->start, out);
	buf_puts(out, " time=\"");
	add_seconds(out, c->took_ns);
	buf_puts(out, "\">");
	if (c->result != VERDICT_PASS)
		write_trouble(suite, c, out);
	buf_puts(out, "</testcase>\n");
}

static void write_property(struct buf *out, const char *name, const char *value)
{
	if (!value)
		return;
	buf_puts(out, "      <property");
	add_attribute(out, "name", name);
	add_attribute(out, "value", value);
	buf_puts(out, "/>\n");
}

static void write_properties(const struct run_results *results, struct buf *out)
{
	const struct ev_run_start *start = &results->run->start;
	char seed[24];

	snprintf(seed, sizeof(seed), "%" PRId64, start->seed);
	buf_puts(out, "    <properties>\n");
	write_property(out, "verdict", verdict_name(results->verdict));
	write_property(out, "reason", results->reason);
	write_property(out, "seed", seed);
	write_property(out, "engine", start->engine);
	write_property(out, "version", start->version);
	write_property(out, "command", start->command);
	buf_puts(out, "    </properties>\n");
}

static void write_counts(struct buf *out, size_t tests, size_t failures, size_t errors, int64_t took_ns)
{
	buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"", tests, failures, errors);
	add_seconds(out, took_ns);
	buf_putc(out, '"');
}

static void write_timestamp(struct buf *out, int64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / NSEC_PER_SEC);
	char text[40];
	struct tm tm;

	if (wall_ns <= 0 || !gmtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	add_attribute(out, "timestamp", text);
}

static void write_suite(const struct junit_suite *suite, struct buf *out)
{
	const struct run_record *run = suite->results->run;
	const char *label = run->start.case_label;

	buf_puts(out, "  <testsuite name=\"");
	escape_xml(out, run->start.plan);
	if (label) {
		buf_puts(out, " [");
		escape_xml(out, label);
		buf_puts(out, "]");
	}
	buf_putc(out, '"');
	write_counts(out, suite->count, suite->failures, suite->errors, run->end_ns);
	buf_puts(out, " skipped=\"0\"");
	write_timestamp(out, run->start.wall_ns);
	buf_puts(out, ">\n");
	write_properties(suite->results, out);
	for (size_t i = 0; i < suite->count; i++)
		write_case(suite, &suite->v[i], out);
	buf_puts(out, "  </testsuite>\n");
}

static void junit_write(const struct record *record, const struct results *results, struct buf *out)
{
	size_t tests = 0, failures = 0, errors = 0;
	uint64_t took_ns = 0; /* wraps where a forged stream makes it */
	struct buf body = {0};

	(void)record;
	for (size_t i = 0; i < results->count; i++) {
		struct junit_suite suite = suite_of(&results->runs[i]);

		write_suite(&suite, &body);
		tests += suite.count;
		failures += suite.failures;
		errors += suite.errors;
		took_ns += (uint64_t)results->runs[i].run->end_ns;
		suite_fini(&suite);
	}
	buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"dnsdrill\"");
	write_counts(out, tests, failures, errors, (int64_t)took_ns);
	buf_puts(out, ">\n");
	buf_puts(out, body.data ? body.data : "");
	buf_puts(out, "</testsuites>\n");
	out->failed |= body.failed;
	buf_fini(&body);
}

extern const struct report_ops report_junit;
const struct report_ops report_junit = {
	.name = "junit",
	.file = "junit.xml",
	.summary = "JUnit XML for CI systems: a test case for each expectation, fault, and the baseline",
	.write = junit_write,
};
