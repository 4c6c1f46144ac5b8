/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of connections over TLS and of answers over HTTPS: what is refused, what is decided, what is counted.
 */
#include "tests/unit/injectors/proxy/drill.h"

#define REFUSES(yaml, place, text) drill_refuse(*state, yaml, place, text)

static struct decide_tls connect_over(struct drill *drill, enum decide_transport transport)
{
	struct decide_in in = {.client = &drill->client, .server = &drill->server, .transport = transport};
	struct decide_tls tls;

	decide_connection(&drill->rules, &in, &drill->rng, &tls);
	return tls;
}

static void what_contradicts_itself_is_refused(void **state)
{
	REFUSES("- {do: {tls: {certificate: expired}, delay: 1s}}\n", "1:14", "write two rules");
	REFUSES("- {do: {tls: {certificate: expired}, http: {status: 503}}}\n", "1:14", "write two rules");
	REFUSES("- {match: {qname: a.example}, do: {tls: {certificate: expired}}}\n", "1:11",
		"before there is a message");
	REFUSES("- {match: {transport: tcp}, do: {tls: {certificate: expired}}}\n", "1:11", "no TLS over tcp");
	REFUSES("- {do: {tls: {handshake: stall, certificate: expired}}}\n", "1:14", "no room for a certificate");
	REFUSES("- {do: {tls: {certificate: late}}}\n", "1:28", "expired");
	REFUSES("- {match: {transport: dot}, do: {http: {status: 503}}}\n", "1:11", "http: is for transport: doh");
	REFUSES("- {do: {http: {abort: goaway, status: 503}}}\n", "1:15", "abort leaves no answer");
	REFUSES("- {do: {http: {status: 503}, twice: true}}\n", "1:8", "has one answer");
	REFUSES("- {do: {http: {body_rate: 10/s}}}\n", "1:27", "no rate of bytes, as in 10B/s");
	REFUSES("- {do: {http: {body_rate: 0B/s}}}\n", "1:27", "no rate of bytes");
	REFUSES("- {do: {http: {content_type: \"a\\nb\"}}}\n", "1:30", "printable");
	REFUSES("- {do: {drop: query, http: {status: 503}}}\n", "1:8", "drop leaves nothing");
	REFUSES("- {do: {http: {}}}\n", "1:8", "says nothing to do");
}

static void a_connection_without_a_rule_is_as_it_should_be(void **state)
{
	struct drill *drill = *state;
	struct decide_tls tls;

	drill_rules(drill, "- {do: {delay: 1s}}\n- {match: {transport: doh}, do: {tls: {certificate: expired}}}\n");
	tls = connect_over(drill, DECIDE_DOT);
	assert_int_equal(tls.certificate, CA_SOUND);
	assert_int_equal(tls.handshake, PARAM_UNSET);
	assert_null(tls.rule);
	assert_int_equal(drill->rules.v[0]->matched, 0);
}

static void the_words_of_certificates_are_their_flaws(void **state)
{
	static const enum ca_flaw flaws[] = {CA_EXPIRED, CA_NOT_YET_VALID, CA_WRONG_NAME, CA_SELF_SIGNED,
					     CA_UNKNOWN_CA};
	struct drill *drill = *state;
	char yaml[80];

	for (size_t i = 0; i < ARRAY_LEN(flaws); i++) {
		snprintf(yaml, sizeof(yaml), "- {do: {tls: {certificate: %s}}}\n", ca_flaw_name(flaws[i]));
		drill_rules(drill, yaml);
		assert_int_equal(connect_over(drill, DECIDE_DOT).certificate, flaws[i]);
	}
}

static void connections_are_counted_apart_from_messages(void **state)
{
	struct drill *drill = *state;
	struct rule *rule;

	drill_rules(drill, "- {do: {tls: {handshake: stall}}, after: 1, first: 2}\n");
	rule = drill->rules.v[0];
	drill_passes(drill, BYTES(QUERY), BYTES(ANSWER));
	assert_int_equal(rule_seen(rule), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(connect_over(drill, DECIDE_DOH).handshake,
				 i == 1 || i == 2 ? RULE_HANDSHAKE_STALL : PARAM_UNSET);
	assert_int_equal(rule_seen(rule), 4);
	assert_int_equal(rule->matched, 4);
	assert_int_equal(rule->done, 2);
}

static void connections_are_matched_by_client_and_server(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {match: {client: 203.0.113.0/24}, do: {tls: {handshake: stall}}}\n"
			   "- {match: {server: 198.51.100.1}, do: {tls: {newest: 1.1}}}\n");
	assert_int_equal(connect_over(drill, DECIDE_DOT).newest, RULE_TLS_1_1);
	assert_int_equal(connect_over(drill, DECIDE_DOT).handshake, PARAM_UNSET);
}

static void http_is_said_of_answers_over_https_alone(void **state)
{
	struct drill *drill = *state;

	drill_rules(drill, "- {do: {http: {status: 503, body_rate: 10B/s, content_type: text/html, truncate: 5B}, "
			   "delay: 1s}}\n");
	drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
	assert_false(drill->out.has_http);
	assert_int_equal(drill->rules.v[0]->matched, 0);
	drill->transport = DECIDE_DOH;
	drill_answer(drill, BYTES(QUERY), BYTES(ANSWER));
	assert_true(drill->out.has_http);
	assert_int_equal(drill->out.http.status, 503);
	assert_int_equal(drill->out.http.body_rate_bytes, 10);
	assert_int_equal(drill->out.http.truncate_bytes, 5);
	assert_string_equal(drill->out.http.content_type, "text/html");
	assert_int_equal(drill->out.send[0].delay_ns, 1000000000);
	assert_int_equal(drill->rules.v[0]->done, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRILL_TEST(what_contradicts_itself_is_refused),
		DRILL_TEST(a_connection_without_a_rule_is_as_it_should_be),
		DRILL_TEST(the_words_of_certificates_are_their_flaws),
		DRILL_TEST(connections_are_counted_apart_from_messages),
		DRILL_TEST(connections_are_matched_by_client_and_server),
		DRILL_TEST(http_is_said_of_answers_over_https_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
