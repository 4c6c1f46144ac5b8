/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plan files and the files they include.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/base/buf.h"
#include "harness/base/fd.h"
#include "harness/plan/node_build.h"

#define INCLUDE_KEY "include"
#define STDIN_NAME "<stdin>"

/* A file that is being read, and the one that includes it. */
struct source {
	const struct source *includer;
	const char *file;
	dev_t dev;
	ino_t ino;
	unsigned depth;
};

struct including {
	struct arena *arena;
	struct errs *errs;
	struct node_files *read;
	size_t files, bytes; /* read so far */
	bool is_over; /* a limit of all files together was reached: no more are read */
};

static struct node *load_file(struct including *in, const char *path, struct loc where, const struct source *includer);

/* Reads to the end; -EFBIG above max, so that /dev/zero ends. The arena owns *ret. */
static int read_all(struct arena *arena, int fd, size_t max, const char **ret, size_t *ret_len)
{
	CLEANUP_FREE char *data = malloc(max + 1);
	size_t len = 0;

	if (!data)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, data + len, max + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
	}
	*ret = arena_memdup(arena, data, len ? len : 1);
	*ret_len = len;
	return 0;
}

/* Opens without waiting for the other end of a FIFO. */
static int open_plan(const char *path, struct loc where, struct stat *ret, struct err *err)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : dup(STDIN_FILENO);

	if (fd < 0)
		return err_set(err, -errno, where, "cannot read the plan file %s: %s", path, strerror(errno));
	if (fstat(fd, ret)) {
		int r = -errno;

		close(fd);
		return err_set(err, r, where, "cannot read the plan file %s: %s", path, strerror(-r));
	}
	if (S_ISDIR(ret->st_mode) || (strcmp(path, "-") && !S_ISREG(ret->st_mode))) {
		close(fd);
		return err_set(err, -EINVAL, where, "%s is %s; name a plan file%s", path,
			       S_ISDIR(ret->st_mode) ? "a directory" : "not a regular file",
			       S_ISDIR(ret->st_mode) ? " in it" : ", or - to read standard input");
	}
	return fd;
}

static bool is_circular(const struct source *source, struct loc where, struct err *err)
{
	struct buf chain = {0};
	bool found = false;

	buf_puts(&chain, source->file);
	for (const struct source *s = source->includer; s && !found; s = s->includer) {
		found = s->dev == source->dev && s->ino == source->ino;
		buf_printf(&chain, " is included by %s", s->file);
	}
	if (found)
		err_set(err, -ELOOP, where, "the files include each other: %s", chain.data ? chain.data : "");
	buf_fini(&chain);
	return found;
}

/* The limits that only including can break; files are counted before they are looked for, so that failures end, too. */
static int check_limits(struct including *in, const struct source *source, struct loc where, struct err *err)
{
	in->is_over = ++in->files > NODE_FILES_MAX;
	if (in->is_over)
		return err_set(err, -E2BIG, where, "more than %d files are included", NODE_FILES_MAX);
	if (source->depth > NODE_INCLUDE_MAX)
		return err_set(err, -E2BIG, where, "includes go more than %d files deep", NODE_INCLUDE_MAX);
	return 0;
}

static int read_source(struct including *in, const char *path, struct loc where, struct source *source,
		       const char **ret_data, size_t *ret_len, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct stat st;
	size_t left;
	int r = check_limits(in, source, where, err);

	if (r)
		return r;
	fd = open_plan(path, where, &st, err);
	if (fd < 0)
		return fd;
	source->dev = st.st_dev;
	source->ino = st.st_ino;
	if (is_circular(source, where, err))
		return err->code;
	left = NODE_FILE_MAX - in->bytes;
	r = S_ISREG(st.st_mode) && st.st_size > (off_t)left ? -EFBIG : read_all(in->arena, fd, left, ret_data, ret_len);
	in->is_over = r == -EFBIG;
	if (r == -EFBIG)
		return err_set(err, r, where, "%s is too large: a plan and what it includes hold at most %u MiB", path,
			       NODE_FILE_MAX >> 20);
	if (r)
		return err_set(err, r, where, "cannot read the plan file %s: %s", path, strerror(-r));
	in->bytes += *ret_len;
	return 0;
}

static const char *beside(struct arena *arena, const char *includer, const char *path)
{
	const char *slash = strrchr(includer, '/');

	if (*path == '/' || !slash)
		return path;
	return arena_printf(arena, "%.*s%s", (int)(slash - includer) + 1, includer, path);
}

/* root with the file that item names merged under it; root itself after an error. */
static struct node *include_one(struct including *in, struct node *root, const struct node *item,
				const struct source *source)
{
	struct node *under;
	char shown[128];

	if (item->type != NODE_SCALAR || node_is_null(item) || !*item->scalar) {
		errs_add(in->errs, item->loc, INCLUDE_KEY ": a path or a list of paths is expected, not %s",
			 node_describe(item, shown, sizeof(shown)));
		return root;
	}
	if (strstr(item->scalar, "${")) {
		errs_add(in->errs, item->loc,
			 INCLUDE_KEY ": a path cannot hold ${…}: files are included before the matrix is known");
		return root;
	}
	under = load_file(in, beside(in->arena, source->file, item->scalar), item->loc, source);
	if (!under)
		return root;
	root = node_merge(in->arena, root, under);
	if (node_count(root, NODE_COUNT_MAX) > NODE_COUNT_MAX)
		errs_add(in->errs, item->loc, "the plan is too large: more than %d values", NODE_COUNT_MAX);
	return root;
}

static struct node *without_include(struct arena *arena, const struct node *root)
{
	struct node *rest = node_new(arena, NODE_MAP, root->loc);

	rest->pairs = ARENA_ARRAY(arena, struct node_pair, root->count);
	for (size_t i = 0; i < root->count; i++) {
		if (strcmp(root->pairs[i].key, INCLUDE_KEY))
			rest->pairs[rest->count++] = root->pairs[i];
	}
	return rest;
}

static struct node *include_all(struct including *in, struct node *root, const struct source *source)
{
	const struct node *what = node_get(root, INCLUDE_KEY);

	if (!what)
		return root;
	root = without_include(in->arena, root);
	if (what->type != NODE_LIST)
		return include_one(in, root, what, source);
	for (size_t i = what->count;
	     i-- > 0 && !in->is_over;) /* what is merged in first wins: a later file over an earlier one */
		root = include_one(in, root, what->items[i], source);
	return root;
}

/* The root of one file with its includes; NULL after an error in the file itself. */
static struct node *load_file(struct including *in, const char *path, struct loc where, const struct source *includer)
{
	struct source source = {
		.includer = includer,
		.file = strcmp(path, "-") ? arena_strdup(in->arena, path) : STDIN_NAME,
		.depth = includer ? includer->depth + 1 : 0,
	};
	const char *data = NULL;
	struct err err = {0};
	struct node *root;
	char shown[128];
	size_t len = 0;

	if (!where.file)
		where.file = source.file;
	if (read_source(in, path, where, &source, &data, &len, &err)) {
		errs_add_err(in->errs, &err);
		return NULL;
	}
	if (in->read->count < NODE_FILES_MAX)
		in->read->v[in->read->count++] = source.file;
	root = node_load_bytes(in->arena, source.file, data, len, in->errs);
	if (!root)
		return NULL;
	if (node_is_null(root)) {
		errs_add(in->errs, (struct loc){.file = source.file}, "the file is empty");
		return NULL;
	}
	if (root->type != NODE_MAP) {
		errs_add(in->errs, root->loc, "a plan is a mapping (plan: 1, lab: …, probes: …), not %s",
			 node_describe(root, shown, sizeof(shown)));
		return NULL;
	}
	return include_all(in, root, &source);
}

struct node *node_load_files(struct arena *arena, const char *path, struct node_files *ret_files, struct errs *errs)
{
	struct including in = {.arena = arena, .errs = errs, .read = ret_files};
	size_t before = errs->count + errs->dropped;
	struct node *root = load_file(&in, path, LOC_NONE, NULL);

	return errs->count + errs->dropped == before ? root : NULL;
}

struct node *node_load(struct arena *arena, const char *path, struct errs *errs)
{
	struct node_files files = {.count = 0};

	return node_load_files(arena, path, &files, errs);
}
