/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/process/stale.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/base/fd.h"

#define PATIENCE_NS (5 * SEC)

void stale_validate(const struct injector *injector, struct errs *errs)
{
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];

		if (server->role != SERVER_RESOLVER)
			errs_add(errs, server->loc,
				 "%s: %s does not resolve from the root by itself; name a resolver without forward:",
				 injector->ops->kind, server->host);
	}
}

static int path_of(const struct stale *stale, const struct server_process *process, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", server_process_spec(process)->dir, stale->file) < PATH_MAX
		       ? 0
		       : -ENAMETOOLONG;
}

/* Never read, as far as its times say. */
static int set_unread(const char *path)
{
	const struct timespec times[] = {{0}, {.tv_nsec = UTIME_NOW}};

	return utimensat(AT_FDCWD, path, times, 0) ? -errno : 0;
}

static bool was_read(const char *path)
{
	struct stat st;

	return !stat(path, &st) && st.st_atim.tv_sec != 0;
}

static int write_unread(const char *path, const struct buf *text)
{
	int r = text->failed ? -ENOMEM : fd_write_file(AT_FDCWD, path, text->data, text->len, 0644);

	return r ? r : set_unread(path);
}

/* Drivers of software with a syntax of its own copy the file into the configuration: then it is they who read it. */
static int configure(struct server_process *process, struct injector_server *server, const struct server_spec *spec,
		     const char *path, struct err *err)
{
	int r = server_process_configure(process, spec, err);

	if (r)
		return r;
	server->mark.count = was_read(path);
	r = set_unread(path);
	return r ? err_set(err, r, LOC_NONE, "setting the times of %s: %s", path, strerror(-r)) : 0;
}

static int write_file(const struct stale *stale, const struct injector *injector, const char *path, struct err *err)
{
	struct buf text = {0};
	int r = stale->content(injector, &text, err);

	if (!r && (r = write_unread(path, &text)))
		err_set(err, r, LOC_NONE, "cannot write %s: %s", path, strerror(-r));
	buf_fini(&text);
	return r;
}

static int restart(struct server_process *process, struct err *err)
{
	static const struct server_start start = {.patience_ns = PATIENCE_NS};
	int r = server_process_signal(process, SIGTERM, err);

	return r ? r : server_process_start(process, &start, err);
}

static int spoil(const struct stale *stale, struct injector *injector, struct server_process *process,
		 struct injector_server *server, struct err *err)
{
	struct server_spec spec = *server_process_spec(process);
	char path[PATH_MAX];
	int r = path_of(stale, process, path);

	if (!r)
		r = write_file(stale, injector, path, err);
	if (!r)
		r = servers_hold(injector, process, server, err);
	if (r)
		return r;
	stale->use(&spec, path);
	r = configure(process, server, &spec, path, err);
	return r ? r : restart(process, err);
}

int stale_apply(const struct stale *stale, struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < injector->server_count; i++) {
		struct injector_server *server = &injector->servers[i];
		struct server_process *process = servers_process(ctx, server);

		r = process ? spoil(stale, injector, process, server, err)
			    : err_set(err, -ESRCH, server->loc, "it is not in the lab");
		if (r)
			err_wrap(err, "%s", server->host);
	}
	return r;
}

static int mend(struct injector *injector, struct server_process *process, struct injector_server *server,
		struct err *err)
{
	int r;

	if (!server->mark.is_held)
		return 0;
	r = server_process_configure(process, NULL, err);
	if (!r)
		r = restart(process, err);
	return r ? r : servers_release(injector, process, server, err);
}

int stale_revert(const struct stale *stale UNUSED, struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return servers_undo(injector, ctx, mend, err);
}

int stale_effect(const struct stale *stale, struct injector *injector, struct injector_ctx *ctx, struct effect *ret)
{
	*ret = (struct effect){0};
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];
		struct server_process *process = servers_process(ctx, server);
		char path[PATH_MAX];
		bool took = process && !path_of(stale, process, path) &&
			    (server->mark.count ? server_process_has_answered(process) : was_read(path));

		servers_prove(ret, took, "%s of %s %s %s", server->software->program, server->host,
			      !took                ? "did not read"
			      : server->mark.count ? "answers with a configuration made of"
						   : "read",
			      stale->file);
	}
	return 0;
}
