/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How zones are signed: the table of `sign:`, and what its rows cannot say.
 */
#include <ctype.h>
#include <string.h>

#include "harness/plan/internal.h"
#include "harness/plan/topo.h"

#define DAY (24 * 3600 * SEC)
#define SALT_MAX 32 /* bytes; more than anybody has, and less than the field holds */

static const char *const by_choices[] = {"ldns", "server", "providers", NULL};
static const char *const keys_choices[] = {"ksk+zsk", "csk", NULL};
static const char *const nsec_choices[] = {"nsec", "nsec3", NULL};
/* By name or number; the default first. */
static const char *const algorithm_choices[] = {"ECDSAP256SHA256", "RSASHA256", "ED25519", "13", "8", "15", NULL};
static const unsigned algorithm_numbers[] = {13, 8, 15, 13, 8, 15};

#define VALIDITY_DEFAULT (14 * DAY)
#define INCEPTION_DEFAULT (3600 * SEC)
#define DNSKEY_TTL_DEFAULT (3600 * SEC)
#define DS_TTL_DEFAULT DAY

static const struct param sign_params[] = {
	P_ENUM(struct sign_spec, by, "by", by_choices, SIGN_BY_LDNS,
	       "who signs: ldns, once, when the lab starts; the servers that load the zone (bind, knot), all the "
	       "while; or "
	       "each provider with keys of its own, all of whose keys every provider publishes (RFC 8901 model 2)"),
	P_ENUM(struct sign_spec, algorithm, "algorithm", algorithm_choices, 0, "of the keys; RSA keys have 2048 bits"),
	P_ENUM(struct sign_spec, keys, "keys", keys_choices, SIGN_KSK_ZSK,
	       "a key that signs keys and one that signs the rest, or one for both"),
	P_ENUM(struct sign_spec, nsec, "nsec", nsec_choices, SIGN_NSEC,
	       "how it is proven that something does not exist"),
	P_INT(struct sign_spec, iterations, "iterations", 0, 2500, 0,
	      "of NSEC3; more than 0 helps nobody (RFC 9276), and many resolvers then treat the zone as unsigned"),
	P_TEXT_DEFAULT(struct sign_spec, salt, "salt", "-", "of NSEC3, hexadecimal; - is none"),
	P_DURATION(struct sign_spec, validity_ns, "validity", SEC, 366 * DAY, VALIDITY_DEFAULT,
		   "how long after the lab's start signatures are valid"),
	P_DURATION(struct sign_spec, inception_ns, "inception", 0, 366 * DAY, INCEPTION_DEFAULT,
		   "how long before the lab's start signatures have become valid"),
	P_DURATION(struct sign_spec, dnskey_ttl_ns, "dnskey_ttl", 0, 7 * DAY, DNSKEY_TTL_DEFAULT,
		   "TTL of the keys, in whole seconds"),
	P_DURATION(struct sign_spec, ds_ttl_ns, "ds_ttl", 0, 7 * DAY, DS_TTL_DEFAULT,
		   "TTL of the DS records at the parent, in whole seconds"),
	P_BOOL(struct sign_spec, zonemd, "zonemd", false, "add a digest of the whole zone (RFC 8976)"),
	PARAM_END,
};

const struct table sign_table = {
	.name = "signing",
	.doc = "how a zone is signed; `true` stands for {}",
	.params = sign_params,
	.size = sizeof(struct sign_spec),
	.loc_offset = offsetof(struct sign_spec, loc),
	.name_offset = PARAM_NO_NAME,
	.given_offset = offsetof(struct sign_spec, is_given),
};

const struct sign_spec sign_defaults = {
	.is_given = true,
	.salt = {.value = "-"},
	.validity_ns = VALIDITY_DEFAULT,
	.inception_ns = INCEPTION_DEFAULT,
	.dnskey_ttl_ns = DNSKEY_TTL_DEFAULT,
	.ds_ttl_ns = DS_TTL_DEFAULT,
};

unsigned sign_algorithm(const struct sign_spec *sign)
{
	return algorithm_numbers[sign->algorithm];
}

static bool is_salt(const char *text)
{
	size_t len = strlen(text);

	if (!strcmp(text, "-"))
		return true;
	for (size_t i = 0; i < len; i++)
		if (!isxdigit((unsigned char)text[i]))
			return false;
	return len > 0 && len % 2 == 0 && len / 2 <= SALT_MAX;
}

void sign_check(struct plan_ctx *ctx, const struct zone_spec *spec)
{
	const struct sign_spec *sign = &spec->sign;

	if (sign->salt.value && !is_salt(sign->salt.value))
		errs_add(ctx->errs, sign->salt.loc,
			 "salt: an even number of hexadecimal digits is expected, at most %d, or - for none",
			 2 * SALT_MAX);
	if (sign->nsec == SIGN_NSEC && (sign->iterations || (sign->salt.value && strcmp(sign->salt.value, "-"))))
		errs_add(ctx->errs, sign->loc, "iterations and salt are NSEC3's: write nsec: nsec3, or leave them out");
	if (sign->dnskey_ttl_ns % SEC || sign->ds_ttl_ns % SEC)
		errs_add(ctx->errs, sign->loc, "dnskey_ttl and ds_ttl: TTLs are whole seconds");
	if (sign->by == SIGN_BY_SERVER && sign->zonemd)
		errs_add(ctx->errs, sign->loc,
			 "zonemd: servers that sign themselves are not asked for one: say by: ldns");
	if (sign->by == SIGN_BY_SERVER && sign->validity_ns < DAY)
		errs_add(ctx->errs, sign->loc,
			 "validity: servers that sign themselves sign again in time: at least 24h; say by: ldns for "
			 "signatures that run out");
}

/* ---- of the topology ---- */

static void check_servers(struct topo_builder *b, const struct topo_zone *zone)
{
	for (size_t i = 0; i < zone->primary_count; i++) {
		const struct topo_host *host = zone->primaries[i];

		if (host->server && !host->server->can_sign)
			errs_add(b->errs, host->loc,
				 "%s: %s is not set up to sign %s: let it run bind or knot, or say by: ldns at the "
				 "zone's sign:",
				 host->name, host->server->name, zone->name);
	}
}

void topo_check_signing(struct topo_builder *b, const struct topo_zone *zone)
{
	const struct topo_host *first = zone->primary_count ? zone->primaries[0] : NULL;

	if (!zone->spec || !zone->sign || !first)
		return;
	if (zone->signing->by == SIGN_BY_SERVER)
		check_servers(b, zone);
	if (zone->signing->by != SIGN_BY_PROVIDERS)
		return;
	for (size_t i = 1; i < zone->primary_count; i++)
		if (strcmp(zone->primaries[i]->provider, first->provider) != 0)
			return;
	errs_add(b->errs, zone->signing->loc,
		 "zone %s: by: providers needs two providers with a nameserver that loads the zone itself (without "
		 "primary:); only %s has one",
		 zone->name, first->provider);
}
