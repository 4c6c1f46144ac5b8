/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest says besides events, on a port of its own. Lines, each ended by a newline:
 *
 *   tick               once a virtual minute: it is alive
 *   log NAME SIZE      then SIZE bytes: a file for logs/
 *   end STATUS         the last: the run is over and everything has been said
 */
#pragma once
#include "harness/base/err.h"

#define REPORT_LOG_MAX (256ll << 20) /* of one log */

/* The guest's side. 0 or a negative errno. */
int report_tick(int fd);
int report_log(int fd, int dirfd, const char *name); /* the file name in dirfd; one that cannot be read is left out */
int report_logs(int fd, int dirfd); /* every file in it, sorted */
int report_end(int fd, int status);

/*
 * The host's side: reads a whole report and writes its logs into logs_dirfd. *ret_status: of `end`; -1: it did not come that far. What does not follow the rules above ends the reading (-EBADMSG);
 * a name with a slash, or that begins with a dot, breaks them.
 */
int report_read(int fd, int logs_dirfd, int *ret_status, struct err *err);
