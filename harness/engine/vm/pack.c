/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/engine/vm/pack.h"
#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/engine/vm/files.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define KEPT_S (14 * 24 * 3600) /* an image not used for so long is removed */

/* Without these no program runs, or not as it does elsewhere. Short, and the same on every machine. */
static const struct {
	const char *path, *text;
} own_files[] = {
	{"/etc/passwd", "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"},
	{"/etc/group", "root:x:0:\nnogroup:x:65534:\n"},
	{"/etc/hostname", "dnsdrill\n"},
	{"/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"},
	{"/etc/resolv.conf", ""},
	{"/etc/protocols", "icmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6-icmp 58 IPv6-ICMP\n"},
	{"/etc/services", "domain 53/tcp\ndomain 53/udp\ndomain-s 853/tcp\nhttps 443/tcp\n"},
};

static const char *const own_dirs[] = {"/dev", "/proc", "/sys", "/run", "/tmp", "/root", PACK_CWD};

/* What is common to all guests. The loader finds nothing faster or slower by what else is installed here: no ld.so.cache. */
static const char *const common[] = {"/bin/sh", "/etc/ssl/openssl.cnf"};

int pack_cache(struct arena *arena, const char **ret, struct err *err)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	const char *path;

	if (xdg && *xdg == '/')
		path = arena_printf(arena, "%s/dnsdrill", xdg);
	else if (home && *home == '/' && !access(home, W_OK))
		path = arena_printf(arena, "%s/.cache/dnsdrill", home);
	else
		path = arena_printf(arena, "/var/tmp/dnsdrill-%u", (unsigned)geteuid());
	for (char *copy = arena_strdup(arena, path), *slash = copy; slash; *slash = '/') {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		if (mkdir(copy, 0755) && errno != EEXIST)
			return err_set(err, -errno, (struct loc){.file = path},
				       "cannot make the cache directory: %s; choose another with XDG_CACHE_HOME",
				       strerror(errno));
		if (!slash)
			break;
	}
	*ret = path;
	return 0;
}

static void add_modules(struct files *files, const struct kernel *kernel)
{
	struct buf list = {0};

	for (size_t i = 0; i < kernel->module_count; i++) {
		const char *name = strrchr(kernel->modules[i], '/');
		char path[256];

		snprintf(path, sizeof(path), "/drill/ko%s", name);
		files_add_as(files, path, kernel->modules[i]);
		buf_printf(&list, "%s\n", path);
	}
	files_add_data(files, PACK_MODULES, list.data ? list.data : "", list.len);
	buf_fini(&list);
}

static struct files *base_files(const struct pack *pack, const struct kernel *kernel)
{
	struct files *files = files_new();

	for (size_t i = 0; i < ARRAY_LEN(own_dirs); i++)
		files_add_dir(files, own_dirs[i]);
	for (size_t i = 0; i < ARRAY_LEN(own_files); i++)
		files_add_data(files, own_files[i].path, own_files[i].text, strlen(own_files[i].text));
	files_add_as(files, PACK_PROGRAM, "/proc/self/exe");
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		files_add(files, common[i]);
	for (size_t i = 0; i < pack->program_count; i++)
		files_add_glob(files, pack->programs[i]);
	add_modules(files, kernel);
	return files;
}

/* Images nobody has used for long. */
static void sweep(const char *dir, struct arena *arena)
{
	int64_t now_s = clock_wall_ns() / SEC;
	glob_t found;

	if (!glob(arena_printf(arena, "%s/*.cpio*", dir), 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			struct stat st;

			if (!stat(found.gl_pathv[i], &st) && now_s - st.st_mtime > KEPT_S)
				unlink(found.gl_pathv[i]);
		}
	}
	globfree(&found);
}

static int write_base(const struct files *files, const char *path, struct arena *arena, struct err *err)
{
	char *part = arena_printf(arena, "%s.XXXXXX", path);
	CLEANUP_CLOSE int fd = mkostemp(part, O_CLOEXEC);
	struct cpio cpio;
	int r, written;

	if (fd < 0)
		return err_set(err, -errno, (struct loc){.file = part}, "cannot write the guest: %s", strerror(errno));
	cpio_init(&cpio, fd);
	r = files_write(files, &cpio, err);
	written = cpio_end(&cpio);
	if (!r && written)
		r = err_set(err, written, (struct loc){.file = part}, "cannot write the guest: %s", strerror(-written));
	if (!r && rename(part, path)) /* whole, or not at all: others may be packing the same */
		r = err_set(err, -errno, (struct loc){.file = path}, "cannot write the guest: %s", strerror(errno));
	if (r)
		unlink(part);
	return r;
}

/* The base's archive, from the cache or made now: a descriptor, or a negative errno. */
static int open_base(const struct files *files, const char *cache, struct err *err)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *dir = arena_printf(arena, "%s/guest", cache), *path;
	char key[FILES_KEY_SIZE];
	int fd, r = files_key(files, key, err);

	if (r)
		return r;
	if (mkdir(dir, 0755) && errno != EEXIST)
		return err_set(err, -errno, (struct loc){.file = dir}, "cannot make it: %s", strerror(errno));
	path = arena_printf(arena, "%s/%s.cpio", dir, key);
	if (access(path, R_OK)) {
		sweep(dir, arena);
		r = write_base(files, path, arena, err);
		if (r)
			return r;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)futimens(fd, NULL);
	return fd < 0 ? err_set(err, -errno, (struct loc){.file = path}, "cannot read the guest: %s", strerror(errno))
		      : fd;
}

/* "./a//b/../c" below dir as an absolute path, NULL if it leads above the guest's root. */
static const char *guest_path(const char *file, struct arena *arena)
{
	char *path = *file == '/' ? arena_strdup(arena, file) : arena_printf(arena, "%s/%s", PACK_CWD, file);
	char *out = path;

	for (char *in = path; *in;) {
		size_t len = strcspn(in + 1, "/") + 1; /* "/part" */

		if (len == 3 && !strncmp(in, "/..", 3)) {
			if (out == path)
				return NULL;
			while (*--out != '/')
				;
		} else if (len > 1 && !(len == 2 && in[1] == '.')) {
			memmove(out, in, len);
			out += len;
		}
		in += len;
	}
	*out = '\0';
	return path;
}

static int add_plan(const struct pack *pack, struct files *files, struct err *err)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct buf args = {0};

	for (size_t i = 0; i < pack->file_count; i++) {
		const char *path = guest_path(pack->files[i], arena);

		if (!path || (*pack->files[i] != '/' && strncmp(path, "/drill/", 7)))
			return err_set(err, -EINVAL, (struct loc){.file = pack->files[i]},
				       "a plan's files lie at most 8 directories above the working directory; start "
				       "dnsdrill nearer to them");
		files_add_as(files, path, pack->files[i]);
	}
	for (size_t i = 0; i < pack->arg_count; i++)
		buf_add(&args, pack->args[i], strlen(pack->args[i]) + 1);
	files_add_data(files, PACK_ARGS, args.data, args.len);
	buf_fini(&args);
	return 0;
}

static int copy(int to, int from)
{
	struct stat st;
	off_t at = 0;

	if (fstat(from, &st))
		return -errno;
	while (at < st.st_size) {
		if (sendfile(to, from, &at, (size_t)(st.st_size - at)) <= 0)
			return errno ? -errno : -EIO;
	}
	return 0;
}

/* Both archives in one file without a name. */
static int join(int base, const struct files *plan, const char *cache, int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int fd = open(cache, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct cpio cpio;
	int r, written;

	if (fd < 0)
		return err_set(err, -errno, (struct loc){.file = cache}, "cannot make a file in it: %s",
			       strerror(errno));
	written = copy(fd, base);
	cpio_init(&cpio, fd);
	r = files_write(plan, &cpio, err);
	if (!written)
		written = cpio_end(&cpio);
	if (!r && written)
		r = err_set(err, written, (struct loc){.file = cache}, "cannot write the guest: %s",
			    strerror(-written));
	if (!r)
		*ret_fd = TAKE_FD(fd);
	return r;
}

int pack_guest(const struct pack *pack, const struct kernel *kernel, const char *cache, int *ret_fd, size_t *ret_bytes,
	       struct err *err)
{
	CLEANUP(files_freep) struct files *base = base_files(pack, kernel);
	CLEANUP(files_freep) struct files *plan = files_new();
	CLEANUP_CLOSE int fd = -1;
	int r = add_plan(pack, plan, err);

	if (r)
		return r;
	fd = open_base(base, cache, err);
	if (fd < 0)
		return fd;
	*ret_bytes = files_bytes(base) + files_bytes(plan);
	return join(fd, plan, cache, ret_fd, err);
}
