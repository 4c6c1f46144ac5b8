/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each damage on a parent with two children; records are counted with ldns. */
#include "injectors/dnssec/damage.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
static const char *const parent[] = {
	"com. 300 IN SOA a.com. h.com. 7 3600 600 86400 60",
	"com. 300 IN NS a.com.",
	"a.com. 300 IN A 192.0.2.9",
	"example.com. 300 IN NS ns1.example.com.",
	"example.com. 300 IN NS ns2.example.com.",
	"ns1.example.com. 300 IN A 192.0.2.1",
	"ns1.example.com. 300 IN AAAA 2001:db8::1",
	"ns2.example.com. 300 IN A 192.0.2.2",
	"example.com. 300 IN DS 11 13 2 " DIGEST,
	"other.com. 300 IN NS ns.other.com.",
	"ns.other.com. 300 IN A 192.0.2.3",
	"other.com. 300 IN DS 12 13 2 " DIGEST,
};

static const struct addresses nowhere = {0};

static ldns_rr *rr_of(const char *text)
{
	ldns_rr *rr = NULL;

	assert_int_equal(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL), LDNS_STATUS_OK);
	return rr;
}

static ldns_rr_list *parse(void)
{
	ldns_rr_list *list = ldns_rr_list_new();

	for (size_t i = 0; i < ARRAY_LEN(parent); i++)
		ldns_rr_list_push_rr(list, rr_of(parent[i]));
	return list;
}

static bool has(const ldns_rr_list *rrs, const char *text)
{
	ldns_rr *rr = rr_of(text);
	bool found = false;

	for (size_t i = 0; !found && i < ldns_rr_list_rr_count(rrs); i++)
		found = ldns_rr_compare(ldns_rr_list_rr(rrs, i), rr) == 0;
	ldns_rr_free(rr);
	return found;
}

/* Of what was there: which lines are there still; bit i is parent[i]. */
static unsigned kept(const ldns_rr_list *rrs)
{
	unsigned ret = 0;

	for (size_t i = 0; i < ARRAY_LEN(parent); i++)
		ret |= has(rrs, parent[i]) ? 1u << i : 0;
	return ret;
}
#define ALL 0xfffu

static ldns_rr_list *damaged(struct delegation_damage damage)
{
	ldns_rr_list *rrs = parse();
	struct err err = {0};

	damage.child = "example.com";
	if (delegation_damage(rrs, &damage, &err) < 0)
		fail_msg("%s", err.text);
	return rrs;
}

/* damage leaves the lines of that set, and adds so many. */
static void leaves(struct delegation_damage damage, unsigned lines, size_t added)
{
	ldns_rr_list *rrs = damaged(damage);

	assert_int_equal(kept(rrs), lines);
	assert_int_equal(ldns_rr_list_rr_count(rrs), (size_t)__builtin_popcount(lines) + added);
	ldns_rr_list_deep_free(rrs);
}

static void a_held_zone_has_no_record_left_and_its_neighbour_all(void **state)
{
	(void)state;
	leaves((struct delegation_damage){.what = DELEGATION_HOLD}, 0xe07, 0);
}

static void nameservers_go_by_name_and_their_addresses_stay(void **state)
{
	static const char *const names[] = {"NS2.example.com"};

	(void)state;
	leaves((struct delegation_damage){.what = DELEGATION_NS_REMOVED, .ns = names, .ns_count = 1}, ALL & ~(1u << 4),
	       0);
}

static void wrong_nameservers_come_in_the_place_of_all(void **state)
{
	static const char *const names[] = {"ns.thief.net"};
	struct delegation_damage damage = {.what = DELEGATION_NS_WRONG, .ns = names, .ns_count = 1};
	ldns_rr_list *rrs = damaged(damage);

	(void)state;
	assert_true(has(rrs, "example.com. 172800 IN NS ns.thief.net."));
	ldns_rr_list_deep_free(rrs);
	leaves(damage, ALL & ~(3u << 3), 1);
	leaves((struct delegation_damage){.what = DELEGATION_NS_WRONG}, ALL & ~(3u << 3), 2);
}

static void stale_glue_has_other_addresses_of_the_same_family(void **state)
{
	static struct address old[] = {{.family = AF_INET, .text = "203.0.113.7"}};
	struct addresses addresses = {.v = old, .count = 1};
	struct delegation_damage damage = {.what = DELEGATION_GLUE_STALE, .addresses = &addresses};
	ldns_rr_list *rrs = damaged(damage);

	(void)state;
	assert_true(has(rrs, "ns1.example.com. 300 IN A 203.0.113.7"));
	assert_true(has(rrs, "ns1.example.com. 300 IN AAAA 2001:db8:dead::1"));
	assert_true(has(rrs, "ns2.example.com. 300 IN A 203.0.113.7"));
	ldns_rr_list_deep_free(rrs);
	leaves(damage, ALL & ~(7u << 5), 3);
}

static const ldns_rr *ds_of_child(const ldns_rr_list *rrs)
{
	const ldns_rr *ret = NULL;

	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++) {
		ldns_rr *rr = ldns_rr_list_rr(rrs, i);
		ldns_rdf *name = ldns_dname_new_frm_str("example.com.");

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_DS && !ldns_dname_compare(ldns_rr_owner(rr), name))
			ret = rr;
		ldns_rdf_deep_free(name);
	}
	return ret;
}

static void a_ds_goes_or_is_another_and_the_neighbours_stays(void **state)
{
	ldns_rr_list *rrs = damaged((struct delegation_damage){.what = DELEGATION_DS_WRONG});

	(void)state;
	/* The same key and algorithm, another digest. */
	assert_int_equal(ldns_rdf2native_int16(ldns_rr_rdf(ds_of_child(rrs), 0)), 11);
	assert_int_equal(ldns_rdf2native_int8(ldns_rr_rdf(ds_of_child(rrs), 1)), 13);
	ldns_rr_list_deep_free(rrs);
	leaves((struct delegation_damage){.what = DELEGATION_DS_WRONG}, ALL & ~(1u << 8), 1);
	leaves((struct delegation_damage){.what = DELEGATION_DS_REMOVED}, ALL & ~(1u << 8), 0);
	leaves((struct delegation_damage){.what = DELEGATION_DS_NEXT}, ALL & ~(1u << 8), 1);
	leaves((struct delegation_damage){.what = DELEGATION_DS_LEFT_BEHIND}, ALL, 1);
}

static void what_is_not_there_cannot_be_damaged(void **state)
{
	static const enum delegation_what whats[] = {DELEGATION_HOLD, DELEGATION_NS_WRONG, DELEGATION_GLUE_STALE,
						     DELEGATION_DS_WRONG, DELEGATION_DS_REMOVED};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(whats); i++) {
		struct delegation_damage damage = {.child = "nobody.com", .what = whats[i], .addresses = &nowhere};
		ldns_rr_list *rrs = parse();
		struct err err = {0};

		assert_int_equal(delegation_damage(rrs, &damage, &err), -EINVAL);
		assert_non_null(strstr(err.text, "nobody.com"));
		assert_int_equal(kept(rrs), ALL);
		ldns_rr_list_deep_free(rrs);
	}
}

static void what_was_saved_before_each_damage_restores_all_of_it(void **state)
{
	(void)state;
	for (int what = DELEGATION_HOLD; what <= DELEGATION_DS_LEFT_BEHIND; what++) {
		static const char *const names[] = {"ns1.example.com", "ns2.example.com"};
		ldns_rr_list *rrs = parse(), *saved = delegation_records(rrs, "example.com");
		struct delegation_damage damage = {
			.child = "example.com", .what = (enum delegation_what)what, .addresses = &nowhere};
		struct err err = {0};

		if (what == DELEGATION_NS_REMOVED)
			damage.ns = names, damage.ns_count = 2;
		assert_int_equal(ldns_rr_list_rr_count(saved), 6);
		assert_int_equal(delegation_damage(rrs, &damage, &err), 0);
		assert_int_equal(delegation_restore(rrs, "example.com", saved, &err), 0);
		assert_int_equal(kept(rrs), ALL);
		assert_int_equal(ldns_rr_list_rr_count(rrs), ARRAY_LEN(parent));
		ldns_rr_list_deep_free(saved);
		ldns_rr_list_deep_free(rrs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_held_zone_has_no_record_left_and_its_neighbour_all),
		cmocka_unit_test(nameservers_go_by_name_and_their_addresses_stay),
		cmocka_unit_test(wrong_nameservers_come_in_the_place_of_all),
		cmocka_unit_test(stale_glue_has_other_addresses_of_the_same_family),
		cmocka_unit_test(a_ds_goes_or_is_another_and_the_neighbours_stays),
		cmocka_unit_test(what_is_not_there_cannot_be_damaged),
		cmocka_unit_test(what_was_saved_before_each_damage_restores_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
