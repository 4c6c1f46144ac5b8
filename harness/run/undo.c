/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/undo.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct standing {
	struct injector *fault;
	bool applied; /* false: the first apply failed half-way */
	bool is_on; /* false while a flap has it off */
	bool revert_failed; /* the last one */
	bool effect_failed; /* could not be asked each time */
	int64_t spans; /* how often it was on and its effect asked */
	struct effect total; /* of those; its text is of the last one that had an effect */
};

struct undo {
	struct bus *bus;
	struct injector_ctx *ctx;
	struct standing *stack;
	size_t count, max;
};

struct undo *undo_new(struct bus *bus, struct injector_ctx *ctx, size_t max)
{
	struct undo *undo = calloc(1, sizeof(*undo));

	if (!undo)
		return NULL;
	*undo = (struct undo){.bus = bus, .ctx = ctx, .max = max};
	undo->stack = calloc(max + 1, sizeof(*undo->stack));
	if (!undo->stack) {
		free(undo);
		return NULL;
	}
	return undo;
}

void undo_free(struct undo *undo)
{
	if (!undo)
		return;
	free(undo->stack);
	free(undo);
}

int undo_prepare(struct undo *undo, struct injector *const *faults, size_t count, struct err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < count; i++) {
		r = faults[i]->ops->prepare ? faults[i]->ops->prepare(faults[i], undo->ctx, err) : 0;
		if (r)
			err_at(err, faults[i]->loc);
	}
	return r ? err_wrap(err, "preparing a fault") : 0;
}

int undo_release(struct undo *undo, struct injector *const *faults, size_t count, struct err *err)
{
	int first = 0;

	for (size_t i = count; i-- > 0;) {
		struct err one = {0};
		int r = faults[i]->ops->release ? faults[i]->ops->release(faults[i], undo->ctx, &one) : 0;

		if (r && !first) {
			first = r;
			*err = one;
			err_at(err, faults[i]->loc);
		}
	}
	return first ? err_wrap(err, "releasing a fault") : 0;
}

void undo_say_failed(struct undo *undo, const struct injector *fault, const char *stage, const struct err *err)
{
	struct ev ev = {.kind = EV_FAULT_FAILED};

	ev.fault_failed = (struct ev_fault_failed){.id = fault->id, .stage = stage, .message = err->text};
	bus_emit(undo->bus, &ev);
}

static void emit_applying(struct undo *undo, const struct injector *fault)
{
	struct ev ev = {.kind = EV_FAULT_APPLYING};
	struct buf apply = {0}, revert = {0};

	fault->ops->commands(fault, &apply, &revert);
	ev.fault_applying = (struct ev_fault_applying){.id = fault->id, .undo = revert.data};
	bus_emit(undo->bus, &ev);
	buf_fini(&apply);
	buf_fini(&revert);
}

static struct standing *find(struct undo *undo, const struct injector *fault)
{
	for (size_t i = undo->count; i-- > 0;) {
		if (undo->stack[i].fault == fault)
			return &undo->stack[i];
	}
	return NULL;
}

static int put_on(struct undo *undo, struct standing *standing, int64_t progress_ppm)
{
	struct injector *fault = standing->fault;
	struct err err = {0};
	int r;

	undo->ctx->progress_ppm = progress_ppm;
	undo->ctx->backend = NULL;
	r = fault->ops->apply(fault, undo->ctx, &err);
	if (r)
		undo_say_failed(undo, fault, "apply", &err);
	standing->is_on = !r;
	return r;
}

int undo_apply(struct undo *undo, struct injector *fault, int64_t progress_ppm)
{
	struct ev applied = {.kind = EV_FAULT_APPLIED, .fault_applied = {.id = fault->id}};
	struct standing *standing = &undo->stack[undo->count];
	int r;

	if (undo->count == undo->max)
		return -ENOSPC;
	emit_applying(undo, fault);
	*standing = (struct standing){.fault = fault};
	undo->count++;
	r = put_on(undo, standing, progress_ppm);
	if (r)
		return r;
	applied.fault_applied.backend = undo->ctx->backend;
	bus_emit(undo->bus, &applied);
	standing->applied = true;
	return 0;
}

int undo_adjust(struct undo *undo, struct injector *fault, int64_t progress_ppm)
{
	struct standing *standing = find(undo, fault);
	struct err err = {0};
	int r;

	if (!standing || !standing->is_on)
		return 0;
	r = fault->ops->adjust(fault, undo->ctx, progress_ppm, &err);
	if (r)
		undo_say_failed(undo, fault, "adjust", &err);
	return r;
}

static void add_effect(struct standing *standing, const struct effect *effect)
{
	struct effect *total = &standing->total;

	standing->spans++;
	total->packets += effect->packets;
	total->bytes += effect->bytes;
	total->unit = effect->unit;
	if (effect->took_effect || !total->took_effect)
		memcpy(total->text, effect->text, sizeof(total->text));
	total->took_effect |= effect->took_effect;
}

/* Asks for the effect while there is still something to ask, then takes the fault off the path. */
static int take_off(struct undo *undo, struct standing *standing)
{
	struct injector *fault = standing->fault;
	struct effect effect = {0};
	struct err err = {0};
	int r, asked = 0;

	if (standing->is_on) {
		asked = fault->ops->effect(fault, undo->ctx, &effect, &err);
		if (asked)
			undo_say_failed(undo, fault, "effect", &err);
		standing->effect_failed |= asked != 0;
	}
	r = fault->ops->revert(fault, undo->ctx, &err);
	standing->revert_failed = r != 0;
	if (r)
		undo_say_failed(undo, fault, "revert", &err);
	else if (standing->is_on && !asked)
		add_effect(standing, &effect); /* not before: the effect of one that stays on is asked again */
	standing->is_on &= r != 0;
	return r ? r : asked;
}

int undo_switch(struct undo *undo, struct injector *fault, bool on, int64_t progress_ppm)
{
	struct standing *standing = find(undo, fault);
	struct ev switched = {.kind = EV_FAULT_SWITCHED, .fault_switched = {.id = fault->id, .on = on}};
	int r;

	if (!standing || standing->is_on == on)
		return 0;
	r = on ? put_on(undo, standing, progress_ppm) : take_off(undo, standing);
	if (standing->is_on == on)
		bus_emit(undo->bus, &switched);
	return r;
}

/* What the whole fault did. The text of one that was on several times says the sum first. */
static void describe_effect(const struct standing *standing, char *buf, size_t size)
{
	const struct effect *total = &standing->total;
	char bytes[48] = "";

	if (total->bytes)
		snprintf(bytes, sizeof(bytes), " (%" PRId64 " bytes)", total->bytes);
	if (standing->spans < 2 || !total->took_effect)
		snprintf(buf, size, "%s", total->text);
	else
		snprintf(buf, size, "acted on %" PRId64 " %s%s%s while on, %" PRId64 " times; the last time: %s",
			 total->packets, total->unit ? total->unit : "packet", total->packets == 1 ? "" : "s", bytes,
			 standing->spans, total->text);
}

/* A fault that only half stands is taken back too, but has no end to speak of. */
static int revert_one(struct undo *undo, struct standing standing)
{
	struct injector *fault = standing.fault;
	struct ev reverting = {.kind = EV_FAULT_REVERTING, .fault_reverting = {.id = fault->id}};
	struct ev reverted = {.kind = EV_FAULT_REVERTED};
	char text[sizeof(standing.total.text) + 160];
	int r;

	bus_emit(undo->bus, &reverting);
	r = take_off(undo, &standing);
	if (!standing.applied || standing.revert_failed)
		return r;
	describe_effect(&standing, text, sizeof(text));
	reverted.fault_reverted = (struct ev_fault_reverted){
		.id = fault->id,
		.took_effect = standing.total.took_effect,
		.packets = standing.total.packets,
		.bytes = standing.total.bytes,
		.effect = standing.effect_failed ? NULL : text,
	};
	bus_emit(undo->bus, &reverted);
	return r;
}

static int revert_at(struct undo *undo, size_t i)
{
	struct standing standing = undo->stack[i];

	undo->count--;
	memmove(&undo->stack[i], &undo->stack[i + 1], (undo->count - i) * sizeof(*undo->stack));
	return revert_one(undo, standing);
}

int undo_revert(struct undo *undo, struct injector *fault)
{
	const struct standing *standing = find(undo, fault);

	return standing ? revert_at(undo, (size_t)(standing - undo->stack)) : 0;
}

int undo_all(struct undo *undo)
{
	int first = 0;

	while (undo->count) {
		int r = revert_at(undo, undo->count - 1);

		first = first ? first : r;
	}
	return first;
}
