/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/server_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/fd.h"

/* The library as the Makefile has built it. */
extern const char preload_clock[], preload_clock_end[];
__asm__(".pushsection .rodata\n"
	".global preload_clock, preload_clock_end\n"
	"preload_clock: .incbin \"" PRELOAD_CLOCK "\"\n"
	"preload_clock_end:\n"
	".popsection\n");

static int write_library(const char *path, struct err *err)
{
	int r = access(path, F_OK) ? fd_write_file(AT_FDCWD, path, preload_clock,
						   (size_t)(preload_clock_end - preload_clock), 0755)
				   : 0;

	return r < 0 ? err_set(err, r, LOC_NONE, "cannot write %s: %s", path, strerror(-r)) : 0;
}

static int map_page(const char *path, struct server_clock **ret, struct err *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	void *page = fd < 0 || ftruncate(fd, sizeof(**ret))
			     ? MAP_FAILED
			     : mmap(NULL, sizeof(**ret), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED)
		return err_set(err, -errno, LOC_NONE, "cannot make %s: %s", path, strerror(errno));
	*ret = page;
	return 0;
}

int server_clock_open(const char *dir, const char *host, struct arena *arena, struct server_clock **ret,
		      const char *const **ret_env, struct err *err)
{
	const char *library = arena_printf(arena, "%s/clock.so", dir), *page = arena_printf(arena, "%s/%s", dir, host);
	const char **env = ARENA_ARRAY(arena, const char *, 3);
	int r;

	if (mkdir(dir, 0755) && errno != EEXIST)
		return err_set(err, -errno, LOC_NONE, "cannot create %s: %s", dir, strerror(errno));
	r = write_library(library, err);
	if (!r)
		r = map_page(page, ret, err);
	if (r)
		return r;
	env[0] = arena_printf(arena, "LD_PRELOAD=%s", library);
	env[1] = arena_printf(arena, SERVER_CLOCK_ENV "=%s", page);
	*ret_env = env;
	return 0;
}

void server_clock_close(struct server_clock *clock)
{
	if (clock)
		munmap(clock, sizeof(*clock));
}
