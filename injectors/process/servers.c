/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/process/servers.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/fd.h"

#define LOG_READ_MAX (64 * 1024)

struct server_process *servers_process(const struct injector_ctx *ctx, const struct injector_server *server)
{
	return ctx->server ? ctx->server(ctx->server_arg, server->host) : NULL;
}

static int do_one(struct injector *injector, struct injector_ctx *ctx, struct injector_server *server, servers_do *act,
		  struct err *err)
{
	struct server_process *process = servers_process(ctx, server);
	int r = process ? act(injector, process, server, err)
			: err_set(err, -ESRCH, server->loc, "it is not in the lab");

	if (!r)
		return 0;
	err_at(err, server->loc);
	return err_wrap(err, "%s", server->host);
}

int servers_each(struct injector *injector, struct injector_ctx *ctx, servers_do *act, struct err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < injector->server_count; i++)
		r = do_one(injector, ctx, &injector->servers[i], act, err);
	return r;
}

int servers_undo(struct injector *injector, struct injector_ctx *ctx, servers_do *act, struct err *err)
{
	int first = 0;

	for (size_t i = injector->server_count; i-- > 0;) {
		struct err one = {0};
		int r = do_one(injector, ctx, &injector->servers[i], act, &one);

		if (r && !first) {
			first = r;
			*err = one;
		}
	}
	return first;
}

int servers_hold(struct injector *injector, struct server_process *process, struct injector_server *server,
		 struct err *err)
{
	pid_t pid = server_process_pid(process);
	off_t end = lseek(server_process_log_fd(process), 0, SEEK_END);

	if (server->mark.is_held)
		return 0;
	if (pid < 0)
		return err_set(err, -ESRCH, server->loc, "%s does not run: another fault or step has ended it",
			       server->software->program);
	server->mark = (struct server_mark){
		.is_held = true, .pid = pid, .crashes = server_process_crashes(process), .log_from = end > 0 ? end : 0};
	server_process_allow_exit(process, injector->name.value);
	return 0;
}

int servers_release(struct injector *injector UNUSED, struct server_process *process, struct injector_server *server,
		    struct err *err)
{
	static const struct server_start start = {0};
	int r;

	if (!server->mark.is_held)
		return 0;
	r = server_process_start(process, &start, err);
	if (r)
		return r;
	server->mark.is_held = false;
	server_process_forbid_exit(process);
	return 0;
}

/* State and process group of one process; proc_pid_stat(5): the name may hold anything but ends with the last parenthesis. */
static bool read_stat(const char *pid, char *ret_state, pid_t *ret_group)
{
	char path[64], text[512], *rest;
	CLEANUP_CLOSE int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	rest = strrchr(text, ')');
	return rest && sscanf(rest + 1, " %c %*d %d", ret_state, ret_group) == 2;
}

/* Calls back for each process of the group that is not a zombie. */
static int each_process(pid_t group, void (*found)(void *arg, pid_t pid, char state), void *arg)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		char state;
		pid_t its;

		if (isdigit((unsigned char)entry->d_name[0]) && read_stat(entry->d_name, &state, &its) &&
		    its == group && state != 'Z')
			found(arg, atoi(entry->d_name), state);
	}
	closedir(dir);
	return 0;
}

static void count_state(void *arg, pid_t pid UNUSED, char state)
{
	struct servers_state *count = arg;

	count->processes++;
	count->stopped += state == 'T';
}

int servers_state(pid_t group, struct servers_state *ret)
{
	*ret = (struct servers_state){0};
	return each_process(group, count_state, ret);
}

struct pids {
	pid_t *v;
	size_t count, max;
};

static void add_pid(void *arg, pid_t pid, char state UNUSED)
{
	struct pids *pids = arg;

	if (pids->count++ < pids->max)
		pids->v[pids->count - 1] = pid;
}

ssize_t servers_pids(pid_t group, pid_t *ret, size_t max)
{
	struct pids pids = {ret, 0, max};
	int r = each_process(group, add_pid, &pids);

	return r ? r : (ssize_t)pids.count;
}

/* The line after the one of names: "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens …" (RFC 4022 in words of Linux). */
int64_t servers_connections(pid_t pid)
{
	char path[64], line[512];
	long long count = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/net/snmp", (int)pid);
	in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in) && sscanf(line, "Tcp: %*d %*d %*d %*d %*d %lld", &count) != 1)
		;
	if (in)
		fclose(in);
	return count;
}

static int64_t strays4(pid_t pid)
{
	char path[64], line[512];
	long long sum = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/net/snmp", (int)pid);
	in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in) && sscanf(line, "Ip: %*d %*d %*d %*d %lld", &sum) != 1)
		;
	if (in)
		fclose(in);
	return sum;
}

static int64_t strays6(pid_t pid)
{
	char path[64], line[128], name[64];
	long long sum = 0, value;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/net/snmp6", (int)pid);
	in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%63s %lld", name, &value) == 2 &&
		    (!strcmp(name, "Ip6InAddrErrors") || !strcmp(name, "Ip6InNoRoutes")))
			sum += value;
	}
	if (in)
		fclose(in);
	return sum;
}

int64_t servers_strays(pid_t pid)
{
	return strays4(pid) + strays6(pid);
}

static bool says_any(const char *line, const char *const *words)
{
	for (; *words; words++) {
		if (strcasestr(line, *words))
			return true;
	}
	return false;
}

bool servers_log_says(struct server_process *process, const struct injector_server *server, const char *const *words,
		      char *ret_line, size_t size)
{
	CLEANUP_FREE char *text = malloc(LOG_READ_MAX + 1);
	ssize_t n = text ? pread(server_process_log_fd(process), text, LOG_READ_MAX, server->mark.log_from) : 0;
	char *at = text, *line;

	if (n <= 0)
		return false;
	text[n] = '\0';
	while ((line = strsep(&at, "\n"))) {
		if (!says_any(line, words))
			continue;
		snprintf(ret_line, size, "%s", line);
		return true;
	}
	return false;
}

void servers_prove(struct effect *io, bool took, const char *fmt, ...)
{
	size_t used = strlen(io->text);
	bool is_first = !used;
	va_list ap;

	io->took_effect = (is_first || io->took_effect) && took;
	if (!is_first && used + 2 < sizeof(io->text))
		used += (size_t)snprintf(io->text + used, sizeof(io->text) - used, "; ");
	va_start(ap, fmt);
	vsnprintf(io->text + used, sizeof(io->text) - used, fmt, ap);
	va_end(ap);
}

int servers_prove_by_log(const struct injector *injector, const struct injector_ctx *ctx, const char *const *words,
			 struct effect *ret)
{
	*ret = (struct effect){0};
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];
		struct server_process *process = servers_process(ctx, server);
		char line[160];

		if (!process || !server->mark.is_held)
			servers_prove(ret, false, "%s was not hit", server->host);
		else if (servers_log_says(process, server, words, line, sizeof(line)))
			servers_prove(ret, true, "%s of %s said: %s", server->software->program, server->host, line);
		else if (server_process_crashes(process) > server->mark.crashes)
			servers_prove(ret, true, "%s of %s ended by itself", server->software->program, server->host);
		else
			servers_prove(ret, false, "%s of %s noticed nothing", server->software->program, server->host);
	}
	return 0;
}

void servers_list(const struct injector *injector, struct buf *out)
{
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];

		buf_puts(out, !i ? "" : i + 1 == injector->server_count ? " and " : ", ");
		buf_printf(out, "%s (%s)", server->host, server->software->program);
	}
}

static void add_words(const char *fmt, const char *word, struct buf *out)
{
	for (const char *at; (at = strstr(fmt, "%s")); fmt = at + 2)
		buf_printf(out, "%.*s%s", (int)(at - fmt), fmt, word);
	buf_puts(out, fmt);
}

void servers_commands(const struct injector *injector, struct buf *out, const char *fmt)
{
	for (size_t i = 0; i < injector->server_count; i++) {
		buf_printf(out, "ssh root@%s ", injector->servers[i].host);
		add_words(fmt, injector->servers[i].software->program, out);
		buf_putc(out, '\n');
	}
}

void servers_units(const struct injector *injector, struct buf *out, const char *fmt)
{
	for (size_t i = 0; i < injector->server_count; i++) {
		buf_printf(out, "ssh root@%s ", injector->servers[i].host);
		add_words(fmt, injector->servers[i].software->unit, out);
		buf_putc(out, '\n');
	}
}
