/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/undo.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Faults that only write down what is asked of them, one letter an act, and fail on demand. */
struct fake {
	struct injector injector;
	bool fail_apply, fail_revert, fail_effect;
	int packets; /* that its effect tells, more each time it is asked */
};

static struct buf acts; /* "a1 " apply fault 1, "r1 " revert it, and the events between, as "<kind>:<id> " */

static char effect[512]; /* of the last fault.reverted */
static int64_t packets;

static int act(const struct injector *injector, char letter, bool fails, struct err *err)
{
	buf_printf(&acts, "%c%d ", letter, (int)injector->id);
	return fails ? err_set(err, -EIO, LOC_NONE, "%c fails", letter) : 0;
}

static int fake_apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	if (ctx->progress_ppm != PPM_ONE)
		buf_printf(&acts, "(%d ppm) ", (int)ctx->progress_ppm);
	return act(injector, 'a', ((struct fake *)injector)->fail_apply, err);
}

static int fake_adjust(struct injector *injector, struct injector_ctx *ctx UNUSED, int64_t progress_ppm,
		       struct err *err)
{
	buf_printf(&acts, "(%d ppm) ", (int)progress_ppm);
	return act(injector, 'j', false, err);
}

static int fake_revert(struct injector *injector, struct injector_ctx *ctx UNUSED, struct err *err)
{
	return act(injector, 'r', ((struct fake *)injector)->fail_revert, err);
}

static int fake_effect(struct injector *injector, struct injector_ctx *ctx UNUSED, struct effect *ret, struct err *err)
{
	struct fake *fake = (struct fake *)injector;

	*ret = (struct effect){.took_effect = fake->packets > 0, .packets = fake->packets, .bytes = 10};
	snprintf(ret->text, sizeof(ret->text), "lost %d", fake->packets);
	fake->packets += fake->packets > 0;
	return act(injector, 'e', ((struct fake *)injector)->fail_effect, err);
}

static void fake_commands(const struct injector *injector UNUSED, struct buf *apply UNUSED, struct buf *revert)
{
	buf_puts(revert, "undo it");
}

static const struct injector_ops fake_ops = {.kind = "fake",
					     .apply = fake_apply,
					     .adjust = fake_adjust,
					     .revert = fake_revert,
					     .effect = fake_effect,
					     .commands = fake_commands};

static void take(void *arg UNUSED, const struct ev *ev)
{
	if (ev->kind == EV_FAULT_FAILED)
		buf_printf(&acts, "failed-%s:%d ", ev->fault_failed.stage, (int)ev->fault_failed.id);
	else if (ev->kind == EV_FAULT_APPLYING)
		buf_printf(&acts, "applying:%d(%s) ", (int)ev->fault_applying.id, ev->fault_applying.undo);
	else if (ev->kind == EV_FAULT_APPLIED)
		buf_printf(&acts, "applied:%d ", (int)ev->fault_applied.id);
	else if (ev->kind == EV_FAULT_SWITCHED)
		buf_printf(&acts, "%s:%d ", ev->fault_switched.on ? "on" : "off", (int)ev->fault_switched.id);
	else if (ev->kind == EV_FAULT_REVERTED)
		buf_printf(&acts, "reverted:%d ", (int)ev->fault_reverted.id);
	if (ev->kind == EV_FAULT_REVERTED) {
		snprintf(effect, sizeof(effect), "%s", ev->fault_reverted.effect ? ev->fault_reverted.effect : "");
		packets = ev->fault_reverted.packets;
	}
}

struct fixture {
	struct bus *bus;
	struct undo *undo;
	struct injector_ctx ctx;
	struct fake faults[3];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->bus = bus_new(0);
	bus_add_sink(f->bus, take, NULL);
	f->undo = undo_new(f->bus, &f->ctx, 3);
	for (int i = 0; i < 3; i++)
		f->faults[i].injector = (struct injector){.ops = &fake_ops, .id = i + 1};
	buf_clear(&acts);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	undo_free(f->undo);
	bus_free(f->bus);
	free(f);
	buf_fini(&acts);
	return 0;
}

static void the_way_back_is_said_before_anything_is_done(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(undo_apply(f->undo, &f->faults[0].injector, PPM_ONE), 0);
	assert_string_equal(acts.data, "applying:1(undo it) a1 applied:1 ");
}

static void undoes_newest_first(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		undo_apply(f->undo, &f->faults[i].injector, PPM_ONE);
	buf_clear(&acts);
	assert_int_equal(undo_all(f->undo), 0);
	assert_string_equal(acts.data, "e3 r3 reverted:3 e2 r2 reverted:2 e1 r1 reverted:1 ");
}

static void one_undo_that_fails_does_not_stop_the_rest(void **state)
{
	struct fixture *f = *state;

	f->faults[1].fail_revert = true;
	for (int i = 0; i < 3; i++)
		undo_apply(f->undo, &f->faults[i].injector, PPM_ONE);
	buf_clear(&acts);
	assert_int_equal(undo_all(f->undo), -EIO);
	assert_string_equal(acts.data, "e3 r3 reverted:3 e2 r2 failed-revert:2 e1 r1 reverted:1 ");
}

static void a_fault_that_half_stands_is_taken_back_without_an_end(void **state)
{
	struct fixture *f = *state;

	f->faults[0].fail_apply = true;
	assert_int_equal(undo_apply(f->undo, &f->faults[0].injector, PPM_ONE), -EIO);
	assert_int_equal(undo_all(f->undo), 0);
	assert_string_equal(acts.data, "applying:1(undo it) a1 failed-apply:1 r1 ");
}

static void an_effect_that_cannot_be_asked_is_reported_and_the_fault_still_undone(void **state)
{
	struct fixture *f = *state;

	f->faults[0].fail_effect = true;
	undo_apply(f->undo, &f->faults[0].injector, PPM_ONE);
	buf_clear(&acts);
	assert_int_equal(undo_revert(f->undo, &f->faults[0].injector), -EIO);
	assert_string_equal(acts.data, "e1 failed-effect:1 r1 reverted:1 ");
}

static void a_fault_is_reverted_once_and_the_others_stay(void **state)
{
	struct fixture *f = *state;

	undo_apply(f->undo, &f->faults[0].injector, PPM_ONE);
	undo_apply(f->undo, &f->faults[1].injector, PPM_ONE);
	buf_clear(&acts);
	undo_revert(f->undo, &f->faults[0].injector);
	undo_revert(f->undo, &f->faults[0].injector);
	assert_string_equal(acts.data, "e1 r1 reverted:1 ");
	undo_all(f->undo);
	assert_string_equal(acts.data, "e1 r1 reverted:1 e2 r2 reverted:2 ");
}

/* A counter goes with its rule: what each span did must be asked before it ends, and added up. */
static void the_effects_of_a_flap_add_up(void **state)
{
	struct fixture *f = *state;
	struct injector *fault = &f->faults[0].injector;

	f->faults[0].packets = 3;
	undo_apply(f->undo, fault, PPM_ONE);
	buf_clear(&acts);
	assert_int_equal(undo_switch(f->undo, fault, false, PPM_ONE), 0);
	assert_int_equal(undo_switch(f->undo, fault, true, PPM_ONE), 0);
	assert_int_equal(undo_revert(f->undo, fault), 0);
	assert_string_equal(acts.data, "e1 r1 off:1 a1 on:1 e1 r1 reverted:1 ");
	assert_int_equal(packets, 3 + 4);
	assert_string_equal(effect, "acted on 7 packets (20 bytes) while on, 2 times; the last time: lost 4");
}

static void a_flap_that_ends_while_off_is_reverted_all_the_same(void **state)
{
	struct fixture *f = *state;
	struct injector *fault = &f->faults[0].injector;

	f->faults[0].packets = 3;
	undo_apply(f->undo, fault, PPM_ONE);
	undo_switch(f->undo, fault, false, PPM_ONE);
	buf_clear(&acts);
	assert_int_equal(undo_revert(f->undo, fault), 0);
	assert_string_equal(acts.data, "r1 reverted:1 ");
	assert_int_equal(packets, 3);
	assert_string_equal(effect, "lost 3");
}

/* The rule stands still: it must neither be put there twice nor be counted twice. */
static void a_flap_that_cannot_be_switched_off_stays_on_and_counts_once(void **state)
{
	struct fixture *f = *state;
	struct injector *fault = &f->faults[0].injector;

	f->faults[0].packets = 3;
	undo_apply(f->undo, fault, PPM_ONE);
	f->faults[0].fail_revert = true;
	buf_clear(&acts);
	assert_int_equal(undo_switch(f->undo, fault, false, PPM_ONE), -EIO);
	assert_int_equal(undo_switch(f->undo, fault, true, PPM_ONE), 0);
	f->faults[0].fail_revert = false;
	undo_revert(f->undo, fault);
	assert_string_equal(acts.data, "e1 r1 failed-revert:1 e1 r1 reverted:1 ");
	assert_int_equal(packets, 4);
}

static void a_flap_that_cannot_be_switched_on_again_is_an_error_and_still_undone(void **state)
{
	struct fixture *f = *state;
	struct injector *fault = &f->faults[0].injector;

	undo_apply(f->undo, fault, PPM_ONE);
	undo_switch(f->undo, fault, false, PPM_ONE);
	f->faults[0].fail_apply = true;
	buf_clear(&acts);
	assert_int_equal(undo_switch(f->undo, fault, true, PPM_ONE), -EIO);
	assert_int_equal(undo_all(f->undo), 0);
	assert_string_equal(acts.data, "a1 failed-apply:1 r1 reverted:1 ");
}

static void a_ramp_is_applied_with_its_progress_and_adjusted_only_while_it_is_on(void **state)
{
	struct fixture *f = *state;
	struct injector *fault = &f->faults[0].injector;

	undo_apply(f->undo, fault, 0);
	buf_clear(&acts);
	undo_adjust(f->undo, fault, 250000);
	undo_switch(f->undo, fault, false, 300000);
	undo_adjust(f->undo, fault, 500000);
	undo_switch(f->undo, fault, true, 750000);
	assert_string_equal(acts.data, "(250000 ppm) j1 e1 r1 off:1 (750000 ppm) a1 on:1 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_way_back_is_said_before_anything_is_done, set_up, tear_down),
		cmocka_unit_test_setup_teardown(undoes_newest_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_undo_that_fails_does_not_stop_the_rest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_fault_that_half_stands_is_taken_back_without_an_end, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_effect_that_cannot_be_asked_is_reported_and_the_fault_still_undone,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_fault_is_reverted_once_and_the_others_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_effects_of_a_flap_add_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flap_that_ends_while_off_is_reverted_all_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flap_that_cannot_be_switched_off_stays_on_and_counts_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_flap_that_cannot_be_switched_on_again_is_an_error_and_still_undone,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_ramp_is_applied_with_its_progress_and_adjusted_only_while_it_is_on,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
