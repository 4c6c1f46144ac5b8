/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: one file per subcommand, each a `struct command` and one line in list.h. Options are rows of a table, from which
 * parsing, usage and the man page are made. Only this folder and main.c print.
 */
#pragma once
#include "harness/api/registry.h"
#include <stdbool.h>
#include <stddef.h>

/* Exit codes (see docs/metrics.md for verdicts). */
enum { EXIT_PASS = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_TROUBLE = 3 };

#define CLI_LIST_MAX 256

struct cli_list {
	const char *v[CLI_LIST_MAX];
	size_t count;
};

enum cli_type { CLI_FLAG /* bool */, CLI_TEXT /* const char * */, CLI_LIST /* struct cli_list */ };

struct cli_option {
	const char *name; /* without the dashes */
	const char *arg; /* "DIR"; NULL for a flag */
	const char *doc;
	enum cli_type type;
	size_t offset; /* into the struct the command parses into */
};
#define CLI_END              \
	{                    \
		.name = NULL \
	}
#define CLI_AT(T, f, want) (_Generic(((T *)0)->f, want : offsetof(T, f)))
#define C_FLAG(T, f, n, text)                                                              \
	{                                                                                  \
		.name = (n), .doc = (text), .type = CLI_FLAG, .offset = CLI_AT(T, f, bool) \
	}
#define C_TEXT(T, f, n, a, text)                                                                               \
	{                                                                                                      \
		.name = (n), .arg = (a), .doc = (text), .type = CLI_TEXT, .offset = CLI_AT(T, f, const char *) \
	}
#define C_LIST(T, f, n, a, text)                                                                                  \
	{                                                                                                         \
		.name = (n), .arg = (a), .doc = (text), .type = CLI_LIST, .offset = CLI_AT(T, f, struct cli_list) \
	}

struct command {
	const char *name;
	const char *args; /* what follows the options: "PLAN…" */
	const char *summary; /* one line for help */
	const char *doc; /* a paragraph for the man page; NULL: summary says it all */
	const struct cli_option *options; /* ends with CLI_END; NULL: none */
	/* argv[0] is the command's name. Returns the exit status. */
	int (*run)(const struct registry *registry, int argc, char **argv);
};

/*
 * Parses --name value, --name=value and flags anywhere among the operands, until "--". Operands go to operands; after "--" everything does, and
 * *ret_dashes (may be NULL) is their index there. On a mistake prints it, naming the nearest option, and returns -EINVAL.
 * --help prints the command's usage and returns 1.
 */
int cli_parse(const struct command *command, int argc, char **argv, void *into, struct cli_list *operands,
	      size_t *ret_dashes);

/* "dnsdrill: <text>\n" to stderr. */
void cli_complain(const char *fmt, ...) PRINTF(1, 2);
void cli_usage(const struct command *command, FILE *out);

/* A non-negative decimal for --seed; prints what is wrong otherwise. 0 or -EINVAL. */
int cli_parse_seed(const char *text, int64_t *ret);

/* Every command, NULL-terminated, in the order of list.h. */
extern const struct command *const cli_commands[];
/* None of those: what the first process of a virtual machine runs. */
extern const struct command guest_command;
