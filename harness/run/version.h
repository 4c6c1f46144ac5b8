/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a server's program says of its version: run once, its first line taken. For run/bringup.c.
 */
#pragma once
#include "harness/api/server.h"
#include <event2/event.h>
#include <stdbool.h>

struct version;

/* done: once, from the loop, when it has said it or ended. NULL if the program cannot be run: its version stays unknown. The child is reaped by the caller. */
struct version *version_start(struct event_base *base, const struct server_ops *ops, const char *path,
			      void (*done)(void *arg), void *arg);
void version_free(struct version *version); /* NULL is fine */
bool version_is_known(const struct version *version);
pid_t version_pid(const struct version *version);
/* NULL while or where it is not known. Owned by version. */
const char *version_text(const struct version *version);
/* First line of what a program printed, cut to size, without a timestamp as loggers put in front; with the program's name where it is just a number. */
void version_clean(const char *program, const char *output, char *ret, size_t size);
