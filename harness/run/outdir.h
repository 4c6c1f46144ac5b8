/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The output directory of a run, and where in it each combination of a matrix puts what it writes.
 *
 *   DIR/events.ndjson               every run of the plan, one after the other
 *   DIR/[CASE/]capture.pcap         CASE: the combination, as a file name, with -2 … behind it where that is taken;
 *                                   no such level without a matrix
 *   DIR/[CASE/]logs/<host>.log
 *
 * All is held by descriptors, opened before any lab starts: the lab may hide the path itself.
 */
#pragma once
#include "harness/base/err.h"

struct outdir {
	char *path; /* owned */
	int fd;
	int events_fd; /* append only */
};

struct outdir_case {
	int logs_fd; /* directory */
	int capture_fd;
	char capture_name[300]; /* relative to DIR */
};

/* The directory, made with its parents if need be: a descriptor, or a negative errno with err. */
int outdir_directory(const char *path, struct err *err);

/* Makes DIR (and its parents). A directory that already holds events.ndjson is refused: evidence is never overwritten. */
int outdir_check(const char *path, struct err *err); /* refuses such a one; makes nothing */
int outdir_open(const char *path, struct outdir *ret, struct err *err);
void outdir_close(struct outdir *outdir);

/* label NULL: without a matrix. */
int outdir_case_open(const struct outdir *outdir, const char *label, struct outdir_case *ret, struct err *err);
void outdir_case_close(struct outdir_case *outdir_case);

/* text with everything but letters, digits, '.', '-', '_' and '=' as '-', never empty, at most size - 1 long. Returns buf. */
const char *outdir_file_name(const char *text, char *buf, size_t size);
