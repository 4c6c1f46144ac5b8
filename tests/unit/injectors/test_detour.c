/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/chain.h"
#include "injectors/detour.h"
#include "tests/unit/injectors/path_talk.h"
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>

static struct arena *arena;

static int set_up(void **state UNUSED)
{
	arena = arena_new();
	return 0;
}

static int tear_down(void **state UNUSED)
{
	arena_free(arena);
	return 0;
}

/* A fault that sends its packets over a detour on which nothing happens to them. */
struct bypass {
	struct injector injector;
	struct traffic traffic;
};

#define TRAFFIC(injector) (&((const struct bypass *)(injector))->traffic)

static const struct param params[] = {TRAFFIC_PARAMS(struct bypass, traffic, TRAFFIC_EITHER), PARAM_END};

static void rules(const struct injector *injector, struct buf *out)
{
	detour_rules(TRAFFIC(injector), injector, out);
}

static const struct chain chain = {.rules = rules};
static const struct injector_ops bypass_ops = {.kind = "bypass", .params = params, .size = sizeof(struct bypass)};

static struct injector *bypass_of(int64_t id, const char *const *keys)
{
	struct errs errs = {0};

	return path_fault(arena, &bypass_ops, id, keys, &errs);
}

static int open_bypass(struct lab *lab, struct injector *fault, struct err *err)
{
	struct injector_ctx ctx = {.core = lab_core(lab)};
	int r = detour_open(fault, &ctx, DETOUR_QDISC, -1, 0, err);

	return r ? r : chain_apply(&chain, fault, &ctx, err);
}

static int close_bypass(struct lab *lab, struct injector *fault, struct err *err)
{
	struct injector_ctx ctx = {.core = lab_core(lab)};
	int r = chain_revert(&chain, fault, &ctx, err);

	return r ? r : detour_close(fault, &ctx, err);
}

/* Packets that came in by a link of the network namespace we are in. */
static int64_t received(const char *ifname)
{
	FILE *file = fopen("/proc/self/net/dev", "r");
	char line[512], wanted[32];
	long long bytes, packets = -1;

	snprintf(wanted, sizeof(wanted), "%s:", ifname);
	while (file && fgets(line, sizeof(line), file)) {
		const char *at = line + strspn(line, " ");

		if (!strncmp(at, wanted, strlen(wanted)) &&
		    sscanf(at + strlen(wanted), "%lld %lld", &bytes, &packets) != 2)
			packets = -1;
	}
	if (file)
		fclose(file);
	return packets;
}

static int64_t counted(struct lab *lab, const struct injector *fault)
{
	struct injector_ctx ctx = {.core = lab_core(lab)};
	struct effect effect = {.packets = -1};
	struct err err = {0};

	(void)chain_effect(fault, "sent round", &ctx, &effect, &err);
	return effect.packets;
}

static int reaches_by_the_detour(struct lab *lab, struct err *err)
{
	struct injector *fault = bypass_of(3, NULL);

	if (open_bypass(lab, fault, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == REACHED);
	CHECK(counted(lab, fault) == 1 && received("b3") == 1);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == REACHED);
	CHECK(counted(lab, fault) == 2 && received("b3") == 2);
	CHECK(path_try(lab, "server", "client", CLIENT4, 53, SOCK_DGRAM) == REACHED); /* from it, too */
	CHECK(counted(lab, fault) == 3 && received("b3") == 3);
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_STREAM) == REACHED);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_STREAM) == REACHED);
	CHECK(path_try(lab, "other", "client", CLIENT4, 53, SOCK_DGRAM) == REACHED); /* not of the target */
	CHECK(counted(lab, fault) == received("b3"));
	if (close_bypass(lab, fault, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == REACHED);
	return 0;
}

/* Both families by as many detours as there are, once each, in order. */
static int passes_all_once(struct lab *lab, struct err *err)
{
	struct injector *faults[] = {bypass_of(1, NULL), bypass_of(2, KEYS("protocol", "udp")), bypass_of(150, NULL)};

	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		if (open_bypass(lab, faults[2 - i], err)) /* the order of the plan counts, not that of applying */
			return err->code;
	}
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == REACHED);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == REACHED);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		CHECK(counted(lab, faults[i]) == 2);
	CHECK(received("b1") == 2 && received("b2") == 2 && received("b150") == 2);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		if (close_bypass(lab, faults[i], err))
			return err->code;
	}
	return 0;
}

/* A blackhole before the detour leaves it nothing; one behind it is met on the way back. */
static int is_in_plan_order(struct lab *lab, struct err *err)
{
	struct errs errs = {0};
	struct injector *before = path_fault(arena, &blackhole_ops, 1, KEYS("family", "ipv4"), &errs);
	struct injector *detour = bypass_of(2, NULL);
	struct injector *after = path_fault(arena, &blackhole_ops, 3, KEYS("family", "ipv6"), &errs);
	struct injector_ctx ctx = {.core = lab_core(lab)};

	if (open_bypass(lab, detour, err) || after->ops->apply(after, &ctx, err) ||
	    before->ops->apply(before, &ctx, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == SILENCE);
	CHECK(counted(lab, before) == 1 && counted(lab, detour) == 0 && counted(lab, after) == 0);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == SILENCE);
	CHECK(counted(lab, before) == 1 && counted(lab, detour) == 1 && counted(lab, after) == 1);
	if (before->ops->revert(before, &ctx, err) || after->ops->revert(after, &ctx, err))
		return err->code;
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == REACHED);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == REACHED);
	return close_bypass(lab, detour, err);
}

static int leaves_no_trace(struct lab *lab, struct err *err)
{
	struct injector *fault = bypass_of(7, NULL);
	char before[16384], between[16384], after[16384];

	CHECK(!talk_everything(before, sizeof(before)));
	if (close_bypass(lab, fault, err)) /* without opening */
		return err->code;
	CHECK(!talk_everything(after, sizeof(after)) && !strcmp(before, after));
	for (int i = 0; i < 3; i++) { /* as a fault that flaps */
		if (open_bypass(lab, fault, err))
			return err->code;
		CHECK(!talk_everything(between, sizeof(between)) && strstr(between, "lookup 10007"));
		CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == REACHED);
		CHECK(counted(lab, fault) == 1); /* the first packet already */
		if (close_bypass(lab, fault, err) || close_bypass(lab, fault, err)) /* twice */
			return err->code;
		CHECK(!talk_everything(after, sizeof(after)) && !strcmp(before, after));
	}
	return 0;
}

/* Half of it is there already: a name that is taken. What was made is taken away again, by detour_close. */
static int gives_up_cleanly(struct lab *lab, struct err *err)
{
	struct injector *fault = bypass_of(9, NULL);
	struct injector_ctx ctx = {.core = lab_core(lab)};
	struct err refused = {0};
	char before[16384], after[16384];

	CHECK(!talk_everything(before, sizeof(before)));
	CHECK(!system("ip rule add priority 10009 fwmark 0x10009 lookup 10009"));
	CHECK(detour_open(fault, &ctx, DETOUR_QDISC, -1, 0, &refused) == -EEXIST);
	CHECK(strstr(refused.text, "rule"));
	if (detour_close(fault, &ctx, err))
		return err->code;
	CHECK(!talk_everything(after, sizeof(after)) && !strcmp(before, after));
	return 0;
}

/* In the shape of a relay: frames that come in at x must go out at y, which nobody does here. */
static int leads_into_the_relays_namespace(struct lab *lab, struct err *err)
{
	struct injector *fault = bypass_of(4, NULL);
	struct injector_ctx ctx = {.core = lab_core(lab)};
	int home CLEANUP_CLOSE = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	CHECK(!unshare(CLONE_NEWNET));
	int apart CLEANUP_CLOSE = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	CHECK(!setns(home, CLONE_NEWNET));
	if (detour_open(fault, &ctx, DETOUR_RELAY, apart, 0, err) || chain_apply(&chain, fault, &ctx, err))
		return err->code;
	CHECK(if_nametoindex("d4") && if_nametoindex("b4") && !if_nametoindex("x4") && !if_nametoindex("y4"));
	CHECK(path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM) == SILENCE);
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == SILENCE);
	CHECK(received("d4") == 0 && received("b4") == 0); /* the other ends are silent by themselves */
	CHECK(!setns(apart, CLONE_NEWNET));
	CHECK(if_nametoindex("x4") && if_nametoindex("y4") && received("x4") == 2);
	CHECK(!setns(home, CLONE_NEWNET));
	if (close_bypass(lab, fault, err))
		return err->code;
	CHECK(!setns(apart, CLONE_NEWNET));
	CHECK(!if_nametoindex("x4") && !if_nametoindex("y4"));
	CHECK(!setns(home, CLONE_NEWNET));
	return path_try(lab, "client", "server", SERVER4, 53, SOCK_DGRAM);
}

/* The commands a person would paste build the same, and take it away again. */
static int commands_build_the_same(struct lab *lab, struct err *err)
{
	struct injector *fault = bypass_of(5, NULL);
	struct buf apply = {0}, revert = {0};
	char before[16384], after[16384], ours[16384], theirs[16384];

	CHECK(!talk_everything(before, sizeof(before)));
	if (open_bypass(lab, fault, err))
		return err->code;
	CHECK(!talk_everything(ours, sizeof(ours)));
	if (close_bypass(lab, fault, err))
		return err->code;
	detour_commands(fault, 0, &apply, &revert);
	chain_commands(&chain, fault, &apply, &revert);
	CHECK(!apply.failed && !revert.failed && !system(apply.data));
	CHECK(path_try(lab, "client", "server", SERVER6, 53, SOCK_DGRAM) == REACHED && received("b5") == 1);
	CHECK(!talk_everything(theirs, sizeof(theirs)) && strlen(theirs) > strlen(before));
	CHECK(strstr(theirs, "dev d5") && strstr(ours, "dev d5"));
	CHECK(!system(revert.data) && !talk_everything(after, sizeof(after)) && !strcmp(before, after));
	buf_fini(&apply);
	buf_fini(&revert);
	return 0;
}

static void takes_what_was_chosen_round_in_both_families_and_directions(void **state UNUSED)
{
	talk_in_lab(reaches_by_the_detour);
}

static void stacked_detours_are_passed_once_each(void **state UNUSED)
{
	talk_in_lab(passes_all_once);
}

static void order_is_that_of_the_plan_before_and_behind_it(void **state UNUSED)
{
	talk_in_lab(is_in_plan_order);
}

static void apply_revert_leaves_no_trace_and_revert_works_twice_and_without_apply(void **state UNUSED)
{
	talk_in_lab(leaves_no_trace);
}

static void half_done_it_can_be_taken_back(void **state UNUSED)
{
	talk_in_lab(gives_up_cleanly);
}

static void the_relays_ends_are_in_its_namespace_and_say_nothing(void **state UNUSED)
{
	talk_in_lab(leads_into_the_relays_namespace);
}

static void commands_do_what_it_does(void **state UNUSED)
{
	talk_in_lab(commands_build_the_same);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_was_chosen_round_in_both_families_and_directions),
		cmocka_unit_test(stacked_detours_are_passed_once_each),
		cmocka_unit_test(order_is_that_of_the_plan_before_and_behind_it),
		cmocka_unit_test(apply_revert_leaves_no_trace_and_revert_works_twice_and_without_apply),
		cmocka_unit_test(half_done_it_can_be_taken_back),
		cmocka_unit_test(the_relays_ends_are_in_its_namespace_and_say_nothing),
		cmocka_unit_test(commands_do_what_it_does),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
