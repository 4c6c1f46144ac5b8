/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a guest: which file of this machine stands where in it. What a file needs to be of use comes along: the directories and symbolic links on the way to it, and for programs and
 * libraries their interpreter and every library they name, wherever ld.so(8) would find it.
 *
 * files_new → files_add… → files_key, files_write → files_free. The order of adding does not matter: entries are sorted, and the first of a name stays.
 */
#pragma once
#include "harness/base/arena.h"
#include "harness/base/err.h"
#include "harness/engine/vm/cpio.h"
#include <stdbool.h>

struct files;

struct files *files_new(void);
void files_free(struct files *files);
DEFINE_CLEANUP(struct files *, files_free);

/* A file, or a directory with everything below it, at its own absolute path. What is not there, or is neither file, directory nor link, is left out. */
void files_add(struct files *files, const char *path);
/* Every path that fits a glob(7) pattern, the same way; one without * is itself. */
void files_add_glob(struct files *files, const char *pattern);
/* The file `from` as `path`. */
void files_add_as(struct files *files, const char *path, const char *from);
void files_add_data(struct files *files, const char *path, const void *data, size_t len);
void files_add_dir(struct files *files, const char *path);
void files_add_link(struct files *files, const char *path, const char *target);

/* How many bytes the files have. */
size_t files_bytes(const struct files *files);

/* SHA-256 in hex over names and contents: where two keys agree, so does what files_write gives. Contents of files are known by path, size and times, not read. */
#define FILES_KEY_SIZE 65
int files_key(const struct files *files, char ret[FILES_KEY_SIZE], struct err *err);

int files_write(const struct files *files, struct cpio *cpio, struct err *err);
