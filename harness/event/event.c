/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/event/fields.h"

#include <string.h>

/* offsetof() that does not compile where the member has another type. */
#define OFFSET(lower, member, ctype) \
	(offsetof(struct ev, lower.member) + 0 * sizeof(char[_Generic(((struct ev *)0)->lower.member, ctype : 1)]))
#define ROW(lower, member, ctype, field_type)                                              \
	{                                                                                  \
		.key = #member, .offset = OFFSET(lower, member, ctype), .type = field_type \
	}
#define TEXT(lower, member) ROW(lower, member, const char *, FIELD_TEXT)
#define OPT(lower, member) ROW(lower, member, const char *, FIELD_TEXT_OPTIONAL)
#define INT(lower, member) ROW(lower, member, int64_t, FIELD_INT)
#define INTOPT(lower, member) ROW(lower, member, int64_t, FIELD_INT_OPTIONAL)
#define ANY(lower, member) ROW(lower, member, int64_t, FIELD_INT_ANY)
#define BOOL(lower, member) ROW(lower, member, bool, FIELD_BOOL)
#define STRS(lower, member) ROW(lower, member, struct ev_strings, FIELD_STRINGS)

static const struct field run_start_fields[] = {
	INT(run_start, schema),     TEXT(run_start, plan),   OPT(run_start, plan_file),    OPT(run_start, description),
	OPT(run_start, case_label), OPT(run_start, command), ANY(run_start, seed),         OPT(run_start, engine),
	OPT(run_start, version),    OPT(run_start, kernel),  INT(run_start, wall_ns),      INT(run_start, recovery_ns),
	INT(run_start, end_ns),     INT(run_start, stable),  INT(run_start, baseline_ppm),
};
static const struct field plan_probe_fields[] = {
	TEXT(plan_probe, probe),
	OPT(plan_probe, kind),
	OPT(plan_probe, from),
	OPT(plan_probe, via),
	OPT(plan_probe, query),
	OPT(plan_probe, transport),
	OPT(plan_probe, good),
	INT(plan_probe, every_ns),
	INT(plan_probe, timeout_ns),
	INTOPT(plan_probe, tells),
	INTOPT(plan_probe, stale_is_bad),
	INTOPT(plan_probe, near_faults_ns),
};
static const struct field plan_fault_fields[] = {
	INT(plan_fault, id),         TEXT(plan_fault, name),    OPT(plan_fault, kind),      OPT(plan_fault, target),
	OPT(plan_fault, from),       INT(plan_fault, at_ns),    INT(plan_fault, for_ns),    OPT(plan_fault, sentence),
	INTOPT(plan_fault, ramp_ns), INTOPT(plan_fault, on_ns), INTOPT(plan_fault, off_ns),
};
static const struct field plan_expect_fields[] = {
	TEXT(plan_expect, text), TEXT(plan_expect, probe), OPT(plan_expect, during), TEXT(plan_expect, metric),
	TEXT(plan_expect, op),   INT(plan_expect, bound),  OPT(plan_expect, file),   INT(plan_expect, line),
};
static const struct field plan_step_fields[] = {
	INT(plan_step, id),         TEXT(plan_step, name),     OPT(plan_step, kind),     OPT(plan_step, target),
	INT(plan_step, at_ns),      BOOL(plan_step, may_fail), OPT(plan_step, sentence), OPT(plan_step, zone),
	INTOPT(plan_step, version), INTOPT(plan_step, serial),
};
static const struct field lab_host_fields[] = {
	TEXT(lab_host, host),      OPT(lab_host, role),   OPT(lab_host, server),  OPT(lab_host, version),
	STRS(lab_host, addresses), OPT(lab_host, ifname), INT(lab_host, ifindex),
};
static const struct field lab_ready_fields[] = {INT(lab_ready, took_ns)};
static const struct field capture_start_fields[] = {TEXT(capture_start, file), INT(capture_start, wall_minus_t_ns)};
static const struct field capture_end_fields[] = {INT(capture_end, packets), INT(capture_end, dropped)};
static const struct field timeline_start_fields[] = {INT(timeline_start, planned_end_ns)};
static const struct field probe_start_fields[] = {TEXT(probe_start, probe), INT(probe_start, start_ns)};
static const struct field sample_fields[] = {
	TEXT(sample, probe),  INT(sample, i),       INT(sample, due_ns),
	INT(sample, sent_ns), INT(sample, done_ns), ROW(sample, outcome, enum outcome, FIELD_OUTCOME),
	OPT(sample, rcode),   OPT(sample, detail),  STRS(sample, answer),
	OPT(sample, name),    INTOPT(sample, fits), INTOPT(sample, differs),
};
static const struct field sample_part_fields[] = {
	TEXT(sample_part, probe),  INT(sample_part, i),
	TEXT(sample_part, host),   TEXT(sample_part, address),
	INT(sample_part, due_ns),  INT(sample_part, sent_ns),
	INT(sample_part, done_ns), ROW(sample_part, outcome, enum outcome, FIELD_OUTCOME),
	OPT(sample_part, rcode),   OPT(sample_part, detail),
	STRS(sample_part, answer), INT(sample_part, serial),
	INTOPT(sample_part, fits),
};
static const struct field fault_applying_fields[] = {INT(fault_applying, id), OPT(fault_applying, undo)};
static const struct field fault_applied_fields[] = {INT(fault_applied, id), OPT(fault_applied, backend)};
static const struct field fault_switched_fields[] = {INT(fault_switched, id), BOOL(fault_switched, on)};
static const struct field fault_reverting_fields[] = {INT(fault_reverting, id)};
static const struct field fault_reverted_fields[] = {
	INT(fault_reverted, id),    BOOL(fault_reverted, took_effect), INT(fault_reverted, packets),
	INT(fault_reverted, bytes), OPT(fault_reverted, effect),
};
static const struct field fault_failed_fields[] = {
	INT(fault_failed, id),
	TEXT(fault_failed, stage),
	TEXT(fault_failed, message),
};
static const struct field step_started_fields[] = {INT(step_started, id)};
static const struct field step_host_fields[] = {
	INT(step_host, id),          TEXT(step_host, host), BOOL(step_host, ok),
	INTOPT(step_host, shown_ns), OPT(step_host, text),
};
static const struct field step_ended_fields[] = {INT(step_ended, id), BOOL(step_ended, ok), OPT(step_ended, text)};
static const struct field server_exit_fields[] = {
	TEXT(server_exit, host),    OPT(server_exit, server), OPT(server_exit, status),
	OPT(server_exit, log_tail), OPT(server_exit, cause),
};
static const struct field server_start_fields[] = {TEXT(server_start, host), OPT(server_start, server)};
static const struct field server_answer_fields[] = {
	TEXT(server_answer, host),
	OPT(server_answer, server),
	INT(server_answer, took_ns),
};
static const struct field note_fields[] = {TEXT(note, level), TEXT(note, text)};
static const struct field error_fields[] = {
	TEXT(error, message), OPT(error, host), OPT(error, file), INT(error, line), INT(error, col),
};
static const struct field run_end_fields[] = {TEXT(run_end, reason)};

static const struct {
	const char *name;
	const struct field *fields;
	size_t count;
} kinds[EV_KIND_COUNT] = {
#define KIND(upper, lower, text) {text, lower##_fields, ARRAY_LEN(lower##_fields)},
	EV_KINDS(KIND)
#undef KIND
};

static const char *const outcomes[OUTCOME_COUNT] = {
	[OUTCOME_OK] = "ok",           [OUTCOME_WRONG] = "wrong", [OUTCOME_RCODE] = "rcode",
	[OUTCOME_TIMEOUT] = "timeout", [OUTCOME_ERROR] = "error",
};

const char *ev_kind_name(enum ev_kind kind)
{
	return kinds[kind].name;
}

enum ev_kind ev_kind_find(const char *name)
{
	/* Nearly every line of a stream is a sample. */
	if (!strcmp(name, kinds[EV_SAMPLE].name))
		return EV_SAMPLE;
	for (size_t i = 0; i < EV_KIND_COUNT; i++) {
		if (!strcmp(name, kinds[i].name))
			return (enum ev_kind)i;
	}
	return EV_KIND_COUNT;
}

const struct field *ev_fields(enum ev_kind kind, size_t *ret_count)
{
	*ret_count = kinds[kind].count;
	return kinds[kind].fields;
}

const char *outcome_name(enum outcome outcome)
{
	return outcomes[outcome];
}

enum outcome outcome_find(const char *name)
{
	for (size_t i = 0; i < OUTCOME_COUNT; i++) {
		if (!strcmp(name, outcomes[i]))
			return (enum outcome)i;
	}
	return OUTCOME_COUNT;
}
