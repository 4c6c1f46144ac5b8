/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PowerDNS dnsdist, a load balancer in front of resolvers: a forwarder without a cache of its own. The plan's options are Lua lines at the end of its
 * configuration.
 */
#include "harness/servers/common.h"

/* "192.0.2.1:853", "[2001:db8::1]:853" */
static const char *socket_text(const struct address *address, unsigned port, struct arena *arena)
{
	return arena_printf(arena, address->family == AF_INET6 ? "[%s]:%u" : "%s:%u", address->text, port);
}

static void add_listeners(const struct server_spec *spec, struct arena *arena, struct buf *out)
{
	for (size_t i = 0; i < spec->listen.count; i++) {
		const struct address *address = &spec->listen.v[i];

		buf_printf(out, "addLocal('%s')\n", socket_text(address, DNS_PORT, arena));
		if (spec->tls.serves & ENCRYPTED_DOT)
			buf_printf(out, "addTLSLocal('%s', '%s', '%s')\n", socket_text(address, DOT_PORT, arena),
				   spec->tls.certificate, spec->tls.key);
		if (spec->tls.serves & ENCRYPTED_DOH)
			buf_printf(out, "addDOHLocal('%s', '%s', '%s', '" DOH_PATH "')\n",
				   socket_text(address, DOH_PORT, arena), spec->tls.certificate, spec->tls.key);
	}
}

static void add_servers(const struct server_spec *spec, struct arena *arena, struct buf *out)
{
	for (size_t i = 0; spec->forward && i < spec->forward->count; i++) {
		const struct address *address = &spec->forward->v[i];

		if (spec->forward_names)
			buf_printf(out,
				   "newServer({address='%s', tls='openssl', subjectName='%s', caStore='%s', "
				   "validateCertificates=true})\n",
				   socket_text(address, DOT_PORT, arena), spec->forward_names[i], spec->tls.ca);
		else
			buf_printf(out, "newServer({address='%s'})\n", socket_text(address, DNS_PORT, arena));
	}
}

static int dnsdist_configure(const struct server_spec *spec, struct arena *arena, struct server_command *ret,
			     struct err *err)
{
	struct buf out = {0};
	const char *path;
	int r;

	buf_puts(&out, "setSecurityPollSuffix('')\nsetACL({'0.0.0.0/0', '::/0'})\n");
	add_listeners(spec, arena, &out);
	add_servers(spec, arena, &out);
	server_options(spec, &out);
	r = server_write(spec, "dnsdist.conf", &out, arena, &path, err);
	if (r < 0)
		return r;
	return server_command(&server_dnsdist, arena, ret, err, "--supervised", "--disable-syslog", "-C", path, NULL);
}

const struct server_ops server_dnsdist = {
	.name = "dnsdist",
	.summary = "PowerDNS dnsdist, in front of other servers; options are Lua lines at the end of its configuration",
	.program = "dnsdist",
	.package = "dnsdist",
	.roles = SERVER_FORWARDER,
	.encrypted = ENCRYPTED_DOT | ENCRYPTED_DOH,
	.forwards_dot = true,
	.version_arg = "--version",
	.configure = dnsdist_configure,
};
