/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules as people write them: what is refused, where, and what is warned of.
 */
#include "tests/unit/injectors/proxy/drill.h"

#define REFUSES(yaml, place, text) drill_refuse(*state, yaml, place, text)

static void words_that_mean_nothing_are_refused_where_they_stand(void **state)
{
	REFUSES("- {match: {qtype: FOO}, do: {drop: query}}\n", "1:19", "'FOO' is no record type");
	REFUSES("- {match: {qtype: [A, TYPE65536]}, do: {drop: query}}\n", "1:23", "TYPE65536");
	REFUSES("- {match: {class: XX}, do: {drop: query}}\n", "1:19", "is no class");
	REFUSES("- {match: {opcode: 16}, do: {drop: query}}\n", "1:20", "is no opcode");
	REFUSES("- {match: {rcode: NOPE}, do: {drop: answer}}\n", "1:19", "is no RCODE");
	REFUSES("- {match: {client: 192.0.2.1/24}, do: {drop: query}}\n", "1:20", "bits after the prefix are 0");
	REFUSES("- {match: {client: 192.0.2.0/33}, do: {drop: query}}\n", "1:20", "is no address or prefix");
	REFUSES("- {match: {qname: a..b}, do: {drop: query}}\n", "1:19", "no domain name");
	REFUSES("- {match: {qname: '/a(/'}, do: {drop: query}}\n", "1:19", "qname: '/a(/'");
	REFUSES("- {match: {qname: /a}, do: {drop: query}}\n", "1:19", "between two slashes");
	REFUSES("- {do: {rcode: 4096}}\n", "1:16", "'4096' is no RCODE");
	REFUSES("- {do: {rcod: SERVFAIL}}\n", "1:9", "did you mean 'rcode'?");
	REFUSES("match: {}\n", "1:1", "a list of rules is expected");
}

static void a_rule_must_do_something(void **state)
{
	REFUSES("- {match: {qtype: A}}\n", "1:3", "says nothing to do");
	REFUSES("- {do: {}}\n", "1:8", "says nothing to do");
}

static void what_contradicts_itself_is_refused(void **state)
{
	REFUSES("- {do: {drop: query, delay: 1s}}\n", "1:8", "drop leaves nothing");
	REFUSES("- {do: {drop: answer, rcode: SERVFAIL}}\n", "1:8", "drop leaves nothing");
	REFUSES("- {do: {edns: silence, aa: set}}\n", "1:8", "edns: silence leaves nothing");
	REFUSES("- {do: {rcode: SERVFAIL, nodata: no-soa}}\n", "1:8", "rcode, nodata exclude each other");
	REFUSES("- {do: {nxdomain: no-soa, ttl: 0s, spoof: 192.0.2.1}}\n", "1:8",
		"no records of the server for ttl, spoof");
	REFUSES("- {do: {garbage: true, tc: set}}\n", "1:8", "garbage leaves nothing");
	REFUSES("- {do: {jitter: 1s}}\n", "1:8", "jitter goes with delay");
	REFUSES("- {do: {delay: 1s, jitter: 2s}}\n", "1:8", "jitter is larger than delay");
	REFUSES("- {do: {twice: true, again: 2s}}\n", "1:8", "twice and again");
	REFUSES("- {do: {ede_text: oh}}\n", "1:19", "ede_text goes with ede");
	REFUSES("- {do: {ede: 1, ede_strip: true}}\n", "1:8", "ede and ede_strip");
	REFUSES("- {do: {ede: 1, edns: strip}}\n", "1:8", "no place for ede");
	REFUSES("- {do: {ttl: 1s, ttl_cap: 2s}}\n", "1:8", "ttl and ttl_cap");
	REFUSES("- {do: {ttl: 1500ms}}\n", "1:8", "whole seconds");
	REFUSES("- {do: {remove: [A, OPT]}}\n", "1:21", "edns: strip");
	REFUSES("- {do: {ignore_do: true, signatures: expired}}\n", "1:8", "none are left for signatures");
	REFUSES("- {do: {http: {status: 503, body_rate: 10B/s}}}\n", "1:15", "no body for body_rate");
	REFUSES("- {do: {drop: query}, share: 5%, every: 2}\n", "1:3", "share and every");
}

static void what_can_never_match_is_refused(void **state)
{
	REFUSES("- {match: {rcode: NXDOMAIN}, do: {drop: query}}\n", "1:34", "write drop: answer");
	REFUSES("- {match: {edns: false, do: true}, do: {drop: query}}\n", "1:11", "DO flag is in the OPT record");
	REFUSES("- {match: {edns: false}, do: {edns: formerr}}\n", "1:3", "can never act");
	REFUSES("- {match: {edns: false}, do: {rcode: BADVERS}}\n", "1:3", "can never act");
	REFUSES("- {match: {min_size: 513B, max_size: 512B}, do: {drop: answer}}\n", "1:11", "nothing could match");
	REFUSES("- {match: {max_size: 11B}, do: {drop: answer}}\n", "1:11", "nothing could match");
	REFUSES("- {match: {qname: www.example.com, max_labels: 2}, do: {drop: query}}\n", "1:19", "more labels");
	REFUSES("- {match: {qname: ['*.example.com'], max_labels: 2}, do: {drop: query}}\n", "1:20", "more labels");
	REFUSES("- {match: {qname: '*.example.*'}, do: {drop: query}}\n", "1:19", "a * stands in front only");
	REFUSES("- {match: {qname: www*}, do: {drop: query}}\n", "1:19", "a regular expression");
	REFUSES("- {match: {client: \"2001:db8::/32\"}, do: {source: 192.0.2.99}}\n", "1:51",
		"clients that match have IPv6");
	drill_rules(*state, "- {match: {qname: .example.com, max_labels: 2}, do: {drop: query}}\n"
			    "- {match: {qname: 'a\\*.example.com'}, do: {drop: query}}\n");
}

/* RFC 5737 has three ranges for IPv4; RFC 3849 and RFC 9637 one each for IPv6. */
static void spoofing_outside_the_documentation_ranges_needs_unsafe(void **state)
{
	REFUSES("- {do: {spoof: 192.0.3.1}}\n", "1:16", "unsafe: true");
	REFUSES("- {do: {spoof: [192.0.2.1, 8.8.8.8]}}\n", "1:28", "8.8.8.8 is outside");
	REFUSES("- {do: {spoof: \"2001:db9::1\"}}\n", "1:16", "is outside");
	REFUSES("- {do: {spoof: \"3fff:1000::1\"}}\n", "1:16", "is outside");
	drill_rules(*state, "- {do: {spoof: [192.0.2.255, 198.51.100.1, 203.0.113.1, \"2001:db8:ffff::1\", "
			    "\"3fff:fff::1\"]}}\n");
	drill_rules(*state, "- {do: {spoof: 8.8.8.8}, unsafe: true}\n");
}

/* How many warnings two rules bring. */
static size_t warnings(struct drill *drill, const char *yaml)
{
	size_t count;

	errs_fini(&drill->warnings);
	drill_rules(drill, yaml);
	count = drill->warnings.count;
	if (count)
		assert_int_equal(drill->warnings.v[0].loc.line, 2);
	return count;
}

static void a_rule_hidden_by_one_before_it_is_warned_of(void **state)
{
	static const char *const hidden[] = {
		"- {do: {drop: query}}\n- {match: {qtype: A}, do: {rcode: SERVFAIL}}\n",
		"- {match: {qname: .example.com}, do: {drop: query}}\n"
		"- {match: {qname: [example.com, a.b.example.com, '*.x.example.com']}, do: {twice: true}}\n",
		"- {match: {client: 192.0.2.0/24, qtype: [A, AAAA]}, do: {drop: query}}\n"
		"- {match: {client: 192.0.2.128/25, qtype: AAAA}, do: {twice: true}}\n",
		"- {match: {qname: /x/}, do: {drop: query}}\n- {match: {qname: /x/, edns: true}, do: {twice: true}}\n",
		"- {match: {min_size: 100B}, do: {drop: answer}}\n- {match: {min_size: 200B}, do: {twice: true}}\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		assert_int_equal(warnings(*state, hidden[i]), 1);
}

static void a_rule_that_can_act_is_not_warned_of(void **state)
{
	static const char *const fine[] = {
		"- {do: {drop: query}, share: 50%}\n- {do: {rcode: SERVFAIL}}\n",
		"- {do: {drop: query}, first: 5}\n- {do: {rcode: SERVFAIL}}\n",
		"- {do: {drop: answer}, above: 20/s}\n- {do: {rcode: SERVFAIL}}\n",
		"- {do: {tcp_cut: 5B}}\n- {match: {transport: udp}, do: {rcode: SERVFAIL}}\n",
		"- {do: {source_port: 7}}\n- {match: {transport: tcp}, do: {rcode: SERVFAIL}}\n",
		"- {do: {http: {status: 503}}}\n- {match: {transport: tcp}, do: {rcode: SERVFAIL}}\n",
		"- {do: {edns: formerr}}\n- {do: {rcode: SERVFAIL}}\n", /* the first is for queries with EDNS only */
		"- {match: {qname: '*.example.com'}, do: {drop: query}}\n- {match: {qname: example.com}, do: {twice: "
		"true}}\n",
		"- {match: {client: 192.0.2.128/25}, do: {drop: query}}\n"
		"- {match: {client: 192.0.2.0/24}, do: {twice: true}}\n",
		"- {match: {transport: udp}, do: {drop: query}}\n- {do: {twice: true}}\n",
		"- {match: {rcode: NXDOMAIN}, do: {drop: answer}}\n- {do: {twice: true}}\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(fine); i++)
		assert_int_equal(warnings(*state, fine[i]), 0);
}

/* One message of each kind: which rules fit it. */
static void expect_fit(struct drill *drill, const char *match, struct bytes query, bool fits)
{
	struct decide_memo memo;
	char yaml[256];

	snprintf(yaml, sizeof(yaml), "- {match: {%s}, do: {drop: query}}\n", match);
	drill_rules(drill, yaml);
	if (drill_query(drill, query, &memo) == fits)
		fail_msg("%s %s", match, fits ? "does not fit" : "fits");
}

static void names_fit_whole_below_as_a_suffix_and_by_regular_expression(void **state)
{
	static const struct {
		const char *match;
		bool fits;
	} cases[] = {
		{"qname: www.example.com", true},
		{"qname: WWW.Example.COM.", true},
		{"qname: example.com", false},
		{"qname: '*.example.com'", true},
		{"qname: '*.www.example.com'", false},
		{"qname: .www.example.com", true},
		{"qname: .com", true},
		{"qname: '*.ample.com'", false},
		{"qname: .ww.example.com", false},
		{"qname: /^w+\\.ex/", true},
		{"qname: '/COM$/'", true},
		{"qname: '/^example/'", false},
		{"qname: [a.example, .example.com]", true},
		{"qname: .", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect_fit(*state, cases[i].match, BYTES(QUERY), cases[i].fits);
}

static void the_rest_of_a_query_fits_by_its_key(void **state)
{
	static const char notify[] = HEAD("\x20\0", "\0\1\0\0\0\0\0\0") QNAME "\0\6\0\3";

	expect_fit(*state, "qtype: [AAAA, A]", BYTES(QUERY), true);
	expect_fit(*state, "qtype: AAAA", BYTES(QUERY), false);
	expect_fit(*state, "opcode: NOTIFY, class: CH, qtype: SOA", BYTES(notify), true);
	expect_fit(*state, "opcode: QUERY", BYTES(notify), false);
	expect_fit(*state, "class: IN", BYTES(notify), false);
	expect_fit(*state, "edns: true", BYTES(QUERY), false);
	expect_fit(*state, "edns: true, do: false", BYTES(QUERY_EDNS), true);
	expect_fit(*state, "do: true", BYTES(QUERY_DO), true);
	expect_fit(*state, "do: true", BYTES(QUERY), false);
	expect_fit(*state, "client: 192.0.2.0/29", BYTES(QUERY), true); /* .0 to .7; the client is 192.0.2.7 */
	expect_fit(*state, "client: 192.0.2.8/29", BYTES(QUERY), false);
	expect_fit(*state, "client: [\"::/0\", 0.0.0.0/0]", BYTES(QUERY), true);
	expect_fit(*state, "client: \"::/0\"", BYTES(QUERY), false);
	expect_fit(*state, "server: [198.51.100.1, 198.51.100.2]", BYTES(QUERY), true);
	expect_fit(*state, "server: 198.51.100.2", BYTES(QUERY), false);
	expect_fit(*state, "transport: udp", BYTES(QUERY), true);
	expect_fit(*state, "transport: tcp", BYTES(QUERY), false);
}

static void the_size_of_the_answer_fits_to_the_byte(void **state)
{
	drill_rules(*state, "- {match: {min_size: 49B, max_size: 49B}, do: {drop: answer}}\n");
	assert_int_equal(sizeof(ANSWER) - 1, 49);
	drill_answer(*state, BYTES(QUERY), BYTES(ANSWER));
	assert_int_equal(((struct drill *)*state)->out.count, 0);
	drill_passes(*state, BYTES(QUERY), BYTES(ANSWER "\0"));
	drill_passes(*state, BYTES(QUERY), (struct bytes){ANSWER, 48});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRILL_TEST(words_that_mean_nothing_are_refused_where_they_stand),
		DRILL_TEST(a_rule_must_do_something),
		DRILL_TEST(what_contradicts_itself_is_refused),
		DRILL_TEST(what_can_never_match_is_refused),
		DRILL_TEST(spoofing_outside_the_documentation_ranges_needs_unsafe),
		DRILL_TEST(a_rule_hidden_by_one_before_it_is_warned_of),
		DRILL_TEST(a_rule_that_can_act_is_not_warned_of),
		DRILL_TEST(names_fit_whole_below_as_a_suffix_and_by_regular_expression),
		DRILL_TEST(the_rest_of_a_query_fits_by_its_key),
		DRILL_TEST(the_size_of_the_answer_fits_to_the_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
