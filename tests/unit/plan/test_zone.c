/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/plan/plan_text.h"

#include "harness/plan/zone.h"

#define FILE_NAME "example.com.zone"

static struct zone *load(const char *text)
{
	struct errs errs = {0};
	struct zone *zone;
	char *errors;

	write_text(FILE_NAME, text);
	zone = zone_load("example.com", FILE_NAME, LOC_NONE, &errs);
	errors = errors_text(&errs);
	assert_string_equal(errors, "");
	free(errors);
	return zone;
}

static void refuse_bytes(const char *data, size_t len, const char *expected)
{
	struct errs errs = {0};
	char *errors;

	write_bytes(FILE_NAME, data, len);
	assert_null(zone_load("example.com", FILE_NAME, LOC_NONE, &errs));
	errors = errors_text(&errs);
	assert_string_equal(errors, expected);
	free(errors);
}

static void refuse(const char *text, const char *expected)
{
	refuse_bytes(text, strlen(text), expected);
}

/* What a question gets: the records' data joined by " | ", with the kind of answer in front. */
static const char *ask(const struct zone *zone, const char *name, ldns_rr_type type, struct arena *arena)
{
	static const char *const words[] = {"answer", "nodata", "nxdomain", "delegation", "out"};
	ldns_rr_list *rrs = NULL;
	const char *cname = NULL;
	enum zone_answer answer = zone_lookup(zone, name, (uint16_t)type, arena, &rrs, &cname);
	const char *text = words[answer];

	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++)
		text = arena_printf(arena, "%s | %s", text, zone_rdata_text(ldns_rr_list_rr(rrs, i), arena));
	if (cname)
		text = arena_printf(arena, "%s > %s", text, cname);
	ldns_rr_list_free(rrs);
	return text;
}

struct question {
	const char *name;
	ldns_rr_type type;
	const char *answer;
};

static void ask_all(const char *text, const struct question *questions, size_t count)
{
	struct arena *arena = arena_new();
	struct zone *zone = load(text);

	assert_non_null(zone);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(ask(zone, questions[i].name, questions[i].type, arena), questions[i].answer);
	zone_free(zone);
	arena_free(arena);
}

#define ASK_ALL(text, ...)                                      \
	ask_all((text), (const struct question[]){__VA_ARGS__}, \
		sizeof((const struct question[]){__VA_ARGS__}) / sizeof(struct question))

static void names_are_found_whatever_their_case(void **state)
{
	(void)state;
	ASK_ALL(ZONE_HEAD "WWW A 192.0.2.80\n", {"www.example.com", LDNS_RR_TYPE_A, "answer | 192.0.2.80"},
		{"www.EXAMPLE.com", LDNS_RR_TYPE_A, "answer | 192.0.2.80"},
		{"www.example.com", LDNS_RR_TYPE_MX, "nodata"}, {"ftp.example.com", LDNS_RR_TYPE_A, "nxdomain"});
}

static void aliases_are_followed_within_the_zone_and_reported_beyond(void **state)
{
	(void)state;
	ASK_ALL(ZONE_HEAD "www A 192.0.2.80\none CNAME two\ntwo CNAME www\nfar CNAME cdn.example.net.\n"
			  "loop CNAME loop\nnowhere CNAME nothing\n",
		{"one.example.com", LDNS_RR_TYPE_A, "answer | 192.0.2.80"},
		{"one.example.com", LDNS_RR_TYPE_CNAME, "answer | two.example.com."},
		{"far.example.com", LDNS_RR_TYPE_A, "out > cdn.example.net"},
		{"loop.example.com", LDNS_RR_TYPE_A, "nodata"}, {"nowhere.example.com", LDNS_RR_TYPE_A, "nxdomain"});
}

/* The example of RFC 4592 section 2.2.1, as far as it goes for these types. */
static void wildcards_answer_as_rfc_4592_says(void **state)
{
	(void)state;
	ASK_ALL(ZONE_HEAD "*.w A 192.0.2.1\n*.w MX 10 host\nsub.*.w TXT \"in a wildcard's own subtree\"\n"
			  "host.w A 192.0.2.2\n_ssh._tcp.host.w SRV 0 0 22 host\nsubdel NS ns.example.net.\n",
		{"host3.w.example.com", LDNS_RR_TYPE_MX, "answer | 10 host.example.com."},
		{"host3.w.example.com", LDNS_RR_TYPE_A, "answer | 192.0.2.1"},
		{"a.b.w.example.com", LDNS_RR_TYPE_A, "answer | 192.0.2.1"},
		{"foo.bar.w.example.com", LDNS_RR_TYPE_TXT, "nodata"},
		/* host.w exists, so the wildcard does not stand for it, nor for what is below it */
		{"host.w.example.com", LDNS_RR_TYPE_MX, "nodata"},
		{"ghost.host.w.example.com", LDNS_RR_TYPE_A, "nxdomain"},
		/* an empty name between two that exist is no absent name */
		{"_tcp.host.w.example.com", LDNS_RR_TYPE_A, "nodata"}, {"w.example.com", LDNS_RR_TYPE_A, "nodata"},
		{"host.subdel.example.com", LDNS_RR_TYPE_A, "delegation > host.subdel.example.com"});
}

static void delegations_hide_what_is_below_but_for_the_ds(void **state)
{
	(void)state;
	ASK_ALL(ZONE_HEAD "sub NS ns.sub\nns.sub A 192.0.2.53\nsub DS 1 13 2 "
			  "0000000000000000000000000000000000000000000000000000000000000000\ninto CNAME www.sub\n",
		{"ns.sub.example.com", LDNS_RR_TYPE_A, "delegation > ns.sub.example.com"},
		{"sub.example.com", LDNS_RR_TYPE_NS, "delegation > sub.example.com"},
		{"sub.example.com", LDNS_RR_TYPE_DS,
		 "answer | 1 13 2 0000000000000000000000000000000000000000000000000000000000000000"},
		{"into.example.com", LDNS_RR_TYPE_A, "delegation > www.sub.example.com"},
		{"example.com", LDNS_RR_TYPE_NS, "answer | ns1.alpha-dns.net. | ns1.beta-dns.org."});
}

static void a_dname_moves_what_is_below_it(void **state)
{
	(void)state;
	ASK_ALL(ZONE_HEAD "old DNAME new\nwww.new A 192.0.2.80\nelse DNAME example.net.\n",
		{"www.old.example.com", LDNS_RR_TYPE_A, "answer | 192.0.2.80"},
		{"www.else.example.com", LDNS_RR_TYPE_A, "out > www.example.net"},
		{"old.example.com", LDNS_RR_TYPE_A, "nodata"});
}

static void origin_ttl_and_parentheses_are_understood(void **state)
{
	struct arena *arena = arena_new();
	struct zone *zone;
	ldns_rr *soa;

	(void)state;
	zone = load("$ORIGIN com.\n$TTL 1h30m\nexample IN SOA ns1.alpha-dns.net. hostmaster.example (\n"
		    "\t7 ; serial\n\t1d 1h\n 1w 5 )\n\n   ; a comment\n\tNS ns1.alpha-dns.net.\n"
		    "$ORIGIN example.com.\n$TTL 5\nwww IN 7 A 192.0.2.80\r\n    30 IN TXT \"a;b (c\" d\\;e\n@ MX 10 @");
	assert_non_null(zone);
	soa = ldns_rr_list_rr(zone->rrs, 0);
	assert_int_equal(ldns_rr_ttl(soa), 5400);
	assert_string_equal(zone_rdata_text(soa, arena),
			    "ns1.alpha-dns.net. hostmaster.example.com. 7 86400 3600 604800 5");
	assert_int_equal(ldns_rr_list_rr_count(zone->rrs), 5);
	assert_int_equal(ldns_rr_ttl(ldns_rr_list_rr(zone->rrs, 2)), 7);
	assert_string_equal(ask(zone, "www.example.com", LDNS_RR_TYPE_TXT, arena), "answer | \"a;b (c\" \"d;e\"");
	assert_string_equal(ask(zone, "example.com", LDNS_RR_TYPE_MX, arena), "answer | 10 example.com.");
	zone_free(zone);
	arena_free(arena);
}

/* RFC 2308 section 4 and RFC 1035 section 5.1: $TTL, or else the last TTL that was written. */
static void a_record_without_ttl_takes_the_last_one_written(void **state)
{
	struct zone *zone;

	(void)state;
	zone = load("@ 300 SOA ns1.alpha-dns.net. h 1 2 3 4 5\n@ 300 NS ns1.alpha-dns.net.\na A 192.0.2.1\n"
		    "b 20 A 192.0.2.2\nc A 192.0.2.3\n$TTL 9\nd 44 A 192.0.2.4\ne A 192.0.2.5\n");
	assert_non_null(zone);
	assert_int_equal(ldns_rr_ttl(ldns_rr_list_rr(zone->rrs, 2)), 300);
	assert_int_equal(ldns_rr_ttl(ldns_rr_list_rr(zone->rrs, 4)), 20);
	assert_int_equal(ldns_rr_ttl(ldns_rr_list_rr(zone->rrs, 6)), 9);
	zone_free(zone);
}

static void the_soa_comes_first_wherever_it_stands(void **state)
{
	struct zone *zone;

	(void)state;
	zone = load("$TTL 5\n@ NS ns1.alpha-dns.net.\nwww A 192.0.2.80\n@ SOA ns1.alpha-dns.net. h 1 2 3 4 5\n");
	assert_non_null(zone);
	assert_int_equal(ldns_rr_get_type(ldns_rr_list_rr(zone->rrs, 0)), LDNS_RR_TYPE_SOA);
	assert_int_equal(ldns_rr_list_rr_count(zone->rrs), 3);
	zone_free(zone);
}

static void numbers_are_never_cut_to_fit(void **state)
{
	(void)state;
	refuse(ZONE_HEAD "@ MX 65536 mail\n", FILE_NAME ":5: error: 65536 is too large: at most 65535 fits here\n");
	refuse(ZONE_HEAD "www 2147483648 A 192.0.2.1\n",
	       FILE_NAME ":5: error: TTL '2147483648' is larger than 2147483647 (RFC 2181 section 8)\n");
	/* 2^32 + 1: a parser that wraps would read 1 */
	refuse(ZONE_HEAD "www 4294967297 A 192.0.2.1\n",
	       FILE_NAME ":5: error: TTL '4294967297' is larger than 2147483647 (RFC 2181 section 8)\n");
}

static void nothing_may_lie_below_a_dname(void **state)
{
	(void)state;
	refuse(ZONE_HEAD "d DNAME e\nx.d A 192.0.2.1\n",
	       FILE_NAME ":6: error: x.d.example.com lies below the DNAME of line 5, where nothing may be\n");
}

static void errors_stand_at_the_line_a_record_begins_on(void **state)
{
	(void)state;
	refuse(ZONE_HEAD "\n; nothing\ntxt TXT ( \"one\"\n  \"two\"\n\n)\nbad (\n A\n 192.0.2.256 )\nworse AAAA 1\n",
	       FILE_NAME
	       ":11: error: A '192.0.2.256': the data should be an IPv4 address, such as 192.0.2.1\n" FILE_NAME
	       ":14: error: AAAA '1': the data should be an IPv6 address, such as 2001:db8::1\n");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	static const char nul[] = ZONE_HEAD "www A 192.0.2.1\0\n";

	(void)state;
	refuse_bytes(nul, sizeof(nul) - 1, FILE_NAME ":5: error: a NUL byte: this is not a master file\n");
	refuse("", FILE_NAME ": error: no SOA record for example.com\n" FILE_NAME
			     ": error: no NS record for example.com: a zone names its nameservers\n");
}

static void an_endless_record_is_refused(void **state)
{
	size_t len = 2 << 20;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', len);
	memcpy(text, "$TTL 5\nx TXT (", 14);
	refuse_bytes(text, len, FILE_NAME ":2: error: longer than any record can be: is a \")\" missing?\n");
	free(text);
}

static void data_is_shown_in_canonical_form(void **state)
{
	(void)state;
	ASK_ALL(ZONE_HEAD
		"v6 AAAA 2001:DB8:0:0::1\n@ MX 010 MAIL.Example.ORG.\nt TXT one \"T w o\"\nu TYPE65280 \\# 2 ABcd\n",
		{"v6.example.com", LDNS_RR_TYPE_AAAA, "answer | 2001:db8::1"},
		{"example.com", LDNS_RR_TYPE_MX, "answer | 10 mail.example.org."},
		{"t.example.com", LDNS_RR_TYPE_TXT, "answer | \"one\" \"T w o\""},
		{"u.example.com", (ldns_rr_type)65280, "answer | \\# 2 abcd"});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_whatever_their_case),
		cmocka_unit_test(aliases_are_followed_within_the_zone_and_reported_beyond),
		cmocka_unit_test(wildcards_answer_as_rfc_4592_says),
		cmocka_unit_test(delegations_hide_what_is_below_but_for_the_ds),
		cmocka_unit_test(a_dname_moves_what_is_below_it),
		cmocka_unit_test(origin_ttl_and_parentheses_are_understood),
		cmocka_unit_test(a_record_without_ttl_takes_the_last_one_written),
		cmocka_unit_test(the_soa_comes_first_wherever_it_stands),
		cmocka_unit_test(numbers_are_never_cut_to_fit),
		cmocka_unit_test(nothing_may_lie_below_a_dname),
		cmocka_unit_test(errors_stand_at_the_line_a_record_begins_on),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(an_endless_record_is_refused),
		cmocka_unit_test(data_is_shown_in_canonical_form),
	};

	return cmocka_run_group_tests(tests, plan_text_setup, plan_text_teardown);
}
