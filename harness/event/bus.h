/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus: numbers and times events and hands each to every sink, in the order the sinks were added, at once.
 * One bus per run, one thread. bus_new → bus_add_sink… → bus_emit… → bus_free.
 */
#pragma once
#include "harness/event/event.h"

struct bus;

/* t_ns of events counts from epoch_ns (CLOCK_MONOTONIC). */
struct bus *bus_new(int64_t epoch_ns);
void bus_free(struct bus *bus);
DEFINE_CLEANUP(struct bus *, bus_free);

/* ctx is borrowed until bus_free. take must not emit. */
void bus_add_sink(struct bus *bus, void (*take)(void *ctx, const struct ev *ev), void *ctx);

/* Sets seq and t_ns (now) and hands ev on. Returns the t_ns given. */
int64_t bus_emit(struct bus *bus, struct ev *ev);
/* The same at a moment already taken with bus_now(), for events whose instant is not the moment of saying so. */
void bus_emit_at(struct bus *bus, struct ev *ev, int64_t t_ns);
int64_t bus_now(const struct bus *bus); /* t_ns of this moment */
int64_t bus_epoch_ns(const struct bus *bus);

void bus_note(struct bus *bus, const char *level, const char *fmt, ...) PRINTF(3, 4);
void bus_error(struct bus *bus, const char *host, const struct err *err);
