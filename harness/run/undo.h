/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The undo stack: applies faults, remembers what stands, and takes all of it back.
 *
 * A fault that flaps stays on the stack while it is off. What undoes a fault is in the event stream (fault.applying) before the fault is applied. Undoing goes newest first and never stops at one that
 * fails: that one is reported as fault.failed and the rest goes on. undo_new → undo_apply/undo_revert… → undo_all → undo_free.
 */
#pragma once
#include "harness/api/injector.h"
#include "harness/event/bus.h"

struct undo;

/* bus and ctx are borrowed until undo_free; progress and backend in ctx are this file's to set. max: how many faults can stand at once. */
struct undo *undo_new(struct bus *bus, struct injector_ctx *ctx, size_t max);
void undo_free(struct undo *undo); /* NULL is fine; undoes nothing */

/* Before anything is measured, and after: what faults need that takes the kernel longer than a probe may be held up. 0 or a negative errno; of release the
 * first, and all are released. */
int undo_prepare(struct undo *undo, struct injector *const *faults, size_t count, struct err *err);
int undo_release(struct undo *undo, struct injector *const *faults, size_t count, struct err *err);
/* Applies the fault and puts it on the stack, also after a failure, for then it may be half there. 0 or a negative errno, already reported as an event. */
int undo_apply(struct undo *undo, struct injector *fault, int64_t progress_ppm);
/* A step of a ramp, for a fault that is on. 0 or a negative errno, already reported. */
int undo_adjust(struct undo *undo, struct injector *fault, int64_t progress_ppm);
/* A switch of a flap (fault.switched): effects add up. One that is so already is left alone. 0 or a negative errno, already reported; a failure to switch off
 * leaves it on, and undo_revert tries again. */
int undo_switch(struct undo *undo, struct injector *fault, bool on, int64_t progress_ppm);
/* A failure of a fault that came to light late, as an event. */
void undo_say_failed(struct undo *undo, const struct injector *fault, const char *stage, const struct err *err);
/* Asks for the effect, reverts, and takes it off the stack. A fault that does not stand is left alone. */
int undo_revert(struct undo *undo, struct injector *fault);
/* Everything that stands, newest first. 0, or the first error. */
int undo_all(struct undo *undo);
