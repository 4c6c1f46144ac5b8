/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every resolver and forwarder software, for real, in labs with the tree of names that tree_write makes.
 */
#include "tests/unit/run/trial.h"

static const char *const software[] = {"bind", "unbound", "knot-resolver", "powerdns-recursor", "dnsmasq", "dnsdist"};
#define RESOLVER_COUNT 4 /* the last ones only forward */
#define FORWARDER_COUNT 6

static void add_nameservers(struct small_plan *small)
{
	small_nameserver(small, "alpha", "ns1", NULL, "192.0.2.1 2001:db8:1::1", "knot", NULL);
}

static void add_resolvers(struct small_plan *small, struct trial_ask *asks, const char *name, ldns_rr_type type)
{
	for (size_t i = 0; i < RESOLVER_COUNT; i++) {
		const char *address = arena_printf(small->arena, "203.0.113.%zu 2001:db8:53::%zu", i + 1, i + 1);

		if (small->plan.lab.resolvers.count < RESOLVER_COUNT)
			small_resolver(small, software[i], address, software[i], NULL);
		asks[i] = (struct trial_ask){.from = "root", .to = software[i], .name = name, .type = type};
	}
}

static void every_resolver_follows_the_tree_from_the_root(void **state)
{
	struct small_plan small;
	struct trial_ask asks[RESOLVER_COUNT];
	struct trial trial = {.asks = asks, .ask_count = ARRAY_LEN(asks)};

	(void)state;
	small_plan_init(&small);
	small_zone(&small, "example.com", SMALL_ZONE_TEXT)->apex_ns = APEX_NS_FROM_LAB;
	add_nameservers(&small);
	add_resolvers(&small, asks, "www.example.com", LDNS_RR_TYPE_A);
	trial.topology = small_topology(&small);
	trial_must(&trial);
	for (size_t i = 0; i < RESOLVER_COUNT; i++)
		assert_string_equal(asks[i].answer, "192.0.2.80");
	small_plan_fini(&small);
}

/* Neither the nameserver nor the resolvers have an IPv4 address. */
static void ipv6_alone_is_enough(void **state)
{
	struct small_plan small;
	struct trial_ask asks[RESOLVER_COUNT];
	struct trial trial = {.asks = asks, .ask_count = ARRAY_LEN(asks)};

	(void)state;
	small_plan_init(&small);
	small_zone(&small, "example.com", SMALL_ZONE_TEXT)->apex_ns = APEX_NS_FROM_LAB;
	small_nameserver(&small, "alpha", "ns1", NULL, "2001:db8:1::1", "bind", NULL);
	small_nameserver(&small, "alpha", "ns2", NULL, "2001:db8:1::2", "nsd", "alpha.ns1");
	add_resolvers(&small, asks, "www.example.com", LDNS_RR_TYPE_A);
	for (size_t i = 0; i < RESOLVER_COUNT; i++) {
		small.resolvers[i].address =
			small_addresses(&small, arena_printf(small.arena, "2001:db8:53::%zu", i + 1));
		asks[i].from = software[i];
		asks[i].until = "192.0.2.80"; /* kresd takes about a second over its first question here */
	}
	trial.topology = small_topology(&small);
	trial_must(&trial);
	for (size_t i = 0; i < RESOLVER_COUNT; i++)
		assert_string_equal(asks[i].answer, "192.0.2.80");
	small_plan_fini(&small);
}

/* AD says that the chain from the generated root key, through the generated DS records, holds. */
static void every_resolver_validates_a_signed_zone(void **state)
{
	struct small_plan small;
	struct trial_ask asks[3 * RESOLVER_COUNT];
	struct trial trial = {.asks = asks, .ask_count = ARRAY_LEN(asks)};
	struct zone_spec *zone;

	(void)state;
	small_plan_init(&small);
	zone = small_zone(&small, "example.com", SMALL_ZONE_TEXT);
	zone->apex_ns = APEX_NS_FROM_LAB;
	zone->sign = sign_defaults;
	add_nameservers(&small);
	add_resolvers(&small, asks, "www.example.com", LDNS_RR_TYPE_A);
	add_resolvers(&small, asks + RESOLVER_COUNT, "any.example.com", LDNS_RR_TYPE_A); /* by the wildcard */
	/* In an unsigned zone below the signed lab.: proven insecure, answered without AD. */
	add_resolvers(&small, asks + 2 * RESOLVER_COUNT, "ns1.alpha.lab", LDNS_RR_TYPE_A);
	trial.topology = small_topology(&small);
	trial_must(&trial);
	for (size_t i = 0; i < RESOLVER_COUNT; i++) {
		assert_string_equal(asks[i].answer, "192.0.2.80 ad");
		assert_string_equal(asks[RESOLVER_COUNT + i].answer, "192.0.2.81 ad");
		assert_string_equal(asks[2 * RESOLVER_COUNT + i].answer, "192.0.2.1");
	}
	small_plan_fini(&small);
}

/* A zone whose DS at the parent matches no key: the validator must refuse it, or it does not validate at all. */
static void every_resolver_refuses_a_broken_chain(void **state)
{
	struct small_plan small;
	struct trial_ask asks[RESOLVER_COUNT];
	struct trial trial = {.asks = asks, .ask_count = ARRAY_LEN(asks)};
	struct zone_spec *zone;

	(void)state;
	small_plan_init(&small);
	zone = small_zone(&small, "example.com", SMALL_ZONE_TEXT);
	zone->apex_ns = APEX_NS_FROM_LAB;
	zone->sign = sign_defaults;
	zone->delegation = small_text("example.com. NS ns1.alpha.lab.\nexample.com. DS 1 13 2 "
				      "0000000000000000000000000000000000000000000000000000000000000000\n");
	add_nameservers(&small);
	add_resolvers(&small, asks, "www.example.com", LDNS_RR_TYPE_A);
	trial.topology = small_topology(&small);
	trial_must(&trial);
	for (size_t i = 0; i < RESOLVER_COUNT; i++)
		assert_string_equal(asks[i].answer, "SERVFAIL");
	small_plan_fini(&small);
}

#define LOCAL_ZONE_TEXT(origin)                                                                                \
	"$ORIGIN " origin ".\n$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns.example.net.\n" \
	"host IN TXT \"of the lab\"\n"

/* Resolvers answer for names of RFC 6303, RFC 6761 and the like by themselves, unless told: a lab may hold them. */
static void names_that_resolvers_know_by_themselves_are_looked_up_in_the_lab(void **state)
{
	static const struct {
		const char *zone, *text, *name;
	} rows[] = {
		{"site.test", LOCAL_ZONE_TEXT("site.test"), "host.site.test"},
		{"10.in-addr.arpa", LOCAL_ZONE_TEXT("10.in-addr.arpa"), "host.10.in-addr.arpa"},
		{"2.0.192.in-addr.arpa", LOCAL_ZONE_TEXT("2.0.192.in-addr.arpa"), "host.2.0.192.in-addr.arpa"},
		{"8.b.d.0.1.0.0.2.ip6.arpa", LOCAL_ZONE_TEXT("8.b.d.0.1.0.0.2.ip6.arpa"),
		 "host.8.b.d.0.1.0.0.2.ip6.arpa"},
	};
	struct small_plan small;
	struct trial_ask asks[ARRAY_LEN(rows) * RESOLVER_COUNT];
	struct trial trial = {.asks = asks, .ask_count = ARRAY_LEN(asks)};

	(void)state;
	small_plan_init(&small);
	add_nameservers(&small);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		small_zone(&small, rows[i].zone, rows[i].text)->apex_ns = APEX_NS_FROM_LAB;
		add_resolvers(&small, asks + i * RESOLVER_COUNT, rows[i].name, LDNS_RR_TYPE_TXT);
	}
	trial.topology = small_topology(&small);
	trial_must(&trial);
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		if (strcmp(asks[i].answer, "\"of the lab\""))
			fail_msg("%s says of %s: %s", asks[i].to, asks[i].name, asks[i].answer);
	}
	small_plan_fini(&small);
}

static void add_forwarders(struct small_plan *small, struct trial_ask *asks, const char *forward)
{
	for (size_t i = 0; i < FORWARDER_COUNT; i++) {
		const char *name = arena_printf(small->arena, "fwd-%s", software[i]);
		const char *address = arena_printf(small->arena, "203.0.113.%zu", i + 101);

		small_resolver(small, name, address, software[i], forward);
		asks[i] = (struct trial_ask){
			.from = "root", .to = name, .name = "www.example.com", .type = LDNS_RR_TYPE_A};
	}
}

static void every_forwarder_passes_questions_on(void **state)
{
	(void)state;
	for (int sign = 0; sign < 2; sign++) {
		struct small_plan small;
		struct trial_ask asks[FORWARDER_COUNT];
		struct trial trial = {.asks = asks, .ask_count = ARRAY_LEN(asks)};
		struct zone_spec *zone;

		small_plan_init(&small);
		zone = small_zone(&small, "example.com", SMALL_ZONE_TEXT);
		zone->apex_ns = APEX_NS_FROM_LAB;
		zone->sign = sign ? sign_defaults : (struct sign_spec){0};
		add_nameservers(&small);
		small_resolver(&small, "up", "203.0.113.99", "unbound", NULL);
		add_forwarders(&small, asks, "up");
		trial.topology = small_topology(&small);
		trial_must(&trial);
		for (size_t i = 0; i < FORWARDER_COUNT; i++) {
			if (strncmp(asks[i].answer, "192.0.2.80", 10))
				fail_msg("%s (sign %d) says: %s", asks[i].to, sign, asks[i].answer);
		}
		small_plan_fini(&small);
	}
}

static void options_reach_each_software(void **state)
{
	static const char *const options[FORWARDER_COUNT] = {
		"version \"seen\";",
		"version: \"seen\"",
		"policy.add(policy.suffix(policy.DENY, {todname('www.example.com')}), true)",
		"version-string=seen",
		"address=/www.example.com/192.0.2.99",
		"addAction(QNameRule('www.example.com'), SpoofAction('192.0.2.98'))"};
	struct small_plan small;
	struct trial_ask asks[FORWARDER_COUNT];
	struct trial trial = {.asks = asks, .ask_count = ARRAY_LEN(asks)};

	(void)state;
	small_plan_init(&small);
	small_zone(&small, "example.com", SMALL_ZONE_TEXT)->apex_ns = APEX_NS_FROM_LAB;
	add_nameservers(&small);
	small_resolver(&small, "up", "203.0.113.99", "unbound", NULL);
	add_forwarders(&small, asks, "up");
	for (size_t i = 0; i < FORWARDER_COUNT; i++) {
		small.resolvers[i + 1].options = small_text(options[i]);
		if (i == 2 || i >= 4)
			continue; /* have no such version answer */
		asks[i].name = "version.bind";
		asks[i].type = LDNS_RR_TYPE_TXT;
		asks[i].is_chaos = true;
	}
	trial.topology = small_topology(&small);
	trial_must(&trial);
	assert_non_null(strstr(asks[0].answer, "seen"));
	assert_non_null(strstr(asks[1].answer, "seen"));
	assert_non_null(strstr(asks[2].answer, "NXDOMAIN"));
	assert_non_null(strstr(asks[3].answer, "seen"));
	assert_non_null(strstr(asks[4].answer, "192.0.2.99"));
	assert_non_null(strstr(asks[5].answer, "192.0.2.98"));
	small_plan_fini(&small);
}

/* Nobody gets through to port 53 of the upstream, so what is answered came over TLS. */
static void block_plain_dns(struct trial *trial)
{
	struct err err;

	assert_int_equal(core_nft(lab_core(trial->lab),
				  "add chain " CORE_TABLE " plain { type filter hook forward priority 0; }\n"
				  "add rule " CORE_TABLE
				  " plain ip daddr 203.0.113.99 meta l4proto { tcp, udp } th dport 53 drop\n"
				  "add rule " CORE_TABLE
				  " plain ip6 daddr 2001:db8:53::99 meta l4proto { tcp, udp } th dport 53 drop",
				  &err),
			 0);
}

static void those_that_can_forward_over_tls(void **state)
{
	static const char *const able[] = {"unbound", "knot-resolver", "dnsdist"};
	struct small_plan small;
	struct trial_ask asks[ARRAY_LEN(able)];
	struct trial trial = {.asks = asks, .ask_count = ARRAY_LEN(able), .before_asks = block_plain_dns};
	struct resolver_spec *up;

	(void)state;
	small_plan_init(&small);
	small_zone(&small, "example.com", SMALL_ZONE_TEXT)->apex_ns = APEX_NS_FROM_LAB;
	add_nameservers(&small);
	up = small_resolver(&small, "up", "203.0.113.99 2001:db8:53::99", "unbound", NULL);
	up->encrypted = ENCRYPTED_DOT | ENCRYPTED_DOH;
	for (size_t i = 0; i < ARRAY_LEN(able); i++) {
		const char *address = arena_printf(small.arena, "203.0.113.%zu 2001:db8:53::%zu", i + 101, i + 101);

		small_resolver(&small, able[i], address, able[i], "up")->forward_transport = FORWARD_DOT;
		asks[i] = (struct trial_ask){
			.from = "root", .to = able[i], .name = "www.example.com", .type = LDNS_RR_TYPE_A};
	}
	trial.topology = small_topology(&small);
	trial_must(&trial);
	for (size_t i = 0; i < ARRAY_LEN(able); i++)
		assert_string_equal(asks[i].answer, "192.0.2.80");
	small_plan_fini(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_resolver_follows_the_tree_from_the_root),
		cmocka_unit_test(ipv6_alone_is_enough),
		cmocka_unit_test(every_resolver_validates_a_signed_zone),
		cmocka_unit_test(every_resolver_refuses_a_broken_chain),
		cmocka_unit_test(names_that_resolvers_know_by_themselves_are_looked_up_in_the_lab),
		cmocka_unit_test(every_forwarder_passes_questions_on),
		cmocka_unit_test(options_reach_each_software),
		cmocka_unit_test(those_that_can_forward_over_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
