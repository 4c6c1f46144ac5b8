/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be said of a lab before its zones are read: names, and values that belong together.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "harness/plan/internal.h"

#define NAME_MAX_LENGTH 48

const char *name_reject(const char *name)
{
	size_t len = strlen(name);

	if (!len)
		return "it is empty";
	if (len > NAME_MAX_LENGTH)
		return "it has more than 48 characters";
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
			return "a name holds letters, digits, \"-\" and \"_\" only";
	}
	return *name == '-' ? "a name does not begin with \"-\"" : NULL;
}

static bool is_reserved(const char *name)
{
	static const char *const reserved[] = {"root", "tld", "tlds", "core", "baseline", "recovery"};

	for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
		if (!strcmp(name, reserved[i]))
			return true;
	}
	return false;
}

/* Providers, resolvers and clients are called by one name each: what: "resolver". */
struct seen {
	const struct text *name;
	const char *what;
};

struct seen_list {
	struct seen *v;
	size_t count;
};

static void check_name(struct plan_ctx *ctx, struct seen_list *seen, const struct text *name, const char *what)
{
	const char *why = name_reject(name->value);

	if (why) {
		errs_add(ctx->errs, name->loc, "'%.80s' cannot be the name of a %s: %s", name->value, what, why);
		return;
	}
	if (is_reserved(name->value)) {
		errs_add(ctx->errs, name->loc,
			 "'%s' cannot be the name of a %s: the lab has one of its own of that name", name->value, what);
		return;
	}
	for (size_t i = 0; i < seen->count; i++) {
		if (!strcmp(seen->v[i].name->value, name->value)) {
			errs_add(ctx->errs, name->loc,
				 "%s '%s' has the same name as a %s (%s): targets could not tell them apart", what,
				 name->value, seen->v[i].what,
				 names_place(ctx->arena, seen->v[i].name->loc, name->loc));
			return;
		}
	}
	seen->v[seen->count++] = (struct seen){name, what};
}

static const char *address_reject(const struct address *address)
{
	const unsigned char *b = address->bytes;
	struct in6_addr v6;

	if (address->family == AF_INET) {
		if (b[0] == 0)
			return "it is unspecified";
		if (b[0] == 127)
			return "it is loopback";
		if (b[0] == 169 && b[1] == 254)
			return "it is link-local, which the lab uses for its own links";
		return b[0] >= 224 && (b[0] < 240 || b[1] == 255) ? "it is multicast or broadcast" : NULL;
	}
	memcpy(&v6, b, sizeof(v6));
	if (IN6_IS_ADDR_UNSPECIFIED(&v6))
		return "it is unspecified";
	if (IN6_IS_ADDR_LOOPBACK(&v6))
		return "it is loopback";
	if (IN6_IS_ADDR_LINKLOCAL(&v6))
		return "it is link-local, which the lab uses for its own links";
	if (IN6_IS_ADDR_MULTICAST(&v6))
		return "it is multicast";
	return IN6_IS_ADDR_V4MAPPED(&v6) || IN6_IS_ADDR_V4COMPAT(&v6) ? "it is an IPv4 address in disguise" : NULL;
}

static void check_addresses(struct plan_ctx *ctx, const struct addresses *addresses)
{
	for (size_t i = 0; i < addresses->count; i++) {
		const char *why = address_reject(&addresses->v[i]);

		if (why)
			errs_add(ctx->errs, addresses->v[i].loc, "%s cannot be the address of a host: %s",
				 addresses->v[i].text, why);
	}
}

static void check_provider(struct plan_ctx *ctx, struct provider_spec *provider)
{
	struct nameserver_spec *ns = provider->nameservers.v;

	if (!provider->nameservers.count)
		errs_add(ctx->errs, provider->loc, "provider '%.80s' has no nameservers", provider->name.value);
	for (size_t i = 0; i < provider->nameservers.count; i++) {
		const char *why = name_reject(ns[i].name.value), *hostname;

		if (why)
			errs_add(ctx->errs, ns[i].name.loc, "'%.80s' cannot be the label of a nameserver: %s",
				 ns[i].name.value, why);
		check_addresses(ctx, &ns[i].address);
		if (!ns[i].hostname.value)
			continue;
		hostname = domain_normalise(ctx->arena, ns[i].hostname.value, &why);
		if (!hostname)
			errs_add(ctx->errs, ns[i].hostname.loc, "'%.80s' is not a hostname: %s", ns[i].hostname.value,
				 why);
		else if (!strchr(hostname, '.') || !strcmp(hostname, "."))
			errs_add(ctx->errs, ns[i].hostname.loc, "hostname '%s' needs a domain, such as %s.example.net",
				 hostname, ns[i].name.value);
		ns[i].hostname.value = hostname;
	}
}

static void check_client(struct plan_ctx *ctx, const struct client_spec *client)
{
	check_addresses(ctx, &client->address);
	if (client->timeout_ns % SEC)
		errs_add(ctx->errs, client->loc,
			 "timeout of client '%s' is not in whole seconds, and resolv.conf knows nothing finer; write "
			 "%jds",
			 client->name.value, (intmax_t)(client->timeout_ns / SEC + 1));
	if (client->resolvers.count > 3)
		errs_add(ctx->errs, client->resolvers.v[3].loc,
			 "client '%s' has %zu resolvers: resolv.conf takes 3 at most", client->name.value,
			 client->resolvers.count);
}

static void check_tlds(struct plan_ctx *ctx, struct items *tlds)
{
	struct infra_spec *tld = tlds->v;

	for (size_t i = 0; i < tlds->count; i++) {
		const char *why, *name = domain_normalise(ctx->arena, tld[i].name.value, &why);

		if (!name || strchr(name, '.'))
			errs_add(ctx->errs, tld[i].name.loc,
				 "'%.80s' is not a top-level domain: write one label, such as com", tld[i].name.value);
		else
			tld[i].name.value = name;
		check_addresses(ctx, &tld[i].address);
	}
}

void lab_check(struct plan_ctx *ctx)
{
	struct lab_spec *lab = &ctx->plan->lab;
	struct provider_spec *providers = lab->providers.v;
	struct resolver_spec *resolvers = lab->resolvers.v;
	struct client_spec *clients = lab->clients.v;
	struct seen_list seen = {
		.v = ARENA_ARRAY(ctx->arena, struct seen,
				 lab->providers.count + lab->resolvers.count + lab->clients.count + 1)};

	for (size_t i = 0; i < lab->providers.count; i++) {
		check_name(ctx, &seen, &providers[i].name, "provider");
		check_provider(ctx, &providers[i]);
	}
	for (size_t i = 0; i < lab->resolvers.count; i++) {
		check_name(ctx, &seen, &resolvers[i].name, "resolver");
		check_addresses(ctx, &resolvers[i].address);
	}
	for (size_t i = 0; i < lab->clients.count; i++) {
		check_name(ctx, &seen, &clients[i].name, "client");
		check_client(ctx, &clients[i]);
	}
	check_addresses(ctx, &lab->root.address);
	check_tlds(ctx, &lab->tlds);
}
