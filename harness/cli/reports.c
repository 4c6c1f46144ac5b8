/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/cli/reports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "harness/base/fd.h"
#include "report/table.h"

int reports_write_one(const struct report_ops *report, const struct record *record, const struct results *results,
		      int dirfd, const char *path, struct err *err)
{
	struct loc loc = {.file = path};
	struct buf out = {0};
	int r;

	report->write(record, results, &out);
	if (out.failed)
		r = -ENOMEM;
	else if (!strcmp(path, "-"))
		r = fd_write_all(STDOUT_FILENO, out.data, out.len);
	else
		r = fd_write_file(dirfd, path, out.data, out.len, 0666);
	buf_fini(&out);
	return r ? err_set(err, r, loc, "cannot write the %s report: %s", report->name, strerror(-r)) : 0;
}

int reports_write_all(const struct registry *registry, const struct record *record, const struct results *results,
		      int dirfd, struct err *err)
{
	int first = 0;

	for (const struct report_ops *const *report = registry->reports; *report; report++) {
		struct err ignored, *to = first ? &ignored : err;
		int r = (*report)->file ? reports_write_one(*report, record, results, dirfd, (*report)->file, to) : 0;

		first = first ? first : r;
	}
	return first;
}

void reports_print_table(const struct record *record, const struct results *results)
{
	bool is_tty = isatty(STDOUT_FILENO);
	const char *no_color = getenv("NO_COLOR");
	struct winsize size = {0};
	struct buf out = {0};
	unsigned columns = 100;

	if (is_tty && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		columns = size.ws_col;
	table_write(record, results, is_tty && !(no_color && *no_color), columns, &out);
	if (out.data)
		fwrite(out.data, 1, out.len, stdout);
	buf_fini(&out);
}
