/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every server driver needs: finding its program, writing its configuration, spelling out lists.
 *
 * A driver sets what makes its software run in a lab and nothing that decides its behaviour towards other servers: no timer, retry, cache or
 * serve-stale setting. What the plan's `options:` say wins over a driver's own lines (server_default).
 */
#pragma once
#include "harness/api/server.h"
#include <stdbool.h>

/* Absolute path of an executable file called program in PATH or the sbin directories, in arena. NULL: not installed. */
const char *server_find_program(const char *program, struct arena *arena);

/* -ENOENT "named is not installed: apt-get install bind9", in the words doctor and check print; 0 if it is. */
int server_check_installed(const struct server_ops *ops, struct loc loc, struct err *err);

/* Writes spec->dir/name. *ret_path in arena. Frees what content holds, whether or not it could be written. */
int server_write(const struct server_spec *spec, const char *name, struct buf *content, struct arena *arena,
		 const char **ret_path, struct err *err);

/* Fills ret: the driver's program, then the arguments up to NULL (borrowed, from arena or literals). */
int server_command(const struct server_ops *ops, struct arena *arena, struct server_command *ret, struct err *err, ...)
	__attribute__((sentinel));

/* A signed zone's keys (server_signing.key_dir) in spec->dir/keys-<zone's number>, where a server that signs may write beside them. */
int server_copy_keys(const struct server_spec *spec, size_t zone, struct arena *arena, const char **ret_dir,
		     struct err *err);
/* The paths of the .key files in a directory, in their order, without that ending. NULL at the end. In arena. */
const char **server_key_files(const char *dir, struct arena *arena);

/* A line of the driver's own (with newline added), unless the plan's options say that word themselves: many servers refuse a second one. */
void server_default(const struct server_spec *spec, struct buf *out, const char *word, const char *fmt, ...)
	PRINTF(4, 5);

/* Appends the plan's options with a newline behind, if there are any. */
void server_options(const struct server_spec *spec, struct buf *out);

/* Appends every address, of one family (AF_UNSPEC: both), as before + text + after. */
void server_addresses(struct buf *out, const struct addresses *list, int family, const char *before, const char *after);

bool server_has_family(const struct addresses *list, int family);
static inline bool server_is_secondary(const struct server_zone *zone)
{
	return zone->primary_count > 0;
}

/* Every distinct peer (by host) of all zones, for formats that declare remotes before use. In arena. */
const struct server_peer **server_peers(const struct server_spec *spec, struct arena *arena, size_t *ret_count);

/* A control command: program (looked up as servers are), then the arguments up to NULL. -ENOENT names the package. */
int server_control_command(const struct server_ops *ops, const char *program, struct arena *arena,
			   struct server_control *ret, struct err *err, ...) __attribute__((sentinel));

#define SERVER(id) extern const struct server_ops server_##id;
#include "harness/servers/list.h"
#undef SERVER
