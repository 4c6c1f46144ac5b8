/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsdrill man: the manual page, made from the tables that parse command lines and plans, so that it cannot say anything else.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "harness/cli/cli.h"
#include "harness/event/metric.h"
#include "harness/plan/parse.h"
#include "harness/plan/plan.h"

static int run(const struct registry *registry, int argc, char **argv);

const struct command man_command = {
	.name = "man",
	.args = "",
	.summary = "print this program's manual page",
	.doc = "In roff, for man(1): dnsdrill man | man -l -",
	.run = run,
};

/* Text as roff takes it: backslashes and hyphens as themselves, and no line that begins like a request. */
static void add_text(struct buf *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		bool at_start = p == text || p[-1] == '\n';

		if (at_start && (*p == '.' || *p == '\''))
			buf_puts(out, "\\&");
		if (*p == '\\')
			buf_puts(out, "\\e");
		else if (*p == '-')
			buf_puts(out, "\\-");
		else if (!(at_start && *p == ' '))
			buf_putc(out, *p);
	}
}

static void add_section(struct buf *out, const char *macro, const char *title)
{
	buf_printf(out, ".%s \"", macro);
	add_text(out, title);
	buf_puts(out, "\"\n");
}

static void add_paragraph(struct buf *out, const char *text)
{
	buf_puts(out, ".PP\n");
	add_text(out, text);
	buf_putc(out, '\n');
}

/* A name in bold with what it means beneath. */
static void add_entry(struct buf *out, const char *name, const char *arg, const char *text)
{
	buf_puts(out, ".TP\n\\fB");
	add_text(out, name);
	buf_puts(out, "\\fR");
	if (arg) {
		buf_puts(out, " \\fI");
		add_text(out, arg);
		buf_puts(out, "\\fR");
	}
	buf_putc(out, '\n');
	add_text(out, text);
	buf_putc(out, '\n');
}

/* Summaries are lower case and without full stop, for lists. */
static void add_sentence(struct buf *out, const char *summary)
{
	struct buf text = {0};

	buf_putc(&text, (char)toupper((unsigned char)*summary)); /* with the rest in one: "A zone" keeps its space */
	buf_puts(&text, summary + 1);
	add_text(out, text.data ? text.data : "");
	buf_puts(out, ".\n");
	buf_fini(&text);
}

static void add_command(struct buf *out, const struct command *command)
{
	struct buf title = {0};

	buf_printf(&title, "dnsdrill %s%s%s%s", command->name, command->options ? " [OPTIONS]" : "",
		   *command->args ? " " : "", command->args);
	add_section(out, "SS", title.data);
	buf_fini(&title);
	add_sentence(out, command->summary);
	if (command->doc)
		add_text(out, command->doc);
	buf_putc(out, '\n');
	for (const struct cli_option *o = command->options; o && o->name; o++) {
		char name[64];

		snprintf(name, sizeof(name), "--%s", o->name);
		add_entry(out, name, o->arg, o->doc);
	}
}

static void add_choices(struct buf *out, const char *const *choices)
{
	for (const char *const *c = choices; c && *c; c++)
		buf_printf(out, "%s%s", c == choices ? " (" : c[1] ? ", " : " or ", *c);
	buf_putc(out, ')');
}

/* "delay added to each packet (0s … 60s); default 0s" */
static void add_row(struct buf *out, const struct param *param)
{
	struct buf text = {0}, range = {0}, def = {0};

	param_format_range(param, &range);
	param_format_default(param, &def);
	buf_puts(&text, param->doc);
	if (param->type == PARAM_ENUM)
		add_choices(&text, param->choices);
	else if (range.len)
		buf_printf(&text, " (%s)", range.data);
	if (param->required)
		buf_puts(&text, "; required");
	else if (def.len)
		buf_printf(&text, "; default %s", def.data);
	add_entry(out, param->key, param->type == PARAM_NODE ? NULL : param_type_name(param), text.data);
	buf_fini(&text);
	buf_fini(&range);
	buf_fini(&def);
}

static void add_rows(struct buf *out, const struct param *rows)
{
	for (; rows && rows->key; rows++)
		add_row(out, rows);
}

/* A table, then the tables its rows lead to. path: where it stands in a plan, "lab.zones.NAME". */
static void add_table(struct buf *out, const struct table *table, const char *path)
{
	add_section(out, "SS", path);
	add_sentence(out, table->doc);
	add_rows(out, table->params);
	for (const struct param *row = table->params; row->key; row++) {
		struct buf below = {0};

		if (!row->sub)
			continue;
		buf_printf(&below, "%s%s%s%s", table == &plan_table ? "" : path, table == &plan_table ? "" : ".",
			   row->key,
			   row->type == PARAM_MAP    ? ".NAME"
			   : row->type == PARAM_LIST ? "[]"
						     : "");
		add_table(out, row->sub, below.data);
		buf_fini(&below);
	}
}

static void add_common_rows(struct buf *out, const char *title, const char *text, const struct param *rows)
{
	add_section(out, "SS", title);
	add_text(out, text);
	buf_putc(out, '\n');
	add_rows(out, rows);
}

/* One kind of fault or probe with the keys of its own. */
static void add_kind(struct buf *out, const char *kind, const char *summary, const struct param *rows)
{
	add_section(out, "SS", kind);
	add_sentence(out, summary);
	add_rows(out, rows);
}

static void add_tables_below(struct buf *out, const char *above, const struct param *rows)
{
	for (; rows && rows->key; rows++) {
		char path[80];

		snprintf(path, sizeof(path), "%s.%s", above, rows->key);
		if (rows->sub)
			add_table(out, rows->sub, path);
	}
}

static void add_plan(struct buf *out)
{
	add_section(out, "SH", "PLANS");
	add_text(out,
		 "A plan is one YAML file. Durations carry their unit (250ms, 10s, 5m, 24h, 7d), shares a %, sizes "
		 "B, KiB or MiB, rates /s. Booleans are true and false. An unknown key is an error.\n");
	add_table(out, &plan_table, "plan");
	add_common_rows(out, "probes.NAME",
			"A question asked again and again at a fixed pace; every kind has:", probe_params);
	add_common_rows(out, "timeline[]", "Something broken on purpose; every kind of fault has:", step_params);
	add_rows(out, step_target_params);
	add_text(out, "A fault of servers (see FAULTS) has instead of target and from:\n");
	add_rows(out, step_servers_params);
	add_text(out, "A fault between groups of hosts (see FAULTS) has instead of target and from:\n");
	add_rows(out, step_groups_params);
	add_tables_below(out, "timeline[]", step_params);
	add_common_rows(
		out, "timeline[] with do",
		"Something done as an operator does it, beside what is broken; every kind of step has:", action_params);
	add_text(out, "A step that changes a zone has besides:\n");
	add_rows(out, action_zone_params);
	add_text(out, "Any other:\n");
	add_rows(out, action_target_params);
	add_common_rows(out, "expect[]",
			"A bound on what is measured. Besides these keys, one or more metrics (see METRICS), each "
			"with a bound such as \"<= 3s\" or \">= 95%\":",
			expect_params);
}

static void add_plugs(struct buf *out, const struct registry *registry)
{
	add_section(out, "SH", "PROBES");
	for (const struct probe_ops *const *ops = registry->probes; *ops; ops++)
		add_kind(out, (*ops)->kind, (*ops)->summary, (*ops)->params);
	add_section(out, "SH", "FAULTS");
	for (const struct injector_ops *const *ops = registry->injectors; *ops; ops++) {
		add_kind(out, (*ops)->kind, (*ops)->summary, (*ops)->params);
		add_tables_below(out, "timeline[]", (*ops)->params);
	}
	add_section(out, "SH", "STEPS");
	for (const struct action_ops *const *ops = registry->actions; *ops; ops++)
		add_kind(out, (*ops)->kind, (*ops)->summary, (*ops)->params);
	add_section(out, "SH", "SERVERS");
	for (const struct server_ops *const *ops = registry->servers; *ops; ops++) {
		struct buf text = {0};

		buf_printf(&text, "%s: program %s, Debian package %s", (*ops)->summary, (*ops)->program,
			   (*ops)->package);
		add_entry(out, (*ops)->name, NULL, text.data);
		buf_fini(&text);
	}
}

static void add_metrics(struct buf *out)
{
	add_section(out, "SH", "METRICS");
	for (size_t i = 0; i < METRIC_COUNT; i++)
		add_entry(out, metric_infos[i].name, metric_infos[i].unit == METRIC_DURATION ? "duration" : "share",
			  metric_infos[i].doc);
}

static void add_files(struct buf *out, const struct registry *registry)
{
	add_section(out, "SH", "FILES");
	add_text(out, "In the directory of --out, dnsdrill-out/<plan>-<time> by default:\n");
	add_entry(out, "events.ndjson", NULL, "everything that happened, one event a line; all else is made from it");
	for (const struct report_ops *const *ops = registry->reports; *ops; ops++) {
		if ((*ops)->file)
			add_entry(out, (*ops)->file, NULL, (*ops)->summary);
	}
	add_entry(out, "capture.pcap", NULL, "every packet at every link of the lab's core");
	add_entry(out, "logs/", NULL, "what each server wrote");
}

static void add_exit_status(struct buf *out)
{
	static const char *const codes[][2] = {
		{"0", "pass: every expectation held, every fault took effect and was undone"},
		{"1", "fail: an expectation did not hold"},
		{"2", "the plan or the command line is wrong; nothing was touched"},
		{"3", "inconclusive or error: an unhealthy baseline, a fault without effect, a lab that did not come "
		      "up, an undo that failed"},
		{"129, 130, 143", "after SIGHUP, SIGINT, SIGTERM; everything is undone"},
	};

	add_section(out, "SH", "EXIT STATUS");
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		add_entry(out, codes[i][0], NULL, codes[i][1]);
}

static void add_head(struct buf *out)
{
	buf_puts(out, ".TH DNSDRILL 1 \"\" \"dnsdrill " DNSDRILL_VERSION "\" \"User Commands\"\n.nh\n");
	add_section(out, "SH", "NAME");
	buf_puts(out, "dnsdrill \\- rehearse DNS failure, and measure time\\-to\\-failover\n");
	add_section(out, "SH", "SYNOPSIS");
	for (const struct command *const *c = cli_commands; *c; c++) {
		buf_printf(out, "%s\\fBdnsdrill %s\\fR%s ", c == cli_commands ? "" : ".br\n", (*c)->name,
			   (*c)->options ? " [OPTIONS]" : "");
		add_text(out, (*c)->args);
		buf_putc(out, '\n');
	}
	add_section(out, "SH", "DESCRIPTION");
	add_text(out, "dnsdrill builds a lab of real DNS servers in namespaces of this kernel, as a plan describes it, "
		      "breaks it on schedule, asks it questions all the while, and says with evidence how long users "
		      "were without right answers. Nothing leaves the lab; when dnsdrill ends, however it ends, "
		      "nothing of the lab stays.\n");
}

static int run(const struct registry *registry, int argc, char **argv)
{
	struct cli_list operands = {0};
	struct buf out = {0};
	int r = cli_parse(&man_command, argc, argv, NULL, &operands, NULL);

	if (r)
		return r > 0 ? EXIT_PASS : EXIT_USAGE;
	if (operands.count) {
		cli_complain("man takes no arguments");
		return EXIT_USAGE;
	}
	add_head(&out);
	add_section(&out, "SH", "COMMANDS");
	for (const struct command *const *c = cli_commands; *c; c++)
		add_command(&out, *c);
	add_plan(&out);
	add_tables_below(&out, "probes.NAME", probe_params);
	add_plugs(&out, registry);
	add_metrics(&out);
	add_exit_status(&out);
	add_files(&out, registry);
	add_paragraph(&out, "Definitions of every metric, and guides: the files in share/doc/dnsdrill.");
	r = out.failed || fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout);
	buf_fini(&out);
	return r ? EXIT_TROUBLE : EXIT_PASS;
}
