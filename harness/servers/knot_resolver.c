/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CZ.NIC Knot Resolver kresd, a resolver or forwarder. The plan's options are Lua lines at the end of its configuration.
 */
#include "harness/servers/common.h"

static void add_tls(const struct server_spec *spec, struct buf *out)
{
	if (!spec->tls.serves)
		return;
	buf_printf(out, "net.tls('%s', '%s')\n", spec->tls.certificate, spec->tls.key);
	if (spec->tls.serves & ENCRYPTED_DOT)
		server_addresses(out, &spec->listen, AF_UNSPEC, "net.listen('", "', 853, { kind = 'tls' })\n");
	if (spec->tls.serves & ENCRYPTED_DOH) /* its module knows the path, and no other */
		server_addresses(out, &spec->listen, AF_UNSPEC, "net.listen('", "', 443, { kind = 'doh2' })\n");
}

static void add_forward_tls(const struct server_spec *spec, struct buf *out)
{
	buf_puts(out, "policy.add(policy.all(policy.TLS_FORWARD({");
	for (size_t i = 0; i < spec->forward->count; i++)
		buf_printf(out, "{'%s@853', hostname='%s', ca_file='%s'}, ", spec->forward->v[i].text,
			   spec->forward_names[i], spec->tls.ca);
	buf_puts(out, "})))\n");
}

static void add_forward(const struct server_spec *spec, struct buf *out)
{
	if (spec->forward_names) {
		add_forward_tls(spec, out);
		return;
	}
	buf_printf(out, "policy.add(policy.all(policy.%s({", spec->trust_anchor ? "FORWARD" : "STUB");
	server_addresses(out, spec->forward, AF_UNSPEC, "'", "', ");
	buf_puts(out, "})))\n");
}

static int knot_resolver_configure(const struct server_spec *spec, struct arena *arena, struct server_command *ret,
				   struct err *err)
{
	struct buf out = {0};
	const char *path;
	int r;

	buf_puts(&out, "log_target('stderr')\n");
	server_addresses(&out, &spec->listen, AF_UNSPEC, "net.listen('", "', 53, { kind = 'dns' })\n");
	add_tls(spec, &out);
	buf_printf(&out, "net.listen('%s/kresd.ctl', nil, { kind = 'control' })\n", spec->dir);
	buf_puts(&out, "modules.load('policy')\nmodules.load('hints')\n");
	if (spec->root_hints)
		buf_printf(&out, "hints.root_file('%s')\n", spec->root_hints);
	buf_puts(&out, "trust_anchors.remove('.')\n");
	if (spec->trust_anchor)
		buf_printf(&out, "trust_anchors.add_file('%s', true)\n", spec->trust_anchor);
	/* Answers of its own for private reverse zones and names such as test. would hide the lab's. */
	buf_puts(&out, "policy.special_names = {}\n");
	if (spec->forward)
		add_forward(spec, &out);
	server_options(spec, &out);
	r = server_write(spec, "kresd.conf", &out, arena, &path, err);
	if (r < 0)
		return r;
	return server_command(&server_knot_resolver, arena, ret, err, "-n", "-c", path, spec->dir, NULL);
}

static int knot_resolver_control(const struct server_spec *spec, enum server_verb verb,
				 const struct server_zone *zone UNUSED, struct arena *arena, struct server_control *ret,
				 struct err *err UNUSED)
{
	*ret = (struct server_control){.socket = arena_printf(arena, "%s/kresd.ctl", spec->dir),
				       .text = verb == SERVER_STATUS ? "worker.pid\n" : "cache.clear()\n"};
	return 0;
}

static const char *const needs[] = {"/usr/lib/*/knot-resolver", "/usr/lib/*/lua/5.1", "/usr/share/lua/5.1",
				    "/usr/share/luajit*",       "/usr/share/dns",     NULL};

const struct server_ops server_knot_resolver = {
	.name = "knot-resolver",
	.summary = "CZ.NIC Knot Resolver kresd; options are Lua lines at the end of its configuration",
	.program = "kresd",
	.package = "knot-resolver",
	.unit = "kresd@1",
	.roles = SERVER_RESOLVER | SERVER_FORWARDER,
	.encrypted = ENCRYPTED_DOT | ENCRYPTED_DOH,
	.forwards_dot = true,
	.version_arg = "-V",
	.needs = needs,
	.guest_mib = 100, /* its cache, allocated whole */
	.configure = knot_resolver_configure,
	.verbs = SERVER_CAN(FLUSH) | SERVER_CAN(STATUS),
	.control_socket = "kresd.ctl",
	.control = knot_resolver_control,
};
