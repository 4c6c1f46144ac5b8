/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/engine/vm/files.h"
#include "harness/base/array.h"
#include "harness/base/fd.h"
#include "harness/engine/vm/libraries.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#define LINKS_MAX 40 /* on the way to one file, as path_resolution(7) has it */

struct entry {
	const char *path; /* in the guest */
	const char *from; /* a regular file of this machine; NULL: data */
	const void *data; /* S_IFLNK: the target */
	size_t len;
	mode_t mode; /* with its type */
	struct timespec mtime, ctime;
};

struct files {
	struct arena *arena;
	struct entry *v; /* sorted by path */
	size_t count, cap;
	bool failed;
};

struct files *files_new(void)
{
	struct arena *arena = arena_new();
	struct files *files = ARENA_NEW(arena, struct files);

	*files = (struct files){.arena = arena};
	return files;
}

void files_free(struct files *files)
{
	if (!files)
		return;
	free(files->v);
	arena_free(files->arena);
}

/* Where path stands, or would. */
static size_t place(const struct files *files, const char *path)
{
	size_t low = 0, high = files->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(files->v[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* False: it was there already. */
static bool put(struct files *files, const struct entry *entry)
{
	size_t at = place(files, entry->path);

	if (at < files->count && !strcmp(files->v[at].path, entry->path))
		return false;
	if (array_reserve((void **)&files->v, &files->cap, files->count + 1, sizeof(*files->v))) {
		files->failed = true;
		return false;
	}
	memmove(files->v + at + 1, files->v + at, (files->count - at) * sizeof(*files->v));
	files->v[at] = *entry;
	files->v[at].path = arena_strdup(files->arena, entry->path);
	files->count++;
	return true;
}

void files_add_dir(struct files *files, const char *path)
{
	char *copy = arena_strdup(files->arena, path);

	for (char *slash = copy; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		put(files, &(struct entry){.path = copy, .mode = S_IFDIR | 0755});
		*slash = '/';
	}
	put(files, &(struct entry){.path = copy, .mode = S_IFDIR | 0755});
}

static void add_parent(struct files *files, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash && slash != path)
		files_add_dir(files, arena_strndup(files->arena, path, (size_t)(slash - path)));
}

void files_add_data(struct files *files, const char *path, const void *data, size_t len)
{
	add_parent(files, path);
	put(files, &(struct entry){.path = path,
				   .data = arena_memdup(files->arena, data, len ? len : 1),
				   .len = len,
				   .mode = S_IFREG | 0644});
}

void files_add_link(struct files *files, const char *path, const char *target)
{
	add_parent(files, path);
	put(files, &(struct entry){.path = path,
				   .data = arena_strdup(files->arena, target),
				   .len = strlen(target),
				   .mode = S_IFLNK | 0777});
}

static void add_libraries(struct files *files, const char *from)
{
	struct libraries libraries;

	if (libraries_of(from, files->arena, &libraries))
		return; /* a script, or data */
	for (size_t i = 0; i < libraries.count; i++) {
		if (libraries.v[i].alias)
			files_add_as(files, libraries.v[i].alias, libraries.v[i].path);
		else
			files_add(files, libraries.v[i].path);
	}
}

void files_add_as(struct files *files, const char *path, const char *from)
{
	struct stat st;

	if (stat(from, &st) || !S_ISREG(st.st_mode))
		return;
	add_parent(files, path);
	if (put(files, &(struct entry){.path = path,
				       .from = arena_strdup(files->arena, from),
				       .len = (size_t)st.st_size,
				       .mode = S_IFREG | (st.st_mode & 0111 ? 0755 : 0644),
				       .mtime = st.st_mtim,
				       .ctime = st.st_ctim}))
		add_libraries(files, from);
}

/* path with its first link, which ends at byte `end`, replaced by what it says; the link becomes an entry. NULL: too long, or gone. */
static char *follow(struct files *files, char *path, size_t end)
{
	char target[PATH_MAX], *link = arena_strndup(files->arena, path, end);
	ssize_t len = readlink(link, target, sizeof(target) - 1);
	int dir_len = (int)(strrchr(link, '/') - link);

	if (len <= 0)
		return NULL;
	target[len] = '\0';
	files_add_link(files, link, target);
	if (*target == '/')
		return arena_printf(files->arena, "%s%s", target, path + end);
	return arena_printf(files->arena, "%.*s/%s%s", dir_len, link, target, path + end);
}

/* Takes "/./", "//" and "/x/../" out of an absolute path, in place. What it stands on has no links before the `..`. */
static void tidy(char *path)
{
	char *out = path;

	for (char *in = path; *in;) {
		size_t len = strcspn(in + 1, "/") + 1; /* "/part" */

		if (len == 3 && !strncmp(in, "/..", 3)) {
			while (out > path && *--out != '/')
				;
		} else if (len > 1 && !(len == 2 && in[1] == '.')) {
			memmove(out, in, len);
			out += len;
		}
		in += len;
	}
	*out = '\0';
}

static void add_below(struct files *files, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	files_add_dir(files, path);
	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			files_add(files, arena_printf(files->arena, "%s/%s", path, entry->d_name));
	}
	if (dir)
		closedir(dir);
}

void files_add(struct files *files, const char *path)
{
	char *at = arena_strdup(files->arena, path);
	unsigned links = 0;
	struct stat st;

	for (size_t end = 0; end < strlen(at);) {
		char kept;

		end += strcspn(at + end + 1, "/") + 1;
		kept = at[end];
		at[end] = '\0';
		if (lstat(at, &st))
			return;
		if (S_ISLNK(st.st_mode)) {
			at[end] = kept;
			at = ++links < LINKS_MAX ? follow(files, at, end) : NULL;
			if (!at)
				return;
			tidy(at);
			end = 0;
		} else {
			at[end] = kept;
		}
	}
	if (S_ISDIR(st.st_mode))
		add_below(files, at);
	else if (S_ISREG(st.st_mode))
		files_add_as(files, at, at);
}

void files_add_glob(struct files *files, const char *pattern)
{
	glob_t found;

	if (!glob(pattern, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			files_add(files, found.gl_pathv[i]);
	}
	globfree(&found);
}

size_t files_bytes(const struct files *files)
{
	size_t sum = 0;

	for (size_t i = 0; i < files->count; i++)
		sum += files->v[i].len;
	return sum;
}

static void describe(const struct entry *entry, struct buf *out)
{
	buf_printf(out, "%s\n%o %zu\n", entry->path, (unsigned)entry->mode, entry->len);
	if (entry->from)
		buf_printf(out, "%s %lld.%09ld %lld.%09ld\n", entry->from, (long long)entry->mtime.tv_sec,
			   entry->mtime.tv_nsec, (long long)entry->ctime.tv_sec, entry->ctime.tv_nsec);
	else
		buf_add(out, entry->data, entry->data ? entry->len : 0);
}

int files_key(const struct files *files, char ret[FILES_KEY_SIZE], struct err *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct buf text = {0};
	bool ok;

	for (size_t i = 0; i < files->count; i++)
		describe(&files->v[i], &text);
	ok = !files->failed && !text.failed && EVP_Digest(text.data, text.len, digest, &len, EVP_sha256(), NULL) == 1;
	buf_fini(&text);
	if (!ok)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	for (unsigned i = 0; i < len && 2 * i + 2 < FILES_KEY_SIZE; i++)
		snprintf(ret + 2 * (size_t)i, 3, "%02x", digest[i]);
	return 0;
}

static int write_file(const struct entry *entry, struct cpio *cpio, struct err *err)
{
	CLEANUP_CLOSE int fd = open(entry->from, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, -errno, (struct loc){.file = entry->from}, "cannot read it for the guest: %s",
			       strerror(errno));
	cpio_file(cpio, entry->path + 1, entry->mode & 07777, fd, entry->len);
	return 0;
}

int files_write(const struct files *files, struct cpio *cpio, struct err *err)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct entry *entry = &files->v[i];
		const char *name = entry->path + 1;

		if (S_ISDIR(entry->mode))
			cpio_dir(cpio, name, entry->mode & 07777);
		else if (S_ISLNK(entry->mode))
			cpio_link(cpio, name, entry->data);
		else if (!entry->from)
			cpio_data(cpio, name, entry->mode & 07777, entry->data, entry->len);
		else if (write_file(entry, cpio, err))
			return err->code;
	}
	return files->failed ? err_set(err, -ENOMEM, LOC_NONE, "out of memory") : 0;
}
