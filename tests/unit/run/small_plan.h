/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topologies for tests, by way of a plan put together by hand. Text and memory live until small_plan_fini.
 */
#pragma once
#include "harness/plan/topology.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SMALL_PLAN_MAX 64

struct small_plan {
	struct arena *arena;
	struct plan plan;
	struct zone_spec zones[8];
	struct provider_spec providers[8];
	struct resolver_spec resolvers[8];
	struct client_spec clients[8];
};

#define SMALL_PLAN_LOC ((struct loc){"plan.yaml", 7, 3})

#define SERVER(id) extern const struct server_ops server_##id;
#include "harness/servers/list.h"
#undef SERVER
#define SERVER(id) &server_##id,
static const struct server_ops *const small_plan_servers[] = {
#include "harness/servers/list.h"
	NULL};
#undef SERVER
static const struct registry small_plan_registry = {.servers = small_plan_servers};

static inline struct text small_text(const char *value)
{
	return (struct text){value, value ? SMALL_PLAN_LOC : LOC_NONE};
}

static inline void small_plan_init(struct small_plan *small)
{
	memset(small, 0, sizeof(*small));
	small->arena = arena_new();
	small->plan.seed = 1;
	small->plan.lab.loc = SMALL_PLAN_LOC;
	small->plan.lab.zones.v = small->zones;
	small->plan.lab.providers.v = small->providers;
	small->plan.lab.resolvers.v = small->resolvers;
	small->plan.lab.clients.v = small->clients;
}

static inline void small_plan_fini(struct small_plan *small)
{
	for (size_t i = 0; i < small->plan.lab.zones.count; i++)
		zone_free(small->zones[i].zone);
	arena_free(small->arena);
}

static inline struct addresses small_addresses(struct small_plan *small, const char *list)
{
	struct addresses ret = {ARENA_ARRAY(small->arena, struct address, 8), 0};
	char *copy = arena_strdup(small->arena, list);

	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		assert_int_equal(address_parse(word, &ret.v[ret.count++]), 0);
	return ret;
}

/* text: a master file. */
static inline struct zone_spec *small_zone(struct small_plan *small, const char *name, const char *text)
{
	struct zone_spec *spec = &small->zones[small->plan.lab.zones.count++];
	char path[] = "/tmp/dnsdrill-zone-XXXXXX";
	int fd = mkstemp(path);
	struct errs errs = {0};

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	*spec = (struct zone_spec){.loc = SMALL_PLAN_LOC, .name = small_text(name), .file = small_text("zone")};
	spec->zone = zone_load(name, path, SMALL_PLAN_LOC, &errs);
	unlink(path);
	if (!spec->zone)
		errs_print(&errs, stderr);
	assert_non_null(spec->zone);
	errs_fini(&errs);
	return spec;
}

static inline struct nameserver_spec *small_nameserver(struct small_plan *small, const char *provider,
						       const char *label, const char *hostname, const char *addresses,
						       const char *server, const char *primary)
{
	struct nameserver_spec *spec;
	size_t i = 0;

	while (i < small->plan.lab.providers.count && strcmp(small->providers[i].name.value, provider))
		i++;
	if (i == small->plan.lab.providers.count) {
		small->providers[i].loc = SMALL_PLAN_LOC;
		small->providers[i].name = small_text(provider);
		small->providers[i].nameservers.v = ARENA_ARRAY(small->arena, struct nameserver_spec, SMALL_PLAN_MAX);
		small->plan.lab.providers.count++;
	}
	spec = &((struct nameserver_spec *)small->providers[i].nameservers.v)[small->providers[i].nameservers.count++];
	*spec = (struct nameserver_spec){
		.loc = SMALL_PLAN_LOC,
		.name = small_text(label),
		.hostname = small_text(hostname),
		.address = small_addresses(small, addresses),
		.server = small_text(server),
		.primary = small_text(primary),
	};
	return spec;
}

static inline struct resolver_spec *small_resolver(struct small_plan *small, const char *name, const char *addresses,
						   const char *server, const char *forward)
{
	struct resolver_spec *spec = &small->resolvers[small->plan.lab.resolvers.count++];

	*spec = (struct resolver_spec){
		.loc = SMALL_PLAN_LOC,
		.name = small_text(name),
		.address = small_addresses(small, addresses),
		.server = small_text(server),
	};
	if (forward) {
		spec->forward.v = ARENA_NEW(small->arena, struct text);
		spec->forward.v[0] = small_text(forward);
		spec->forward.count = 1;
	}
	return spec;
}

/* Also what a plan without mistakes gives: no error. */
static inline struct topology *small_topology(struct small_plan *small)
{
	struct errs errs = {0};
	struct topology *topology = topology_new(small->arena, &small->plan, &small_plan_registry, &errs);

	if (errs.count)
		errs_print(&errs, stderr);
	assert_int_equal(errs.count, 0);
	errs_fini(&errs);
	return topology;
}

#define SMALL_ZONE_TEXT                                                                       \
	"$ORIGIN example.com.\n$TTL 300\n"                                                    \
	"@ IN SOA ns1.alpha-dns.net. hostmaster 1 3600 600 86400 60\n"                        \
	"@ IN NS ns1.alpha-dns.net.\n@ IN NS ns2.alpha-dns.net.\n@ IN NS ns1.beta-dns.org.\n" \
	"@ IN NS ns2.beta-dns.org.\nwww IN A 192.0.2.80\n* IN A 192.0.2.81\n"

/* The demo lab: two nameservers of alpha (software), two of beta (software) that transfer from alpha.ns1. */
static inline void small_demo(struct small_plan *small, const char *alpha, const char *beta)
{
	small_plan_init(small);
	small_zone(small, "example.com", SMALL_ZONE_TEXT);
	small_nameserver(small, "alpha", "ns1", "ns1.alpha-dns.net", "192.0.2.1 2001:db8:1::1", alpha, NULL);
	small_nameserver(small, "alpha", "ns2", "ns2.alpha-dns.net", "192.0.2.2 2001:db8:1::2", alpha, NULL);
	small_nameserver(small, "beta", "ns1", "ns1.beta-dns.org", "198.51.100.1 2001:db8:2::1", beta, "alpha.ns1");
	small_nameserver(small, "beta", "ns2", "ns2.beta-dns.org", "198.51.100.2 2001:db8:2::2", beta, "alpha.ns1");
}
