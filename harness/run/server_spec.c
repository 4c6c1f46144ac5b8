/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/server_spec.h"
#include "harness/api/injector.h"
#include "harness/base/units.h"
#include "harness/plan/catalog.h"
#include "harness/plan/tsig.h"
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

struct maker {
	const struct topology *topology;
	const struct tree_files *files;
	const char *const *dirs;
	struct ca *ca;
	struct arena *arena;
	/* By index of the secondary's host: the key it shares with its primary. */
	const struct server_tsig **tsigs;
};

static size_t index_of(const struct maker *maker, const struct topo_host *host)
{
	return (size_t)(host - maker->topology->hosts);
}

static bool is_among(const struct topo_host *host, struct topo_host *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == host)
			return true;
	return false;
}

static const struct server_tsig *make_key(const struct maker *maker, const char *name)
{
	struct server_tsig *tsig = ARENA_NEW(maker->arena, struct server_tsig);
	uint8_t secret[TSIG_SECRET_SIZE];
	unsigned char base64[64];

	tsig->name = name;
	tsig_secret(maker->topology->seed, tsig->name, secret);
	EVP_EncodeBlock(base64, secret, sizeof(secret));
	tsig->algorithm = "hmac-sha256";
	tsig->secret = arena_strdup(maker->arena, (const char *)base64);
	return tsig;
}

static const struct server_tsig *make_tsig(const struct maker *maker, const struct topo_host *secondary)
{
	return make_key(maker, arena_printf(maker->arena, "%s-%s", secondary->primary->name, secondary->name));
}

static const struct server_tsig *make_update_key(const struct maker *maker, const char *zone)
{
	return make_key(maker, arena_printf(maker->arena, "update.%s", zone));
}

static const char *make_api_key(const struct maker *maker, const struct topo_host *host)
{
	return make_key(maker, arena_printf(maker->arena, "api.%s", host->name))->secret;
}

/* The peer's addresses in the families the host has: others cannot be reached from it. */
static struct server_peer make_peer(const struct maker *maker, const struct topo_host *host,
				    const struct topo_host *peer, const struct server_tsig *tsig)
{
	struct server_peer ret = {.tsig = tsig, .host = peer->name};

	ret.addresses.v = ARENA_ARRAY(maker->arena, struct address, peer->addresses.count + 1);
	for (size_t i = 0; i < peer->addresses.count; i++) {
		if (addresses_first(&host->addresses, peer->addresses.v[i].family))
			ret.addresses.v[ret.addresses.count++] = peer->addresses.v[i];
	}
	return ret;
}

static struct server_peer make_primary(const struct maker *maker, const struct topo_host *host)
{
	struct server_peer ret = make_peer(maker, host, host->primary, maker->tsigs[index_of(maker, host)]);

	if (host->transfers_over_tls)
		ret.tls_name = host->primary->tls_name;
	return ret;
}

static int add_primary(const struct maker *maker, const struct topo_host *host, const struct topo_zone *zone,
		       struct server_zone *ret, struct err *err)
{
	struct server_peer *peer = ARENA_NEW(maker->arena, struct server_peer);

	if (!host->primary)
		return err_set(err, -EINVAL, host->loc, "%s serves %s but has neither its file nor a primary",
			       host->name, zone->name);
	*peer = make_primary(maker, host);
	if (!peer->addresses.count)
		return err_set(err, -EINVAL, host->loc, "%s and its primary %s have no address family in common",
			       host->name, host->primary->name);
	ret->primaries = peer;
	ret->primary_count = 1;
	ret->file = arena_printf(maker->arena, "%s/secondary-%zu.zone", maker->dirs[index_of(maker, host)],
				 (size_t)(zone - maker->topology->zones));
	return 0;
}

static void add_secondaries(const struct maker *maker, const struct topo_host *host, const struct topo_zone *zone,
			    struct server_zone *ret)
{
	struct server_peer *peers = ARENA_ARRAY(maker->arena, struct server_peer, zone->server_count + 1);

	for (size_t i = 0; i < zone->server_count; i++) {
		const struct topo_host *other = zone->servers[i];

		if (other->primary == host && !is_among(other, zone->primaries, zone->primary_count))
			peers[ret->secondary_count++] =
				make_peer(maker, host, other, maker->tsigs[index_of(maker, other)]);
	}
	ret->secondaries = peers;
}

static const struct server_signing *make_signing(const struct maker *maker, size_t zone, size_t host)
{
	const struct sign_spec *sign = maker->topology->zones[zone].signing;
	const char *key_dir = tree_key_dir(maker->files, zone, host);
	struct server_signing *ret;

	if (!key_dir)
		return NULL;
	ret = ARENA_NEW(maker->arena, struct server_signing);
	*ret = (struct server_signing){
		.key_dir = key_dir,
		.is_by_server = sign->by == SIGN_BY_SERVER,
		.algorithm = sign_algorithm(sign),
		.is_csk = sign->keys == SIGN_CSK,
		.is_nsec3 = sign->nsec == SIGN_NSEC3,
		.iterations = (unsigned)sign->iterations,
		.salt = sign->salt.value,
		.validity_s = sign->validity_ns / SEC,
		.inception_s = sign->inception_ns / SEC,
		.dnskey_ttl = (uint32_t)(sign->dnskey_ttl_ns / SEC),
		.ds_ttl = (uint32_t)(sign->ds_ttl_ns / SEC),
		.has_zonemd = sign->zonemd,
	};
	return ret;
}

/* The catalog zone: served to those that are to heed it, or heeded. A zone like others, but not one of the lab's name tree. */
static void add_catalog(const struct maker *maker, const struct topo_host *host, struct server_spec *spec,
			struct server_zone *ret)
{
	struct server_peer *peers = ARENA_ARRAY(maker->arena, struct server_peer, maker->topology->host_count + 1);
	struct catalog catalog;

	if (host->has_catalog) {
		*peers = make_primary(maker, host);
		*ret = (struct server_zone){.name = catalog_name(host->primary, maker->arena),
					    .file = arena_printf(maker->arena, "%s/catalog.zone", spec->dir),
					    .primaries = peers,
					    .primary_count = 1,
					    .catalog = SERVER_CATALOG};
		spec->zone_count++;
		return;
	}
	catalog_of(maker->topology, host, maker->arena, &catalog);
	if (!catalog.name)
		return;
	for (size_t i = 0; i < catalog.consumer_count; i++)
		peers[i] = make_peer(maker, host, catalog.consumers[i],
				     maker->tsigs[index_of(maker, catalog.consumers[i])]);
	*ret = (struct server_zone){.name = catalog.name,
				    .file = arena_printf(maker->arena, "%s/catalog.zone", spec->dir),
				    .shared_file = tree_catalog_file(maker->files, index_of(maker, host)),
				    .secondaries = peers,
				    .secondary_count = catalog.consumer_count};
	spec->zone_count++;
}

static int add_zones(const struct maker *maker, const struct topo_host *host, struct server_spec *spec, struct err *err)
{
	const struct topology *topology = maker->topology;
	struct server_zone *zones = ARENA_ARRAY(maker->arena, struct server_zone, topology->zone_count + 2);

	for (size_t i = 0; i < topology->zone_count; i++) {
		const struct topo_zone *zone = &topology->zones[i];
		struct server_zone *ret = &zones[spec->zone_count];
		int r;

		if (!is_among(host, zone->servers, zone->server_count))
			continue;
		ret->name = zone->name;
		ret->is_signed = zone->sign || zone->has_signature;
		ret->shared_file = tree_zone_file(maker->files, i, index_of(maker, host));
		ret->file = arena_printf(maker->arena, "%s/primary-%zu.zone", spec->dir, i);
		ret->signing = make_signing(maker, i, index_of(maker, host));
		if (!is_among(host, zone->primaries, zone->primary_count)) {
			r = add_primary(maker, host, zone, ret, err);
			if (r < 0)
				return r;
			ret->catalog = host->has_catalog ? SERVER_MEMBER : SERVER_NO_CATALOG;
		}
		if (zone->spec && zone->spec->updates && !ret->primary_count)
			ret->update = make_update_key(maker, zone->name);
		ret->has_api = zone->spec && zone->spec->api && !ret->primary_count && host->server->has_api;
		if (ret->has_api)
			spec->api_key = make_api_key(maker, host);
		add_secondaries(maker, host, zone, ret);
		spec->zone_count++;
	}
	add_catalog(maker, host, spec, &zones[spec->zone_count]);
	spec->zones = zones;
	return 0;
}

static size_t add_tsig(const struct server_tsig **v, size_t count, const struct server_peer *peers, size_t peer_count)
{
	for (size_t i = 0; i < peer_count; i++) {
		size_t k = 0;

		while (k < count && v[k] != peers[i].tsig)
			k++;
		if (k == count)
			v[count++] = peers[i].tsig;
	}
	return count;
}

static void collect_tsigs(const struct maker *maker, struct server_spec *spec)
{
	/* One for each host that transfers from here, one for the own transfers. */
	const struct server_tsig **v = ARENA_ARRAY(maker->arena, const struct server_tsig *,
						   maker->topology->host_count + spec->zone_count + 1);
	size_t count = 0;

	for (size_t i = 0; i < spec->zone_count; i++) {
		count = add_tsig(v, count, spec->zones[i].primaries, spec->zones[i].primary_count);
		count = add_tsig(v, count, spec->zones[i].secondaries, spec->zones[i].secondary_count);
		if (spec->zones[i].update)
			v[count++] = spec->zones[i].update;
	}
	spec->tsigs = v;
	spec->tsig_count = count;
}

static int add_tls(const struct maker *maker, const struct topo_host *host, struct server_spec *spec, struct err *err)
{
	struct ca_identity identity;
	int r;

	spec->tls.ca = maker->ca ? ca_bundle(maker->ca) : NULL;
	if (!host->encrypted)
		return 0;
	r = ca_issue(maker->ca, host->name, CA_SOUND, &identity, err);
	if (r < 0)
		return r;
	spec->tls.serves = host->encrypted;
	spec->tls.certificate = identity.certificate_file;
	spec->tls.key = identity.key_file;
	return 0;
}

static int make_spec(const struct maker *maker, const struct topo_host *host, struct server_spec *spec, struct err *err)
{
	int r;

	*spec = (struct server_spec){
		.host = host->name,
		.dir = maker->dirs[index_of(maker, host)],
		.role = host->server_role,
		.listen = host->addresses,
		.options = host->options,
		.api_is_fronted = host->demands & INJECTOR_DEMANDS_API,
	};
	r = add_tls(maker, host, spec, err);
	if (r < 0)
		return r;
	if (host->server_role != SERVER_AUTHORITATIVE) {
		spec->root_hints = maker->files->root_hints;
		spec->trust_anchor = maker->files->trust_anchor;
		spec->forward = host->forward;
		spec->forward_names = host->forward_names;
		return 0;
	}
	r = add_zones(maker, host, spec, err);
	if (r == 0)
		collect_tsigs(maker, spec);
	return r;
}

int server_specs_new(const struct topology *topology, const struct tree_files *files, const char *const *dirs,
		     struct ca *ca, struct arena *arena, struct server_spec **ret_specs, struct err *err)
{
	struct maker maker = {.topology = topology, .files = files, .dirs = dirs, .ca = ca, .arena = arena};
	struct server_spec *specs = ARENA_ARRAY(arena, struct server_spec, topology->host_count + 1);

	maker.tsigs = ARENA_ARRAY(arena, const struct server_tsig *, topology->host_count + 1);
	for (size_t i = 0; i < topology->host_count; i++)
		if (topology->hosts[i].primary)
			maker.tsigs[i] = make_tsig(&maker, &topology->hosts[i]);
	for (size_t i = 0; i < topology->host_count; i++) {
		int r = topology->hosts[i].server ? make_spec(&maker, &topology->hosts[i], &specs[i], err) : 0;

		if (r < 0)
			return r;
	}
	*ret_specs = specs;
	return 0;
}
