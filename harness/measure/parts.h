/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts a record is put together from. Of use inside measure/.
 */
#pragma once
#include "harness/measure/record.h"

/* A zeroed element more at the end of v. Aborts without memory, as arenas do: half a record would be half a truth. */
void *record_grow(void **v, size_t *count, size_t *cap, size_t size);
#define RECORD_GROW(v, count, cap) record_grow((void **)&(v), &(count), &(cap), sizeof(*(v)))

/* record_run.c: any event but run.start and sample; its texts are the record's own already. */
int run_add(struct record *record, struct run_record *run, const struct ev *ev, struct err *err);
/* A sample, whose texts are still the caller's. */
int run_add_sample(struct record *record, struct run_record *run, const struct ev_sample *ev, struct err *err);

/* order.c: samples arrive as they end and are read as they were due. See record_finish(). */
int order_run(struct run_record *run, struct err *err);

/* changes.c: which version of the lab's zones was right when, and so which samples are stale, or wrong. After order_run. Twice is harmless. */
void changes_judge(struct run_record *run);
