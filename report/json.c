/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * result.json: what a run came to, for programs. Keys stand in a fixed order; times are integer nanoseconds; what does not exist is null.
 */
#include "harness/api/sink.h"
#include "harness/measure/results.h"

#include <jansson.h>
#include <string.h>

/* value is taken over. */
static void put(json_t *object, const char *key, json_t *value)
{
	if (!json_object_set_new(object, key, value))
		return;
	fputs("dnsdrill: out of memory\n", stderr);
	abort();
}

static void put_text(json_t *object, const char *key, const char *text)
{
	put(object, key, text ? json_string(text) : json_null());
}

static void put_int(json_t *object, const char *key, int64_t value)
{
	put(object, key, value == MEASURE_NONE ? json_null() : json_integer(value));
}

static void put_bool(json_t *object, const char *key, bool value)
{
	put(object, key, json_boolean(value));
}

static json_t *expectation_json(const struct expectation *e)
{
	enum metric metric = metric_find(e->plan->metric);
	bool is_share = metric < METRIC_COUNT && metric_infos[metric].unit == METRIC_SHARE;
	json_t *o = json_object();

	put_text(o, "text", e->plan->text);
	put_text(o, "result", verdict_name(e->result));
	put_text(o, "probe", e->plan->probe);
	put_text(o, "during", e->plan->during);
	put_text(o, "metric", e->plan->metric);
	put_text(o, "op", e->plan->op);
	put_int(o, "measured", e->measured);
	put_bool(o, "censored", e->censored);
	put_int(o, "bound", strcmp(e->plan->op, "never") ? e->plan->bound : MEASURE_NONE);
	put_text(o, "unit", is_share ? "ppm" : "ns");
	put_text(o, "why", e->why);
	put_text(o, "file", e->plan->file);
	put_int(o, "line", e->plan->line);
	return o;
}

static json_t *effect_json(const struct fault_record *fault)
{
	json_t *o = json_object();

	put_bool(o, "took_effect", fault->took_effect);
	put_int(o, "packets", fault->packets);
	put_int(o, "bytes", fault->bytes);
	put_text(o, "text", fault->effect);
	return o;
}

static json_t *failed_json(const struct fault_record *fault)
{
	json_t *o = json_object();

	put_text(o, "stage", fault->failed_stage);
	put_text(o, "message", fault->failed_message);
	return o;
}

static json_t *fault_json(const struct fault_record *fault)
{
	json_t *o = json_object();

	put_int(o, "id", fault->plan.id);
	put_text(o, "name", fault->plan.name);
	put_text(o, "kind", fault->plan.kind);
	put_text(o, "target", fault->plan.target);
	put_text(o, "from", fault->plan.from);
	put_text(o, "sentence", fault->plan.sentence);
	put_text(o, "backend", fault->backend);
	put_int(o, "applied_ns", fault->applied ? fault->applied_ns : MEASURE_NONE);
	put_int(o, "reverted_ns", fault->reverted ? fault->reverted_ns : MEASURE_NONE);
	put(o, "effect", fault->reverted ? effect_json(fault) : json_null());
	put(o, "failed", fault->failed ? failed_json(fault) : json_null());
	return o;
}

static json_t *step_host_json(const struct ev_step_host *host)
{
	json_t *o = json_object();

	put_text(o, "host", host->host);
	put_bool(o, "ok", host->ok);
	put_int(o, "shown_ns", host->shown_ns ? host->shown_ns : MEASURE_NONE);
	put_text(o, "text", host->text);
	return o;
}

static json_t *step_json(const struct step_record *step)
{
	json_t *o = json_object(), *hosts = json_array();

	for (size_t i = 0; i < step->host_count; i++)
		json_array_append_new(hosts, step_host_json(&step->hosts[i]));
	put_int(o, "id", step->plan.id);
	put_text(o, "name", step->plan.name);
	put_text(o, "kind", step->plan.kind);
	put_text(o, "target", step->plan.target);
	put_text(o, "sentence", step->plan.sentence);
	put_text(o, "zone", step->plan.zone);
	put_int(o, "version", step->plan.version ? step->plan.version : MEASURE_NONE);
	put_int(o, "serial", step->plan.version ? step->plan.serial : MEASURE_NONE);
	put_int(o, "started_ns", step->started ? step->started_ns : MEASURE_NONE);
	put_int(o, "ended_ns", step->ended ? step->ended_ns : MEASURE_NONE);
	put_bool(o, "ok", step->ok);
	put_bool(o, "may_fail", step->plan.may_fail);
	put_text(o, "text", step->text);
	put(o, "hosts", hosts);
	return o;
}

static const char *window_name(enum window_kind kind)
{
	switch (kind) {
	case WINDOW_OVERALL:
		return "overall";
	case WINDOW_BASELINE:
		return "baseline";
	case WINDOW_FAULT:
		return "fault";
	case WINDOW_RECOVERY:
		break;
	}
	return "recovery";
}

static json_t *outcomes_json(const struct measurement *m)
{
	json_t *o = json_object();

	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		put_int(o, outcome_name((enum outcome)i), m->outcomes[i]);
	return o;
}

static void put_latency(json_t *o, const struct measurement *m)
{
	json_t *latency = json_object(), *censored = json_object();

	put_int(latency, "p50", m->latency_p50_ns);
	put_int(latency, "p95", m->latency_p95_ns);
	put_int(latency, "p99", m->latency_p99_ns);
	put_bool(censored, "p50", m->latency_p50_censored);
	put_bool(censored, "p95", m->latency_p95_censored);
	put_bool(censored, "p99", m->latency_p99_censored);
	put(o, "latency_ns", latency);
	put(o, "latency_censored", censored);
}

static json_t *range_json(const struct range *range)
{
	json_t *o = json_object();

	put_int(o, "least", range->least_ns);
	put_int(o, "most", range->most_ns);
	return o;
}

/* Of a probe whose pace is not even: what samples weigh, and how well each moment is known. */
static json_t *pacing_json(const struct measurement *m)
{
	json_t *o = json_object();

	put_int(o, "near_faults_ns", m->probe->plan.near_faults_ns);
	put_int(o, "moments", m->moments);
	put_int(o, "good_moments", m->good_moments);
	put_int(o, "impact_resolution_ns", m->impact_resolution_ns);
	put_int(o, "recover_resolution_ns", m->recover_resolution_ns);
	put_int(o, "propagation_resolution_ns", m->propagation_resolution_ns);
	put(o, "outage_ns", range_json(&m->outage_range));
	put(o, "wrong_window_ns", range_json(&m->wrong_range));
	put(o, "stale_window_ns", range_json(&m->stale_range));
	put(o, "skew_ns", range_json(&m->skew_range));
	return o;
}

static json_t *measurement_json(const struct measurement *m)
{
	json_t *o = json_object();
	bool none = m->availability_ppm == MEASURE_NONE;

	put_text(o, "probe", m->probe->plan.probe);
	put_text(o, "window", window_name(m->window));
	put_text(o, "fault", m->fault ? m->fault->plan.name : NULL);
	put_int(o, "from_ns", m->from_ns);
	put_int(o, "to_ns", m->to_ns);
	put_int(o, "samples", m->samples);
	put(o, "outcomes", outcomes_json(m));
	/* The share is whole parts per million: six digits say it exactly. */
	put(o, "availability", none ? json_null() : json_real((double)m->availability_ppm / (double)PPM_ONE));
	put_int(o, "availability_ppm", m->availability_ppm);
	put_int(o, "time_to_impact_ns", m->time_to_impact_ns);
	put_int(o, "time_to_failover_ns", m->time_to_failover_ns);
	put_bool(o, "censored", m->failover_censored);
	put_int(o, "time_to_recover_ns", m->time_to_recover_ns);
	put_bool(o, "recover_censored", m->recover_censored);
	put_int(o, "resolution_ns", m->resolution_ns);
	put_int(o, "outage_ns", m->outage_ns);
	put_int(o, "wrong_window_ns", m->wrong_window_ns);
	put_int(o, "stale", m->stale);
	put_int(o, "stale_window_ns", m->stale_window_ns);
	put_int(o, "skew_ns", m->skew_ns);
	put_int(o, "propagation_ns", m->propagation_ns);
	put_bool(o, "propagation_censored", m->propagation_censored);
	put_latency(o, m);
	if (m->probe->plan.near_faults_ns)
		put(o, "pacing", pacing_json(m));
	return o;
}

static json_t *change_json(const struct change *change)
{
	json_t *o = json_object();

	put_text(o, "step", change->step->plan.name);
	put_text(o, "zone", change->step->plan.zone);
	put_int(o, "version", change->step->plan.version);
	put_int(o, "accepted_ns", change->accepted_ns);
	put_text(o, "probe", change->probe->plan.probe);
	put_text(o, "host", change->probe->host);
	put_text(o, "address", change->probe->address);
	put_int(o, "propagation_ns", change->propagation_ns);
	put_bool(o, "censored", change->censored);
	return o;
}

static json_t *error_json(const struct ev_error *error)
{
	json_t *o = json_object();

	put_text(o, "message", error->message);
	put_text(o, "host", error->host);
	put_text(o, "file", error->file);
	put_int(o, "line", error->line);
	put_int(o, "col", error->col);
	return o;
}

static json_t *host_json(const struct ev_lab_host *host)
{
	json_t *o = json_object(), *addresses = json_array();

	for (size_t i = 0; i < host->addresses.count; i++)
		json_array_append_new(addresses, json_string(host->addresses.v[i]));
	put_text(o, "host", host->host);
	put_text(o, "role", host->role);
	put_text(o, "server", host->server);
	put_text(o, "version", host->version);
	put(o, "addresses", addresses);
	return o;
}

static void put_head(json_t *o, const struct run_results *results)
{
	const struct run_record *run = results->run;

	put_text(o, "plan", run->start.plan);
	put_text(o, "plan_file", run->start.plan_file);
	put_text(o, "case", run->start.case_label);
	put_int(o, "seed", run->start.seed);
	put_text(o, "engine", run->start.engine);
	put_text(o, "version", run->start.version);
	put_text(o, "kernel", run->start.kernel);
	put_text(o, "command", run->start.command);
	put_int(o, "started_wall_ns", run->start.wall_ns);
	put_text(o, "ended", run->reason);
	put_text(o, "verdict", verdict_name(results->verdict));
	put_text(o, "reason", results->reason);
}

#define ARRAY(to, key, v, count, make)                                 \
	do {                                                           \
		json_t *array_ = json_array();                         \
		for (size_t i_ = 0; i_ < (count); i_++)                \
			json_array_append_new(array_, make(&(v)[i_])); \
		put((to), (key), array_);                              \
	} while (0)

static json_t *run_json(const struct run_results *results)
{
	const struct run_record *run = results->run;
	json_t *o = json_object();

	put_head(o, results);
	ARRAY(o, "expectations", results->expectations, results->expectation_count, expectation_json);
	ARRAY(o, "faults", run->faults, run->fault_count, fault_json);
	ARRAY(o, "steps", run->steps, run->step_count, step_json);
	ARRAY(o, "changes", results->changes, results->change_count, change_json);
	ARRAY(o, "measurements", results->measurements, results->measurement_count, measurement_json);
	ARRAY(o, "errors", run->errors, run->error_count, error_json);
	ARRAY(o, "hosts", run->hosts, run->host_count, host_json);
	return o;
}

static int append(const char *data, size_t len, void *out)
{
	buf_add(out, data, len);
	return 0;
}

static void json_write(const struct record *record, const struct results *results, struct buf *out)
{
	json_t *o;

	(void)record;
	if (results->count == 1) {
		o = run_json(&results->runs[0]);
	} else {
		o = json_object();
		put_text(o, "verdict", verdict_name(results->verdict));
		ARRAY(o, "runs", results->runs, results->count, run_json);
	}
	if (json_dump_callback(o, append, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6)))
		out->failed = true;
	buf_putc(out, '\n');
	json_decref(o);
}

extern const struct report_ops report_json;
const struct report_ops report_json = {
	.name = "json",
	.file = "result.json",
	.summary = "verdict, expectations and measurements for programs",
	.write = json_write,
};
