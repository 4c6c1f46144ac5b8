/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsdrill explain --script: a plan's faults as one POSIX shell script. What shall be there once is text in HEAD and TAIL; between them stand two functions for each
 * fault and one with the timeline.
 */
#include <inttypes.h>
#include <string.h>

#include "harness/cli/explain.h"
#include "harness/run/timeline.h"

static const char head[] = "set -u\n"
			   "\n"
			   "say() { printf '%s\\n' \"$*\" >&2; }\n"
			   "die() {\n"
			   "\tsay \"error: $*\"\n"
			   "\texit 1\n"
			   "}\n"
			   "\n"
			   "usage() {\n"
			   "\tsay \"usage: $0 start      play the timeline, then undo everything\"\n"
			   "\tsay \"       $0 start N    apply fault N alone, until Ctrl-C\"\n"
			   "\tsay \"       $0 stop       undo everything, also what a killed start left\"\n"
			   "\tsay \"Faults:\"\n"
			   "\tlist_faults >&2\n"
			   "\texit 2\n"
			   "}\n"
			   "\n"
			   "stands() { nft list table " CORE_TABLE " >/dev/null 2>&1; }\n"
			   "\n"
			   "check() {\n"
			   "\t[ \"$(id -u)\" = 0 ] || die \"this needs root\"\n"
			   "\tfor program in $programs; do\n"
			   "\t\tcommand -v \"$program\" >/dev/null || die \"$program is not installed (Debian: apt-get "
			   "install nftables iproute2)\"\n"
			   "\tdone\n"
			   "}\n"
			   "\n"
			   "# What is under way in centiseconds since the kernel started.\n"
			   "now() {\n"
			   "\tread -r up _ </proc/uptime\n"
			   "\techo \"${up%.*}${up#*.}\"\n"
			   "}\n"
			   "\n"
			   "# Waits until so many centiseconds after the start; ends when somebody else undoes the "
			   "faults. A trap interrupts wait, not sleep.\n"
			   "until_cs() {\n"
			   "\twhile :; do\n"
			   "\t\tleft=$((begin + $1 - $(now)))\n"
			   "\t\t[ \"$left\" -gt 0 ] || return 0\n"
			   "\t\tstands || die \"stopped from elsewhere\"\n"
			   "\t\t[ \"$left\" -lt 100 ] || left=100\n"
			   "\t\tsleep \"$(printf '%d.%02d' $((left / 100)) $((left % 100)))\" &\n"
			   "\t\twait $!\n"
			   "\tdone\n"
			   "}\n"
			   "\n"
			   "on() {\n"
			   "\tsay \"fault $1: on\"\n"
			   "\tapply_\"$1\" || die \"fault $1 could not be applied\"\n"
			   "}\n"
			   "\n"
			   "off() {\n"
			   "\tsay \"fault $1: off\"\n"
			   "\trevert_\"$1\" 2>/dev/null\n"
			   "}\n"
			   "\n";

static const char tail[] =
	"\n"
	"undo_all() {\n"
	"\tfor n in $newest_first; do revert_\"$n\" 2>/dev/null; done\n"
	"\tnft 'delete table " CORE_TABLE "' 2>/dev/null\n"
	"\tstands && die \"table " CORE_TABLE " could not be removed\"\n"
	"\tsay \"everything is undone\"\n"
	"}\n"
	"\n"
	"start() {\n"
	"\tstands && die \"faults stand already (table " CORE_TABLE "): $0 stop\"\n"
	"\t[ \"$(cat /proc/sys/net/ipv4/ip_forward)\" = 1 ] || say \"warning: this machine does not forward IPv4\"\n"
	"\tif $detours && [ \"$(cat /proc/sys/net/ipv4/conf/all/rp_filter)\" != 0 ]; then\n"
	"\t\tdie \"net.ipv4.conf.all.rp_filter must be 0: it drops what comes back from a detour\"\n"
	"\tfi\n"
	"\ttrap undo_all EXIT\n"
	"\ttrap 'exit 129' HUP\n"
	"\ttrap 'exit 130' INT\n"
	"\ttrap 'exit 143' TERM\n"
	"\tnft 'add table " CORE_TABLE "' || die \"nftables does not work here\"\n"
	"\tbegin=$(now)\n"
	"\tif [ -z \"$1\" ]; then\n"
	"\t\ttimeline\n"
	"\telse\n"
	"\t\ton \"$1\"\n"
	"\t\tuntil_cs 999999999\n"
	"\tfi\n"
	"}\n"
	"\n"
	"case \"${1-} ${2-}\" in\n"
	"'start ')\n"
	"\tcheck\n"
	"\tstart ''\n"
	"\t;;\n"
	"'start '[1-9]*)\n"
	"\tcase \" $newest_first \" in *\" $2 \"*) ;; *) usage ;; esac\n"
	"\tcheck\n"
	"\tstart \"$2\"\n"
	"\t;;\n"
	"'stop ')\n"
	"\tcheck\n"
	"\tundo_all\n"
	"\t;;\n"
	"*) usage ;;\n"
	"esac\n";

static void add_intro(const struct plan *plan, struct buf *out)
{
	buf_puts(out, "#!/bin/sh\n# ");
	explain_add_text(plan->name.value, out);
	buf_puts(out, ": the faults of ");
	explain_add_text(plan->file, out);
	buf_puts(out, "\n# on a Linux router, without dnsdrill. Written by `dnsdrill explain --script`, "
		      "version " DNSDRILL_VERSION ".\n#\n"
		      "# It acts on packets that this machine forwards, in an nftables table, links, rules and routing "
		      "tables of its\n"
		      "# own; nothing of anybody else's is touched.\n");
}

static void add_quoted(const char *text, struct buf *out)
{
	struct buf plain = {0};

	explain_add_text(text, &plain);
	buf_putc(out, '\'');
	for (const char *p = plain.data; p && *p; p++) {
		if (*p == '\'')
			buf_puts(out, "'\\''");
		else
			buf_putc(out, *p);
	}
	buf_putc(out, '\'');
	buf_fini(&plain);
}

/* What is to be done elsewhere, or by hand, stands as a comment among the commands: the script can only say it. */
static void add_said(const char *line, size_t len, struct buf *out)
{
	struct buf text = {0};

	buf_add(&text, line, len);
	buf_puts(out, "\tsay ");
	add_quoted(text.data ? text.data : "", out);
	buf_putc(out, '\n');
	buf_fini(&text);
}

/* The body of a function: each line of commands, with what goes before its line break. */
static void add_lines(const struct buf *commands, const char *end, struct buf *out)
{
	for (const char *line = commands->data; line && *line;) {
		size_t len = strcspn(line, "\n");

		if (len > 2 && !strncmp(line, "# ", 2))
			add_said(line + 2, len - 2, out);
		else if (len)
			buf_printf(out, "\t%.*s%s\n", (int)len, line,
				   line[len - 1] == '&' ? "" : end); /* nobody waits for that one */
		line += len + (line[len] == '\n');
	}
	if (!commands->len)
		buf_puts(out, "\t:\n");
}

static bool uses(const struct buf *commands, const char *program)
{
	size_t len = strlen(program);

	for (const char *line = commands->data; line && *line;) {
		if (!strncmp(line, program, len) && line[len] == ' ')
			return true;
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return false;
}

/* Returns whether it takes its packets on a detour. */
static bool add_fault(const struct injector *fault, struct buf *out)
{
	struct buf apply = {0}, revert = {0};
	bool detours;

	fault->ops->commands(fault, &apply, &revert);
	buf_puts(out, "# ");
	explain_add_text(fault->name.value, out);
	buf_puts(out, ": ");
	fault->ops->sentence(fault, out);
	buf_printf(out, "\napply_%" PRId64 "() {\n", fault->id);
	add_lines(&apply, " || return 1", out);
	buf_printf(out, "}\nrevert_%" PRId64 "() {\n", fault->id);
	add_lines(&revert, "", out);
	buf_puts(out, "}\n\n");
	detours = uses(&apply, "ip");
	buf_fini(&apply);
	buf_fini(&revert);
	return detours;
}

static void add_list(const struct plan *plan, struct buf *out)
{
	buf_puts(out, "list_faults() {\n");
	for (size_t i = 0; i < plan->fault_count; i++) {
		buf_printf(out, "\tprintf '  %%s  %%s\\n' %" PRId64 " ", plan->faults[i]->id);
		add_quoted(plan->faults[i]->name.value, out);
		buf_putc(out, '\n');
	}
	if (!plan->fault_count)
		buf_puts(out, "\techo '  none'\n");
	buf_puts(out, "}\n\n");
}

/* Centiseconds: what /proc/uptime counts. */
static void add_wait(int64_t at_ns, struct buf *out)
{
	buf_printf(out, "\tuntil_cs %" PRId64 "\n", at_ns / (10 * MSEC));
}

/* What is done on other machines a router's script can only announce. */
static void add_action(const struct action *action, struct buf *out)
{
	struct buf text = {0};

	add_wait(action->at_ns, out);
	buf_puts(out, "\tsay ");
	buf_puts(&text, "to do by hand: ");
	action->ops->sentence(action, &text);
	add_quoted(text.data ? text.data : "", out);
	buf_putc(out, '\n');
	buf_fini(&text);
}

#define MOMENTS_MAX 5000 /* of a script: a flap of a year would fill the disk */

static void add_timeline(const struct plan *plan, struct buf *out)
{
	struct arena *arena CLEANUP(arena_freep) = arena_new();
	struct timeline *timeline = timeline_new(plan, arena);
	const struct moment *moment;
	size_t count = 0;

	buf_puts(out, "timeline() {\n");
	for (; (moment = timeline_peek(timeline)) && moment->at_ns < plan->end_ns; timeline_drop(timeline)) {
		bool on = moment->what == MOMENT_APPLY || moment->what == MOMENT_ON;

		if (moment->what == MOMENT_DO)
			add_action(moment->action, out);
		if (moment->what == MOMENT_ADJUST || moment->what == MOMENT_DO || count++ >= MOMENTS_MAX)
			continue;
		add_wait(moment->at_ns, out);
		buf_printf(out, "\t%s %" PRId64 "\n", on ? "on" : "off", moment->fault->id);
	}
	if (count > MOMENTS_MAX)
		buf_printf(out, "\t# %zu switches more were left out\n", count - MOMENTS_MAX);
	add_wait(plan->end_ns, out);
	buf_puts(out, "}\n");
}

void explain_script(const struct plan *plan, struct buf *out)
{
	struct buf faults = {0};
	bool detours = false;

	for (size_t i = 0; i < plan->fault_count; i++)
		detours |= add_fault(plan->faults[i], &faults);
	add_intro(plan, out);
	buf_puts(out, head);
	buf_printf(out, "programs='nft%s'\ndetours=%s\nnewest_first='", detours ? " ip tc" : "",
		   detours ? "true" : "false");
	for (size_t i = plan->fault_count; i-- > 0;)
		buf_printf(out, "%s%" PRId64, i + 1 < plan->fault_count ? " " : "", plan->faults[i]->id);
	buf_puts(out, "'\n\n");
	add_list(plan, out);
	buf_puts(out, faults.data ? faults.data : "");
	add_timeline(plan, out);
	buf_puts(out, tail);
	out->failed |= faults.failed;
	buf_fini(&faults);
}
