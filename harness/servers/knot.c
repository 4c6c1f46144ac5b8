/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Knot DNS knotd, a nameserver. The plan's options stand at the end of its configuration: whole sections (`server:`, `template:` …), indented as
 * Knot wants them; an item said again there wins.
 */
#include "harness/servers/signing.h"

static void add_server(const struct server_spec *spec, struct buf *out)
{
	buf_printf(out, "server:\n  rundir: \"%s\"\n", spec->dir);
	server_addresses(out, &spec->listen, AF_UNSPEC, "  listen: \"", "@53\"\n");
	/* One of each: a lab has many servers and few cores. */
	buf_puts(out, "  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n");
	buf_puts(out, "log:\n  - target: stdout\n    any: info\n");
	buf_printf(out, "database:\n  storage: \"%s\"\n", spec->dir);
	buf_printf(out, "control:\n  listen: \"%s/knot.sock\"\n", spec->dir);
}

static void add_peers(const struct server_spec *spec, struct arena *arena, struct buf *out)
{
	size_t count;
	const struct server_peer **peers = server_peers(spec, arena, &count);

	if (spec->tsig_count)
		buf_puts(out, "key:\n");
	for (size_t i = 0; i < spec->tsig_count; i++)
		buf_printf(out, "  - id: \"%s\"\n    algorithm: %s\n    secret: \"%s\"\n", spec->tsigs[i]->name,
			   spec->tsigs[i]->algorithm, spec->tsigs[i]->secret);
	if (count)
		buf_puts(out, "remote:\n");
	for (size_t i = 0; i < count; i++) {
		buf_printf(out, "  - id: \"%s\"\n", peers[i]->host);
		server_addresses(out, &peers[i]->addresses, AF_UNSPEC, "    address: \"", "@53\"\n");
		if (peers[i]->tsig)
			buf_printf(out, "    key: \"%s\"\n", peers[i]->tsig->name);
	}
	if (count)
		buf_puts(out, "acl:\n");
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "  - id: \"%s\"\n    remote: \"%s\"\n    action: [ transfer, notify ]\n",
			   peers[i]->host, peers[i]->host);
}

/* Behind those of the peers: the section acl may be there already, and Knot takes it twice. */
static void add_update_acls(const struct server_spec *spec, struct buf *out)
{
	bool is_first = true;

	for (size_t i = 0; i < spec->zone_count; i++) {
		const struct server_tsig *key = spec->zones[i].update;

		if (!key)
			continue;
		buf_printf(out, "%s  - id: \"%s\"\n    key: \"%s\"\n    action: update\n", is_first ? "acl:\n" : "",
			   key->name, key->name);
		is_first = false;
	}
}

static void add_list(struct buf *out, const char *item, const struct server_peer *peers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "    %s: \"%s\"\n", item, peers[i].host);
}

/* What the zones of a catalog have in common; there is one catalog at most, that of the server's primary. */
static void add_template(const struct server_spec *spec, struct buf *out)
{
	for (size_t i = 0; i < spec->zone_count; i++) {
		const struct server_zone *zone = &spec->zones[i];

		if (zone->catalog != SERVER_CATALOG)
			continue;
		buf_printf(out, "template:\n  - id: \"member\"\n    storage: \"%s\"\n", spec->dir);
		add_list(out, "master", zone->primaries, zone->primary_count);
		add_list(out, "acl", zone->primaries, zone->primary_count);
	}
}

static void add_zones(const struct server_spec *spec, struct buf *out)
{
	if (spec->zone_count)
		buf_puts(out, "zone:\n");
	for (size_t i = 0; i < spec->zone_count; i++) {
		const struct server_zone *zone = &spec->zones[i];

		if (zone->catalog == SERVER_MEMBER)
			continue;
		buf_printf(out, "  - domain: \"%s\"\n    file: \"%s\"\n", zone->name, zone->file);
		add_list(out, "master", zone->primaries, zone->primary_count);
		add_list(out, "acl", zone->primaries, zone->primary_count);
		add_list(out, "notify", zone->secondaries, zone->secondary_count);
		add_list(out, "acl", zone->secondaries, zone->secondary_count);
		knot_add_signing(spec, i, out);
		if (zone->update)
			buf_printf(out, "    acl: \"%s\"\n", zone->update->name);
		if (zone->catalog == SERVER_CATALOG)
			buf_puts(out, "    catalog-role: interpret\n    catalog-template: \"member\"\n");
	}
}

static int knot_configure(const struct server_spec *spec, struct arena *arena, struct server_command *ret,
			  struct err *err)
{
	struct buf out = {0};
	const char *path;
	int r;

	add_server(spec, &out);
	add_peers(spec, arena, &out);
	knot_add_policies(spec, &out);
	add_update_acls(spec, &out);
	add_template(spec, &out);
	add_zones(spec, &out);
	server_options(spec, &out);
	r = server_write(spec, "knot.conf", &out, arena, &path, err);
	if (r < 0)
		return r;
	r = server_command(&server_knot, arena, ret, err, "-c", path, NULL);
	return r < 0 ? r : knot_import_keys(spec, path, arena, ret, err);
}

static int knot_control(const struct server_spec *spec, enum server_verb verb, const struct server_zone *zone,
			struct arena *arena, struct server_control *ret, struct err *err)
{
	const char *socket = arena_printf(arena, "%s/knot.sock", spec->dir), *name = zone ? zone->name : NULL;
	const char *word = verb == SERVER_RELOAD_ZONE    ? "zone-reload"
			   : verb == SERVER_REFRESH_ZONE ? "zone-refresh"
			   : verb == SERVER_STATUS       ? "status"
							 : "reload";

	return server_control_command(&server_knot, "knotc", arena, ret, err, "-s", socket, word,
				      verb == SERVER_RELOAD || verb == SERVER_STATUS ? NULL : name, NULL);
}

static const char *const needs[] = {"knotc", "keymgr", NULL};

const struct server_ops server_knot = {
	.name = "knot",
	.summary = "Knot DNS knotd; options are whole sections at the end of its configuration",
	.program = "knotd",
	.package = "knot",
	.unit = "knot",
	.config = "knot.conf",
	.roles = SERVER_AUTHORITATIVE,
	.version_arg = "-V",
	.can_sign = true,
	.needs = needs,
	.configure = knot_configure,
	.takes_updates = true,
	.reads_catalogs = true,
	.verbs = SERVER_CAN(RELOAD) | SERVER_CAN(RELOAD_ZONE) | SERVER_CAN(REFRESH_ZONE) | SERVER_CAN(STATUS),
	.control_socket = "knot.sock",
	.control = knot_control,
};
