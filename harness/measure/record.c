/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/measure/record.h"

#include "harness/base/array.h"
#include "harness/event/fields.h"
#include "harness/event/ndjson.h"
#include "harness/measure/intern.h"
#include "harness/measure/order.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static int fail(struct err *err, const char *what)
{
	return err_set(err, -EINVAL, LOC_NONE, "%s", what);
}

/* A zeroed element more at the end of v; aborts as arenas do, because half a record would be half a truth. */
static void *grow(void **v, size_t *count, size_t *cap, size_t size)
{
	void *slot;

	if (array_reserve(v, cap, *count + 1, size)) {
		fputs("dnsdrill: out of memory\n", stderr);
		abort();
	}
	slot = (char *)*v + *count * size;
	(*count)++;
	return memset(slot, 0, size);
}
#define GROW(v, count, cap) grow((void **)&(v), &(count), &(cap), sizeof(*(v)))

struct record *record_new(void)
{
	struct arena *arena = arena_new();
	struct record *record = calloc(1, sizeof(*record));

	if (!record) {
		fputs("dnsdrill: out of memory\n", stderr);
		abort();
	}
	record->arena = arena;
	record->intern = intern_new(arena);
	return record;
}

static void run_free(struct run_record *run)
{
	for (size_t i = 0; i < run->probe_count; i++)
		free(run->probes[i].samples);
	free(run->probes);
	free(run->faults);
	free(run->expects);
	free(run->hosts);
	free(run->errors);
	free(run->exits);
	free(run->notes);
}

void record_free(struct record *record)
{
	if (!record)
		return;
	for (size_t i = 0; i < record->count; i++)
		run_free(&record->runs[i]);
	free(record->runs);
	intern_free(record->intern);
	arena_free(record->arena);
	free(record);
}

static struct ev_strings keep_strings(struct record *record, const struct ev_strings *strings)
{
	const char **v = ARENA_ARRAY(record->arena, const char *, strings->count);

	for (size_t i = 0; i < strings->count; i++)
		v[i] = intern_text(record->intern, strings->v[i] ? strings->v[i] : "");
	return (struct ev_strings){.v = v, .count = strings->count};
}

/* Makes the texts of ev, which is the caller's own copy, the record's. */
static void keep_texts(struct record *record, struct ev *ev)
{
	size_t count;
	const struct field *fields = ev_fields(ev->kind, &count);

	for (size_t i = 0; i < count; i++) {
		void *at = (char *)ev + fields[i].offset;
		const char **text = at;

		if (fields[i].type == FIELD_TEXT)
			*text = intern_text(record->intern, *text ? *text : "");
		else if (fields[i].type == FIELD_TEXT_OPTIONAL)
			*text = intern_text(record->intern, *text);
		else if (fields[i].type == FIELD_STRINGS)
			*(struct ev_strings *)at = keep_strings(record, at);
	}
}

static int add_run(struct record *record, const struct ev_run_start *start, struct err *err)
{
	struct run_record *run;
	int r = record_finish(record, err);

	if (r)
		return r;
	if (start->schema > EV_SCHEMA)
		return err_set(err, -EINVAL, LOC_NONE,
			       "the stream was written by a newer dnsdrill (schema %" PRId64 ", this one reads %d)",
			       start->schema, EV_SCHEMA);
	run = GROW(record->runs, record->count, record->cap);
	run->start = *start;
	return 0;
}

static struct probe_record *find_probe(const struct run_record *run, const char *name)
{
	for (size_t i = 0; i < run->probe_count; i++) {
		if (!strcmp(run->probes[i].plan.probe, name))
			return &run->probes[i];
	}
	return NULL;
}

static struct fault_record *find_fault(const struct run_record *run, int64_t id)
{
	for (size_t i = 0; i < run->fault_count; i++) {
		if (run->faults[i].plan.id == id)
			return &run->faults[i];
	}
	return NULL;
}

static int add_probe(struct run_record *run, const struct ev_plan_probe *plan, struct err *err)
{
	struct probe_record *probe;

	if (plan->every_ns < 0 || plan->timeout_ns < 0)
		return err_set(err, -EINVAL, LOC_NONE, "probe \"%s\" has a negative interval", plan->probe);
	if (find_probe(run, plan->probe))
		return err_set(err, -EINVAL, LOC_NONE, "probe \"%s\" is there already", plan->probe);
	probe = GROW(run->probes, run->probe_count, run->probe_cap);
	probe->plan = *plan;
	return 0;
}

static int add_fault(struct run_record *run, const struct ev_plan_fault *plan, struct err *err)
{
	struct fault_record *fault;

	if (find_fault(run, plan->id))
		return err_set(err, -EINVAL, LOC_NONE, "fault %" PRId64 " is there already", plan->id);
	fault = GROW(run->faults, run->fault_count, run->fault_cap);
	fault->plan = *plan;
	return 0;
}

static int unknown_probe(const char *name, struct err *err)
{
	return err_set(err, -EINVAL, LOC_NONE, "no plan.probe before it named the probe \"%s\"", name);
}

static int start_probe(struct run_record *run, const struct ev_probe_start *start, struct err *err)
{
	struct probe_record *probe = find_probe(run, start->probe);

	if (!probe)
		return unknown_probe(start->probe, err);
	probe->start_ns = start->start_ns;
	return 0;
}

static const char *join_answer(struct record *record, const struct ev_strings *answer)
{
	struct buf joined = {0};
	const char *text;

	if (!answer->count)
		return NULL;
	if (answer->count == 1)
		return intern_text(record->intern, answer->v[0] ? answer->v[0] : "");
	for (size_t i = 0; i < answer->count; i++) {
		buf_puts(&joined, i ? ", " : "");
		buf_puts(&joined, answer->v[i] ? answer->v[i] : "");
	}
	text = intern_text(record->intern, joined.failed ? "" : joined.data);
	buf_fini(&joined);
	return text;
}

static int check_sample(const struct run_record *run, const struct ev_sample *ev, struct err *err)
{
	if (run->reason)
		return fail(err, "a sample after run.end");
	if (ev->i < 0 || ev->due_ns < 0)
		return fail(err, "a sample's i and due_ns count from 0");
	if (ev->done_ns < ev->due_ns)
		return err_set(err, -EINVAL, LOC_NONE, "sample %" PRId64 " of probe \"%s\" was done before it was due",
			       ev->i, ev->probe);
	return 0;
}

static int add_sample(struct record *record, struct run_record *run, const struct ev_sample *ev, struct err *err)
{
	struct probe_record *probe = find_probe(run, ev->probe ? ev->probe : "");
	struct sample *sample;

	if (!probe)
		return unknown_probe(ev->probe ? ev->probe : "", err);
	if (check_sample(run, ev, err))
		return err->code;
	if (probe->count && ev->i <= probe->samples[probe->count - 1].i)
		probe->unordered = true;
	sample = GROW(probe->samples, probe->count, probe->cap);
	*sample = (struct sample){
		.i = ev->i,
		.due_ns = ev->due_ns,
		.sent_ns = ev->sent_ns,
		.done_ns = ev->done_ns,
		.outcome = ev->outcome,
		.rcode = intern_text(record->intern, ev->rcode),
		.detail = intern_text(record->intern, ev->detail),
		.answer = join_answer(record, &ev->answer),
		.name = intern_text(record->intern, ev->name),
	};
	return 0;
}

static int unknown_fault(int64_t id, struct err *err)
{
	return err_set(err, -EINVAL, LOC_NONE, "no plan.fault before it has the id %" PRId64, id);
}

static int fault_applied(struct run_record *run, const struct ev *ev, struct err *err)
{
	struct fault_record *fault = find_fault(run, ev->fault_applied.id);

	if (!fault)
		return unknown_fault(ev->fault_applied.id, err);
	if (fault->applied)
		return err_set(err, -EINVAL, LOC_NONE, "fault \"%s\" was applied already", fault->plan.name);
	fault->applied = true;
	fault->applied_ns = ev->t_ns;
	return 0;
}

static int fault_reverted(struct run_record *run, const struct ev *ev, struct err *err)
{
	struct fault_record *fault = find_fault(run, ev->fault_reverted.id);

	if (!fault)
		return unknown_fault(ev->fault_reverted.id, err);
	if (fault->reverted)
		return err_set(err, -EINVAL, LOC_NONE, "fault \"%s\" was reverted already", fault->plan.name);
	if (fault->applied && ev->t_ns < fault->applied_ns)
		return err_set(err, -EINVAL, LOC_NONE, "fault \"%s\" was reverted before it was applied",
			       fault->plan.name);
	fault->reverted = true;
	fault->reverted_ns = ev->t_ns;
	fault->took_effect = ev->fault_reverted.took_effect;
	fault->packets = ev->fault_reverted.packets;
	fault->bytes = ev->fault_reverted.bytes;
	fault->effect = ev->fault_reverted.effect;
	return 0;
}

/* One failure is kept; one to apply or to revert outweighs one to learn the effect. */
static int fault_failed(struct run_record *run, const struct ev_fault_failed *ev, struct err *err)
{
	struct fault_record *fault = find_fault(run, ev->id);

	if (!fault)
		return unknown_fault(ev->id, err);
	if (fault->failed && !strcmp(ev->stage, "effect"))
		return 0;
	fault->failed = true;
	fault->failed_stage = ev->stage;
	fault->failed_message = ev->message;
	return 0;
}

static int fault_applying(struct run_record *run, const struct ev_fault_applying *ev, struct err *err)
{
	struct fault_record *fault = find_fault(run, ev->id);

	if (!fault)
		return unknown_fault(ev->id, err);
	fault->undo = ev->undo;
	return 0;
}

/* ev is a copy with texts of the record's own. */
static int add_kept(struct record *record, struct run_record *run, const struct ev *ev, struct err *err)
{
	switch (ev->kind) {
	case EV_PLAN_PROBE:
		return add_probe(run, &ev->plan_probe, err);
	case EV_PLAN_FAULT:
		return add_fault(run, &ev->plan_fault, err);
	case EV_PLAN_EXPECT:
		*(struct ev_plan_expect *)GROW(run->expects, run->expect_count, run->expect_cap) = ev->plan_expect;
		return 0;
	case EV_LAB_HOST:
		*(struct ev_lab_host *)GROW(run->hosts, run->host_count, run->host_cap) = ev->lab_host;
		return 0;
	case EV_ERROR:
		*(struct ev_error *)GROW(run->errors, run->error_count, run->error_cap) = ev->error;
		return 0;
	case EV_SERVER_EXIT:
		*(struct ev_server_exit *)GROW(run->exits, run->exit_count, run->exit_cap) = ev->server_exit;
		return 0;
	case EV_NOTE:
		*(struct ev_note *)GROW(run->notes, run->note_count, run->note_cap) = ev->note;
		return 0;
	case EV_LAB_READY:
		run->lab_ready_took_ns = ev->lab_ready.took_ns;
		return 0;
	case EV_CAPTURE_START:
		run->capture = ev->capture_start;
		return 0;
	case EV_CAPTURE_END:
		run->capture_end = ev->capture_end;
		return 0;
	case EV_TIMELINE_START:
		run->timeline_ns = ev->t_ns;
		return 0;
	case EV_PROBE_START:
		return start_probe(run, &ev->probe_start, err);
	case EV_FAULT_APPLYING:
		return fault_applying(run, &ev->fault_applying, err);
	case EV_FAULT_APPLIED:
		return fault_applied(run, ev, err);
	case EV_FAULT_REVERTING:
		return find_fault(run, ev->fault_reverting.id) ? 0 : unknown_fault(ev->fault_reverting.id, err);
	case EV_FAULT_REVERTED:
		return fault_reverted(run, ev, err);
	case EV_FAULT_FAILED:
		return fault_failed(run, &ev->fault_failed, err);
	case EV_RUN_END:
		run->reason = ev->run_end.reason;
		return record_finish(record, err);
	case EV_RUN_START:
	case EV_SAMPLE:
	case EV_KIND_COUNT:
		break;
	}
	return fail(err, "an event of an unknown kind");
}

static int add_first(struct record *record, const struct ev *ev, struct err *err)
{
	struct ev kept = *ev;
	int r;

	keep_texts(record, &kept);
	r = add_run(record, &kept.run_start, err);
	if (!r)
		record->runs[record->count - 1].end_ns = ev->t_ns;
	return r;
}

static int add_later(struct record *record, const struct ev *ev, struct err *err)
{
	struct run_record *run;
	struct ev kept;

	if (!record->count)
		return fail(err, "a stream begins with run.start");
	run = &record->runs[record->count - 1];
	if (ev->t_ns > run->end_ns)
		run->end_ns = ev->t_ns;
	if (ev->kind == EV_SAMPLE)
		return add_sample(record, run, &ev->sample, err);
	kept = *ev;
	keep_texts(record, &kept);
	return add_kept(record, run, &kept, err);
}

int record_add(struct record *record, const struct ev *ev, struct err *err)
{
	int r;

	/* Times from 0 to 2^62: sums and differences of two of them fit. */
	if (ev->t_ns < 0)
		r = fail(err, "t_ns counts from the start of the run");
	else
		r = ev->kind == EV_RUN_START ? add_first(record, ev, err) : add_later(record, ev, err);
	return r ? err_wrap(err, "%s", ev_kind_name(ev->kind)) : 0;
}

int record_finish(struct record *record, struct err *err)
{
	return record->count ? order_run(&record->runs[record->count - 1], err) : 0;
}

struct reading {
	struct record *record;
	int64_t next_seq;
};

/* An event that is missing would make every number a wrong one. Each run of a matrix may count from 0 again. */
static int take(void *ctx, const struct ev *ev, struct err *err)
{
	struct reading *reading = ctx;

	if (ev->seq != reading->next_seq && !(ev->kind == EV_RUN_START && ev->seq == 0))
		return err_set(err, -EINVAL, LOC_NONE,
			       "event with seq %" PRId64 " where %" PRId64 " was expected: the stream is not whole",
			       ev->seq, reading->next_seq);
	reading->next_seq = ev->seq + 1;
	return record_add(reading->record, ev, err);
}

struct record *record_read(const char *path, struct err *err)
{
	CLEANUP(record_freep) struct record *record = record_new();
	struct reading reading = {.record = record};

	if (ndjson_read(path, take, &reading, &record->cut, err))
		return NULL;
	if (!record->count) {
		err_set(err, -EINVAL, (struct loc){.file = path}, "there is no event in it");
		return NULL;
	}
	if (record_finish(record, err)) {
		err_at(err, (struct loc){.file = path});
		return NULL;
	}
	return TAKE(record);
}
