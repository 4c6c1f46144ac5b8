/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsdrill doctor: what this machine can do, what is lost without the rest, and how to get it. Everything is tried for real.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <jansson.h>

#include "harness/cli/cli.h"
#include "harness/engine/engine.h"
#include "harness/engine/vm/pack.h"
#include "harness/run/loop.h"
#include "harness/run/version.h"
#include "harness/servers/common.h"

#define VERSION_LIMIT_S 5 /* for a program to say its version */

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
	.doc = "Tries out for real, in a namespace that is thrown away, whether a lab can be built here, by which way, "
	       "and what the kernel can do in it; runs each server's program to hear its version. What is missing is "
	       "listed with what is lost without it and how to get it. The exit status is 0 if labs can be built, "
	       "else 3.",
	.options = options,
	.run = run,
};

struct finding {
	const char *name;
	bool has;
	char detail[1600]; /* how it is done, or what is in the way */
	char lost[200]; /* what cannot be done without it */
	char how[400]; /* how to get it; empty where detail says it */
};

struct findings {
	struct finding v[64];
	size_t count;
};

static struct finding *add(struct findings *findings, const char *name)
{
	struct finding *finding = &findings->v[findings->count];

	findings->count += findings->count + 1 < ARRAY_LEN(findings->v);
	*finding = (struct finding){.name = name};
	return finding;
}

static bool find_labs(struct findings *findings)
{
	struct finding *finding = add(findings, "labs");
	enum engine_way way;
	struct err err = {0};

	finding->has = !engine_netns_check(&way, &err);
	if (finding->has)
		snprintf(finding->detail, sizeof(finding->detail), "%s",
			 way == ENGINE_WAY_USERNS ? "in user namespaces, without privileges of the machine's"
						  : "with root's own capabilities: user namespaces are forbidden here");
	else
		snprintf(finding->detail, sizeof(finding->detail), "%s", err.text);
	snprintf(finding->lost, sizeof(finding->lost),
		 "dnsdrill run and dnsdrill lab; check, explain, report and list go on working");
	return finding->has;
}

/* Without labs nothing can be tried, so nothing is said. */
static void find_abilities(struct findings *findings)
{
	struct abilities abilities;
	struct err err = {0};

	if (engine_netns_abilities(&abilities, &err))
		return;
	for (enum ability i = 0; i < ABILITY_COUNT; i++) {
		struct finding *finding = add(findings, ability_infos[i].name);

		finding->has = abilities.has[i];
		snprintf(finding->detail, sizeof(finding->detail), "%s%s%s", ability_infos[i].what,
			 abilities.has[i] ? "" : ": ", abilities.why[i]);
		snprintf(finding->lost, sizeof(finding->lost), "%s", ability_infos[i].lost);
		snprintf(finding->how, sizeof(finding->how), "%s", ability_infos[i].how);
	}
}

static void version_said(void *arg)
{
	event_base_loopbreak(arg);
}

/* What the program says of itself; false if it does not run. */
static bool ask_version(const struct server_ops *ops, const char *path, char *buf, size_t size)
{
	const struct timeval limit = {.tv_sec = VERSION_LIMIT_S};
	struct event_base *base = loop_new();
	struct version *version = base ? version_start(base, ops, path, version_said, base) : NULL;
	bool known = false;

	if (version) {
		event_base_loopexit(base, &limit);
		event_base_dispatch(base);
		known = version_is_known(version) && version_text(version);
		snprintf(buf, size, "%s", known ? version_text(version) : "");
		kill(version_pid(version), SIGKILL);
		while (waitpid(version_pid(version), NULL, 0) < 0 && errno == EINTR)
			;
	}
	version_free(version);
	if (base)
		event_base_free(base);
	return known;
}

static void find_server(const struct server_ops *ops, struct findings *findings)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct finding *finding = add(findings, ops->name);
	const char *path = server_find_program(ops->program, arena);
	char version[160];

	finding->has = path && ask_version(ops, path, version, sizeof(version));
	if (finding->has)
		snprintf(finding->detail, sizeof(finding->detail), "%s: %s", path, version);
	else if (path)
		snprintf(finding->detail, sizeof(finding->detail), "%s %s says nothing within %d s", path,
			 ops->version_arg, VERSION_LIMIT_S);
	else
		snprintf(finding->detail, sizeof(finding->detail), "%s is not installed", ops->program);
	snprintf(finding->lost, sizeof(finding->lost), "plans that say server: %s", ops->name);
	snprintf(finding->how, sizeof(finding->how), "apt-get install %s", ops->package);
}

/* Programs that a drill does not need, but something else does. */
static const struct {
	const char *program, *package, *lost;
} programs[] = {
	{"qemu-system-x86_64", "qemu-system-x86",
	 "labs in a virtual machine: --engine vm, and auto where this kernel cannot"},
	{"nft", "nftables", "commands and scripts of dnsdrill explain on this machine"},
	{"tc", "iproute2", "scripts of dnsdrill explain that shape, on this machine"},
	{"ip", "iproute2", "scripts of dnsdrill explain that shape, on this machine"},
};

static void find_programs(struct findings *findings)
{
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		struct arena *arena CLEANUP(arena_freep) = arena_new();
		struct finding *finding = add(findings, programs[i].program);
		const char *path = server_find_program(programs[i].program, arena);

		finding->has = path;
		snprintf(finding->detail, sizeof(finding->detail), "%s", path ? path : "not installed");
		snprintf(finding->lost, sizeof(finding->lost), "%s", programs[i].lost);
		snprintf(finding->how, sizeof(finding->how), "apt-get install %s", programs[i].package);
	}
}

/* What is inside a virtual machine is known: Debian's kernel has every ability. */
static void find_kernel(struct findings *findings)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct finding *finding = add(findings, "vm-kernel");
	struct kernel kernel;
	struct err err = {0};
	const char *cache;

	finding->has = !pack_cache(arena, &cache, &err) && !kernel_find(cache, arena, &kernel, &err);
	if (finding->has)
		snprintf(finding->detail, sizeof(finding->detail), "%s and %zu modules", kernel.image,
			 kernel.module_count);
	else
		snprintf(finding->detail, sizeof(finding->detail), "%.*s", (int)strcspn(err.text, "."), err.text);
	snprintf(finding->lost, sizeof(finding->lost), "labs in a virtual machine");
	snprintf(finding->how, sizeof(finding->how), "%s", KERNEL_HOW);
}

static void print_table(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->v[i];

		printf("%-3s %-19s %s\n", finding->has ? "yes" : "NO", finding->name, finding->detail);
		if (finding->has)
			continue;
		printf("    %-19s lost without it: %s\n", "", finding->lost);
		if (*finding->how)
			printf("    %-19s how to get it: %s\n", "", finding->how);
	}
}

static void print_json(const struct findings *findings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->v[i];
		json_t *item = json_pack("{s:s, s:b, s:s, s:s}", "ability", finding->name, "has", finding->has,
					 "detail", finding->detail, "needed_for", finding->lost);

		if (*finding->how)
			json_object_set_new(item, "how", json_string(finding->how));
		json_array_append_new(list, item);
	}
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

static int run(const struct registry *registry, int argc, char **argv)
{
	struct doctor_options chosen = {0};
	struct cli_list operands = {0};
	struct findings findings = {0};
	int r = cli_parse(&doctor_command, argc, argv, &chosen, &operands, NULL);
	bool has_labs;

	if (r)
		return r > 0 ? EXIT_PASS : EXIT_USAGE;
	has_labs = find_labs(&findings);
	find_abilities(&findings);
	for (const struct server_ops *const *ops = registry->servers; *ops; ops++)
		find_server(*ops, &findings);
	find_programs(&findings);
	find_kernel(&findings);
	if (chosen.json)
		print_json(&findings);
	else
		print_table(&findings);
	return has_labs ? EXIT_PASS : EXIT_TROUBLE;
}
