/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/event/bus.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/clock.h"

#define SINKS_MAX 8

struct bus {
	int64_t epoch_ns, next_seq;
	size_t sink_count;
	struct {
		void (*take)(void *ctx, const struct ev *ev);
		void *ctx;
	} sinks[SINKS_MAX];
};

struct bus *bus_new(int64_t epoch_ns)
{
	struct bus *bus = calloc(1, sizeof(*bus));

	if (!bus) {
		fputs("dnsdrill: out of memory\n", stderr);
		abort();
	}
	bus->epoch_ns = epoch_ns;
	return bus;
}

void bus_free(struct bus *bus)
{
	free(bus);
}

void bus_add_sink(struct bus *bus, void (*take)(void *ctx, const struct ev *ev), void *ctx)
{
	if (bus->sink_count == SINKS_MAX)
		abort(); /* a mistake in the program: sinks are added by name in one place */
	bus->sinks[bus->sink_count].take = take;
	bus->sinks[bus->sink_count++].ctx = ctx;
}

int64_t bus_now(const struct bus *bus)
{
	return clock_now_ns() - bus->epoch_ns;
}

int64_t bus_epoch_ns(const struct bus *bus)
{
	return bus->epoch_ns;
}

void bus_emit_at(struct bus *bus, struct ev *ev, int64_t t_ns)
{
	ev->seq = bus->next_seq++;
	ev->t_ns = t_ns;
	for (size_t i = 0; i < bus->sink_count; i++)
		bus->sinks[i].take(bus->sinks[i].ctx, ev);
}

int64_t bus_emit(struct bus *bus, struct ev *ev)
{
	int64_t now = bus_now(bus);

	bus_emit_at(bus, ev, now);
	return now;
}

void bus_note(struct bus *bus, const char *level, const char *fmt, ...)
{
	struct ev ev = {.kind = EV_NOTE};
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ev.note = (struct ev_note){.level = level, .text = text};
	bus_emit(bus, &ev);
}

void bus_error(struct bus *bus, const char *host, const struct err *err)
{
	struct ev ev = {.kind = EV_ERROR};

	ev.error = (struct ev_error){
		.message = err->text,
		.host = host,
		.file = err->loc.file,
		.line = err->loc.line,
		.col = err->loc.col,
	};
	bus_emit(bus, &ev);
}
