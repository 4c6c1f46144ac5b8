/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/cli/engine.h"

#include <stdio.h>
#include <string.h>

#include "harness/engine/engine.h"
#include "harness/engine/vm.h"
#include "harness/servers/common.h"

/* Whether any fault wants more of the kernel than every lab does. */
static bool asks_kernel(struct plan_set *const *sets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < sets[i]->count; j++) {
			const struct plan *plan = sets[i]->plans[j];

			for (size_t k = 0; k < plan->fault_count; k++) {
				if (plan->faults[k]->ops->available)
					return true;
			}
		}
	}
	return false;
}

static void demand_abilities(const struct plan *plan, const struct abilities *abilities, struct errs *errs)
{
	for (size_t i = 0; i < plan->fault_count; i++) {
		const struct injector *fault = plan->faults[i];
		struct err err = {0};

		if (fault->ops->available && fault->ops->available(fault, abilities, &err))
			errs_add_err(errs, &err);
	}
}

static void demand_real_time(const struct plan *plan, struct errs *errs)
{
	if (plan->clock_s != PARAM_UNSET)
		errs_add(errs, plan->clock_loc,
			 "clock: only a virtual machine has a clock of its own; say --engine vm (or auto), or leave it "
			 "out");
}

static void collect(struct plan_set *const *sets, size_t count, struct abilities *ret, struct errs *errs)
{
	struct err err = {0};

	if (engine_netns_abilities(ret, &err))
		errs_add_err(errs, &err);
	for (size_t i = 0; i < count && !err.code; i++) {
		for (size_t j = 0; j < sets[i]->count; j++)
			demand_abilities(sets[i]->plans[j], ret, errs);
	}
}

int engine_check_abilities(struct plan_set *const *sets, size_t count, struct abilities *ret)
{
	struct errs errs = {0};
	int status = EXIT_PASS;

	if (!asks_kernel(sets, count))
		return EXIT_PASS;
	collect(sets, count, ret, &errs);
	if (errs.count) {
		errs_print(&errs, stderr);
		status = EXIT_TROUBLE;
	}
	errs_fini(&errs);
	return status;
}

static int choose_vm(struct plan_set *const *sets UNUSED, size_t count UNUSED, struct arena *arena,
		     struct engine_choice *ret)
{
	struct err err = {0};

	ret->is_vm = true;
	ret->qemu = server_find_program("qemu-system-x86_64", arena);
	if (!ret->qemu) {
		cli_complain("a lab in a virtual machine needs qemu-system-x86_64, which is not installed: apt-get "
			     "install --no-install-recommends qemu-system-x86");
		return EXIT_TROUBLE;
	}
	if (vm_check(&err)) {
		err_print(&err, stderr);
		return EXIT_TROUBLE;
	}
	return EXIT_PASS;
}

static void demand_all_real_time(struct plan_set *const *sets, size_t count, struct errs *errs)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < sets[i]->count; j++)
			demand_real_time(sets[i]->plans[j], errs);
	}
}

static int choose_netns(struct plan_set *const *sets, size_t count, struct arena *arena UNUSED,
			struct engine_choice *ret)
{
	struct errs errs = {0};
	int status = EXIT_PASS;

	demand_all_real_time(sets, count, &errs);
	if (errs.count) {
		errs_print(&errs, stderr);
		status = EXIT_TROUBLE;
	}
	errs_fini(&errs);
	return status ? status : engine_check_abilities(sets, count, &ret->abilities);
}

/* Here if all plans can be held here, else in a virtual machine. */
static int choose_auto(struct plan_set *const *sets, size_t count, struct arena *arena, struct engine_choice *ret)
{
	struct errs errs = {0};

	demand_all_real_time(sets, count, &errs);
	if (!errs.count)
		collect(sets, count, &ret->abilities, &errs);
	if (!errs.count)
		return EXIT_PASS;
	cli_complain("in a virtual machine, since not here: %s", errs.v[0].text);
	errs_fini(&errs);
	return choose_vm(sets, count, arena, ret);
}

const struct engine_info engine_infos[] = {
	{"netns", "namespaces of this kernel, in real time", choose_netns},
	{"vm",
	 "a virtual machine with a clock of its own that skips idle time: days in minutes, the same to the nanosecond; "
	 "no privileges needed",
	 choose_vm},
	{"auto", "netns if this kernel can hold all the plans' labs, else vm", choose_auto},
	{NULL, NULL, NULL},
};

int engine_choose(const char *name, struct plan_set *const *sets, size_t count, struct arena *arena,
		  struct engine_choice *ret)
{
	*ret = (struct engine_choice){.is_vm = false};
	for (const struct engine_info *info = engine_infos; info->name; info++) {
		if (!name || !strcmp(name, info->name))
			return info->choose(sets, count, arena, ret);
	}
	cli_complain("--engine %s: an engine is netns, vm or auto", name);
	return EXIT_USAGE;
}
