/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsmasq, a forwarder. The plan's options are lines at the end of its configuration.
 */
#include "harness/servers/common.h"
#include <signal.h>

static int dnsmasq_configure(const struct server_spec *spec, struct arena *arena, struct server_command *ret,
			     struct err *err)
{
	struct buf out = {0};
	const char *path;
	int r;

	buf_puts(&out, "no-resolv\nno-poll\nno-hosts\nbind-interfaces\nport=53\npid-file=\nlog-facility=-\n");
	server_addresses(&out, &spec->listen, AF_UNSPEC, "listen-address=", "\n");
	if (spec->forward)
		server_addresses(&out, spec->forward, AF_UNSPEC, "server=", "\n");
	server_options(spec, &out);
	r = server_write(spec, "dnsmasq.conf", &out, arena, &path, err);
	if (r < 0)
		return r;
	return server_command(&server_dnsmasq, arena, ret, err, "-k", "--user=", "--group=", "-C", path, NULL);
}

static int dnsmasq_control(const struct server_spec *spec UNUSED, enum server_verb verb UNUSED,
			   const struct server_zone *zone UNUSED, struct arena *arena UNUSED,
			   struct server_control *ret, struct err *err UNUSED)
{
	*ret = (struct server_control){.signal = SIGHUP};
	return 0;
}

const struct server_ops server_dnsmasq = {
	.name = "dnsmasq",
	.summary = "dnsmasq; options are lines at the end of its configuration",
	.program = "dnsmasq",
	.package = "dnsmasq-base",
	.unit = "dnsmasq",
	.roles = SERVER_FORWARDER,
	.version_arg = "--version",
	.configure = dnsmasq_configure,
	.verbs = SERVER_CAN(FLUSH),
	.control = dnsmasq_control,
};
