/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsdrill list: what can be used in a plan, printed from the tables that parse it.
 */
#include <stdio.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/base/units.h"
#include "harness/cli/engine.h"
#include "harness/event/metric.h"
#include "harness/plan/parse.h"
#include "harness/plan/plan.h"
#include "injectors/proxy/rule.h"

static int run(const struct registry *registry, int argc, char **argv);

const struct command list_command = {
	.name = "list",
	.args = "WHAT [NAME]",
	.summary = "show what a plan, or a rule of the proxy, can use, and each one's keys",
	.doc = "WHAT is faults, steps, probes, servers, metrics, engines, or rules (of the proxy). With a NAME, that "
	       "one's "
	       "keys.",
	.run = run,
};

static void print_row(const char *key, const struct param *param)
{
	struct buf def = {0}, range = {0};

	param_format_default(param, &def);
	param_format_range(param, &range);
	printf("  %-12s %-9s %s", key, param_type_name(param), param->doc);
	if (range.len)
		printf(" (%s)", range.data);
	if (param->required)
		printf("; required");
	else if (def.len)
		printf("; default %s", def.data);
	putchar('\n');
	buf_fini(&def);
	buf_fini(&range);
}

/* A mapping's own rows follow it as "flap.on". */
static void print_rows_below(const char *prefix, const struct param *rows)
{
	for (; rows && rows->key; rows++) {
		char key[80], below[81];

		snprintf(key, sizeof(key), "%s%s", prefix, rows->key);
		print_row(key, rows);
		snprintf(below, sizeof(below), "%s.", key);
		if (rows->type == PARAM_TABLE)
			print_rows_below(below, rows->sub->params);
	}
}

static void print_rows(const struct param *rows)
{
	print_rows_below("", rows);
}

static int unknown(const char *what, const char *name, const char *const *names, size_t count)
{
	const char *nearest = text_nearest(name, names, count);

	if (nearest)
		cli_complain("there is no %s '%s'; did you mean '%s'?", what, name, nearest);
	else
		cli_complain("there is no %s '%s'", what, name);
	return EXIT_USAGE;
}

#define NAMES_MAX 64

static int list_faults(const struct registry *registry, const char *name)
{
	const struct injector_ops *one = name ? registry_injector(registry, name) : NULL;
	const char *names[NAMES_MAX];
	size_t count = 0;

	for (const struct injector_ops *const *ops = registry->injectors; *ops && count < NAMES_MAX; ops++) {
		names[count++] = (*ops)->kind;
		if (!name)
			printf("%-20s %s\n", (*ops)->kind, (*ops)->summary);
	}
	if (name && !one)
		return unknown("fault", name, names, count);
	if (one) {
		printf("%s: %s\n\n", one->kind, one->summary);
		print_rows(one->params);
		puts("\nand, as every fault:");
		print_rows(step_hits_params(one->hits));
		print_rows(step_params);
	}
	return EXIT_PASS;
}

static int list_steps(const struct registry *registry, const char *name)
{
	const struct action_ops *one = name ? registry_action(registry, name) : NULL;
	const char *names[NAMES_MAX];
	size_t count = 0;

	for (const struct action_ops *const *ops = registry->actions; *ops && count < NAMES_MAX; ops++) {
		names[count++] = (*ops)->kind;
		if (!name)
			printf("%-20s %s\n", (*ops)->kind, (*ops)->summary);
	}
	if (name && !one)
		return unknown("step", name, names, count);
	if (one) {
		printf("%s: %s\n\n", one->kind, one->summary);
		print_rows(one->params);
		puts("\nand, as every step of its kind:");
		print_rows(action_is_on_zone(one) ? action_zone_params : action_target_params);
		print_rows(action_params);
	}
	return EXIT_PASS;
}

static int list_probes(const struct registry *registry, const char *name)
{
	const struct probe_ops *one = name ? registry_probe(registry, name) : NULL;
	const char *names[NAMES_MAX];
	char timeout[32];
	size_t count = 0;

	for (const struct probe_ops *const *ops = registry->probes; *ops && count < NAMES_MAX; ops++) {
		names[count++] = (*ops)->kind;
		if (!name)
			printf("%-20s %s\n", (*ops)->kind, (*ops)->summary);
	}
	if (name && !one)
		return unknown("probe", name, names, count);
	if (one) {
		printf("%s: %s\n\n", one->kind, one->summary);
		print_rows(one->params);
		puts("\nand, as every probe:");
		print_rows(probe_params);
		units_format_duration(one->default_timeout_ns, timeout, sizeof(timeout));
		printf("  (%s waits %s by default)\n", one->kind, timeout);
		puts("\ngood: what a good answer is:");
		print_rows(good_table.params);
	}
	return EXIT_PASS;
}

static void print_roles(const struct server_ops *ops)
{
	printf("%s%s%s", ops->roles & SERVER_AUTHORITATIVE ? " authoritative" : "",
	       ops->roles & SERVER_RESOLVER ? " resolver" : "", ops->roles & SERVER_FORWARDER ? " forwarder" : "");
}

static void print_encrypted(const struct server_ops *ops)
{
	for (size_t i = 0; encrypted_choices[i]; i++)
		printf("%s%s", ops->encrypted & 1 << i ? " " : "", ops->encrypted & 1 << i ? encrypted_choices[i] : "");
	if (ops->forwards_dot)
		printf(" forward_transport:dot");
}

static int list_servers(const struct registry *registry, const char *name)
{
	const char *names[NAMES_MAX];
	size_t count = 0;
	bool found = !name;

	for (const struct server_ops *const *ops = registry->servers; *ops && count < NAMES_MAX; ops++) {
		names[count++] = (*ops)->name;
		if (name && strcmp(name, (*ops)->name))
			continue;
		found = true;
		printf("%-20s %s;", (*ops)->name, (*ops)->summary);
		print_roles(*ops);
		print_encrypted(*ops);
		printf("; program %s, Debian package %s\n", (*ops)->program, (*ops)->package);
	}
	return found ? EXIT_PASS : unknown("server", name, names, count);
}

static int list_metrics(const struct registry *registry UNUSED, const char *name)
{
	const char *names[METRIC_COUNT];
	bool found = !name;

	for (size_t i = 0; i < METRIC_COUNT; i++) {
		const struct metric_info *info = &metric_infos[i];

		names[i] = info->name;
		if (name && strcmp(name, info->name))
			continue;
		found = true;
		printf("%-18s %-9s %s\n", info->name, info->unit == METRIC_DURATION ? "duration" : "share", info->doc);
	}
	return found ? EXIT_PASS : unknown("metric", name, names, METRIC_COUNT);
}

/* The keys of a rule of the proxy, as `match.qname`; name: only those below it. */
static int list_rules(const struct registry *registry UNUSED, const char *name)
{
	const char *names[NAMES_MAX];
	size_t count = 0;

	if (!name) {
		print_rows(rule_params);
		return EXIT_PASS;
	}
	for (const struct param *row = rule_params; row->key && count < NAMES_MAX; row++) {
		names[count++] = row->key;
		if (strcmp(row->key, name))
			continue;
		print_row(row->key, row);
		print_rows(row->type == PARAM_TABLE ? row->sub->params : NULL);
		return EXIT_PASS;
	}
	return unknown("key of a rule", name, names, count);
}

static int list_engines(const struct registry *registry UNUSED, const char *name)
{
	const char *names[NAMES_MAX];
	size_t count = 0;
	bool found = !name;

	for (const struct engine_info *info = engine_infos; info->name && count < NAMES_MAX; info++) {
		names[count++] = info->name;
		if (name && strcmp(name, info->name))
			continue;
		found = true;
		printf("%-20s %s%s\n", info->name, info->summary, count == 1 ? " (the default)" : "");
	}
	return found ? EXIT_PASS : unknown("engine", name, names, count);
}

static int run(const struct registry *registry, int argc, char **argv)
{
	static const char *const kinds[] = {"faults", "steps", "probes", "servers", "metrics", "engines", "rules"};
	static int (*const lists[])(const struct registry *, const char *) = {
		list_faults, list_steps, list_probes, list_servers, list_metrics, list_engines, list_rules};
	struct cli_list operands = {0};
	int r = cli_parse(&list_command, argc, argv, NULL, &operands, NULL);

	if (r)
		return r > 0 ? EXIT_PASS : EXIT_USAGE;
	if (!operands.count || operands.count > 2) {
		cli_complain("list one of: faults, steps, probes, servers, metrics, engines, rules; and one of these "
			     "by name, as in: "
			     "dnsdrill "
			     "list faults blackhole");
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!strcmp(operands.v[0], kinds[i]))
			return lists[i](registry, operands.count > 1 ? operands.v[1] : NULL);
	}
	return unknown("list of", operands.v[0], kinds, ARRAY_LEN(kinds));
}
