/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/undo.h"

#include <errno.h>
#include <string.h>

struct standing {
	struct injector *fault;
	bool applied; /* false: apply failed half-way */
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

static void emit_failed(struct undo *undo, const struct injector *fault, const char *stage, const struct err *err)
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

int undo_apply(struct undo *undo, struct injector *fault)
{
	struct ev applied = {.kind = EV_FAULT_APPLIED, .fault_applied = {.id = fault->id}};
	struct err err = {0};
	int r;

	if (undo->count == undo->max)
		return -ENOSPC;
	emit_applying(undo, fault);
	undo->stack[undo->count++] = (struct standing){.fault = fault};
	r = fault->ops->apply(fault, undo->ctx, &err);
	if (r) {
		emit_failed(undo, fault, "apply", &err);
		return r;
	}
	bus_emit(undo->bus, &applied);
	undo->stack[undo->count - 1].applied = true;
	return 0;
}

/* A fault that only half stands is taken back too, but has no end to speak of. */
static int revert_one(struct undo *undo, struct standing standing)
{
	struct injector *fault = standing.fault;
	struct ev reverting = {.kind = EV_FAULT_REVERTING, .fault_reverting = {.id = fault->id}};
	struct ev reverted = {.kind = EV_FAULT_REVERTED};
	struct effect effect = {0};
	struct err err = {0};
	int r, asked = 0;

	bus_emit(undo->bus, &reverting);
	if (standing.applied) {
		asked = fault->ops->effect(fault, undo->ctx, &effect, &err);
		if (asked)
			emit_failed(undo, fault, "effect", &err);
	}
	r = fault->ops->revert(fault, undo->ctx, &err);
	if (r) {
		emit_failed(undo, fault, "revert", &err);
	} else if (standing.applied) {
		reverted.fault_reverted = (struct ev_fault_reverted){
			.id = fault->id,
			.took_effect = effect.took_effect,
			.packets = effect.packets,
			.bytes = effect.bytes,
			.effect = asked ? NULL : effect.text,
		};
		bus_emit(undo->bus, &reverted);
	}
	return r ? r : asked;
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
	for (size_t i = undo->count; i-- > 0;) {
		if (undo->stack[i].fault == fault)
			return revert_at(undo, i);
	}
	return 0;
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
