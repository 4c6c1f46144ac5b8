/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of servers that sign: copies of their own.
 */
#include "harness/servers/common.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_failed(const char *path, struct err *err)
{
	int error = errno ? errno : EIO;

	return err_set(err, -error, LOC_NONE, "cannot copy the key %s: %s", path, strerror(error));
}

/* Keys are small: one that does not fit is none. */
static int copy_file(const char *from, const char *to, struct err *err)
{
	char bytes[16384];
	int in = open(from, O_RDONLY | O_CLOEXEC), out, r = 0;
	ssize_t len = in < 0 ? -1 : read(in, bytes, sizeof(bytes));

	if (in >= 0)
		close(in);
	if (len < 0)
		return copy_failed(from, err);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out < 0 || write(out, bytes, (size_t)len) != len)
		r = copy_failed(to, err);
	if (out >= 0)
		close(out);
	return r;
}

static int is_key_file(const struct dirent *entry)
{
	return entry->d_name[0] == 'K';
}

int server_copy_keys(const struct server_spec *spec, size_t zone, struct arena *arena, const char **ret_dir,
		     struct err *err)
{
	const char *from = spec->zones[zone].signing->key_dir;
	const char *dir = arena_printf(arena, "%s/keys-%zu", spec->dir, zone);
	struct dirent **entries;
	int count = scandir(from, &entries, is_key_file, alphasort), r = 0;

	if (count < 0)
		return copy_failed(from, err);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		r = copy_failed(dir, err);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (r == 0)
			r = copy_file(arena_printf(arena, "%s/%s", from, name), arena_printf(arena, "%s/%s", dir, name),
				      err);
		free(entries[i]);
	}
	free(entries);
	*ret_dir = dir;
	return r;
}

const char **server_key_files(const char *dir, struct arena *arena)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, is_key_file, alphasort);
	const char **ret = ARENA_ARRAY(arena, const char *, (size_t)(count > 0 ? count : 0) + 1);
	size_t kept = 0;

	for (int i = 0; i < count; i++) {
		size_t len = strlen(entries[i]->d_name);

		if (len > 4 && !strcmp(entries[i]->d_name + len - 4, ".key"))
			ret[kept++] = arena_printf(arena, "%s/%.*s", dir, (int)len - 4, entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return ret;
}
