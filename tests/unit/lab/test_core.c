/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/lab/talk.h"

static void in_one_host(fixture_body *body)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture_add_host(fixture, "a", HOST_NAMESERVER, "192.0.2.1", NULL);
	fixture_must(fixture, body);
	free(fixture);
}

/* The second command of the transaction is wrong: the first must not have happened. */
static int half_wrong(struct lab *lab, struct err *err)
{
	struct err refused = {0};

	CHECK(core_nft(lab_core(lab), "add chain inet dnsdrill one\nadd rule inet dnsdrill nowhere drop\n", &refused) ==
	      -ENOENT);
	CHECK(strstr(refused.text, "nowhere") || strstr(refused.text, "No such file"));
	CHECK(core_nft(lab_core(lab), "list chain inet dnsdrill one\n", &refused) < 0);
	return core_nft(lab_core(lab), "add chain inet dnsdrill two\nlist chain inet dnsdrill two\n", err);
}

static void a_transaction_is_all_or_nothing(void **state UNUSED)
{
	in_one_host(half_wrong);
}

static int bad_syntax(struct lab *lab, struct err *err)
{
	struct err refused = {0};

	CHECK(core_nft(lab_core(lab), "add rulez inet dnsdrill x drop\n", &refused) == -EINVAL);
	CHECK(strstr(refused.text, "syntax error") && strstr(refused.text, "rulez"));
	/* What was wrong once is not said again. */
	CHECK(core_nft(lab_core(lab), "delete table inet nobody\n", &refused) == -ENOENT);
	CHECK(!strstr(refused.text, "rulez"));
	return 0;
}

static void an_error_has_nfts_own_words(void **state UNUSED)
{
	in_one_host(bad_syntax);
}

/* 3 + 4 datagrams of 20 + 8 + 1 bytes, of which the prefix takes one or both counters. */
static int count_by_prefix(struct lab *lab, struct err *err)
{
	struct address core;
	int64_t packets = -1, bytes = -1;
	int rc = core_nft(lab_core(lab),
			  "add counter inet dnsdrill f1_in\nadd counter inet dnsdrill f1_out\n"
			  "add counter inet dnsdrill f10_in\n"
			  "add chain inet dnsdrill pre { type filter hook prerouting priority 0; }\n"
			  "add rule inet dnsdrill pre udp dport 1001 counter name f1_in\n"
			  "add rule inet dnsdrill pre udp dport 1002 counter name f1_out\n"
			  "add rule inet dnsdrill pre udp dport 1003 counter name f10_in\n",
			  err);

	if (rc)
		return rc;
	address_parse("198.18.255.254", &core);
	for (int i = 0; i < 12; i++) {
		/* 3 to port 1001, 4 to 1002, 5 to 1003; a socket of its own each, since each is refused */
		CLEANUP_CLOSE int fd = talk_connect(lab_host(lab, 0), SOCK_DGRAM, &core,
						    i < 3   ? 1001
						    : i < 7 ? 1002
							    : 1003);

		CHECK(fd >= 0 && send(fd, "x", 1, 0) == 1);
	}
	CHECK(!core_counters(lab_core(lab), "f1_", &packets, &bytes, err));
	CHECK(packets == 7 && bytes == 7 * 29);
	CHECK(!core_counters(lab_core(lab), "f10_", &packets, &bytes, err));
	CHECK(packets == 5 && bytes == 5 * 29);
	CHECK(!core_counters(lab_core(lab), "f2_", &packets, &bytes, err));
	CHECK(packets == 0 && bytes == 0);
	return 0;
}

static void counters_add_up_by_prefix(void **state UNUSED)
{
	in_one_host(count_by_prefix);
}

static int many_rules(struct lab *lab, struct err *err)
{
	struct buf text = {0};
	int rc;

	buf_puts(&text, "add chain inet dnsdrill many\n");
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "add rule inet dnsdrill many ip daddr 10.0.%d.%d counter drop\n", i / 250, i % 250);
	rc = core_nft(lab_core(lab), text.data, err);
	buf_fini(&text);
	return rc;
}

/* An ordinary user may hardly raise the socket's buffer, which a transaction has to fit. */
static void a_thousand_rules_fit_one_transaction(void **state UNUSED)
{
	in_one_host(many_rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_transaction_is_all_or_nothing),
		cmocka_unit_test(an_error_has_nfts_own_words),
		cmocka_unit_test(counters_add_up_by_prefix),
		cmocka_unit_test(a_thousand_rules_fit_one_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
