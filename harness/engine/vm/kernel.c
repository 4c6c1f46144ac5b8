/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/engine/vm/kernel.h"
#include "harness/base/array.h"
#include "harness/base/fd.h"
#include "harness/engine/vm/elf.h"
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <stdbool.h>
#include <string.h>

#define DEPTH_MAX 16 /* of modules that need each other */

/* What labs, faults and probes may need, and the ports out of the machine; no more, each costs a hundredth of a second. One that the kernel has built in, or has not at all, is no module of its. */
static const char *const wanted[] = {
	"virtio_pci",      "virtio_console", "veth",       "nf_tables", "nf_conntrack", "nft_ct",        "nft_limit",
	"nft_numgen",      "nft_quota",      "nft_objref", "nft_hash",  "nft_masq",     "nft_fib_inet",  "nft_reject",
	"nft_reject_inet", "nft_socket",     "nft_tproxy", "nft_redir", "nft_nat",      "nft_chain_nat", "sch_netem",
	"sch_tbf",
};

/* "nf-tables.ko" and "nf_tables" are the same module. */
struct module {
	const char *name, *path;
	bool is_taken;
};

struct search {
	struct arena *arena;
	struct module *v;
	size_t count, cap;
	struct kernel *kernel;
};

static const char *module_name(const char *file, size_t len, struct arena *arena)
{
	char *name = arena_strndup(arena, file, len);

	for (char *dash = name; (dash = strchr(dash, '-'));)
		*dash = '_';
	return name;
}

static int list_modules(struct search *search, char *dir, struct err *err)
{
	char *const dirs[] = {dir, NULL};
	FTS *fts = fts_open(dirs, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	while (fts && (entry = fts_read(fts))) {
		size_t len = entry->fts_namelen;

		if (entry->fts_info != FTS_F || len < 4 || strcmp(entry->fts_name + len - 3, ".ko"))
			continue;
		if (array_reserve((void **)&search->v, &search->cap, search->count + 1, sizeof(*search->v))) {
			fts_close(fts);
			return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
		}
		search->v[search->count++] = (struct module){
			.name = module_name(entry->fts_name, len - 3, search->arena),
			.path = arena_strdup(search->arena, entry->fts_path),
		};
	}
	if (fts)
		fts_close(fts);
	return 0;
}

static struct module *find_module(const struct search *search, const char *name)
{
	for (size_t i = 0; i < search->count; i++) {
		if (!strcmp(search->v[i].name, name))
			return &search->v[i];
	}
	return NULL;
}

static void take(struct search *search, const char *name, unsigned depth);

/* Those it depends on come first. */
static void take_all(struct search *search, const char *list, unsigned depth)
{
	while (list && *list) {
		size_t len = strcspn(list, ", ");

		if (len)
			take(search, module_name(list, len, search->arena), depth);
		list += len + (list[len] != '\0');
	}
}

static void take(struct search *search, const char *name, unsigned depth)
{
	struct module *module = find_module(search, name);
	CLEANUP_CLOSE int fd = module && !module->is_taken ? open(module->path, O_RDONLY | O_CLOEXEC) : -1;
	const char *depends = NULL, *soft = NULL;

	if (fd < 0 || depth > DEPTH_MAX)
		return;
	module->is_taken = true;
	(void)elf_read_modinfo(fd, "depends", search->arena, &depends);
	(void)elf_read_modinfo(fd, "softdep", search->arena, &soft);
	take_all(search, depends, depth + 1);
	if (soft && !strncmp(soft, "pre: ", 5))
		take_all(search, soft + 5, depth + 1);
	search->kernel->modules[search->kernel->module_count++] = module->path;
}

static int take_modules(struct kernel *kernel, char *dir, struct arena *arena, struct err *err)
{
	struct search search = {.arena = arena, .kernel = kernel};
	int r = list_modules(&search, dir, err);

	kernel->modules = ARENA_ARRAY(arena, const char *, search.count + 1);
	for (size_t i = 0; !r && i < ARRAY_LEN(wanted); i++)
		take(&search, wanted[i], 0);
	free(search.v);
	return r;
}

/* Debian's cloud image before others, and the newest of those: versions sort well enough as text with numbers in it. */
static bool is_better(const char *a, const char *b)
{
	bool a_cloud = strstr(a, "cloud"), b_cloud = b && strstr(b, "cloud");

	return !b || (a_cloud != b_cloud ? a_cloud : strverscmp(a, b) > 0);
}

static const char *best_image(const char *root, struct arena *arena)
{
	const char *best = NULL;
	glob_t found;

	if (!glob(arena_printf(arena, "%s/boot/vmlinuz-*", root), 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			if (!access(found.gl_pathv[i], R_OK) && is_better(found.gl_pathv[i], best))
				best = arena_strdup(arena, found.gl_pathv[i]);
		}
	}
	globfree(&found);
	return best;
}

static int find_below(const char *root, struct arena *arena, struct kernel *ret, struct err *err)
{
	static const char *const places[] = {"lib/modules", "usr/lib/modules"};
	struct kernel kernel = {.image = best_image(root, arena)};

	if (!kernel.image)
		return -ENOENT;
	kernel.release = strrchr(kernel.image, '/') + strlen("/vmlinuz-");
	for (size_t i = 0; !kernel.module_count && i < ARRAY_LEN(places); i++) {
		char *dir = arena_printf(arena, "%s/%s/%s/kernel", root, places[i], kernel.release);
		int r = access(dir, R_OK) ? 0 : take_modules(&kernel, dir, arena, err);

		if (r)
			return r;
	}
	if (!kernel.module_count)
		return -ENOENT; /* its modules are elsewhere, or compressed */
	*ret = kernel;
	return 0;
}

int kernel_find(const char *cache, struct arena *arena, struct kernel *ret, struct err *err)
{
	int r = find_below(arena_printf(arena, "%s/kernel", cache), arena, ret, err);

	if (r == -ENOENT)
		r = find_below("", arena, ret, err);
	if (r == -ENOENT)
		return err_set(err, r, LOC_NONE,
			       "no kernel for a virtual machine: there is none with modules in %s/kernel or /boot. "
			       "Debian's is fetched and unpacked, nothing installed, by\n  " KERNEL_HOW,
			       cache);
	return r;
}
