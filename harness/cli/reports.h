/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a recorded stream to files: what `run` does at its end and `report` at any time, by the same code.
 */
#pragma once
#include "harness/api/registry.h"
#include "harness/measure/results.h"

/* Writes one report to path under dirfd (AT_FDCWD: the working directory); "-" is standard output. */
int reports_write_one(const struct report_ops *report, const struct record *record, const struct results *results,
		      int dirfd, const char *path, struct err *err);

/* Writes every report of the registry that has a file of its own under that name. Goes on after one that fails and returns the first error. */
int reports_write_all(const struct registry *registry, const struct record *record, const struct results *results,
		      int dirfd, struct err *err);

/* The table a person wants, to standard output; in colour on a terminal unless NO_COLOR is set. */
void reports_print_table(const struct record *record, const struct results *results);
