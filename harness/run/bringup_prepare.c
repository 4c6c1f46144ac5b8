/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/lab/tree.h"
#include "harness/run/bringup_internal.h"
#include "harness/run/launch.h"
#include "harness/servers/common.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beside the hosts' own directories, which a plan's names cannot reach. */
#define ZONES_DIR LAB_DIR "/.zones"
#define PROGRAMS_DIR LAB_DIR "/.programs"
#define CLOCKS_DIR LAB_DIR "/.clocks"

void bringup_check(const struct topology *topology, struct errs *errs)
{
	for (size_t i = 0; i < topology->host_count; i++) {
		const struct topo_host *host = &topology->hosts[i];
		struct err err;

		if (host->server && server_check_installed(host->server, host->loc, &err) < 0)
			errs_add_err(errs, &err);
	}
	tree_check(topology, errs);
}

static int make_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_set(err, -errno, LOC_NONE, "cannot create %s: %s", path, strerror(errno));
	return 0;
}

int bringup_configure(struct server_process *server, const struct server_spec *spec, struct err *err)
{
	struct bringup *bringup = server->bringup;
	const struct server_ops *ops = server->topo->server;
	const char *base_name;
	int r = ops->configure(spec, bringup->arena, &server->command, err);

	if (r < 0)
		return r;
	server->path = server->command.argv[0];
	base_name = strrchr(server->path, '/');
	if (base_name && !strcmp(base_name + 1, ops->program))
		server->path = launch_unconfined(server->path, PROGRAMS_DIR, false, bringup->arena);
	return 0;
}

/* The driver's configuration, the log file, the program. */
static int prepare_server(struct server_process *server, struct err *err)
{
	struct bringup *bringup = server->bringup;
	const char *log = arena_printf(bringup->arena, "%s.log", server->topo->name);
	int r = bringup_configure(server, server->spec, err);

	if (r < 0)
		return r;
	server->log_fd =
		openat(bringup->options.logs_dirfd, log, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	if (server->log_fd < 0)
		return err_set(err, -errno, LOC_NONE, "cannot create the log %s: %s", log, strerror(errno));
	server->state = STATE_WAITING;
	if (server->topo->demands & INJECTOR_DEMANDS_QUOTA && bringup->options.cgroup) {
		r = cgroup_leaf_make(bringup->options.cgroup,
				     arena_printf(bringup->arena, "host-%s", server->topo->name), &server->cgroup, err);
		if (r)
			return r;
		server->has_cgroup = true;
	}
	if (server->topo->demands & INJECTOR_DEMANDS_CLOCK)
		return server_clock_open(CLOCKS_DIR, server->topo->name, bringup->arena, &server->clock, &server->env,
					 err);
	return 0;
}

/* Each primary has a file of its own name, so that one can be given another zone than the rest; until then it leads to the file they share. */
static int link_zones(const struct server_process *server, struct err *err)
{
	const struct server_spec *spec = server->spec;

	for (size_t i = 0; i < spec->zone_count; i++) {
		const struct server_zone *zone = &spec->zones[i];

		if (!zone->primary_count && zone->shared_file && symlink(zone->shared_file, zone->file) < 0 &&
		    errno != EEXIST)
			return err_set(err, -errno, LOC_NONE, "cannot create %s: %s", zone->file, strerror(errno));
	}
	return 0;
}

int bringup_prepare(struct bringup *bringup, struct err *err)
{
	const struct topology *topology = bringup->topology;
	const char **dirs = ARENA_ARRAY(bringup->arena, const char *, topology->host_count + 1);
	struct server_spec *specs;
	struct tree_files files;
	int r = make_dir(ZONES_DIR, err);

	for (size_t i = 0; r == 0 && i < topology->host_count; i++) {
		struct server_process *server = &bringup->servers[i];

		*server = (struct server_process){.bringup = bringup, .topo = &topology->hosts[i], .log_fd = -1};
		server->host = lab_host(bringup->lab, i);
		dirs[i] = arena_printf(bringup->arena, "%s/server", host_dir(server->host));
		if (server->topo->server)
			r = make_dir(dirs[i], err);
	}
	if (r == 0)
		r = tree_write(topology, ZONES_DIR, bringup->arena, &files, err);
	if (r == 0)
		bringup->trust_anchor = files.trust_anchor;
	if (r == 0)
		r = server_specs_new(topology, &files, dirs, lab_ca(bringup->lab), bringup->arena, &specs, err);
	for (size_t i = 0; r == 0 && i < topology->host_count; i++) {
		struct server_process *server = &bringup->servers[i];

		server->spec = &specs[i];
		if (server->topo->server && (link_zones(server, err) < 0 || prepare_server(server, err) < 0)) {
			err_at(err, server->topo->loc);
			r = err_wrap(err, "%s", server->topo->name);
		}
	}
	return r;
}
