/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/lab/tree.h"
#include "tests/unit/run/small_plan.h"
#include <dirent.h>
#include <errno.h>

struct tree_case {
	struct small_plan small;
	struct topology *topology;
	struct tree_files files;
	char dir[40];
};

static void write_tree(struct tree_case *c)
{
	struct err err = {0};

	c->topology = small_topology(&c->small);
	snprintf(c->dir, sizeof(c->dir), "/tmp/dnsdrill-tree-XXXXXX");
	assert_non_null(mkdtemp(c->dir));
	if (tree_write(c->topology, c->dir, c->small.arena, &c->files, &err) < 0)
		fail_msg("%s", err.text);
}

/* The directories of keys, and every other file of a server's own. */
static void remove_own_files(struct tree_case *c, size_t zone)
{
	char path[512];
	DIR *dir;

	for (size_t host = 0; host < c->topology->host_count; host++) {
		const char *keys = tree_key_dir(&c->files, zone, host);

		unlink(tree_zone_file(&c->files, zone, host));
		dir = keys ? opendir(keys) : NULL;
		if (!dir)
			continue;
		for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
			snprintf(path, sizeof(path), "%s/%s", keys, entry->d_name);
			unlink(path);
		}
		closedir(dir);
		rmdir(keys);
	}
}

static void end_tree(struct tree_case *c)
{
	for (size_t i = 0; i < c->topology->zone_count; i++) {
		remove_own_files(c, i);
		unlink(c->files.zone_files[i]);
	}
	unlink(c->files.root_hints);
	if (c->files.trust_anchor)
		unlink(c->files.trust_anchor);
	assert_int_equal(rmdir(c->dir), 0); /* nothing else was written */
	small_plan_fini(&c->small);
}

static const char *file_of(const struct tree_case *c, const char *zone)
{
	for (size_t i = 0; i < c->topology->zone_count; i++) {
		if (!strcmp(c->topology->zones[i].name, zone))
			return c->files.zone_files[i];
	}
	fail_msg("there is no zone %s", zone);
	return NULL;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The records of a type at a name in a file: their data in order, separated by spaces. "" for none. */
static const char *records(struct tree_case *c, const char *path, const char *name, ldns_rr_type type)
{
	FILE *in = fopen(path, "r");
	ldns_rdf *owner = ldns_dname_new_frm_str(name), *previous = NULL, *origin = NULL;
	char *found[32], *text = arena_strdup(c->small.arena, "");
	uint32_t ttl = 0;
	size_t count = 0;

	assert_non_null(in);
	while (!feof(in)) {
		ldns_rr *rr = NULL;

		if (ldns_rr_new_frm_fp(&rr, in, &ttl, &origin, &previous) == LDNS_STATUS_OK) {
			if (ldns_rr_get_type(rr) == type && !ldns_dname_compare(ldns_rr_owner(rr), owner) && count < 32)
				found[count++] = ldns_rdf2str(ldns_rr_rdf(rr, 0));
			ldns_rr_free(rr);
		}
	}
	qsort(found, count, sizeof(found[0]), compare_text);
	for (size_t i = 0; i < count; i++) {
		text = arena_printf(c->small.arena, "%s%s%s", text, i ? " " : "", found[i]);
		free(found[i]);
	}
	ldns_rdf_deep_free(owner);
	ldns_rdf_deep_free(previous);
	ldns_rdf_deep_free(origin);
	fclose(in);
	return text;
}

#define ASSERT_RECORDS(c, zone, name, type, want) \
	assert_string_equal(records(c, file_of(c, zone), name, LDNS_RR_TYPE_##type), want)

static void parents_delegate_by_the_zones_own_ns_set(void **state)
{
	struct tree_case c;

	(void)state;
	small_demo(&c.small, "bind", "knot");
	write_tree(&c);
	ASSERT_RECORDS(&c, "com", "example.com", NS,
		       "ns1.alpha-dns.net. ns1.beta-dns.org. ns2.alpha-dns.net. ns2.beta-dns.org.");
	ASSERT_RECORDS(&c, ".", "com", NS, "a.nic.com.");
	ASSERT_RECORDS(&c, "net", "alpha-dns.net", NS, "ns1.alpha-dns.net. ns2.alpha-dns.net.");
	assert_null(c.files.trust_anchor); /* nothing is signed */
	end_tree(&c);
}

static void glue_stands_below_the_parent_only(void **state)
{
	struct tree_case c;

	(void)state;
	small_demo(&c.small, "bind", "knot");
	write_tree(&c);
	/* In net, which delegates alpha-dns.net; not in com, which merely names it (and net could not believe it). */
	ASSERT_RECORDS(&c, "net", "ns1.alpha-dns.net", A, "192.0.2.1");
	ASSERT_RECORDS(&c, "net", "ns1.alpha-dns.net", AAAA, "2001:db8:1::1");
	ASSERT_RECORDS(&c, "com", "ns1.alpha-dns.net", A, "");
	/* Everything lies below the root: the TLDs' servers, but only theirs. */
	ASSERT_RECORDS(&c, ".", "a.nic.com", A, "198.19.1.1");
	ASSERT_RECORDS(&c, ".", "ns1.alpha-dns.net", A, "");
	/* The nameservers' own zone has the authoritative data. */
	ASSERT_RECORDS(&c, "alpha-dns.net", "ns1.alpha-dns.net", A, "192.0.2.1");
	end_tree(&c);
}

/* Registries hand out addresses of nameservers under a sibling zone too: org delegates example.org to ns1.beta-dns.org. */
static void sibling_glue_is_given(void **state)
{
	struct tree_case c;

	(void)state;
	small_plan_init(&c.small);
	small_zone(
		&c.small, "example.org",
		"$ORIGIN example.org.\n$TTL 60\n@ IN SOA ns1.beta-dns.org. h 1 2 3 4 5\n@ IN NS ns1.beta-dns.org.\n");
	small_nameserver(&c.small, "beta", "ns1", "ns1.beta-dns.org", "198.51.100.1", "knot", NULL);
	write_tree(&c);
	ASSERT_RECORDS(&c, "org", "example.org", NS, "ns1.beta-dns.org.");
	ASSERT_RECORDS(&c, "org", "ns1.beta-dns.org", A, "198.51.100.1");
	end_tree(&c);
}

static void in_bailiwick_nameserver_gets_glue_from_its_host(void **state)
{
	struct tree_case c;

	(void)state;
	small_plan_init(&c.small);
	small_zone(&c.small, "example.org",
		   "$ORIGIN example.org.\n$TTL 60\n@ IN SOA ns h 1 2 3 4 5\n@ IN NS ns\nns IN A 198.51.100.7\n");
	small_nameserver(&c.small, "own", "ns1", "ns.example.org", "198.51.100.7", "knot", NULL);
	write_tree(&c);
	ASSERT_RECORDS(&c, "org", "ns.example.org", A, "198.51.100.7");
	ASSERT_RECORDS(&c, "example.org", "ns.example.org", A, "198.51.100.7");
	end_tree(&c);
}

static void apex_ns_from_lab_replaces_the_set(void **state)
{
	struct tree_case c;

	(void)state;
	small_plan_init(&c.small);
	small_zone(&c.small, "example.com", SMALL_ZONE_TEXT)->apex_ns = APEX_NS_FROM_LAB;
	small_nameserver(&c.small, "gamma", "ns1", NULL, "192.0.2.9", "knot", NULL);
	small_nameserver(&c.small, "gamma", "ns2", NULL, "192.0.2.10", "knot", NULL);
	write_tree(&c);
	ASSERT_RECORDS(&c, "example.com", "example.com", NS, "ns1.gamma.lab. ns2.gamma.lab.");
	ASSERT_RECORDS(&c, "com", "example.com", NS, "ns1.gamma.lab. ns2.gamma.lab.");
	ASSERT_RECORDS(&c, "example.com", "www.example.com", A, "192.0.2.80"); /* the rest is the file's */
	end_tree(&c);
}

static void delegation_text_stands_instead_of_the_generated_one(void **state)
{
	struct tree_case c;

	(void)state;
	small_demo(&c.small, "bind", "knot");
	/* Relative names are the parent's. */
	c.small.zones[0].delegation =
		small_text("example 300 IN NS ns1.alpha-dns.net.\nexample NS ns.lame\nns.lame A 192.0.2.66");
	write_tree(&c);
	ASSERT_RECORDS(&c, "com", "example.com", NS, "ns.lame.com. ns1.alpha-dns.net.");
	ASSERT_RECORDS(&c, "com", "ns.lame.com", A, "192.0.2.66");
	ASSERT_RECORDS(&c, "example.com", "example.com", NS,
		       "ns1.alpha-dns.net. ns1.beta-dns.org. ns2.alpha-dns.net. ns2.beta-dns.org.");
	end_tree(&c);
}

static void parent_in_the_plan_delegates_its_child(void **state)
{
	struct tree_case c;

	(void)state;
	small_demo(&c.small, "bind", "knot");
	small_zone(&c.small, "sub.example.com",
		   "$ORIGIN sub.example.com.\n$TTL 60\n@ IN SOA ns1.beta-dns.org. h 1 2 3 4 5\n@ IN NS "
		   "ns1.beta-dns.org.\n");
	write_tree(&c);
	ASSERT_RECORDS(&c, "example.com", "sub.example.com", NS, "ns1.beta-dns.org.");
	ASSERT_RECORDS(&c, "com", "sub.example.com", NS, "");
	end_tree(&c);
}

static void delegation_a_parents_file_has_is_kept(void **state)
{
	struct tree_case c;

	(void)state;
	small_plan_init(&c.small);
	small_zone(&c.small, "example.com", SMALL_ZONE_TEXT "sub IN NS ns2.alpha-dns.net.\n");
	small_zone(&c.small, "sub.example.com",
		   "$ORIGIN sub.example.com.\n$TTL 60\n@ IN SOA ns1.beta-dns.org. h 1 2 3 4 5\n@ IN NS "
		   "ns1.beta-dns.org.\n");
	small_nameserver(&c.small, "alpha", "ns1", "ns1.alpha-dns.net", "192.0.2.1", "knot", NULL);
	small_nameserver(&c.small, "alpha", "ns2", "ns2.alpha-dns.net", "192.0.2.2", "knot", NULL);
	small_nameserver(&c.small, "beta", "ns1", "ns1.beta-dns.org", "192.0.2.3", "knot", NULL);
	small_nameserver(&c.small, "beta", "ns2", "ns2.beta-dns.org", "192.0.2.4", "knot", NULL);
	write_tree(&c);
	ASSERT_RECORDS(&c, "example.com", "sub.example.com", NS, "ns2.alpha-dns.net.");
	end_tree(&c);
}

static ldns_rr_list *read_all(const char *path)
{
	FILE *in = fopen(path, "r");
	ldns_rr_list *list = ldns_rr_list_new();
	ldns_rdf *previous = NULL, *origin = NULL;
	uint32_t ttl = 0;

	assert_non_null(in);
	while (!feof(in)) {
		ldns_rr *rr = NULL;

		if (ldns_rr_new_frm_fp(&rr, in, &ttl, &origin, &previous) == LDNS_STATUS_OK)
			ldns_rr_list_push_rr(list, rr);
	}
	ldns_rdf_deep_free(previous);
	ldns_rdf_deep_free(origin);
	fclose(in);
	return list;
}

static size_t count_type(const ldns_rr_list *list, ldns_rr_type type)
{
	size_t count = 0;

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++)
		count += ldns_rr_get_type(ldns_rr_list_rr(list, i)) == type;
	return count;
}

/* Whether a DS record of the parent's file is the digest of a DNSKEY in the zone's. */
static bool ds_matches(struct tree_case *c, const char *parent, const char *zone)
{
	ldns_rr_list *up = read_all(file_of(c, parent)), *down = read_all(file_of(c, zone));
	bool matches = false;

	for (size_t i = 0; i < ldns_rr_list_rr_count(up); i++) {
		for (size_t k = 0; k < ldns_rr_list_rr_count(down); k++) {
			const ldns_rr *ds = ldns_rr_list_rr(up, i), *key = ldns_rr_list_rr(down, k);

			if (ldns_rr_get_type(ds) == LDNS_RR_TYPE_DS && ldns_rr_get_type(key) == LDNS_RR_TYPE_DNSKEY)
				matches = matches || ldns_rr_compare_ds(ds, key);
		}
	}
	ldns_rr_list_deep_free(up);
	ldns_rr_list_deep_free(down);
	return matches;
}

static void signed_zone_has_a_chain_up_to_the_trust_anchor(void **state)
{
	struct tree_case c;
	ldns_rr_list *anchor, *root;
	const char *text = SMALL_ZONE_TEXT "www IN A 192.0.2.80\n"; /* a record twice must not disturb */

	(void)state;
	small_demo(&c.small, "bind", "knot");
	zone_free(c.small.zones[0].zone);
	c.small.plan.lab.zones.count = 0;
	small_zone(&c.small, "example.com", text)->sign = sign_defaults;
	write_tree(&c);
	assert_true(ds_matches(&c, "com", "example.com"));
	assert_true(ds_matches(&c, ".", "com"));
	assert_false(ds_matches(&c, "net", "alpha-dns.net")); /* unsigned, as most are */
	anchor = read_all(c.files.trust_anchor);
	root = read_all(file_of(&c, "."));
	assert_int_equal(ldns_rr_list_rr_count(anchor), 1);
	assert_true(ldns_rr_list_contains_rr(root, ldns_rr_list_rr(anchor, 0)));
	/* A key that signs keys and one that signs the rest, each saying so. */
	assert_string_equal(records(&c, file_of(&c, "example.com"), "example.com", LDNS_RR_TYPE_DNSKEY), "256 257");
	ldns_rr_list_deep_free(anchor);
	ldns_rr_list_deep_free(root);
	end_tree(&c);
}

/* What sig covers, and every DNSKEY of the zone. Borrowed from rrs. */
static void sort_out(const ldns_rr_list *rrs, const ldns_rr *sig, ldns_rr_list *covered, ldns_rr_list *keys)
{
	ldns_rr_type type = ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(sig));

	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++) {
		ldns_rr *rr = ldns_rr_list_rr(rrs, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNSKEY)
			ldns_rr_list_push_rr(keys, rr);
		if (ldns_rr_get_type(rr) == type && !ldns_dname_compare(ldns_rr_owner(rr), ldns_rr_owner(sig)))
			ldns_rr_list_push_rr(covered, rr);
	}
}

/* By ldns's verifier; for a second opinion see the tests of the resolvers. */
static void signatures_verify_and_are_valid_now(void **state)
{
	struct tree_case c;
	ldns_rr_list *rrs;

	(void)state;
	small_demo(&c.small, "bind", "knot");
	c.small.zones[0].sign = sign_defaults;
	write_tree(&c);
	rrs = read_all(file_of(&c, "example.com"));
	assert_int_equal(count_type(rrs, LDNS_RR_TYPE_NSEC), 3); /* apex, www, wildcard */
	/* SOA, NS, DNSKEY and NSEC at the apex, A and NSEC at the other two. */
	assert_int_equal(count_type(rrs, LDNS_RR_TYPE_RRSIG), 8);
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++) {
		ldns_rr *sig = ldns_rr_list_rr(rrs, i);
		ldns_rr_list *covered, *keys;

		if (ldns_rr_get_type(sig) != LDNS_RR_TYPE_RRSIG)
			continue;
		covered = ldns_rr_list_new();
		keys = ldns_rr_list_new();
		sort_out(rrs, sig, covered, keys);
		assert_int_equal(ldns_verify_rrsig_keylist(covered, sig, keys, NULL), LDNS_STATUS_OK);
		ldns_rr_list_free(covered);
		ldns_rr_list_free(keys);
	}
	ldns_rr_list_deep_free(rrs);
	end_tree(&c);
}

static char *read_text(struct tree_case *c, const char *path)
{
	char *text = arena_alloc(c->small.arena, 65536);
	FILE *in = fopen(path, "r");

	assert_non_null(in);
	assert_true(fread(text, 1, 65535, in) > 0);
	fclose(in);
	return text;
}

static void zone_signed_in_its_file_is_kept_and_gets_a_ds(void **state)
{
	struct tree_case first, second;
	char *text;

	(void)state;
	small_demo(&first.small, "bind", "knot");
	first.small.zones[0].sign = sign_defaults;
	write_tree(&first);
	text = read_text(&first, file_of(&first, "example.com"));
	small_demo(&second.small, "bind", "knot");
	zone_free(second.small.zones[0].zone);
	second.small.plan.lab.zones.count = 0;
	small_zone(&second.small, "example.com", text);
	write_tree(&second);
	assert_true(second.topology->is_signed);
	assert_true(ds_matches(&second, "com", "example.com"));
	assert_string_equal(records(&second, file_of(&second, "example.com"), "example.com", LDNS_RR_TYPE_DNSKEY),
			    "256 257");
	assert_non_null(second.files.trust_anchor);
	end_tree(&second);
	end_tree(&first);
}

/* RFC 2317. */
static void zone_name_with_a_slash_makes_a_plain_file_name(void **state)
{
	struct tree_case c;

	(void)state;
	small_plan_init(&c.small);
	small_zone(&c.small, "0/25.2.0.192.in-addr.arpa",
		   "$ORIGIN 0/25.2.0.192.in-addr.arpa.\n$TTL 60\n@ IN SOA ns1.beta-dns.org. h 1 2 3 4 5\n"
		   "@ IN NS ns1.beta-dns.org.\n1 IN PTR www.example.com.\n");
	small_nameserver(&c.small, "beta", "ns1", "ns1.beta-dns.org", "198.51.100.1", "knot", NULL);
	write_tree(&c);
	ASSERT_RECORDS(&c, "0/25.2.0.192.in-addr.arpa", "1.0/25.2.0.192.in-addr.arpa", PTR, "www.example.com.");
	end_tree(&c);
}

static void hints_name_the_root_server_and_its_addresses(void **state)
{
	struct tree_case c;

	(void)state;
	small_demo(&c.small, "bind", "knot");
	write_tree(&c);
	assert_string_equal(records(&c, c.files.root_hints, ".", LDNS_RR_TYPE_NS), "a.root-servers.net.");
	assert_string_equal(records(&c, c.files.root_hints, "a.root-servers.net", LDNS_RR_TYPE_A), "198.41.0.4");
	assert_string_equal(records(&c, c.files.root_hints, "a.root-servers.net", LDNS_RR_TYPE_AAAA),
			    "2001:503:ba3e::2:30");
	end_tree(&c);
}

static void directory_that_cannot_be_written_is_an_error(void **state)
{
	struct small_plan small;
	struct tree_files files;
	struct err err = {0};

	(void)state;
	small_demo(&small, "bind", "knot");
	assert_int_equal(tree_write(small_topology(&small), "/nonexistent/dir", small.arena, &files, &err), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/dir"));
	small_plan_fini(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parents_delegate_by_the_zones_own_ns_set),
		cmocka_unit_test(glue_stands_below_the_parent_only),
		cmocka_unit_test(sibling_glue_is_given),
		cmocka_unit_test(in_bailiwick_nameserver_gets_glue_from_its_host),
		cmocka_unit_test(apex_ns_from_lab_replaces_the_set),
		cmocka_unit_test(delegation_text_stands_instead_of_the_generated_one),
		cmocka_unit_test(parent_in_the_plan_delegates_its_child),
		cmocka_unit_test(delegation_a_parents_file_has_is_kept),
		cmocka_unit_test(signed_zone_has_a_chain_up_to_the_trust_anchor),
		cmocka_unit_test(signatures_verify_and_are_valid_now),
		cmocka_unit_test(zone_signed_in_its_file_is_kept_and_gets_a_ds),
		cmocka_unit_test(zone_name_with_a_slash_makes_a_plain_file_name),
		cmocka_unit_test(hints_name_the_root_server_and_its_addresses),
		cmocka_unit_test(directory_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
