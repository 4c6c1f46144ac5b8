/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/format.h"
#include "harness/base/units.h"
#include <inttypes.h>
#include <string.h>
#include <time.h>

/* The step in which units_human_duration() rounds a value of this size; 1 where it does not round up. */
static int64_t rounding_step(int64_t ns)
{
	if (ns >= 120 * SEC || ns < MSEC)
		return 1;
	if (ns >= 10 * SEC)
		return 100 * MSEC;
	for (int64_t step = 10 * MSEC, size = SEC; size >= MSEC; step /= 10, size /= 10) {
		if (ns >= size)
			return step;
	}
	return 1;
}

static void add_human(struct buf *out, int64_t ns)
{
	char text[32];

	if (ns < 0)
		buf_puts(out, "−");
	buf_puts(out, units_human_duration(ns < -INT64_MAX ? INT64_MAX : ns < 0 ? -ns : ns, text, sizeof(text)));
}

void format_duration(struct buf *out, int64_t ns, bool censored)
{
	if (ns == MEASURE_NONE) {
		buf_puts(out, FORMAT_NONE);
		return;
	}
	if (censored) {
		buf_puts(out, "> ");
		ns -= ns % rounding_step(ns);
	}
	add_human(out, ns);
}

void format_milliseconds(struct buf *out, int64_t ns, bool censored, int64_t resolution_ns)
{
	if (censored)
		buf_printf(out, "> %" PRId64 " ms", ns / MSEC);
	else
		buf_printf(out, "%" PRId64 " ms ± %.3g ms", (ns + MSEC / 2) / MSEC, (double)resolution_ns / 1e6);
}

void format_resolution(struct buf *out, int64_t resolution_ns)
{
	buf_puts(out, "± ");
	add_human(out, resolution_ns);
}

void format_resolved(struct buf *out, int64_t ns, bool censored, int64_t resolution_ns)
{
	format_duration(out, ns, censored);
	if (ns == MEASURE_NONE || censored)
		return;
	buf_putc(out, ' ');
	bool in_seconds = (ns == 0 || ns >= SEC) && ns < 120 * SEC && resolution_ns % MSEC == 0;
	if (in_seconds)
		buf_printf(out, "± %g s", (double)(resolution_ns / MSEC) / 1e3);
	else
		format_resolution(out, resolution_ns);
}

static void add_range(struct buf *out, const struct range *range)
{
	if (range->least_ns == range->most_ns)
		return;
	buf_puts(out, " (");
	add_human(out, range->least_ns);
	buf_puts(out, " to ");
	add_human(out, range->most_ns);
	buf_putc(out, ')');
}

void format_length(struct buf *out, int64_t ns, const struct range *range)
{
	format_duration(out, ns, false);
	add_range(out, range);
}

void format_outage(struct buf *out, const struct measurement *m)
{
	if (m)
		format_length(out, m->outage_ns, &m->outage_range);
	else
		buf_puts(out, FORMAT_NONE);
}

void format_share(struct buf *out, int64_t ppm)
{
	if (ppm == MEASURE_NONE)
		buf_puts(out, FORMAT_NONE);
	else if (ppm == PPM_ONE || ppm == 0)
		buf_puts(out, ppm ? "100%" : "0%");
	else if (ppm < 100)
		buf_puts(out, "< 0.01%");
	else
		buf_printf(out, "%d.%02d%%", (int)(ppm / 10000), (int)(ppm / 100 % 100));
}

void format_failover(struct buf *out, const struct measurement *m)
{
	format_resolved(out, m->time_to_failover_ns, m->failover_censored, m->resolution_ns);
}

void format_moment(struct buf *out, int64_t ns)
{
	int64_t ms = ns < 0 ? -(ns / MSEC) : ns / MSEC;

	buf_puts(out, ns < 0 && ms ? "−" : "+");
	if (ms >= 3600 * 1000)
		buf_printf(out, "%d h ", (int)(ms / (3600 * 1000) % 1000000000));
	if (ms >= 60 * 1000)
		buf_printf(out, "%d min ", (int)(ms / (60 * 1000) % 60));
	buf_printf(out, "%d.%03d s", (int)(ms / 1000 % 60), (int)(ms % 1000));
}

static bool is_share(const struct ev_plan_expect *plan)
{
	enum metric metric = plan->metric ? metric_find(plan->metric) : METRIC_COUNT;

	return metric != METRIC_COUNT && metric_infos[metric].unit == METRIC_SHARE;
}

/* The metrics that are read off due times, so that they are no finer than the probe's interval. */
static bool has_resolution(const struct expectation *e)
{
	enum metric metric = e->plan->metric ? metric_find(e->plan->metric) : METRIC_COUNT;

	switch (metric) {
	case METRIC_TIME_TO_IMPACT:
	case METRIC_TIME_TO_FAILOVER:
	case METRIC_TIME_TO_RECOVER:
	case METRIC_OUTAGE:
	case METRIC_WRONG_WINDOW:
	case METRIC_STALE_WINDOW:
	case METRIC_PROPAGATION:
	case METRIC_SKEW:
		return e->measurement != NULL;
	case METRIC_AVAILABILITY:
	case METRIC_LATENCY_P50:
	case METRIC_LATENCY_P95:
	case METRIC_LATENCY_P99:
	case METRIC_COUNT:
		break;
	}
	return false;
}

/* True if both read the same to a person though they differ: "3.00 s" does not explain a failed "<= 3s". */
static bool reads_like_bound(int64_t measured, int64_t bound)
{
	char a[32], b[32];

	if (measured == bound || measured < 0 || bound < 0)
		return false;
	units_human_duration(measured, a, sizeof(a));
	units_human_duration(bound, b, sizeof(b));
	return strcmp(a, b) == 0;
}

static void measured_share(struct buf *out, int64_t ppm)
{
	char text[32];

	if (ppm % 100 == 0)
		format_share(out, ppm);
	else
		buf_puts(out, units_format_share(ppm, text, sizeof(text)));
}

static void measured_resolved(struct buf *out, const struct expectation *e)
{
	enum metric metric = metric_find(e->plan->metric);
	const struct range *range = measured_range(metric, e->measurement);

	format_resolved(out, e->measured, e->censored, measured_resolution(metric, e->measurement));
	if (range)
		add_range(out, range);
}

void format_measured(struct buf *out, const struct expectation *e)
{
	char text[32];

	if (e->measured == MEASURE_NONE)
		buf_puts(out, FORMAT_NONE);
	else if (is_share(e->plan))
		measured_share(out, e->measured);
	else if (reads_like_bound(e->measured, e->plan->bound))
		buf_printf(out, "%s%s", e->censored ? "> " : "",
			   units_format_duration(e->measured, text, sizeof(text)));
	else if (has_resolution(e))
		measured_resolved(out, e);
	else
		format_duration(out, e->measured, e->censored);
}

void format_bound(struct buf *out, const struct ev_plan_expect *plan)
{
	char text[32];

	if (!plan->op || strcmp(plan->op, "never") == 0) {
		buf_puts(out, plan->op ? "never" : FORMAT_NONE);
		return;
	}
	buf_printf(out, "%s %s", plan->op,
		   is_share(plan) ? units_format_share(plan->bound, text, sizeof(text))
				  : units_format_duration(plan->bound, text, sizeof(text)));
}

const char *format_window(const struct measurement *m)
{
	switch (m->window) {
	case WINDOW_OVERALL:
		return "whole run";
	case WINDOW_BASELINE:
		return "baseline";
	case WINDOW_FAULT:
		return m->fault && m->fault->plan.name ? m->fault->plan.name : "fault";
	case WINDOW_RECOVERY:
		return "recovery";
	}
	return "";
}

void format_outcomes(struct buf *out, const int64_t outcomes[OUTCOME_COUNT])
{
	bool any = false;

	for (int o = 0; o < OUTCOME_COUNT; o++) {
		if (outcomes[o] == 0)
			continue;
		buf_printf(out, "%s%lld %s", any ? ", " : "", (long long)outcomes[o], outcome_name((enum outcome)o));
		any = true;
	}
	if (!any)
		buf_puts(out, "none");
}

void format_wall(struct buf *out, int64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / SEC);
	struct tm tm;
	char text[64];

	if (!gmtime_r(&seconds, &tm) || strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		return;
	buf_puts(out, text);
}
