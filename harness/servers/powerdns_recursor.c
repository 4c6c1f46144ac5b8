/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PowerDNS Recursor, a resolver or forwarder. The plan's options are lines at the end of recursor.conf; the last of two equal settings wins there.
 */
#include "harness/servers/common.h"

static void add_query_local(const struct server_spec *spec, struct buf *out)
{
	/* By default it asks over IPv4 only; a host with IPv6 is there to be used. */
	const char *v4 = server_has_family(&spec->listen, AF_INET) ? "0.0.0.0 " : "";
	const char *v6 = server_has_family(&spec->listen, AF_INET6) ? "::" : "";

	buf_printf(out, "query-local-address=%s%s\n", v4, v6);
}

static void add_settings(const struct server_spec *spec, struct buf *out)
{
	buf_puts(out, "local-port=53\nlocal-address=");
	server_addresses(out, &spec->listen, AF_UNSPEC, "", " ");
	buf_putc(out, '\n');
	add_query_local(spec, out);
	buf_printf(out, "socket-dir=%s\n", spec->dir);
	buf_puts(out,
		 "daemon=no\nsetuid=\nsetgid=\nwrite-pid=no\ndisable-syslog=yes\nwebserver=no\nsecurity-poll-suffix=\n"
		 "threads=1\nallow-from=0.0.0.0/0, ::/0\n");
	/* By default private and documentation addresses are never asked and their reverse zones answered by itself. */
	buf_puts(out, "dont-query=\nserve-rfc1918=no\n");
	if (spec->root_hints)
		buf_printf(out, "hint-file=%s\n", spec->root_hints);
	if (spec->trust_anchor)
		buf_printf(out, "dnssec=validate\nlua-config-file=%s/recursor.lua\n", spec->dir);
	else
		buf_puts(out, "dnssec=off\n");
	if (spec->forward) {
		buf_puts(out, "forward-zones-recurse=.=");
		server_addresses(out, spec->forward, AF_UNSPEC, "", ";");
		buf_putc(out, '\n');
	}
	server_options(spec, out);
}

static int powerdns_recursor_configure(const struct server_spec *spec, struct arena *arena, struct server_command *ret,
				       struct err *err)
{
	struct buf settings = {0}, lua = {0};
	int r;

	add_settings(spec, &settings);
	r = server_write(spec, "recursor.conf", &settings, arena, NULL, err);
	if (r < 0)
		return r;
	if (spec->trust_anchor) {
		/* The internet's own root keys are built in. */
		buf_printf(&lua, "clearTA('.')\nreadTrustAnchorsFromFile('%s')\n", spec->trust_anchor);
		r = server_write(spec, "recursor.lua", &lua, arena, NULL, err);
		if (r < 0)
			return r;
	}
	return server_command(&server_powerdns_recursor, arena, ret, err,
			      arena_printf(arena, "--config-dir=%s", spec->dir), NULL);
}

static int powerdns_recursor_control(const struct server_spec *spec, enum server_verb verb,
				     const struct server_zone *zone UNUSED, struct arena *arena,
				     struct server_control *ret, struct err *err)
{
	const char *config = arena_printf(arena, "--config-dir=%s", spec->dir);
	const char *socket = arena_printf(arena, "--socket-dir=%s", spec->dir);

	if (verb == SERVER_RELOAD)
		return server_control_command(&server_powerdns_recursor, "rec_control", arena, ret, err, config, socket,
					      "reload-zones", NULL);
	if (verb == SERVER_STATUS)
		return server_control_command(&server_powerdns_recursor, "rec_control", arena, ret, err, config, socket,
					      "ping", NULL);
	return server_control_command(&server_powerdns_recursor, "rec_control", arena, ret, err, config, socket,
				      "wipe-cache", ".$", NULL);
}

static const char *const needs[] = {"rec_control", NULL};

const struct server_ops server_powerdns_recursor = {
	.name = "powerdns-recursor",
	.summary = "PowerDNS Recursor; options are lines of recursor.conf",
	.program = "pdns_recursor",
	.package = "pdns-recursor",
	.unit = "pdns-recursor",
	.roles = SERVER_RESOLVER | SERVER_FORWARDER,
	.version_arg = "--version",
	.needs = needs,
	.configure = powerdns_recursor_configure,
	.verbs = SERVER_CAN(RELOAD) | SERVER_CAN(FLUSH) | SERVER_CAN(STATUS),
	.control_socket = "pdns_recursor.controlsocket",
	.control = powerdns_recursor_control,
};
