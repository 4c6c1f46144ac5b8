/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsdrill doctor: what this machine can do, what is lost without the rest, and how to get it.
 */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "harness/cli/cli.h"
#include "harness/engine/engine.h"
#include "harness/servers/common.h"

struct doctor_options {
	bool json;
};

static const struct cli_option options[] = {
	C_FLAG(struct doctor_options, json, "json", "print the findings as JSON"),
	CLI_END,
};

static int run(const struct registry *registry, int argc, char **argv);

const struct command doctor_command = {
	.name = "doctor",
	.args = "",
	.summary = "say what this machine can do, and how to get what is missing",
	.doc = "Tries out for real whether a lab can be built here and by which way, and looks for each server's "
	       "program. The exit status is 0 if labs can be built, "
	       "else 3.",
	.options = options,
	.run = run,
};

struct finding {
	const char *name;
	bool has;
	char detail[1600]; /* how it is done, or what is in the way and how to mend it */
	char lost[160]; /* what cannot be done without it */
};

static void find_labs(struct finding *finding)
{
	enum engine_way way;
	struct err err = {0};

	finding->name = "labs";
	finding->has = !engine_netns_check(&way, &err);
	if (finding->has)
		snprintf(finding->detail, sizeof(finding->detail), "%s",
			 way == ENGINE_WAY_USERNS ? "in user namespaces, without privileges of the machine's"
						  : "with root's own capabilities: user namespaces are forbidden here");
	else
		snprintf(finding->detail, sizeof(finding->detail), "%s", err.text);
	snprintf(finding->lost, sizeof(finding->lost),
		 "dnsdrill run and dnsdrill lab; check, report and list go on working");
}

static void find_server(const struct server_ops *ops, struct finding *finding)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	const char *path = server_find_program(ops->program, arena);

	finding->name = ops->name;
	finding->has = path;
	if (path)
		snprintf(finding->detail, sizeof(finding->detail), "%s", path);
	else
		snprintf(finding->detail, sizeof(finding->detail), "%s is not installed: apt-get install %s",
			 ops->program, ops->package);
	snprintf(finding->lost, sizeof(finding->lost), "plans that say server: %s", ops->name);
}

static void print_table(const struct finding *findings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		printf("%-3s %-19s %s\n", findings[i].has ? "yes" : "NO", findings[i].name, findings[i].detail);
		if (!findings[i].has)
			printf("    %-19s without it: no %s\n", "", findings[i].lost);
	}
}

static void print_json(const struct finding *findings, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:s, s:b, s:s, s:s}", "ability", findings[i].name, "has",
						      findings[i].has, "detail", findings[i].detail, "needed_for",
						      findings[i].lost));
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

static int run(const struct registry *registry, int argc, char **argv)
{
	struct doctor_options chosen = {0};
	struct cli_list operands = {0};
	struct finding findings[32] = {0};
	size_t count = 0;
	int r = cli_parse(&doctor_command, argc, argv, &chosen, &operands, NULL);

	if (r)
		return r > 0 ? EXIT_PASS : EXIT_USAGE;
	find_labs(&findings[count++]);
	for (const struct server_ops *const *ops = registry->servers; *ops && count < ARRAY_LEN(findings); ops++)
		find_server(*ops, &findings[count++]);
	if (chosen.json)
		print_json(findings, count);
	else
		print_table(findings, count);
	return findings[0].has ? EXIT_PASS : EXIT_TROUBLE;
}
