/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/engine/vm/libraries.h"
#include "harness/base/fd.h"
#include "harness/engine/vm/elf.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <string.h>

#define DEFAULT_DIR "/usr/lib/x86_64-linux-gnu" /* the guest's loader looks here without being told */
#define DEFAULT_DIRS DEFAULT_DIR ":/lib/x86_64-linux-gnu:/usr/lib64:/lib64:/usr/lib:/lib"

static const char *find_in(const char *dirs, size_t dirs_len, const char *name, const char *origin, struct arena *arena)
{
	for (const char *dir = dirs, *end = dirs + dirs_len; dir < end;) {
		size_t len = strcspn(dir, ":\n");
		const char *path;

		if (!strncmp(dir, "$ORIGIN", 7))
			path = arena_printf(arena, "%s%.*s/%s", origin, (int)len - 7, dir + 7, name);
		else
			path = arena_printf(arena, "%.*s/%s", (int)len, dir, name);
		if (*path == '/' && !access(path, R_OK))
			return path;
		dir += len + 1;
	}
	return NULL;
}

/* In the directories an administrator added. */
static const char *find_configured(const char *name, struct arena *arena)
{
	const char *path = NULL;
	glob_t found;

	if (!glob("/etc/ld.so.conf.d/*.conf", 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc && !path; i++) {
			CLEANUP_FREE char *text = NULL;
			size_t len;

			if (!fd_read_file(AT_FDCWD, found.gl_pathv[i], 1 << 16, &text, &len))
				path = find_in(text, len, name, "", arena);
		}
	}
	globfree(&found);
	return path;
}

static bool find(const char *name, const struct elf_needs *needs, const char *origin, struct arena *arena,
		 struct library *ret)
{
	const char *path = needs->runpath ? find_in(needs->runpath, strlen(needs->runpath), name, origin, arena) : NULL;

	*ret = (struct library){.path = path};
	if (!path)
		ret->path = find_in(DEFAULT_DIRS, strlen(DEFAULT_DIRS), name, origin, arena);
	if (!ret->path) {
		ret->path = find_configured(name, arena);
		ret->alias = arena_printf(arena, "%s/%s", DEFAULT_DIR, name);
	}
	return ret->path;
}

int libraries_of(const char *path, struct arena *arena, struct libraries *ret)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *slash = strrchr(path, '/');
	const char *origin = slash ? arena_strndup(arena, path, (size_t)(slash - path)) : ".";
	struct elf_needs needs;
	int r = fd < 0 ? -errno : elf_read_needs(fd, arena, &needs);

	if (r)
		return r;
	*ret = (struct libraries){.v = ARENA_ARRAY(arena, struct library, needs.needed_count + 1)};
	if (needs.interpreter)
		ret->v[ret->count++] = (struct library){.path = needs.interpreter};
	for (size_t i = 0; i < needs.needed_count; i++)
		ret->count += find(needs.needed[i], &needs, origin, arena, &ret->v[ret->count]);
	return 0;
}
