/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/dnssec/damage.h"
#include <errno.h>
#include <string.h>
#include <time.h>

/* More than the skew that validators forgive: up to a day. */
#define DAY (24 * 3600)
#define TOO_MANY_ITERATIONS 500 /* resolvers go along with 150 at most (RFC 9276 section 3.2) */

const char *const signing_whats[] = {
	[SIGNING_EXPIRED] = "expired",
	[SIGNING_NOT_YET] = "not-yet-valid",
	[SIGNING_KEY_WITHDRAWN] = "key-withdrawn",
	[SIGNING_ROLLOVER_STOPPED] = "rollover-stopped",
	[SIGNING_ALGORITHM_HALF] = "algorithm-half",
	[SIGNING_FOREIGN_KEY_MISSING] = "foreign-key-missing",
	[SIGNING_NSEC3_PARAMETERS] = "nsec3-parameters",
	[SIGNING_NSEC3_ITERATIONS] = "nsec3-iterations",
	[SIGNING_ZONEMD_WRONG] = "zonemd-wrong",
	[SIGNING_UNSIGNED] = "unsigned",
	NULL,
};

const char *signing_sentence(enum signing_what what)
{
	switch (what) {
	case SIGNING_EXPIRED:
		return "with signatures that ran out three days ago";
	case SIGNING_NOT_YET:
		return "with signatures that become valid in three days";
	case SIGNING_KEY_WITHDRAWN:
		return "signed by a zone-signing key that is withdrawn already";
	case SIGNING_ROLLOVER_STOPPED:
		return "with a new key-signing key, while the parent's DS still names the old one";
	case SIGNING_ALGORITHM_HALF:
		return "with keys of a new algorithm only, while the parent's DS still names a key of the old one";
	case SIGNING_FOREIGN_KEY_MISSING:
		return "without the other providers' keys";
	case SIGNING_NSEC3_PARAMETERS:
		return "with an NSEC3PARAM record that does not fit its NSEC3 records";
	case SIGNING_NSEC3_ITERATIONS:
		return "with NSEC3 records of 500 iterations";
	case SIGNING_ZONEMD_WRONG:
		return "with a digest (ZONEMD) that does not fit";
	case SIGNING_UNSIGNED:
		return "without any signature, while the parent has a DS";
	}
	return "";
}

static int none(const struct zone_edit *edit, const char *what, struct err *err)
{
	return err_set(err, -EINVAL, LOC_NONE, "zone %s has no %s", edit->zone->name, what);
}

static void set_times(struct dnssec_signing *signing, int64_t from_s, int64_t until_s)
{
	int64_t now_s = time(NULL);

	signing->inception_s = now_s + from_s;
	signing->expiration_s = now_s + until_s;
}

/* The key that signs the zone's data: a ZSK, or a CSK. */
static int withdraw_key(struct zone_edit *edit, struct err *err)
{
	struct dnssec_key_use *uses = edit->signing->keys;
	size_t found = 0;

	for (int is_sep = 0; !found && is_sep <= 1; is_sep++) {
		for (size_t i = 0; i < edit->signing->key_count; i++) {
			if (!uses[i].signs || uses[i].key->is_sep != is_sep)
				continue;
			uses[i].is_published = false;
			found++;
		}
	}
	return found ? 0 : none(edit, "key that signs", err);
}

/* Own keys go, fresh ones come in the place of each kind. */
static int replace_keys(struct zone_edit *edit, struct err *err)
{
	struct dnssec_signing *signing = edit->signing;
	const struct dnssec_keys *fresh = &edit->change->fresh;

	if (!fresh->count)
		return none(edit, "fresh keys", err);
	for (size_t i = 0; i < signing->key_count; i++)
		for (size_t k = 0; k < fresh->count; k++)
			if (signing->keys[i].key->key && signing->keys[i].key->is_sep == fresh->v[k]->is_sep)
				signing->keys[i].is_published = signing->keys[i].signs = false;
	for (size_t k = 0; k < fresh->count; k++)
		signing->keys[signing->key_count++] = (struct dnssec_key_use){fresh->v[k], true, true};
	return 0;
}

static int forget_foreign_keys(struct zone_edit *edit, struct err *err)
{
	size_t found = 0;

	for (size_t i = 0; i < edit->signing->key_count; i++) {
		if (edit->signing->keys[i].key->key)
			continue;
		edit->signing->keys[i].is_published = false;
		found++;
	}
	return found ? 0 : none(edit, "other provider's key (sign: {by: providers})", err);
}

int signing_fresh_keys(const struct server_zone *zone, enum signing_what what, struct dnssec_keys *keys,
		       struct err *err)
{
	unsigned own = zone->signing->algorithm, other = own == 13 ? 15 : 13;
	bool is_algorithm = what == SIGNING_ALGORITHM_HALF;
	int r = 0;

	if (what != SIGNING_ROLLOVER_STOPPED && !is_algorithm)
		return 0;
	for (int is_sep = 1; r == 0 && is_sep >= 0; is_sep--) {
		struct dnssec_key *key = NULL;

		if (!is_sep && (!is_algorithm || zone->signing->is_csk))
			continue;
		r = dnssec_key_new(zone->name, is_algorithm ? other : own, is_sep, &key, err);
		if (r == 0)
			r = dnssec_keys_add(keys, key, err);
	}
	return r;
}

int signing_damage(struct zone_edit *edit, enum signing_what what, struct err *err)
{
	struct dnssec_signing *signing = edit->signing;

	switch (what) {
	case SIGNING_EXPIRED:
		set_times(signing, -17 * DAY, -3 * DAY);
		return 0;
	case SIGNING_NOT_YET:
		set_times(signing, 3 * DAY, 17 * DAY);
		return 0;
	case SIGNING_KEY_WITHDRAWN:
		return withdraw_key(edit, err);
	case SIGNING_ROLLOVER_STOPPED:
		return replace_keys(edit, err);
	case SIGNING_ALGORITHM_HALF:
		return replace_keys(edit, err);
	case SIGNING_FOREIGN_KEY_MISSING:
		return forget_foreign_keys(edit, err);
	case SIGNING_NSEC3_PARAMETERS:
		signing->has_wrong_nsec3param = true;
		return signing->is_nsec3 ? 0 : none(edit, "NSEC3 records (sign: {nsec: nsec3})", err);
	case SIGNING_NSEC3_ITERATIONS:
		signing->iterations = TOO_MANY_ITERATIONS;
		return signing->is_nsec3 ? 0 : none(edit, "NSEC3 records (sign: {nsec: nsec3})", err);
	case SIGNING_ZONEMD_WRONG:
		signing->has_zonemd = signing->has_wrong_zonemd = true;
		return 0;
	case SIGNING_UNSIGNED:
		edit->is_unsigned = true;
		return 0;
	}
	return 0;
}
