/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of the kinds that shape packets share: numbered datagrams that really go from the client to the server, and what every such kind must do.
 */
#pragma once
#include "harness/base/clock.h"
#include "tests/unit/injectors/path_talk.h"
#include <signal.h>
#include <sys/wait.h>

extern const struct injector_ops reorder_ops, duplicate_ops, corrupt_ops;

#define ARRIVALS_MAX 1024

/* Sends count numbered datagrams to address, port 53, and lists the numbers as they arrive, until none has for msec. Their count, or a negative errno. */
static inline int shaped_arrivals(struct lab *lab, const char *address, int count, int msec, int numbers[ARRIVALS_MAX])
{
	struct talk talk = {-1, -1};
	int arrived = 0, r = talk_open(lab, "client", "server", address, 53, SOCK_DGRAM, &talk);
	struct pollfd ready = {.fd = talk.listener, .events = POLLIN};

	for (int i = 0; !r && i < count; i++) {
		if (send(talk.sender, &i, sizeof(i), 0) != sizeof(i))
			r = -errno;
	}
	while (!r && arrived < ARRIVALS_MAX && poll(&ready, 1, msec) > 0)
		arrived += recv(talk.listener, &numbers[arrived], sizeof(int), 0) == sizeof(int);
	talk_close(&talk);
	return r ? r : arrived;
}

static inline int shaped_count(struct lab *lab, const char *address, int count, int msec)
{
	int numbers[ARRIVALS_MAX];

	return shaped_arrivals(lab, address, count, msec, numbers);
}

/* How long one datagram takes, in ns; -1 if it does not come. */
static inline int64_t shaped_took(struct lab *lab, const char *from, const char *to, const char *address)
{
	struct talk talk = {-1, -1};
	int64_t sent_ns = clock_now_ns(), took_ns = -1;

	if (!talk_open(lab, from, to, address, 53, SOCK_DGRAM, &talk)) {
		struct pollfd ready = {.fd = talk.listener, .events = POLLIN};

		sent_ns = clock_now_ns();
		if (send(talk.sender, "x", 1, 0) == 1 && poll(&ready, 1, 5000) > 0)
			took_ns = clock_now_ns() - sent_ns;
	}
	talk_close(&talk);
	return took_ns;
}

/* The kind and its rows, in every shape a lab tests; defined by each test. */
extern const struct injector_ops *const shaped_kind;
extern const char *const *const shaped_keys;

static struct arena *shaped_arena;

static inline int shaped_set_up(void **state UNUSED)
{
	shaped_arena = arena_new();
	return 0;
}

static inline int shaped_tear_down(void **state UNUSED)
{
	arena_free(shaped_arena);
	return 0;
}

static inline struct injector *shaped_fault(const char *const *keys)
{
	return talk_fault(shaped_arena, shaped_kind, 1, keys);
}

static inline void shaped_rejects(const char *const *keys, const char *wanted)
{
	talk_rejects(shaped_arena, shaped_kind, keys, wanted);
}

static inline int shaped_traceless(struct lab *lab, struct err *err)
{
	return talk_leaves_no_trace(lab, shaped_fault(shaped_keys), err);
}

static inline void apply_revert_leaves_no_trace_and_revert_works_twice_and_without_apply(void **state UNUSED)
{
	talk_in_lab(shaped_traceless);
}

/* A relay that is killed is missed: by whoever asks for the effect, and undoing works all the same. */
static pid_t shaped_child;

static inline void shaped_note_child(void *arg UNUSED, const struct injector *injector UNUSED, pid_t pid,
				     bool is_needed)
{
	shaped_child = is_needed ? pid : 0;
}

static inline int shaped_dies(struct lab *lab, struct err *err)
{
	struct injector *fault = shaped_fault(shaped_keys);
	struct injector_ctx ctx = talk_ctx(lab);
	struct effect effect;
	struct err refused = {0};

	ctx.child = shaped_note_child;
	if (fault->ops->apply(fault, &ctx, err))
		return err->code;
	CHECK(!strcmp(ctx.backend, "relay") && shaped_child > 0);
	kill(shaped_child, SIGKILL);
	CHECK(waitpid(shaped_child, NULL, 0) == shaped_child);
	CHECK(fault->ops->effect(fault, &ctx, &effect, &refused) == -ECHILD);
	if (fault->ops->revert(fault, &ctx, err))
		return err->code;
	CHECK(!shaped_child);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == REACHED);
	return 0;
}

static inline void death_of_its_relay_is_an_error_and_can_be_undone(void **state UNUSED)
{
	talk_in_lab(shaped_dies);
}

/* Prepared, its packets go straight; applied and reverted it leaves what was prepared; released, nothing. */
static inline int shaped_prepares(struct lab *lab, struct err *err)
{
	struct injector *fault = shaped_fault(shaped_keys);
	struct injector_ctx ctx = talk_ctx(lab);
	char before[16384], prepared[32768], after[32768];

	CHECK(!talk_everything(before, sizeof(before)));
	if (fault->ops->release(fault, &ctx, err) || fault->ops->prepare(fault, &ctx, err))
		return err->code;
	CHECK(!talk_everything(prepared, sizeof(prepared)) && !strstr(prepared, "chain fault_"));
	CHECK(strstr(prepared, "d1@"));
	for (int i = 0; i < 3; i++) {
		if (fault->ops->apply(fault, &ctx, err))
			return err->code;
		CHECK(talk_hits(lab, fault) == 0); /* each time anew */
		(void)path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM);
		if (fault->ops->revert(fault, &ctx, err) || fault->ops->revert(fault, &ctx, err))
			return err->code;
		CHECK(!talk_everything(after, sizeof(after)) && !strcmp(prepared, after));
		CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == REACHED);
	}
	if (fault->ops->release(fault, &ctx, err) || fault->ops->release(fault, &ctx, err))
		return err->code;
	CHECK(!talk_everything(after, sizeof(after)) && !strcmp(before, after));
	return 0;
}

static inline void preparing_touches_no_packet_and_releasing_leaves_no_trace(void **state UNUSED)
{
	talk_in_lab(shaped_prepares);
}

/* Before anything is touched, by an ability that is missing. */
static inline void refuses_a_kernel_that_lacks_what_the_plan_demands(void **state UNUSED)
{
	struct abilities none = {0}, relay = {.has = {[ABILITY_RELAY] = true, [ABILITY_POLICY_ROUTING] = true}};
	const char *keys[32] = {"backend", "netem"};
	struct err err = {0};
	size_t n = 2;

	for (const char *const *key = shaped_keys; *key; key++)
		keys[n++] = *key;
	assert_int_equal(shaped_kind->available(shaped_fault(keys), &relay, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "needs netem"));
	assert_non_null(strstr(err.text, "Ways out"));
	assert_int_equal(shaped_kind->available(shaped_fault(shaped_keys), &relay, &err), 0);
	assert_int_equal(shaped_kind->available(shaped_fault(shaped_keys), &none, &err), -EOPNOTSUPP);
}

#define SHAPED_CASES                                                                             \
	cmocka_unit_test(apply_revert_leaves_no_trace_and_revert_works_twice_and_without_apply), \
		cmocka_unit_test(preparing_touches_no_packet_and_releasing_leaves_no_trace),     \
		cmocka_unit_test(death_of_its_relay_is_an_error_and_can_be_undone),              \
		cmocka_unit_test(refuses_a_kernel_that_lacks_what_the_plan_demands)

/* The kernel's command line for it. */
static inline void shaped_commands_have(const char *const *keys, const char *wanted)
{
	struct buf apply = {0}, revert = {0};
	const struct injector *fault = shaped_fault(keys);

	fault->ops->commands(fault, &apply, &revert);
	if (!strstr(apply.data, wanted))
		fail_msg("not \"%s\" in: %s", wanted, apply.data);
	assert_non_null(strstr(revert.data, "delete chain inet dnsdrill fault_1"));
	buf_fini(&apply);
	buf_fini(&revert);
}
