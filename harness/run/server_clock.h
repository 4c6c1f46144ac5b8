/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the clock of a server (api/server_clock.h): the shared page, the library beside it, and what the server's environment says of them.
 */
#pragma once
#include "harness/api/server_clock.h"
#include "harness/base/arena.h"
#include "harness/base/err.h"

/* Files go into dir (made where it is not there). *ret_env: two settings for the server's environment and NULL, in arena. The page is the caller's until
 * server_clock_close. */
int server_clock_open(const char *dir, const char *host, struct arena *arena, struct server_clock **ret,
		      const char *const **ret_env, struct err *err);
void server_clock_close(struct server_clock *clock); /* NULL is fine */
