/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/text.h"

#define COMMAND(name) extern const struct command name##_command;
#include "harness/cli/list.h"
#undef COMMAND

#define COMMAND(name) &name##_command,
const struct command *const cli_commands[] = {
#include "harness/cli/list.h"
	NULL,
};
#undef COMMAND

void cli_complain(const char *fmt, ...)
{
	struct buf shown = {0};
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_add_printable(&shown, text);
	fprintf(stderr, "dnsdrill: %s\n", shown.data ? shown.data : "");
	buf_fini(&shown);
}

void cli_usage(const struct command *command, FILE *out)
{
	fprintf(out, "usage: dnsdrill %s%s%s%s\n%s\n", command->name, command->options ? " [OPTIONS]" : "",
		*command->args ? " " : "", command->args, command->summary);
	for (const struct cli_option *o = command->options; o && o->name; o++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
		fprintf(out, "  %-20s %s\n", left, o->doc);
	}
}

static const struct cli_option *find_option(const struct command *command, const char *name, size_t len)
{
	for (const struct cli_option *o = command->options; o && o->name; o++) {
		if (strlen(o->name) == len && !strncmp(o->name, name, len))
			return o;
	}
	return NULL;
}

static int complain_unknown(const struct command *command, const char *arg)
{
	const char *names[32], *nearest;
	char name[64];
	size_t count = 0;

	for (const struct cli_option *o = command->options; o && o->name && count < ARRAY_LEN(names); o++)
		names[count++] = o->name;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(arg + 2, "="), arg + 2);
	nearest = text_nearest(name, names, count);
	if (nearest)
		cli_complain("%s: unknown option '%s'; did you mean --%s?", command->name, arg, nearest);
	else
		cli_complain("%s: unknown option '%s'; see dnsdrill %s --help", command->name, arg, command->name);
	return -EINVAL;
}

static int store(const struct command *command, const struct cli_option *option, const char *value, void *into)
{
	void *field = (char *)into + option->offset;

	if (option->type == CLI_FLAG) {
		*(bool *)field = true;
	} else if (option->type == CLI_TEXT) {
		*(const char **)field = value;
	} else {
		struct cli_list *list = field;

		if (list->count == CLI_LIST_MAX) {
			cli_complain("%s: --%s is given more than %d times", command->name, option->name, CLI_LIST_MAX);
			return -EINVAL;
		}
		list->v[list->count++] = value;
	}
	return 0;
}

/* One argument that begins with "--"; moves *io_i on if it takes the next one as its value. */
static int parse_option(const struct command *command, int argc, char **argv, int *io_i, void *into)
{
	const char *arg = argv[*io_i], *equals = strchr(arg, '='), *value = NULL;
	const struct cli_option *option = find_option(command, arg + 2, strcspn(arg + 2, "="));

	if (!option)
		return complain_unknown(command, arg);
	if (!option->arg && equals) {
		cli_complain("%s: --%s takes no value", command->name, option->name);
		return -EINVAL;
	}
	if (option->arg) {
		value = equals ? equals + 1 : *io_i + 1 < argc ? argv[++*io_i] : NULL;
		if (!value) {
			cli_complain("%s: --%s needs a value: --%s %s", command->name, option->name, option->name,
				     option->arg);
			return -EINVAL;
		}
	}
	return store(command, option, value, into);
}

static int add_operand(const struct command *command, struct cli_list *operands, const char *arg)
{
	if (operands->count == CLI_LIST_MAX) {
		cli_complain("%s: more than %d arguments", command->name, CLI_LIST_MAX);
		return -EINVAL;
	}
	operands->v[operands->count++] = arg;
	return 0;
}

int cli_parse(const struct command *command, int argc, char **argv, void *into, struct cli_list *operands,
	      size_t *ret_dashes)
{
	bool rest = false;

	for (int i = 1; i < argc; i++) {
		int r;

		if (!rest && !strcmp(argv[i], "--")) {
			rest = true;
			if (ret_dashes)
				*ret_dashes = operands->count;
			continue;
		}
		if (!rest && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))) {
			cli_usage(command, stdout);
			return 1;
		}
		if (!rest && !strncmp(argv[i], "--", 2))
			r = parse_option(command, argc, argv, &i, into);
		else if (!rest && argv[i][0] == '-' && argv[i][1] && argv[i][1] != ' ') /* "- do: …" is YAML */
			r = complain_unknown(command, argv[i]);
		else
			r = add_operand(command, operands, argv[i]);
		if (r)
			return r;
	}
	if (!rest && ret_dashes)
		*ret_dashes = operands->count;
	return 0;
}

int cli_parse_seed(const char *text, int64_t *ret)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || *end || end == text || value < 0 || strspn(text, "0123456789") != strlen(text)) {
		cli_complain("--seed %s: a seed is a whole number from 0 to 9223372036854775807", text);
		return -EINVAL;
	}
	*ret = value;
	return 0;
}
