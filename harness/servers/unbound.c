/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NLnet Labs Unbound, a resolver or forwarder. The plan's options stand at the end of its configuration, where a `server:` clause is open: lines
 * for it, or clauses of their own.
 */
#include "harness/servers/common.h"

static void add_lab(const struct server_spec *spec, struct buf *out)
{
	/* Names that unbound answers by itself but a lab may hold: the reverse zones of private and documentation addresses
	 * (unblock-lan-zones covers RFC 6303's list) and the special names that are not the host's own. */
	static const char *const special[] = {"test.", "invalid.", "onion.", "home.arpa."};

	buf_puts(out, "  unblock-lan-zones: yes\n");
	for (size_t i = 0; i < ARRAY_LEN(special); i++)
		server_default(spec, out, special[i], "  local-zone: \"%s\" nodefault", special[i]);
	buf_puts(out, "  do-not-query-localhost: no\n");
	if (spec->root_hints)
		buf_printf(out, "  root-hints: \"%s\"\n", spec->root_hints);
	if (spec->trust_anchor)
		buf_printf(out, "  trust-anchor-file: \"%s\"\n", spec->trust_anchor);
}

static void add_tls(const struct server_spec *spec, struct buf *out)
{
	if (spec->forward_names)
		server_default(spec, out, "tls-cert-bundle", "  tls-cert-bundle: \"%s\"", spec->tls.ca);
	if (!spec->tls.serves)
		return;
	server_default(spec, out, "tls-service-key", "  tls-service-key: \"%s\"", spec->tls.key);
	server_default(spec, out, "tls-service-pem", "  tls-service-pem: \"%s\"", spec->tls.certificate);
	if (spec->tls.serves & ENCRYPTED_DOT)
		server_addresses(out, &spec->listen, AF_UNSPEC, "  interface: ", "@853\n");
	if (spec->tls.serves & ENCRYPTED_DOH) {
		server_addresses(out, &spec->listen, AF_UNSPEC, "  interface: ", "@443\n");
		server_default(spec, out, "http-endpoint", "  http-endpoint: \"" DOH_PATH "\"");
	}
}

static void add_forward(const struct server_spec *spec, struct buf *out)
{
	buf_puts(out, "forward-zone:\n  name: \".\"\n");
	if (!spec->forward_names) {
		server_addresses(out, spec->forward, AF_UNSPEC, "  forward-addr: ", "\n");
		return;
	}
	buf_puts(out, "  forward-tls-upstream: yes\n");
	for (size_t i = 0; i < spec->forward->count; i++)
		buf_printf(out, "  forward-addr: %s@853#%s\n", spec->forward->v[i].text, spec->forward_names[i]);
}

static void add_server(const struct server_spec *spec, struct buf *out)
{
	buf_printf(out, "server:\n  directory: \"%s\"\n  pidfile: \"%s/unbound.pid\"\n", spec->dir, spec->dir);
	buf_puts(out, "  username: \"\"\n  chroot: \"\"\n  use-syslog: no\n  logfile: \"\"\n");
	server_addresses(out, &spec->listen, AF_UNSPEC, "  interface: ", "@53\n");
	buf_puts(out, "  access-control: 0.0.0.0/0 allow\n  access-control: ::/0 allow\n");
	server_default(spec, out, "num-threads", "  num-threads: 1");
	add_lab(spec, out);
	add_tls(spec, out);
}

static int unbound_configure(const struct server_spec *spec, struct arena *arena, struct server_command *ret,
			     struct err *err)
{
	struct buf out = {0};
	const char *path;
	int r;

	buf_printf(&out,
		   "remote-control:\n  control-enable: yes\n  control-interface: \"%s/unbound.ctl\"\n  "
		   "control-use-cert: no\n",
		   spec->dir);
	if (spec->forward)
		add_forward(spec, &out);
	add_server(spec, &out);
	server_options(spec, &out);
	r = server_write(spec, "unbound.conf", &out, arena, &path, err);
	if (r < 0)
		return r;
	return server_command(&server_unbound, arena, ret, err, "-d", "-p", "-c", path, NULL);
}

static int unbound_control(const struct server_spec *spec, enum server_verb verb, const struct server_zone *zone UNUSED,
			   struct arena *arena, struct server_control *ret, struct err *err)
{
	const char *conf = arena_printf(arena, "%s/unbound.conf", spec->dir);

	if (verb == SERVER_RELOAD)
		return server_control_command(&server_unbound, "unbound-control", arena, ret, err, "-c", conf,
					      "reload_keep_cache", NULL);
	if (verb == SERVER_STATUS)
		return server_control_command(&server_unbound, "unbound-control", arena, ret, err, "-c", conf, "status",
					      NULL);
	return server_control_command(&server_unbound, "unbound-control", arena, ret, err, "-c", conf, "flush_zone",
				      ".", NULL);
}

static const char *const needs[] = {"unbound-control", NULL};

const struct server_ops server_unbound = {
	.name = "unbound",
	.summary = "NLnet Labs Unbound; options go into its `server:` clause, or are clauses of their own",
	.program = "unbound",
	.package = "unbound",
	.unit = "unbound",
	.config = "unbound.conf",
	.roles = SERVER_RESOLVER | SERVER_FORWARDER,
	.encrypted = ENCRYPTED_DOT | ENCRYPTED_DOH,
	.forwards_dot = true,
	.version_arg = "-V",
	.needs = needs,
	.configure = unbound_configure,
	.verbs = SERVER_CAN(RELOAD) | SERVER_CAN(FLUSH) | SERVER_CAN(STATUS),
	.control_socket = "unbound.ctl",
	.control = unbound_control,
};
