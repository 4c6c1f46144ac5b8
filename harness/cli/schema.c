/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsdrill schema: the JSON Schema of a plan, for editors.
 */
#include <stdio.h>

#include "harness/cli/cli.h"
#include "harness/plan/schema.h"

static int run(const struct registry *registry, int argc, char **argv);

const struct command schema_command = {
	.name = "schema",
	.args = "",
	.summary = "print the JSON Schema (draft-07) of a plan",
	.doc = "Editors that use the YAML language server take it with the comment "
	       "\"# yaml-language-server: $schema=dnsdrill.schema.json\" at the top of a plan.",
	.run = run,
};

static int run(const struct registry *registry, int argc, char **argv)
{
	struct cli_list operands = {0};
	struct buf out = {0};
	int r = cli_parse(&schema_command, argc, argv, NULL, &operands, NULL);

	if (r)
		return r > 0 ? EXIT_PASS : EXIT_USAGE;
	if (operands.count) {
		cli_complain("schema takes no arguments");
		return EXIT_USAGE;
	}
	schema_write(registry, &out);
	if (out.failed) {
		cli_complain("schema: out of memory");
		return EXIT_TROUBLE;
	}
	fwrite(out.data, 1, out.len, stdout);
	buf_fini(&out);
	return EXIT_PASS;
}
