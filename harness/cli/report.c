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

struct report_options {
	const char *html, *junit, *json, *markdown, *out;
};

static const struct cli_option options[] = {
	C_TEXT(struct report_options, html, "html", "FILE", "write the HTML report there (- is standard output)"),
	C_TEXT(struct report_options, junit, "junit", "FILE", "write JUnit XML there"),
	C_TEXT(struct report_options, json, "json", "FILE", "write result.json there"),
	C_TEXT(struct report_options, markdown, "markdown", "FILE", "write the Markdown summary there"),
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
	const struct {
		const char *name, *path;
	} files[] = {{"html", chosen->html},
		     {"junit", chosen->junit},
		     {"json", chosen->json},
		     {"markdown", chosen->markdown}};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(files) && !r; i++) {
		if (files[i].path)
			r = reports_write_one(registry_report(registry, files[i].name), record, results, AT_FDCWD,
					      files[i].path, err);
	}
	if (!r && chosen->out) {
		int dirfd CLEANUP_CLOSE = outdir_directory(chosen->out, err);

		if (dirfd < 0)
			return err->code;
		r = reports_write_all(registry, record, results, dirfd, err);
	}
	return r;
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
	if (!chosen->html && !chosen->junit && !chosen->json && !chosen->markdown && !chosen->out)
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
