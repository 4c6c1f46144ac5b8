/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsdrill explain: each step of a plan as the commands it equals, in the order of time; or as one script.
 */
#include "harness/cli/explain.h"

#include <stdio.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/base/units.h"
#include "harness/cli/load.h"
#include "harness/plan/topology.h"
#include "harness/run/timeline.h"

struct explain_options {
	struct load_options load;
	bool script;
};

static const struct cli_option options[] = {
	C_FLAG(struct explain_options, script, "script",
	       "write one POSIX shell script that builds the faults on a Linux router without dnsdrill"),
	C_PLAN_OPTIONS(struct explain_options, load),
	CLI_END,
};

static int run(const struct registry *registry, int argc, char **argv);

const struct command explain_command = {
	.name = "explain",
	.args = "PLAN…",
	.summary = "print each step as the nft, tc and ip commands it equals",
	.doc = "Prints every step of a plan in the order of time, with the commands that apply and revert it, ready to "
	       "be pasted into a root shell on the router between the hosts. Where dnsdrill would use its own relay, "
	       "the commands are those of the kernel's netem and tbf. With --script: one standalone POSIX shell "
	       "script, "
	       "whose `start` plays the plan's faults and undoes them at the end, on Ctrl-C and on SIGTERM, and "
	       "whose `stop` undoes everything. Nothing is touched.",
	.options = options,
	.run = run,
};

void explain_add_text(const char *text, struct buf *out)
{
	text_add_printable(out, text);
}

void explain_add_shape(const struct injector *fault, struct buf *out)
{
	char a[32], b[32];

	if (fault->ramp_ns != PARAM_UNSET)
		buf_printf(out, ", growing to full over %s", units_format_duration(fault->ramp_ns, a, sizeof(a)));
	if (fault->flap.on_ns != PARAM_UNSET)
		buf_printf(out, ", on for %s and off for %s in turn",
			   units_format_duration(fault->flap.on_ns, a, sizeof(a)),
			   units_format_duration(fault->flap.off_ns, b, sizeof(b)));
}

/* "# 10s: push example.com …", and what one would type. */
static void add_action(const struct action *action, struct buf *out)
{
	char at[32];

	buf_printf(out, "\n# %s: do '", units_format_duration(action->at_ns, at, sizeof(at)));
	explain_add_text(action->name.value, out);
	buf_puts(out, "': ");
	action->ops->sentence(action, out);
	buf_puts(out, "\n# (not on the router: on each of the hosts named)\n");
	action->ops->commands(action, out);
}

/* "# 5s: apply 'alpha dark' for 12s: drops every packet …" */
static void add_apply(const struct plan *plan, const struct injector *fault, struct buf *out)
{
	char at[32], length[32];
	int64_t for_ns = fault->for_ns == PARAM_UNSET ? plan->end_ns - fault->at_ns : fault->for_ns;
	struct buf apply = {0}, revert = {0};

	buf_printf(out, "\n# %s: apply '", units_format_duration(fault->at_ns, at, sizeof(at)));
	explain_add_text(fault->name.value, out);
	buf_printf(out, "' for %s", units_format_duration(for_ns, length, sizeof(length)));
	explain_add_shape(fault, out);
	buf_puts(out, ": ");
	fault->ops->sentence(fault, out);
	buf_putc(out, '\n');
	if (fault->ramp_ns != PARAM_UNSET)
		buf_puts(out, "# (these are the commands at full; dnsdrill raises it in steps of 100 ms)\n");
	fault->ops->commands(fault, &apply, &revert);
	buf_puts(out, apply.data ? apply.data : "");
	buf_fini(&apply);
	buf_fini(&revert);
}

static void add_revert(const struct injector *fault, int64_t at_ns, struct buf *out)
{
	char at[32];
	struct buf apply = {0}, revert = {0};

	buf_printf(out, "\n# %s: revert '", units_format_duration(at_ns, at, sizeof(at)));
	explain_add_text(fault->name.value, out);
	buf_puts(out, "'\n");
	fault->ops->commands(fault, &apply, &revert);
	buf_puts(out, revert.data ? revert.data : "");
	buf_fini(&apply);
	buf_fini(&revert);
}

#define SWITCHES_SHOWN 20 /* of one flap; the rest goes on likewise */

static void add_switch(const struct moment *moment, struct buf *out)
{
	char at[32];

	buf_printf(out, "\n# %s: '", units_format_duration(moment->at_ns, at, sizeof(at)));
	explain_add_text(moment->fault->name.value, out);
	buf_puts(out, moment->what == MOMENT_OFF ? "' goes off: its revert commands\n"
						 : "' goes on again: its apply commands\n");
}

/* A fault without `for` ends with the run: newest first, as the run does it. */
static void add_late_reverts(const struct plan *plan, struct buf *out)
{
	for (size_t i = plan->fault_count; i-- > 0;) {
		if (plan->faults[i]->for_ns == PARAM_UNSET)
			add_revert(plan->faults[i], plan->end_ns, out);
	}
}

static void add_steps(const struct plan *plan, struct buf *out)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct timeline *timeline = timeline_new(plan, arena);
	int64_t *switches = ARENA_ARRAY(arena, int64_t, plan->fault_count);
	const struct moment *moment;

	for (; (moment = timeline_peek(timeline)) && moment->at_ns < plan->end_ns; timeline_drop(timeline)) {
		switch (moment->what) {
		case MOMENT_APPLY:
			add_apply(plan, moment->fault, out);
			break;
		case MOMENT_REVERT:
			add_revert(moment->fault, moment->at_ns, out);
			break;
		case MOMENT_OFF:
		case MOMENT_ON:
			if (switches[moment->fault->id - 1]++ < SWITCHES_SHOWN)
				add_switch(moment, out);
			break;
		case MOMENT_DO:
			add_action(moment->action, out);
			break;
		case MOMENT_ADJUST:
			break;
		}
	}
	add_late_reverts(plan, out);
}

static void add_plan(const struct plan *plan, struct buf *out)
{
	buf_puts(out, "# ");
	explain_add_text(plan->name.value, out);
	buf_puts(out, plan->case_label ? ", " : "");
	explain_add_text(plan->case_label ? plan->case_label : "", out);
	buf_puts(out, " (");
	explain_add_text(plan->file, out);
	buf_puts(out, "): as root, on the router between the hosts\n");
	if (plan->clock_s != PARAM_UNSET)
		buf_puts(
			out,
			"# (the plan's clock: only a virtual machine has one, dnsdrill run --engine vm; these commands "
			"know nothing of it)\n");
	if (!plan->fault_count && !plan->action_count) {
		buf_puts(out, "# nothing is broken\n");
		return;
	}
	buf_puts(out, "\n# first of all\nnft 'add table " CORE_TABLE "'\n");
	add_steps(plan, out);
	buf_puts(out, "\n# last of all\nnft 'delete table " CORE_TABLE "'\n");
}

/* The combinations of a matrix differ mostly in software, which the path does not know. A script can play only one sequence. */
static int add_script(const struct plan_set *set, struct buf *out)
{
	explain_script(set->plans[0], out);
	for (size_t i = 1; i < set->count; i++) {
		struct buf other = {0};
		bool same;

		explain_script(set->plans[i], &other);
		same = other.len == out->len && !memcmp(other.data, out->data, out->len);
		buf_fini(&other);
		if (same)
			continue;
		cli_complain(
			"explain --script: %s has a matrix, and its faults differ between %s and %s; a script can play "
			"only one: choose it, as in --set 'matrix.KEY=[VALUE]'",
			set->plans[0]->file, set->plans[0]->case_label, set->plans[i]->case_label);
		return EXIT_USAGE;
	}
	return EXIT_PASS;
}

static int explain_set(const struct plan_set *set, bool script, struct buf *out)
{
	if (script)
		return add_script(set, out);
	for (size_t i = 0; i < set->count; i++) {
		buf_puts(out, i ? "\n" : "");
		add_plan(set->plans[i], out);
	}
	return EXIT_PASS;
}

static int run(const struct registry *registry, int argc, char **argv)
{
	struct explain_options chosen = {0};
	struct cli_list paths = {0};
	struct plan_set *sets[CLI_LIST_MAX] = {0};
	int r = cli_parse(&explain_command, argc, argv, &chosen, &paths, NULL);

	if (r)
		return r > 0 ? EXIT_PASS : EXIT_USAGE;
	if (chosen.script && paths.count > 1) {
		cli_complain("explain --script: one script plays one plan; name one");
		return EXIT_USAGE;
	}
	r = load_plans(&explain_command, &chosen.load, &paths, registry, sets);
	for (size_t i = 0; i < paths.count && !r; i++) {
		struct buf out = {0};

		r = explain_set(sets[i], chosen.script, &out);
		if (!r)
			printf("%s%s", i ? "\n" : "", out.data ? out.data : "");
		buf_fini(&out);
	}
	load_free(sets, paths.count);
	return r;
}
