/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A walk through a small tree that answers from memory: the root, com and net with glue, example.com without. */
#include "harness/probe/walk.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROOT "198.51.100.1"
#define COM "198.51.100.2"
#define NET "198.51.100.3"
#define NS1 "192.0.2.1"
#define NS2 "192.0.2.2"

static struct walk *start(int64_t turn)
{
	static struct address root;

	assert_int_equal(address_parse(ROOT, &root), 0);
	return walk_new(&root, 1, WALK_IPV4 | WALK_IPV6, turn);
}

static void add(ldns_rr_list *section, const char *text)
{
	ldns_rr *rr = NULL;

	assert_int_equal(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL), LDNS_STATUS_OK);
	ldns_rr_list_push_rr(section, rr);
}

static ldns_pkt *packet_of(ldns_pkt_rcode rcode, bool has_authority)
{
	ldns_pkt *packet = ldns_pkt_new();

	ldns_pkt_set_rcode(packet, rcode);
	ldns_pkt_set_aa(packet, has_authority);
	return packet;
}

/* Texts up to a NULL: a referral's NS records, then, after "", its glue. */
static ldns_pkt *referral(const char *const *texts)
{
	ldns_pkt *packet = packet_of(LDNS_RCODE_NOERROR, false);
	ldns_pkt_section section = LDNS_SECTION_AUTHORITY;

	for (; *texts; texts++) {
		ldns_rr *rr = NULL;

		if (!**texts) {
			section = LDNS_SECTION_ADDITIONAL;
			continue;
		}
		assert_int_equal(ldns_rr_new_frm_str(&rr, *texts, 0, NULL, NULL), LDNS_STATUS_OK);
		ldns_pkt_push_rr(packet, section, rr);
	}
	return packet;
}

static ldns_pkt *with_authority(const char *text)
{
	ldns_pkt *packet = packet_of(LDNS_RCODE_NOERROR, true);
	ldns_rr_list *section = ldns_rr_list_new();

	if (text) {
		add(section, text);
		ldns_pkt_push_rr_list(packet, LDNS_SECTION_ANSWER, section);
	}
	ldns_rr_list_free(section);
	return packet;
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len >= end_len && !strcmp(name + len - end_len, end);
}

/* What the server at that address says. */
static ldns_pkt *serve(const struct walk_question *q)
{
	static const char *const com[] = {"com. 60 IN NS a.com-servers.com.", "", "a.com-servers.com. 60 IN A " COM,
					  NULL};
	static const char *const net[] = {"net. 60 IN NS a.net-servers.net.", "", "a.net-servers.net. 60 IN A " NET,
					  NULL};
	static const char *const example[] = {"example.com. 60 IN NS ns1.dns.net.",
					      "example.com. 60 IN NS ns2.dns.net.", NULL};
	static const char *const circle[] = {"circle.com. 60 IN NS ns.circle.com.", NULL};
	char text[1100];

	if (!strcmp(q->address.text, ROOT))
		return ends_with(q->name, "net.") ? referral(net) : referral(com);
	if (!strcmp(q->address.text, COM) && q->type == LDNS_RR_TYPE_DS && !strcmp(q->name, "example.com."))
		return with_authority("example.com. 60 IN DS 1 13 2 "
				      "0000000000000000000000000000000000000000000000000000000000000000");
	if (!strcmp(q->address.text, COM))
		return ends_with(q->name, "circle.com.") ? referral(circle) : referral(example);
	if (!strcmp(q->address.text, NET) && q->type == LDNS_RR_TYPE_A) {
		snprintf(text, sizeof(text), "%s 60 IN A %s", q->name, ends_with(q->name, "ns1.dns.net.") ? NS1 : NS2);
		return with_authority(text);
	}
	if (!strcmp(q->address.text, NET))
		return with_authority(NULL); /* no AAAA */
	snprintf(text, sizeof(text), "%s 60 IN A 203.0.113.1", q->name);
	return with_authority(text);
}

/* Plays it to its end; who answered last. lame: an address that answers without authority; broken: one that says SERVFAIL. */
static enum walk_status play(struct walk *walk, const char *lame, const char *broken, const char *silent, char *last)
{
	struct walk_question q;
	enum walk_status status;

	while ((status = walk_next(walk, &q)) == WALK_ASK) {
		strcpy(last, q.address.text);
		if (lame && !strcmp(q.address.text, lame))
			walk_answer(walk, packet_of(LDNS_RCODE_NOERROR, false));
		else if (broken && !strcmp(q.address.text, broken))
			walk_answer(walk, packet_of(LDNS_RCODE_SERVFAIL, false));
		else if (silent && !strcmp(q.address.text, silent))
			walk_no_answer(walk, "no answer within 500 ms");
		else
			walk_answer(walk, serve(&q));
	}
	return status;
}

static void follows_referrals_and_looks_up_nameservers_without_glue(void **state)
{
	struct walk *walk = start(0);
	char last[INET6_ADDRSTRLEN];
	ldns_pkt *answer;
	size_t notes;

	(void)state;
	assert_int_equal(walk_begin(walk, "www.example.com.", LDNS_RR_TYPE_A), 0);
	assert_int_equal(play(walk, NULL, NULL, NULL, last), WALK_DONE);
	assert_string_equal(last, NS1);
	answer = walk_take(walk);
	assert_int_equal(ldns_pkt_ancount(answer), 1);
	ldns_pkt_free(answer);
	walk_notes(walk, &notes);
	assert_int_equal(notes, 0);
	walk_free(walk);
}

static void says_who_answered(void **state)
{
	struct walk *walk = start(1);
	char last[INET6_ADDRSTRLEN], *from;
	ldns_pkt *answer;

	(void)state;
	walk_begin(walk, "www.example.com.", LDNS_RR_TYPE_A);
	assert_int_equal(play(walk, NULL, NULL, NULL, last), WALK_DONE);
	answer = walk_take(walk);
	from = ldns_rdf2str(ldns_pkt_answerfrom(answer));
	assert_string_equal(from, NS2);
	free(from);
	ldns_pkt_free(answer);
	walk_free(walk);
}

static void asks_the_parent_for_a_ds(void **state)
{
	struct walk *walk = start(0);
	char last[INET6_ADDRSTRLEN];

	(void)state;
	walk_begin(walk, "www.example.com.", LDNS_RR_TYPE_A);
	assert_int_equal(play(walk, NULL, NULL, NULL, last), WALK_DONE);
	walk_begin(walk, "example.com.", LDNS_RR_TYPE_DS);
	assert_int_equal(play(walk, NULL, NULL, NULL, last), WALK_DONE);
	assert_string_equal(last, COM);
	walk_begin(walk, "example.com.", LDNS_RR_TYPE_DNSKEY);
	assert_int_equal(play(walk, NULL, NULL, NULL, last), WALK_DONE);
	assert_string_equal(last, NS1);
	walk_free(walk);
}

static void goes_on_to_the_next_server_and_notes_why(void **state)
{
	struct walk *walk = start(0);
	char last[INET6_ADDRSTRLEN];
	const struct walk_note *notes;
	size_t count;

	(void)state;
	walk_begin(walk, "www.example.com.", LDNS_RR_TYPE_A);
	assert_int_equal(play(walk, NULL, NULL, NS1, last), WALK_DONE);
	assert_string_equal(last, NS2);
	notes = walk_notes(walk, &count);
	assert_int_equal(count, 1);
	assert_string_equal(notes[0].address.text, NS1);
	assert_string_equal(notes[0].text, "www.example.com A: no answer within 500 ms");
	walk_free(walk);
}

static void asks_who_did_not_answer_no_second_time(void **state)
{
	struct walk *walk = start(0);
	struct walk_question q;
	char last[INET6_ADDRSTRLEN];

	(void)state;
	walk_begin(walk, "www.example.com.", LDNS_RR_TYPE_A);
	assert_int_equal(play(walk, NULL, NULL, NS1, last), WALK_DONE);
	walk_begin(walk, "example.com.", LDNS_RR_TYPE_DNSKEY);
	while (walk_next(walk, &q) == WALK_ASK) {
		assert_string_not_equal(q.address.text, NS1);
		walk_answer(walk, serve(&q));
	}
	walk_free(walk);
}

static void fails_when_nobody_who_should_know_answers(void **state)
{
	struct walk *walk = start(0);
	char last[INET6_ADDRSTRLEN];
	const struct walk_note *notes;
	size_t count;

	(void)state;
	walk_begin(walk, "www.example.com.", LDNS_RR_TYPE_A);
	assert_int_equal(play(walk, NS1, NS2, NULL, last), WALK_FAILED);
	assert_int_equal(walk_rcode(walk), LDNS_RCODE_SERVFAIL);
	notes = walk_notes(walk, &count);
	assert_int_equal(count, 2);
	assert_non_null(strstr(notes[0].text, "without authority"));
	assert_string_equal(notes[1].text, "www.example.com A: SERVFAIL");
	walk_begin(walk, "www.example.com.", LDNS_RR_TYPE_AAAA); /* and can go on */
	assert_int_equal(play(walk, NULL, NULL, NULL, last), WALK_DONE);
	walk_free(walk);
}

static void ends_where_nameservers_lead_in_a_circle(void **state)
{
	struct walk *walk = start(0);
	char last[INET6_ADDRSTRLEN];
	const struct walk_note *notes;
	size_t count;

	(void)state;
	walk_begin(walk, "www.circle.com.", LDNS_RR_TYPE_A);
	assert_int_equal(play(walk, NULL, NULL, NULL, last), WALK_FAILED);
	notes = walk_notes(walk, &count);
	assert_true(count > 0);
	assert_string_equal(notes[count - 1].text, "no nameserver of circle.com. has an address");
	assert_int_equal(walk_rcode(walk), -1);
	walk_free(walk);
}

static void meets_every_pair_of_who_answers_and_who_gives_the_keys(void **state)
{
	bool met[2][2] = {{false}};

	(void)state;
	for (int64_t turn = 0; turn < 4; turn++) {
		struct walk *walk = start(turn);
		char answered[INET6_ADDRSTRLEN], keyed[INET6_ADDRSTRLEN];

		walk_begin(walk, "www.example.com.", LDNS_RR_TYPE_A);
		play(walk, NULL, NULL, NULL, answered);
		walk_begin(walk, "example.com.", LDNS_RR_TYPE_DNSKEY);
		play(walk, NULL, NULL, NULL, keyed);
		met[!strcmp(answered, NS2)][!strcmp(keyed, NS2)] = true;
		walk_free(walk);
	}
	assert_true(met[0][0] && met[0][1] && met[1][0] && met[1][1]);
}

static void asks_no_address_of_a_family_that_cannot_be_reached(void **state)
{
	struct address root;
	struct walk *walk;
	struct walk_question q;
	char last[INET6_ADDRSTRLEN];

	(void)state;
	address_parse(ROOT, &root);
	walk = walk_new(&root, 1, WALK_IPV4, 0);
	walk_begin(walk, "www.example.com.", LDNS_RR_TYPE_A);
	while (walk_next(walk, &q) == WALK_ASK) {
		assert_int_not_equal(q.type, LDNS_RR_TYPE_AAAA);
		walk_answer(walk, serve(&q));
	}
	assert_int_equal(play(walk, NULL, NULL, NULL, last), WALK_DONE);
	walk_free(walk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_referrals_and_looks_up_nameservers_without_glue),
		cmocka_unit_test(says_who_answered),
		cmocka_unit_test(asks_the_parent_for_a_ds),
		cmocka_unit_test(goes_on_to_the_next_server_and_notes_why),
		cmocka_unit_test(asks_who_did_not_answer_no_second_time),
		cmocka_unit_test(fails_when_nobody_who_should_know_answers),
		cmocka_unit_test(ends_where_nameservers_lead_in_a_circle),
		cmocka_unit_test(meets_every_pair_of_who_answers_and_who_gives_the_keys),
		cmocka_unit_test(asks_no_address_of_a_family_that_cannot_be_reached),
	};

	return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
