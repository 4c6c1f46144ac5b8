/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each event adds to the record of its run.
 */
#include "harness/base/array.h"
#include "harness/measure/intern.h"
#include "harness/measure/parts.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

void *record_grow(void **v, size_t *count, size_t *cap, size_t size)
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

	if (plan->every_ns < 0 || plan->timeout_ns < 0 || plan->near_faults_ns < 0)
		return err_set(err, -EINVAL, LOC_NONE, "probe \"%s\" has a negative interval", plan->probe);
	if (find_probe(run, plan->probe))
		return err_set(err, -EINVAL, LOC_NONE, "probe \"%s\" is there already", plan->probe);
	probe = RECORD_GROW(run->probes, run->probe_count, run->probe_cap);
	probe->plan = *plan;
	return 0;
}

static int add_fault(struct run_record *run, const struct ev_plan_fault *plan, struct err *err)
{
	struct fault_record *fault;

	if (find_fault(run, plan->id))
		return err_set(err, -EINVAL, LOC_NONE, "fault %" PRId64 " is there already", plan->id);
	fault = RECORD_GROW(run->faults, run->fault_count, run->fault_cap);
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
		return err_set(err, -EINVAL, LOC_NONE, "a sample after run.end");
	if (ev->i < 0 || ev->due_ns < 0)
		return err_set(err, -EINVAL, LOC_NONE, "a sample's i and due_ns count from 0");
	if (ev->done_ns < ev->due_ns)
		return err_set(err, -EINVAL, LOC_NONE, "sample %" PRId64 " of probe \"%s\" was done before it was due",
			       ev->i, ev->probe);
	return 0;
}

int run_add_sample(struct record *record, struct run_record *run, const struct ev_sample *ev, struct err *err)
{
	struct probe_record *probe = find_probe(run, ev->probe ? ev->probe : "");
	struct sample *sample;

	if (!probe)
		return unknown_probe(ev->probe ? ev->probe : "", err);
	if (check_sample(run, ev, err))
		return err->code;
	if (probe->count && ev->i <= probe->samples[probe->count - 1].i)
		probe->unordered = true;
	sample = RECORD_GROW(probe->samples, probe->count, probe->cap);
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
		.fits = ev->fits,
		.differs = ev->differs != 0,
	};
	return 0;
}

static struct probe_record *find_part(struct probe_record *probe, const struct ev_sample_part *ev)
{
	struct probe_record *part;

	for (size_t i = 0; i < probe->part_count; i++) {
		if (!strcmp(probe->parts[i].address, ev->address) && !strcmp(probe->parts[i].host, ev->host))
			return &probe->parts[i];
	}
	part = RECORD_GROW(probe->parts, probe->part_count, probe->part_cap);
	part->plan = probe->plan;
	part->host = ev->host;
	part->address = ev->address;
	return part;
}

static int add_part(struct run_record *run, const struct ev_sample_part *ev, struct err *err)
{
	struct probe_record *probe = find_probe(run, ev->probe), *part;
	struct sample *sample;

	if (!probe)
		return unknown_probe(ev->probe, err);
	part = find_part(probe, ev);
	if (part->count && ev->i <= part->samples[part->count - 1].i)
		part->unordered = true;
	sample = RECORD_GROW(part->samples, part->count, part->cap);
	*sample = (struct sample){
		.i = ev->i,
		.due_ns = ev->due_ns,
		.sent_ns = ev->sent_ns,
		.done_ns = ev->done_ns,
		.outcome = ev->outcome,
		.rcode = ev->rcode,
		.detail = ev->detail,
		.fits = ev->fits,
	};
	return 0;
}

static int unknown_fault(int64_t id, struct err *err)
{
	return err_set(err, -EINVAL, LOC_NONE, "no plan.fault before it has the id %" PRId64, id);
}

static void switch_on(struct fault_record *fault, int64_t t_ns)
{
	struct fault_span *span = RECORD_GROW(fault->spans, fault->span_count, fault->span_cap);

	*span = (struct fault_span){t_ns, t_ns};
	fault->is_on = true;
}

static void switch_off(struct fault_record *fault, int64_t t_ns)
{
	if (fault->is_on)
		fault->spans[fault->span_count - 1].to_ns = t_ns;
	fault->is_on = false;
}

static int fault_switched(struct run_record *run, const struct ev *ev, struct err *err)
{
	struct fault_record *fault = find_fault(run, ev->fault_switched.id);

	if (!fault)
		return unknown_fault(ev->fault_switched.id, err);
	if (!fault->applied || fault->reverted)
		return err_set(err, -EINVAL, LOC_NONE, "fault \"%s\" was switched while it was not applied",
			       fault->plan.name);
	if (fault->is_on == ev->fault_switched.on)
		return err_set(err, -EINVAL, LOC_NONE, "fault \"%s\" was switched %s, and it was already",
			       fault->plan.name, fault->is_on ? "on" : "off");
	if (ev->t_ns < fault->spans[fault->span_count - 1].to_ns)
		return err_set(err, -EINVAL, LOC_NONE, "fault \"%s\" was switched before it was last time",
			       fault->plan.name);
	if (ev->fault_switched.on)
		switch_on(fault, ev->t_ns);
	else
		switch_off(fault, ev->t_ns);
	return 0;
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
	fault->backend = ev->fault_applied.backend;
	switch_on(fault, ev->t_ns);
	return 0;
}

static int fault_reverted(struct run_record *run, const struct ev *ev, struct err *err)
{
	struct fault_record *fault = find_fault(run, ev->fault_reverted.id);

	if (!fault)
		return unknown_fault(ev->fault_reverted.id, err);
	if (fault->reverted)
		return err_set(err, -EINVAL, LOC_NONE, "fault \"%s\" was reverted already", fault->plan.name);
	if (fault->applied && ev->t_ns < fault->spans[fault->span_count - 1].to_ns)
		return err_set(err, -EINVAL, LOC_NONE, "fault \"%s\" was reverted before it was %s", fault->plan.name,
			       ev->t_ns < fault->applied_ns ? "applied" : "last switched");
	switch_off(fault, ev->t_ns);
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

static struct step_record *find_step(const struct run_record *run, int64_t id)
{
	for (size_t i = 0; i < run->step_count; i++) {
		if (run->steps[i].plan.id == id)
			return &run->steps[i];
	}
	return NULL;
}

static int add_step(struct run_record *run, const struct ev_plan_step *plan, struct err *err)
{
	struct step_record *step;

	if (find_step(run, plan->id))
		return err_set(err, -EINVAL, LOC_NONE, "step %" PRId64 " is there already", plan->id);
	step = RECORD_GROW(run->steps, run->step_count, run->step_cap);
	step->plan = *plan;
	return 0;
}

static int add_to_step(struct run_record *run, const struct ev *ev, struct err *err)
{
	int64_t id = ev->kind == EV_STEP_STARTED ? ev->step_started.id
		     : ev->kind == EV_STEP_HOST  ? ev->step_host.id
						 : ev->step_ended.id;
	struct step_record *step = find_step(run, id);

	if (!step)
		return err_set(err, -EINVAL, LOC_NONE, "no plan.step before it has the id %" PRId64, id);
	if (ev->kind == EV_STEP_STARTED) {
		step->started = true;
		step->started_ns = ev->t_ns;
	} else if (ev->kind == EV_STEP_HOST) {
		*(struct ev_step_host *)RECORD_GROW(step->hosts, step->host_count, step->host_cap) = ev->step_host;
	} else {
		step->ended = true;
		step->ended_ns = ev->t_ns;
		step->ok = ev->step_ended.ok;
		step->text = ev->step_ended.text;
	}
	return 0;
}

/* Kinds that are listed as they come. */
static void keep(struct run_record *run, const struct ev *ev)
{
	switch ((int)ev->kind) {
	case EV_PLAN_EXPECT:
		*(struct ev_plan_expect *)RECORD_GROW(run->expects, run->expect_count, run->expect_cap) =
			ev->plan_expect;
		break;
	case EV_LAB_HOST:
		*(struct ev_lab_host *)RECORD_GROW(run->hosts, run->host_count, run->host_cap) = ev->lab_host;
		break;
	case EV_LAB_READY:
		run->lab_ready_took_ns = ev->lab_ready.took_ns;
		break;
	case EV_CAPTURE_START:
		run->capture = ev->capture_start;
		break;
	case EV_CAPTURE_END:
		run->capture_end = ev->capture_end;
		break;
	case EV_TIMELINE_START:
		run->timeline_ns = ev->t_ns;
		break;
	case EV_ERROR:
		*(struct ev_error *)RECORD_GROW(run->errors, run->error_count, run->error_cap) = ev->error;
		break;
	case EV_SERVER_EXIT:
		*(struct ev_server_exit *)RECORD_GROW(run->exits, run->exit_count, run->exit_cap) = ev->server_exit;
		break;
	case EV_NOTE:
		*(struct ev_note *)RECORD_GROW(run->notes, run->note_count, run->note_cap) = ev->note;
		break;
	}
}

int run_add(struct record *record, struct run_record *run, const struct ev *ev, struct err *err)
{
	switch (ev->kind) {
	case EV_PLAN_PROBE:
		return add_probe(run, &ev->plan_probe, err);
	case EV_PLAN_FAULT:
		return add_fault(run, &ev->plan_fault, err);
	case EV_PLAN_STEP:
		return add_step(run, &ev->plan_step, err);
	case EV_STEP_STARTED:
	case EV_STEP_HOST:
	case EV_STEP_ENDED:
		return add_to_step(run, ev, err);
	case EV_PLAN_EXPECT:
	case EV_LAB_HOST:
	case EV_LAB_READY:
	case EV_CAPTURE_START:
	case EV_CAPTURE_END:
	case EV_TIMELINE_START:
	case EV_ERROR:
	case EV_SERVER_EXIT:
	case EV_NOTE:
		keep(run, ev);
		return 0;
	case EV_SAMPLE_PART:
		return add_part(run, &ev->sample_part, err);
	case EV_PROBE_START:
		return start_probe(run, &ev->probe_start, err);
	case EV_FAULT_APPLYING:
		return fault_applying(run, &ev->fault_applying, err);
	case EV_FAULT_APPLIED:
		return fault_applied(run, ev, err);
	case EV_FAULT_SWITCHED:
		return fault_switched(run, ev, err);
	case EV_FAULT_REVERTING:
		return find_fault(run, ev->fault_reverting.id) ? 0 : unknown_fault(ev->fault_reverting.id, err);
	case EV_FAULT_REVERTED:
		return fault_reverted(run, ev, err);
	case EV_FAULT_FAILED:
		return fault_failed(run, &ev->fault_failed, err);
	case EV_RUN_END:
		run->reason = ev->run_end.reason;
		return record_finish(record, err);
	case EV_SERVER_START:
	case EV_SERVER_ANSWER:
		return 0; /* for who reads the stream: no number comes of them */
	case EV_RUN_START:
	case EV_SAMPLE:
	case EV_KIND_COUNT:
		break;
	}
	return err_set(err, -EINVAL, LOC_NONE, "an event of an unknown kind");
}
