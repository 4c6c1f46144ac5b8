/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * address-lost: the server's addresses are taken from its host's interface, as by a failed address takeover or an operator's slip, and given back. The server runs on; what is sent to it
 * arrives at a host that it is not for, which says nothing. Some software closes its sockets then (named), and has to notice the address's return.
 */
#include <errno.h>

#include "injectors/process/servers.h"

enum { FAMILY_BOTH, FAMILY_IPV4, FAMILY_IPV6 };
static const char *const families[] = {"both", "ipv4", "ipv6", NULL};

struct address_lost {
	struct injector injector;
	int64_t family;
};

static const struct param params[] = {
	P_ENUM(struct address_lost, family, "family", families, FAMILY_BOTH, "of the addresses that are lost"),
	PARAM_END,
};

static bool is_chosen(const struct injector *injector, const struct address *address)
{
	int64_t family = ((const struct address_lost *)injector)->family;

	return family == FAMILY_BOTH || (address->family == AF_INET) == (family == FAMILY_IPV4);
}

/* The first error; giving back goes on after one. */
static int set_all(struct injector *injector, struct server_process *process, bool present, struct err *err)
{
	struct host *host = server_process_host(process);
	const struct addresses *addresses = host_addresses(host);
	int first = 0;

	for (size_t i = 0; i < addresses->count && (present || !first); i++) {
		struct err one = {0};
		int r = is_chosen(injector, &addresses->v[i]) ? host_address_set(host, &addresses->v[i], present, &one)
							      : 0;

		if (r && !first) {
			first = r;
			*err = one;
		}
	}
	return first;
}

static int take_one(struct injector *injector, struct server_process *process, struct injector_server *server,
		    struct err *err)
{
	int r = servers_hold(injector, process, server, err);

	if (r)
		return r;
	server->mark.count = servers_strays(server_process_pid(process));
	return set_all(injector, process, false, err);
}

static int give_one(struct injector *injector, struct server_process *process, struct injector_server *server,
		    struct err *err)
{
	int r = server->mark.is_held ? set_all(injector, process, true, err) : 0;

	return r ? r : servers_release(injector, process, server, err);
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return servers_each(injector, ctx, take_one, err);
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return servers_undo(injector, ctx, give_one, err);
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err UNUSED)
{
	*ret = (struct effect){0};
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];
		struct server_process *process = servers_process(ctx, server);
		pid_t pid = process ? server_process_pid(process) : -1;
		int64_t strays = pid > 0 && server->mark.is_held ? servers_strays(pid) - server->mark.count : 0;

		ret->packets += strays > 0 ? strays : 0;
		servers_prove(ret, strays > 0, "%lld packet%s came to %s for an address it has not", (long long)strays,
			      strays == 1 ? "" : "s", server->host);
	}
	return 0;
}

static void sentence(const struct injector *injector, struct buf *out)
{
	int64_t family = ((const struct address_lost *)injector)->family;

	buf_printf(out, "takes the %saddresses from the host of ",
		   family == FAMILY_IPV4   ? "IPv4 "
		   : family == FAMILY_IPV6 ? "IPv6 "
					   : "");
	servers_list(injector, out);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct addresses *addresses = injector->servers[i].addresses;

		for (size_t j = 0; addresses && j < addresses->count; j++) {
			const struct address *address = &addresses->v[j];
			const char *bits = address->family == AF_INET ? "/32" : "/128";

			if (!is_chosen(injector, address))
				continue;
			buf_printf(to_apply, "ssh root@%s ip address delete %s%s dev eth0\n", injector->servers[i].host,
				   address->text, bits);
			buf_printf(to_revert, "ssh root@%s ip address add %s%s dev eth0\n", injector->servers[i].host,
				   address->text, bits);
		}
	}
}

const struct injector_ops address_lost_ops = {
	.kind = "address-lost",
	.summary = "the server's host loses the addresses that the server listens on",
	.hits = INJECTOR_HITS_SERVERS,
	.params = params,
	.size = sizeof(struct address_lost),
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
