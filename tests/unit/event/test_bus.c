/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/clock.h"
#include "harness/event/bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct seen {
	char order[16]; /* which sink saw an event */
	size_t count;
	int64_t seq[8], t_ns[8];
	char text[64];
};

static struct seen seen;

static void note(char who, const struct ev *ev)
{
	seen.order[seen.count] = who;
	seen.seq[seen.count] = ev->seq;
	seen.t_ns[seen.count++] = ev->t_ns;
	if (ev->kind == EV_NOTE)
		snprintf(seen.text, sizeof(seen.text), "%s: %s", ev->note.level, ev->note.text);
	if (ev->kind == EV_ERROR)
		snprintf(seen.text, sizeof(seen.text), "%s %s:%d: %s", ev->error.host, ev->error.file,
			 (int)ev->error.line, ev->error.message);
}

static void take_a(void *ctx, const struct ev *ev)
{
	(void)ctx;
	note('a', ev);
}

static void take_b(void *ctx, const struct ev *ev)
{
	(void)ctx;
	note('b', ev);
}

static struct bus *bus_with_two(int64_t epoch_ns)
{
	struct bus *bus = bus_new(epoch_ns);

	seen = (struct seen){0};
	bus_add_sink(bus, take_a, NULL);
	bus_add_sink(bus, take_b, NULL);
	return bus;
}

static void each_sink_sees_each_event_in_the_order_they_were_added(void **state)
{
	struct bus *bus = bus_with_two(0);
	struct ev ev = {.kind = EV_LAB_READY};

	(void)state;
	bus_emit_at(bus, &ev, 70);
	bus_emit_at(bus, &ev, 60);
	assert_string_equal(seen.order, "abab");
	assert_int_equal(seen.seq[0], 0);
	assert_int_equal(seen.seq[1], 0);
	assert_int_equal(seen.seq[3], 1);
	assert_int_equal(seen.t_ns[1], 70);
	assert_int_equal(seen.t_ns[3], 60);
	bus_free(bus);
}

static void time_counts_from_the_epoch(void **state)
{
	int64_t before_ns = clock_now_ns();
	struct bus *bus = bus_with_two(before_ns - 5 * SEC);
	struct ev ev = {.kind = EV_LAB_READY};
	int64_t t_ns = bus_emit(bus, &ev);

	(void)state;
	assert_int_equal(t_ns, seen.t_ns[0]);
	assert_true(t_ns >= 5 * SEC);
	assert_true(t_ns <= 5 * SEC + (clock_now_ns() - before_ns));
	assert_true(bus_now(bus) >= t_ns);
	assert_int_equal(bus_epoch_ns(bus), before_ns - 5 * SEC);
	bus_free(bus);
}

static void notes_and_errors_become_events(void **state)
{
	struct bus *bus = bus_with_two(0);
	struct err err;

	(void)state;
	bus_note(bus, "warning", "%d samples late", 3);
	assert_string_equal(seen.text, "warning: 3 samples late");
	err_set(&err, -1, (struct loc){.file = "zone", .line = 4, .col = 1}, "no SOA");
	bus_error(bus, "ns1", &err);
	assert_string_equal(seen.text, "ns1 zone:4: no SOA");
	bus_free(bus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sink_sees_each_event_in_the_order_they_were_added),
		cmocka_unit_test(time_counts_from_the_epoch),
		cmocka_unit_test(notes_and_errors_become_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
