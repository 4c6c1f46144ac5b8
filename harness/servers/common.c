/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/servers/common.h"
#include "harness/base/fd.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where Debian puts servers; an ordinary user's PATH often lacks these. */
#define SBIN_DIRS "/usr/sbin:/sbin:/usr/local/sbin"

static const char *find_in(const char *dirs, const char *program, struct arena *arena)
{
	while (*dirs) {
		size_t len = strcspn(dirs, ":");
		struct stat st;
		char path[4096];

		/* Relative directories are skipped: servers start with another working directory. */
		if (dirs[0] == '/' &&
		    (size_t)snprintf(path, sizeof(path), "%.*s/%s", (int)len, dirs, program) < sizeof(path) &&
		    access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return arena_strdup(arena, path);
		dirs += len + (dirs[len] == ':');
	}
	return NULL;
}

const char *server_find_program(const char *program, struct arena *arena)
{
	const char *path = getenv("PATH");
	const char *found = path ? find_in(path, program, arena) : NULL;

	return found ? found : find_in(SBIN_DIRS, program, arena);
}

int server_check_installed(const struct server_ops *ops, struct loc loc, struct err *err)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();

	if (server_find_program(ops->program, arena))
		return 0;
	return err_set(err, -ENOENT, loc, "%s is not installed: apt-get install %s", ops->program, ops->package);
}

int server_write(const struct server_spec *spec, const char *name, struct buf *content, struct arena *arena,
		 const char **ret_path, struct err *err)
{
	const char *path = arena_printf(arena, "%s/%s", spec->dir, name);
	int r = content->failed ? -ENOMEM
				: fd_write_file(AT_FDCWD, path, content->data ? content->data : "", content->len, 0644);

	buf_fini(content);
	if (r < 0)
		return err_set(err, r, LOC_NONE, "cannot write %s: %s", path, strerror(-r));
	if (ret_path)
		*ret_path = path;
	return 0;
}

int server_command(const struct server_ops *ops, struct arena *arena, struct server_command *ret, struct err *err, ...)
{
	struct server_command command = {{server_find_program(ops->program, arena)}};
	size_t n = 1;
	va_list ap;

	if (!command.argv[0])
		return server_check_installed(ops, LOC_NONE, err);
	va_start(ap, err);
	for (const char *arg; n < ARRAY_LEN(command.argv) - 1 && (arg = va_arg(ap, const char *)); n++)
		command.argv[n] = arg;
	va_end(ap);
	*ret = command;
	return 0;
}

int server_control_command(const struct server_ops *ops, const char *program, struct arena *arena,
			   struct server_control *ret, struct err *err, ...)
{
	struct server_control control = {.argv = {server_find_program(program, arena)}};
	size_t n = 1;
	va_list ap;

	if (!control.argv[0])
		return err_set(err, -ENOENT, LOC_NONE, "%s is not installed: apt-get install %s", program,
			       ops->package);
	va_start(ap, err);
	for (const char *arg; n < ARRAY_LEN(control.argv) - 1 && (arg = va_arg(ap, const char *)); n++)
		control.argv[n] = arg;
	va_end(ap);
	*ret = control;
	return 0;
}

/* Whether text says word as a whole word. */
static bool says_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p += len) {
		bool starts = p == text || !(isalnum((unsigned char)p[-1]) || p[-1] == '-' || p[-1] == '_');
		bool ends = !(isalnum((unsigned char)p[len]) || p[len] == '-' || p[len] == '_');

		if (starts && ends)
			return true;
	}
	return false;
}

void server_default(const struct server_spec *spec, struct buf *out, const char *word, const char *fmt, ...)
{
	char line[4096];
	va_list ap;

	if (spec->options && says_word(spec->options, word))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_printf(out, "%s\n", line);
}

void server_options(const struct server_spec *spec, struct buf *out)
{
	if (spec->options)
		buf_printf(out, "%s\n", spec->options);
}

void server_addresses(struct buf *out, const struct addresses *list, int family, const char *before, const char *after)
{
	for (size_t i = 0; i < list->count; i++)
		if (family == AF_UNSPEC || list->v[i].family == family)
			buf_printf(out, "%s%s%s", before, list->v[i].text, after);
}

bool server_has_family(const struct addresses *list, int family)
{
	return addresses_first(list, family) != NULL;
}

static size_t add_peers(const struct server_peer **v, size_t count, const struct server_peer *peers, size_t peer_count)
{
	for (size_t i = 0; i < peer_count; i++) {
		size_t k = 0;

		while (k < count && strcmp(v[k]->host, peers[i].host))
			k++;
		if (k == count)
			v[count++] = &peers[i];
	}
	return count;
}

const struct server_peer **server_peers(const struct server_spec *spec, struct arena *arena, size_t *ret_count)
{
	const struct server_peer **v;
	size_t total = 0, count = 0;

	for (size_t i = 0; i < spec->zone_count; i++)
		total += spec->zones[i].primary_count + spec->zones[i].secondary_count;
	v = ARENA_ARRAY(arena, const struct server_peer *, total + 1);
	for (size_t i = 0; i < spec->zone_count; i++) {
		const struct server_zone *zone = &spec->zones[i];

		count = add_peers(v, count, zone->primaries, zone->primary_count);
		count = add_peers(v, count, zone->secondaries, zone->secondary_count);
	}
	*ret_count = count;
	return v;
}
