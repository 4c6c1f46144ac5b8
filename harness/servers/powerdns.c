/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PowerDNS Authoritative Server with the bind backend. The plan's options are lines at the end of pdns.conf; the last of two equal settings
 * wins there.
 *
 * Its TSIG keys, and that a zone comes signed, live in a database of the backend that only pdnsutil writes: where there is something to
 * write, a shell script does it and becomes the server.
 *
 * The bind backend cannot be written to. A server with a zone that the HTTP API may change has all its zones in the sqlite backend instead, filled
 * by the same script.
 */
#include "harness/servers/common.h"
#include <errno.h>
#include <unistd.h>

#define DATABASE "dnssec.sqlite3"
#define ZONES_DATABASE "zones.sqlite3"
#define ZONES_SCHEMA "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"

static bool needs_database(const struct server_spec *spec)
{
	bool needs = spec->tsig_count > 0 || spec->api_key;

	for (size_t i = 0; i < spec->zone_count; i++)
		needs = needs || spec->zones[i].is_signed;
	return needs;
}

static void add_backend(const struct server_spec *spec, struct buf *out)
{
	if (!spec->api_key) {
		buf_printf(out,
			   "launch=bind\nbind-config=%s/named.conf\nbind-dnssec-db=%s\n"
			   "webserver=no\napi=no\n",
			   spec->dir, needs_database(spec) ? DATABASE : "");
		return;
	}
	/* What is lost when the kernel dies is of no use to a lab. */
	buf_printf(out,
		   "launch=gsqlite3\ngsqlite3-database=%s/" ZONES_DATABASE "\ngsqlite3-dnssec=yes\n"
		   "gsqlite3-pragma-synchronous=0\n",
		   spec->dir);
	buf_printf(out,
		   "webserver=yes\napi=yes\napi-key=%s\nwebserver-address=%s\nwebserver-port=%d\n"
		   "webserver-allow-from=0.0.0.0/0,::/0\nwebserver-loglevel=none\n",
		   spec->api_key, spec->api_is_fronted ? "127.0.0.1" : spec->listen.v[0].text, API_PORT);
}

static void add_settings(const struct server_spec *spec, struct buf *out)
{
	add_backend(spec, out);
	buf_puts(out, "local-port=53\nlocal-address=");
	server_addresses(out, &spec->listen, AF_UNSPEC, "", ",");
	buf_printf(out, "\nsocket-dir=%s\n", spec->dir);
	buf_puts(out, "daemon=no\nguardian=no\nsetuid=\nsetgid=\ndisable-syslog=yes\nwrite-pid=no\n"
		      "security-poll-suffix=\nprimary=yes\nsecondary=yes\n"
		      "allow-axfr-ips=\nonly-notify=\n"
		      "receiver-threads=1\ndistributor-threads=1\nretrieval-threads=1\nsigning-threads=1\n");
	/* Room for a million entries each is laid out in advance: 40 MiB. No lab asks for that many names within their 20 s. */
	buf_puts(out, "max-cache-entries=100000\nmax-packet-cache-entries=100000\n");
	server_options(spec, out);
}

static void add_zone(struct buf *out, const struct server_zone *zone)
{
	buf_printf(out, "zone \"%s\" {\n\ttype %s;\n\tfile \"%s\";\n", zone->name,
		   server_is_secondary(zone) ? "slave" : "master", zone->file);
	if (zone->primary_count) {
		buf_puts(out, "\tmasters {");
		for (size_t i = 0; i < zone->primary_count; i++)
			server_addresses(out, &zone->primaries[i].addresses, AF_UNSPEC, " ", ";");
		buf_puts(out, " };\n");
	}
	if (zone->secondary_count) {
		buf_puts(out, "\talso-notify {");
		for (size_t i = 0; i < zone->secondary_count; i++)
			server_addresses(out, &zone->secondaries[i].addresses, AF_UNSPEC, " ", ";");
		buf_puts(out, " };\n");
	}
	buf_puts(out, "};\n");
}

static void add_key_commands(const struct server_zone *zone, const struct server_peer *peers, size_t count,
			     const char *as, struct buf *out)
{
	for (size_t i = 0; i < count; i++)
		if (peers[i].tsig)
			buf_printf(out, "util activate-tsig-key '%s' '%s' %s\n", zone->name, peers[i].tsig->name, as);
}

/* A zone of the sqlite backend, which knows nothing of named.conf. */
static void add_stored_zone(const struct server_zone *zone, struct buf *out)
{
	if (server_is_secondary(zone)) {
		buf_printf(out, "util create-secondary-zone '%s'", zone->name);
		for (size_t i = 0; i < zone->primary_count; i++)
			server_addresses(out, &zone->primaries[i].addresses, AF_UNSPEC, " ", "");
		buf_puts(out, "\n");
		return;
	}
	buf_printf(out, "util load-zone '%s' '%s'\nutil set-kind '%s' primary\n", zone->name, zone->file, zone->name);
	if (!zone->secondary_count)
		return;
	buf_printf(out, "util set-meta '%s' ALSO-NOTIFY", zone->name);
	for (size_t i = 0; i < zone->secondary_count; i++)
		server_addresses(out, &zone->secondaries[i].addresses, AF_UNSPEC, " ", "");
	buf_puts(out, "\n");
}

static void add_script(const struct server_spec *spec, const char *util, const char *program, struct buf *out)
{
	buf_printf(out, "set -e\nutil() { %s --config-dir=%s \"$@\" >/dev/null; }\n", util, spec->dir);
	/* It is there already when the server is started again. */
	buf_printf(out, "[ -e %s/%s ] && exec %s --config-dir=%s\n", spec->dir,
		   spec->api_key ? ZONES_DATABASE : DATABASE, program, spec->dir);
	if (spec->api_key)
		buf_printf(out, "sqlite3 -cmd 'PRAGMA synchronous=OFF' %s/" ZONES_DATABASE " <" ZONES_SCHEMA "\n",
			   spec->dir);
	else
		buf_printf(out, "util create-bind-db %s/" DATABASE "\n", spec->dir);
	for (size_t i = 0; i < spec->tsig_count; i++)
		buf_printf(out, "util import-tsig-key '%s' %s '%s'\n", spec->tsigs[i]->name, spec->tsigs[i]->algorithm,
			   spec->tsigs[i]->secret);
	for (size_t i = 0; i < spec->zone_count; i++) {
		const struct server_zone *zone = &spec->zones[i];

		if (spec->api_key)
			add_stored_zone(zone, out);
		/* A transfer finds out by itself. */
		if (zone->is_signed && !server_is_secondary(zone))
			buf_printf(out, "util set-presigned '%s'\n", zone->name);
		add_key_commands(zone, zone->primaries, zone->primary_count, "secondary", out);
		add_key_commands(zone, zone->secondaries, zone->secondary_count, "primary", out);
	}
	buf_printf(out, "exec %s --config-dir=%s\n", program, spec->dir);
}

static int command_with_database(const struct server_spec *spec, struct arena *arena, struct server_command *ret,
				 struct err *err)
{
	const char *util = server_find_program("pdnsutil", arena);
	const char *script;
	struct buf out = {0};
	int r;

	if (!util)
		return err_set(err, -ENOENT, LOC_NONE, "pdnsutil is not installed: apt-get install pdns-server");
	if (spec->api_key && (!server_find_program("sqlite3", arena) || access(ZONES_SCHEMA, R_OK)))
		return err_set(err, -ENOENT, LOC_NONE,
			       "zones with api: true need PowerDNS's sqlite backend: apt-get install "
			       "pdns-backend-sqlite3 sqlite3");
	add_script(spec, util, ret->argv[0], &out);
	r = server_write(spec, "start.sh", &out, arena, &script, err);
	if (r < 0)
		return r;
	*ret = (struct server_command){{"/bin/sh", script}};
	return 0;
}

static int powerdns_configure(const struct server_spec *spec, struct arena *arena, struct server_command *ret,
			      struct err *err)
{
	struct buf settings = {0}, zones = {0};
	struct server_command command;
	int r;

	add_settings(spec, &settings);
	for (size_t i = 0; i < spec->zone_count; i++)
		add_zone(&zones, &spec->zones[i]);
	r = server_write(spec, "named.conf", &zones, arena, NULL, err);
	if (r < 0) {
		buf_fini(&settings);
		return r;
	}
	r = server_write(spec, "pdns.conf", &settings, arena, NULL, err);
	if (r < 0)
		return r;
	r = server_command(&server_powerdns, arena, &command, err, arena_printf(arena, "--config-dir=%s", spec->dir),
			   NULL);
	if (r == 0 && needs_database(spec))
		r = command_with_database(spec, arena, &command, err);
	if (r == 0)
		*ret = command;
	return r;
}

/* It would notice a changed file within a minute, and tell the secondaries then. */
static int powerdns_control(const struct server_spec *spec, enum server_verb verb, const struct server_zone *zone,
			    struct arena *arena, struct server_control *ret, struct err *err)
{
	const char *program = server_find_program("pdns_control", arena), *name = zone ? zone->name : "";
	const char *util = server_find_program("pdnsutil", arena);
	const char *control = arena_printf(arena, "%s --config-dir=%s --socket-dir=%s",
					   program ? program : "pdns_control", spec->dir, spec->dir);

	if (verb == SERVER_RELOAD_ZONE && spec->api_key)
		return server_control_command(
			&server_powerdns, "sh", arena, ret, err, "-c",
			arena_printf(arena,
				     "%s --config-dir=%s load-zone '%s' '%s' && %s purge '%s$' && %s notify '%s'",
				     util ? util : "pdnsutil", spec->dir, name, zone ? zone->file : "", control, name,
				     control, name),
			NULL);
	if (verb == SERVER_RELOAD_ZONE)
		return server_control_command(
			&server_powerdns, "sh", arena, ret, err, "-c",
			arena_printf(arena, "%s bind-reload-now '%s' && %s notify '%s'", control, name, control, name),
			NULL);
	return server_control_command(&server_powerdns, "sh", arena, ret, err, "-c",
				      verb == SERVER_RELOAD   ? arena_printf(arena, "%s rediscover", control)
				      : verb == SERVER_STATUS ? arena_printf(arena, "%s rping", control)
							      : arena_printf(arena, "%s retrieve '%s'", control, name),
				      NULL);
}

static const char *const needs[] = {
	"pdnsutil", "pdns_control", "sqlite3", "/usr/lib/*/pdns", "/usr/share/pdns-backend-sqlite3", NULL};

const struct server_ops server_powerdns = {
	.name = "powerdns",
	.summary = "PowerDNS Authoritative Server with its bind backend; options are lines of pdns.conf",
	.program = "pdns_server",
	.package = "pdns-server pdns-backend-bind",
	.has_api = true,
	.unit = "pdns",
	.roles = SERVER_AUTHORITATIVE,
	.version_arg = "--version",
	.needs = needs,
	.configure = powerdns_configure,
	.verbs = SERVER_CAN(RELOAD) | SERVER_CAN(RELOAD_ZONE) | SERVER_CAN(REFRESH_ZONE) | SERVER_CAN(STATUS),
	.control_socket = "pdns.controlsocket",
	.control = powerdns_control,
};
