/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/dnssec/validate_internal.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum step conclude(struct validation_verdict *verdict, enum step step, unsigned ede, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(verdict->reason, sizeof(verdict->reason), fmt, ap);
	va_end(ap);
	verdict->ede = ede;
	return step;
}

const char *name_text(const ldns_rdf *name, char buf[NAME_TEXT])
{
	char *text = name ? ldns_rdf2str(name) : NULL;
	size_t len = text ? strlen(text) : 0;

	snprintf(buf, NAME_TEXT, "%.*s", (int)(len > 1 ? len - 1 : len), text ? text : "");
	free(text);
	return buf;
}

bool is_within(const ldns_rdf *name, const ldns_rdf *zone)
{
	return ldns_dname_compare(name, zone) == 0 || ldns_dname_is_subdomain(name, zone);
}

bool is_known_algorithm(uint8_t algorithm)
{
	return algorithm == 5 || algorithm == 7 || algorithm == 8 || algorithm == 10 || algorithm == 13 ||
	       algorithm == 14 || algorithm == 15;
}

static bool covers(const ldns_rr *rr, ldns_rr_type type)
{
	return ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG && ldns_rr_rd_count(rr) == 9 &&
	       ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)) == type;
}

static ldns_rr_list *select_records(const ldns_rr_list *list, const ldns_rdf *owner, ldns_rr_type type,
				    bool wants_signatures)
{
	ldns_rr_list *ret = ldns_rr_list_new();

	for (size_t i = 0; ret && i < ldns_rr_list_rr_count(list); i++) {
		ldns_rr *rr = ldns_rr_list_rr(list, i);
		bool is_wanted = wants_signatures ? covers(rr, type) : ldns_rr_get_type(rr) == type;

		if (is_wanted && ldns_rr_rd_count(rr) > 0 && ldns_dname_compare(ldns_rr_owner(rr), owner) == 0)
			ldns_rr_list_push_rr(ret, rr);
	}
	return ret;
}

ldns_rr_list *rrset_of(const ldns_rr_list *list, const ldns_rdf *owner, ldns_rr_type type)
{
	return select_records(list, owner, type, false);
}

ldns_rr_list *signatures_of(const ldns_rr_list *list, const ldns_rdf *owner, ldns_rr_type type)
{
	return select_records(list, owner, type, true);
}

static void describe_rrset(const ldns_rr_list *rrset, char *buf, size_t size)
{
	char name[NAME_TEXT], *type = ldns_rr_type2str(ldns_rr_list_type(rrset));

	snprintf(buf, size, "%s %s", name_text(ldns_rr_list_owner(rrset), name), type ? type : "");
	free(type);
}

static void moment_text(uint32_t seconds, char *buf, size_t size)
{
	time_t at = seconds;
	struct tm tm;

	strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
}

/* One signature and the one key that could have made it. Why not is said in how. */
struct attempt {
	ldns_rr_list *rrset; /* ldns wants it so, and changes only its own copies */
	const ldns_rr_list *keys;
	ldns_rr *signature;
	const ldns_rdf *zone;
	int64_t now_s;
	char what[NAME_TEXT + 32];
};

static bool is_key_for(const ldns_rr *key, const ldns_rr *signature)
{
	return ldns_rr_get_type(key) == LDNS_RR_TYPE_DNSKEY && ldns_rr_rd_count(key) == 4 &&
	       ldns_calc_keytag(key) == ldns_rdf2native_int16(ldns_rr_rrsig_keytag(signature)) &&
	       ldns_rdf2native_int8(ldns_rr_dnskey_algorithm(key)) ==
		       ldns_rdf2native_int8(ldns_rr_rrsig_algorithm(signature));
}

/* Serial arithmetic, as the times of signatures wrap in 2106 (RFC 4034 section 3.1.5). */
static bool is_later(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static enum step check_times(const struct attempt *attempt, unsigned tag, struct validation_verdict *verdict)
{
	uint32_t from = ldns_rdf2native_int32(ldns_rr_rrsig_inception(attempt->signature));
	uint32_t until = ldns_rdf2native_int32(ldns_rr_rrsig_expiration(attempt->signature));
	char text[32];

	if (is_later((uint32_t)attempt->now_s, until)) {
		moment_text(until, text, sizeof(text));
		return conclude(verdict, STEP_BOGUS, EDE_EXPIRED, "the signature of %s by key %u ran out at %s",
				attempt->what, tag, text);
	}
	if (is_later(from, (uint32_t)attempt->now_s)) {
		moment_text(from, text, sizeof(text));
		return conclude(verdict, STEP_BOGUS, EDE_NOT_YET,
				"the signature of %s by key %u is not valid before %s", attempt->what, tag, text);
	}
	return STEP_OK;
}

static enum step try_signature(const struct attempt *attempt, struct validation_verdict *verdict)
{
	unsigned tag = ldns_rdf2native_int16(ldns_rr_rrsig_keytag(attempt->signature));
	unsigned algorithm = ldns_rdf2native_int8(ldns_rr_rrsig_algorithm(attempt->signature));
	char zone[NAME_TEXT], signer[NAME_TEXT];
	enum step step = STEP_BOGUS;
	bool has_key = false;

	if (ldns_dname_compare(ldns_rr_rrsig_signame(attempt->signature), attempt->zone) != 0)
		return conclude(verdict, STEP_BOGUS, EDE_BOGUS, "the signature of %s names %s as its signer, not %s",
				attempt->what, name_text(ldns_rr_rrsig_signame(attempt->signature), signer),
				name_text(attempt->zone, zone));
	for (size_t i = 0; i < ldns_rr_list_rr_count(attempt->keys); i++) {
		ldns_rr *key = ldns_rr_list_rr(attempt->keys, i);

		if (!is_key_for(key, attempt->signature))
			continue;
		has_key = true;
		step = check_times(attempt, tag, verdict);
		if (step != STEP_OK)
			return step;
		if (ldns_verify_rrsig_time(attempt->rrset, attempt->signature, key, (time_t)attempt->now_s) ==
		    LDNS_STATUS_OK)
			return STEP_OK;
	}
	if (!has_key)
		return conclude(verdict, STEP_BOGUS, EDE_NO_DNSKEY,
				"%s is signed by key %u (algorithm %u), which %s does not have among its %s",
				attempt->what, tag, algorithm, name_text(attempt->zone, zone),
				ldns_rr_list_type(attempt->rrset) == LDNS_RR_TYPE_DNSKEY ? "keys that a DS names"
											 : "DNSKEYs");
	return conclude(verdict, STEP_BOGUS, EDE_BOGUS, "the signature of %s by key %u does not fit the records",
			attempt->what, tag);
}

/* Of several bad signatures that one is told which came closest: times are looked at last. */
static int rank(const struct validation_verdict *verdict)
{
	if (verdict->ede == EDE_EXPIRED || verdict->ede == EDE_NOT_YET)
		return 3;
	return verdict->ede == EDE_BOGUS ? 2 : 1;
}

enum step verify_rrset(ldns_rr_list *rrset, const ldns_rr_list *signatures, const ldns_rdf *zone,
		       const ldns_rr_list *keys, int64_t now_s, const ldns_rr **ret_signature,
		       struct validation_verdict *verdict)
{
	struct attempt attempt = {.rrset = rrset, .keys = keys, .zone = zone, .now_s = now_s};
	char name[NAME_TEXT];
	int best = 0;

	describe_rrset(rrset, attempt.what, sizeof(attempt.what));
	if (!ldns_rr_list_rr_count(signatures))
		return conclude(verdict, STEP_BOGUS, EDE_NO_RRSIG, "%s has no signature, and %s is signed",
				attempt.what, name_text(zone, name));
	for (size_t i = 0; i < ldns_rr_list_rr_count(signatures); i++) {
		struct validation_verdict why = {0};

		attempt.signature = ldns_rr_list_rr(signatures, i);
		if (try_signature(&attempt, &why) == STEP_OK) {
			if (ret_signature)
				*ret_signature = attempt.signature;
			return STEP_OK;
		}
		if (rank(&why) > best) {
			best = rank(&why);
			*verdict = why;
		}
	}
	return STEP_BOGUS;
}
