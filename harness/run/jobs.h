/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Behind api/job.h: who starts the children, and hears of their end.
 *
 * jobs_new → job_start… → jobs_child_exited for each child that was reaped → jobs_free, which kills what is left and tells nobody.
 */
#pragma once
#include "harness/api/job.h"
#include <event2/event.h>

struct jobs *jobs_new(struct event_base *base); /* base is borrowed. NULL: out of memory */
void jobs_free(struct jobs *jobs); /* NULL is fine */

/* True if pid was one of ours; its job has ended then. status as of waitpid(2). */
bool jobs_child_exited(struct jobs *jobs, pid_t pid, int status);
