/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NLnet Labs NSD, a nameserver. The plan's options stand at the end of its configuration, where a `server:` clause is open: lines for it, or
 * clauses of their own.
 */
#include "harness/servers/common.h"

static const char *key_of(const struct server_peer *peer)
{
	return peer->tsig ? peer->tsig->name : "NOKEY";
}

static void add_zone(struct buf *out, const struct server_zone *zone)
{
	buf_printf(out, "zone:\n  name: \"%s\"\n  zonefile: \"%s\"\n", zone->name, zone->file);
	for (size_t i = 0; i < zone->primary_count; i++) {
		const struct server_peer *peer = &zone->primaries[i];

		for (size_t k = 0; k < peer->addresses.count; k++) {
			const char *address = peer->addresses.v[k].text;

			buf_printf(out, "  request-xfr: AXFR %s %s%s\n", address, key_of(peer),
				   peer->tls_name ? " primary" : "");
			buf_printf(out, "  allow-notify: %s %s\n", address, key_of(peer));
		}
	}
	for (size_t i = 0; i < zone->secondary_count; i++) {
		const struct server_peer *peer = &zone->secondaries[i];

		for (size_t k = 0; k < peer->addresses.count; k++) {
			const char *address = peer->addresses.v[k].text;

			buf_printf(out, "  notify: %s %s\n", address, key_of(peer));
			buf_printf(out, "  provide-xfr: %s %s\n", address, key_of(peer));
		}
	}
}

/* How the server's one primary is met over TLS: RFC 9103 section 7.3.1. */
static void add_primary_tls(const struct server_spec *spec, struct buf *out)
{
	for (size_t i = 0; i < spec->zone_count; i++) {
		const struct server_zone *zone = &spec->zones[i];

		if (!zone->primary_count || !zone->primaries[0].tls_name)
			continue;
		buf_printf(out, "tls-auth:\n  name: \"primary\"\n  auth-domain-name: \"%s\"\n",
			   zone->primaries[0].tls_name);
		return;
	}
}

static void add_tls(const struct server_spec *spec, struct buf *out)
{
	if (spec->tls.ca)
		buf_printf(out, "  tls-cert-bundle: \"%s\"\n", spec->tls.ca);
	if (!spec->tls.serves)
		return;
	buf_printf(out, "  tls-service-key: \"%s\"\n  tls-service-pem: \"%s\"\n", spec->tls.key, spec->tls.certificate);
	server_addresses(out, &spec->listen, AF_UNSPEC, "  ip-address: ", "@853\n");
}

static void add_server(const struct server_spec *spec, struct buf *out)
{
	buf_printf(out, "remote-control:\n  control-enable: yes\n  control-interface: \"%s/nsd.ctl\"\nserver:\n",
		   spec->dir);
	server_addresses(out, &spec->listen, AF_UNSPEC, "  ip-address: ", "\n");
	add_tls(spec, out);
	buf_puts(out, "  username: \"\"\n  chroot: \"\"\n  database: \"\"\n  logfile: \"/dev/stderr\"\n");
	server_default(spec, out, "server-count", "  server-count: 1");
	/* Its table for rate limits takes 30 MiB by default, whatever the limit; a lab's few clients fit into this. */
	server_default(spec, out, "rrl-size", "  rrl-size: 10000");
	buf_printf(out, "  zonesdir: \"%s\"\n  zonelistfile: \"%s/zone.list\"\n  xfrdfile: \"%s/xfrd.state\"\n",
		   spec->dir, spec->dir, spec->dir);
	buf_printf(out, "  xfrdir: \"%s\"\n  pidfile: \"%s/nsd.pid\"\n", spec->dir, spec->dir);
}

static int nsd_configure(const struct server_spec *spec, struct arena *arena, struct server_command *ret,
			 struct err *err)
{
	struct buf out = {0};
	const char *path;
	int r;

	for (size_t i = 0; i < spec->tsig_count; i++)
		buf_printf(&out, "key:\n  name: \"%s\"\n  algorithm: %s\n  secret: \"%s\"\n", spec->tsigs[i]->name,
			   spec->tsigs[i]->algorithm, spec->tsigs[i]->secret);
	add_primary_tls(spec, &out);
	for (size_t i = 0; i < spec->zone_count; i++)
		add_zone(&out, &spec->zones[i]);
	add_server(spec, &out);
	server_options(spec, &out);
	r = server_write(spec, "nsd.conf", &out, arena, &path, err);
	if (r < 0)
		return r;
	return server_command(&server_nsd, arena, ret, err, "-d", "-c", path, NULL);
}

static int nsd_control(const struct server_spec *spec, enum server_verb verb, const struct server_zone *zone,
		       struct arena *arena, struct server_control *ret, struct err *err)
{
	const char *conf = arena_printf(arena, "%s/nsd.conf", spec->dir);
	const char *word = verb == SERVER_REFRESH_ZONE ? "transfer" : verb == SERVER_STATUS ? "status" : "reload";

	return server_control_command(&server_nsd, "nsd-control", arena, ret, err, "-c", conf, word,
				      zone ? zone->name : NULL, NULL);
}

static const char *const needs[] = {"nsd-control", NULL};

const struct server_ops server_nsd = {
	.name = "nsd",
	.summary = "NLnet Labs NSD; options go into its `server:` clause, or are clauses of their own",
	.program = "nsd",
	.package = "nsd",
	.unit = "nsd",
	.config = "nsd.conf",
	.roles = SERVER_AUTHORITATIVE,
	.encrypted = ENCRYPTED_DOT,
	.version_arg = "-v",
	.needs = needs,
	.configure = nsd_configure,
	.transfers_over_tls = true,
	.verbs = SERVER_CAN(RELOAD) | SERVER_CAN(RELOAD_ZONE) | SERVER_CAN(REFRESH_ZONE) | SERVER_CAN(STATUS),
	.control_socket = "nsd.ctl",
	.control = nsd_control,
};
