/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/plan/plan_text.h"

#include "harness/plan/zone_private.h"

#define NAMES 400

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* One to three labels of few different bytes, among them those that a key has to escape, below example.com. */
static ldns_rdf *random_name(uint32_t *state)
{
	static const uint8_t bytes[] = {0, 1, 2, '.', 'A', 'a', 'b', 'Z', 255};
	static const uint8_t apex[] = "\7eXample\3com";
	uint8_t wire[LDNS_MAX_DOMAINLEN];
	size_t len = 0;

	for (uint32_t labels = next_random(state) % 4; labels; labels--) {
		uint8_t size = (uint8_t)(1 + next_random(state) % 3);

		wire[len++] = size;
		for (; size; size--)
			wire[len++] = bytes[next_random(state) % sizeof(bytes)];
	}
	memcpy(wire + len, apex, sizeof(apex));
	return ldns_dname_new_frm_data((uint16_t)(len + sizeof(apex)), wire);
}

static int sign_of(int n)
{
	return (n > 0) - (n < 0);
}

static int compare(const struct zone_key *a, const struct zone_key *b)
{
	int order = memcmp(a->v, b->v, a->len < b->len ? a->len : b->len);

	return order ? sign_of(order) : (a->len > b->len) - (a->len < b->len);
}

static void keys_are_in_the_canonical_order_of_their_names(void **state)
{
	struct zone_private *zone = zone_new("example.com", "none");
	static struct zone_key keys[NAMES];
	ldns_rdf *names[NAMES];
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < NAMES; i++) {
		names[i] = random_name(&seed);
		assert_true(zone_key_of(zone, names[i], &keys[i]));
	}
	for (size_t i = 0; i < NAMES; i++) {
		for (size_t k = 0; k < NAMES; k++) {
			bool is_below = keys[i].len > keys[k].len && !memcmp(keys[i].v, keys[k].v, keys[k].len);

			assert_int_equal(compare(&keys[i], &keys[k]), sign_of(ldns_dname_compare(names[i], names[k])));
			assert_int_equal(is_below,
					 ldns_dname_label_count(names[i]) > ldns_dname_label_count(names[k]) &&
						 ldns_dname_is_subdomain(names[i], names[k]));
		}
	}
	for (size_t i = 0; i < NAMES; i++)
		ldns_rdf_deep_free(names[i]);
	zone_free(&zone->zone);
}

static void names_outside_of_the_zone_have_no_key(void **state)
{
	static const char *const outside[] = {
		"com", ".", "example.org", "notexample.com", "ample.com", "www.example.net"};
	struct zone_private *zone = zone_new("example.com", "none"), *root = zone_new(".", "none");
	struct zone_key key;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(outside); i++) {
		ldns_rdf *name = ldns_dname_new_frm_str(outside[i]);

		assert_false(zone_key_of(zone, name, &key));
		assert_true(zone_key_of(root, name, &key));
		ldns_rdf_deep_free(name);
	}
	zone_free(&zone->zone);
	zone_free(&root->zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_in_the_canonical_order_of_their_names),
		cmocka_unit_test(names_outside_of_the_zone_have_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
