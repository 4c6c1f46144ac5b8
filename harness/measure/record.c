/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/measure/record.h"

#include "harness/event/fields.h"
#include "harness/event/ndjson.h"
#include "harness/measure/intern.h"
#include "harness/measure/parts.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

int64_t probe_record_weight(const struct probe_record *probe, size_t k, int64_t from_ns)
{
	const struct sample *sample = &probe->samples[k], *before = sample - 1;
	int64_t grid_ns = probe->plan.near_faults_ns, moments;

	/* Of samples that are missing nobody knows when they were due. */
	if (!grid_ns || !k || before->i + 1 != sample->i)
		return 1;
	moments = (sample->due_ns - before->due_ns) / grid_ns;
	if (before->due_ns < from_ns && (sample->due_ns - from_ns) / grid_ns + 1 < moments)
		moments = (sample->due_ns - from_ns) / grid_ns + 1;
	return moments > 0 ? moments : 1;
}

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
	for (size_t i = 0; i < run->probe_count; i++) {
		for (size_t k = 0; k < run->probes[i].part_count; k++)
			free(run->probes[i].parts[k].samples);
		free(run->probes[i].parts);
		free(run->probes[i].samples);
	}
	for (size_t i = 0; i < run->fault_count; i++)
		free(run->faults[i].spans);
	for (size_t i = 0; i < run->step_count; i++)
		free(run->steps[i].hosts);
	free(run->steps);
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
	run = RECORD_GROW(record->runs, record->count, record->cap);
	run->start = *start;
	return 0;
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
		return err_set(err, -EINVAL, LOC_NONE, "a stream begins with run.start");
	run = &record->runs[record->count - 1];
	if (ev->t_ns > run->end_ns)
		run->end_ns = ev->t_ns;
	if (ev->kind == EV_SAMPLE)
		return run_add_sample(record, run, &ev->sample, err);
	kept = *ev;
	keep_texts(record, &kept);
	return run_add(record, run, &kept, err);
}

int record_add(struct record *record, const struct ev *ev, struct err *err)
{
	int r;

	/* Times from 0 to 2^62: sums and differences of two of them fit. */
	if (ev->t_ns < 0)
		r = err_set(err, -EINVAL, LOC_NONE, "t_ns counts from the start of the run");
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
