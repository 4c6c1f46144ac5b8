/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsdrill report: every report again, from a recorded stream and nothing else. Byte for byte what the run gave.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/base/fd.h"
#include "harness/cli/cli.h"
#include "harness/cli/reports.h"
#include "harness/run/outdir.h"

/* Where each report of report/list.h is to go, by its name; NULL: nowhere. */
struct report_files {
#define REPORT(name) const char *name;
#include "report/list.h"
#undef REPORT
};

struct report_options {
	union {
		struct report_files files;
		const char *paths[sizeof(struct report_files) / sizeof(char *)]; /* in the order of the registry */
	};
	const char *out;
};

static const struct cli_option options[] = {
#define REPORT(name)                                             \
	C_TEXT(struct report_options, files.name, #name, "FILE", \
	       "write the " #name " report there (- is standard output)"),
#include "report/list.h"
#undef REPORT
	C_TEXT(struct report_options, out, "out", "DIR",
	       "write all of them into this directory, under their usual names"),
	CLI_END,
};

static int run(const struct registry *registry, int argc, char **argv);

const struct command report_command = {
	.name = "report",
	.args = "EVENTS",
	.summary = "make the reports again from a recorded events.ndjson",
	.doc = "EVENTS is an events.ndjson or the output directory that holds it. Without options the table is "
	       "printed. The exit "
	       "status is that of the recorded verdict.",
	.options = options,
	.run = run,
};

static int write_chosen(const struct registry *registry, const struct report_options *chosen,
			const struct record *record, const struct results *results, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(chosen->paths) && !r; i++) {
		if (chosen->paths[i])
			r = reports_write_one(registry->reports[i], record, results, AT_FDCWD, chosen->paths[i], err);
	}
	if (!r && chosen->out) {
		int dirfd CLEANUP_CLOSE = outdir_directory(chosen->out, err);

		if (dirfd < 0)
			return err->code;
		r = reports_write_all(registry, record, results, dirfd, err);
	}
	return r;
}

static bool is_any_chosen(const struct report_options *chosen)
{
	bool is_any = chosen->out;

	for (size_t i = 0; i < ARRAY_LEN(chosen->paths); i++)
		is_any |= chosen->paths[i] != NULL;
	return is_any;
}

/* A stream is named by itself or by the directory a run left. In buf, of size bytes. */
static const char *stream_path(const char *path, char *buf, size_t size)
{
	struct stat st;

	if (stat(path, &st) || !S_ISDIR(st.st_mode))
		return path;
	snprintf(buf, size, "%s/events.ndjson", path);
	return buf;
}

static int report_stream(const struct registry *registry, const struct report_options *chosen, const char *path)
{
	char joined[4096];
	struct err err = {0};
	struct record *record CLEANUP(record_freep) = record_read(stream_path(path, joined, sizeof(joined)), &err);
	struct results *results CLEANUP(results_freep) = record ? measure(record) : NULL;

	if (!record || write_chosen(registry, chosen, record, results, &err)) {
		err_print(&err, stderr);
		return record ? EXIT_TROUBLE : EXIT_USAGE;
	}
	if (!is_any_chosen(chosen))
		reports_print_table(record, results);
	return verdict_exit_code(results->verdict);
}

static int run(const struct registry *registry, int argc, char **argv)
{
	struct report_options chosen = {0};
	struct cli_list operands = {0};
	int r = cli_parse(&report_command, argc, argv, &chosen, &operands, NULL);

	if (r)
		return r > 0 ? EXIT_PASS : EXIT_USAGE;
	if (operands.count != 1) {
		cli_complain("report takes one recorded stream, as in: dnsdrill report dnsdrill-out/…/events.ndjson");
		return EXIT_USAGE;
	}
	return report_stream(registry, &chosen, operands.v[0]);
}
