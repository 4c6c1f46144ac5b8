/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/macro.h"
#include "harness/lab/tree_internal.h"
#include <errno.h>
#include <string.h>
#include <time.h>

#define HOUR 3600
#define VALIDITY (30 * 24 * HOUR)
#define KEY_TTL 86400

static int write_failed(const char *path, struct err *err)
{
	return err_set(err, errno ? -errno : -EIO, LOC_NONE, "cannot write %s: %s", path,
		       strerror(errno ? errno : EIO));
}

/* Closes out; 0 only if everything reached the file. */
static int finish(FILE *out, const char *path, struct err *err)
{
	bool has_failed = ferror(out);

	if (fclose(out) != 0 || has_failed)
		return write_failed(path, err);
	return 0;
}

int tree_write_plain(const ldns_rr_list *rrs, const char *path, struct err *err)
{
	FILE *out = fopen(path, "we");

	if (!out)
		return write_failed(path, err);
	ldns_rr_list_print_fmt(out, ldns_output_format_nocomments, rrs);
	return finish(out, path, err);
}

/* A fresh key with its DNSKEY added to the zone. Taken over by keys and zone. */
static int add_key(const char *name, uint16_t flags, ldns_key_list *keys, ldns_dnssec_zone *zone, ldns_rr **ret_dnskey)
{
	ldns_key *key = ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, 256);
	time_t now = time(NULL);
	ldns_rr *dnskey;

	if (!key)
		return -ENOMEM;
	ldns_key_set_pubkey_owner(key, ldns_dname_new_frm_str(name));
	ldns_key_set_flags(key, flags);
	ldns_key_set_origttl(key, KEY_TTL);
	ldns_key_set_inception(key, (uint32_t)(now - HOUR));
	ldns_key_set_expiration(key, (uint32_t)(now + VALIDITY));
	dnskey = ldns_key2rr(key);
	if (!dnskey || !ldns_key_list_push_key(keys, key)) {
		ldns_rr_free(dnskey);
		ldns_key_deep_free(key);
		return -ENOMEM;
	}
	ldns_rr_set_ttl(dnskey, KEY_TTL);
	ldns_key_set_keytag(key, ldns_calc_keytag(dnskey));
	if (ldns_dnssec_zone_add_rr(zone, dnskey) != LDNS_STATUS_OK) {
		ldns_rr_free(dnskey);
		return -ENOMEM;
	}
	if (ret_dnskey)
		*ret_dnskey = dnskey;
	return 0;
}

/* The zone as a tree of its own copies. Equal records are left out: ldns would lose (and leak) the second. */
static ldns_dnssec_zone *copy_zone(const ldns_rr_list *rrs)
{
	ldns_rr_list *sorted = ldns_rr_list_clone(rrs);
	ldns_dnssec_zone *zone = ldns_dnssec_zone_new();
	const ldns_rr *previous = NULL;
	bool has_failed = !sorted || !zone;

	if (!has_failed)
		ldns_rr_list_sort(sorted);
	for (size_t i = 0; !has_failed && i < ldns_rr_list_rr_count(sorted); i++) {
		ldns_rr *rr = ldns_rr_list_rr(sorted, i), *copy;

		if (previous && ldns_rr_compare(previous, rr) == 0)
			continue;
		previous = rr;
		copy = ldns_rr_clone(rr);
		has_failed = ldns_dnssec_zone_add_rr(zone, copy) != LDNS_STATUS_OK;
		if (has_failed)
			ldns_rr_free(copy);
	}
	ldns_rr_list_deep_free(sorted);
	if (has_failed) {
		ldns_dnssec_zone_deep_free(zone);
		return NULL;
	}
	return zone;
}

static int sign(const char *name, ldns_dnssec_zone *zone, ldns_rr_list *entry, struct err *err)
{
	ldns_key_list *keys = ldns_key_list_new();
	ldns_rr_list *added = ldns_rr_list_new();
	ldns_rr *ksk = NULL;
	ldns_status status = LDNS_STATUS_MEM_ERR;

	if (keys && added && add_key(name, LDNS_KEY_ZONE_KEY | LDNS_KEY_SEP_KEY, keys, zone, &ksk) == 0 &&
	    add_key(name, LDNS_KEY_ZONE_KEY, keys, zone, NULL) == 0)
		status = ldns_dnssec_zone_sign(zone, added, keys, ldns_dnssec_default_replace_signatures, NULL);
	if (status == LDNS_STATUS_OK && !ldns_rr_list_push_rr(entry, ldns_rr_clone(ksk)))
		status = LDNS_STATUS_MEM_ERR;
	ldns_rr_list_free(added); /* its records belong to the zone */
	ldns_key_list_free(keys);
	if (status != LDNS_STATUS_OK)
		return err_set(err, -EINVAL, LOC_NONE, "cannot sign %s: %s", name, ldns_get_errorstr_by_id(status));
	return 0;
}

static int write_zone(const ldns_dnssec_zone *zone, const char *path, struct err *err)
{
	FILE *out = fopen(path, "we");

	if (!out)
		return write_failed(path, err);
	ldns_dnssec_zone_print_fmt(out, ldns_output_format_nocomments, zone);
	return finish(out, path, err);
}

int tree_write_signed(const char *name, const ldns_rr_list *rrs, const char *path, ldns_rr_list **ret_entry,
		      struct err *err)
{
	ldns_dnssec_zone *zone = copy_zone(rrs);
	ldns_rr_list *entry = ldns_rr_list_new();
	int r;

	if (!zone || !entry)
		r = err_set(err, -ENOMEM, LOC_NONE, "cannot sign %s: out of memory", name);
	else
		r = sign(name, zone, entry, err);
	if (r == 0)
		r = write_zone(zone, path, err);
	if (zone)
		ldns_dnssec_zone_deep_free(zone);
	if (r < 0)
		ldns_rr_list_deep_free(entry);
	else
		*ret_entry = entry;
	return r;
}
