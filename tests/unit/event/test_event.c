/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events to NDJSON and back. */
#include "harness/event/fields.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void check_refused(const char *line, const char *message)
{
	struct arena *arena = arena_new();
	struct err err;
	struct ev ev;

	assert_int_equal(ev_decode(line, strlen(line), (struct loc){.file = "e", .line = 7}, arena, &ev, &err),
			 -EINVAL);
	assert_string_equal(err.text, message);
	assert_int_equal(err.loc.line, 7);
	arena_free(arena);
}

/* Every field of every kind gets a value of its own, so that two rows which were mixed up are seen. */
static void fill(struct ev *ev, enum ev_kind kind, struct arena *arena)
{
	static const char *const list[] = {"2001:db8::1", "192.0.2.1"};
	size_t count;
	const struct field *fields = ev_fields(kind, &count);

	*ev = (struct ev){.kind = kind, .seq = 41, .t_ns = 42};
	for (size_t i = 0; i < count; i++) {
		void *at = (char *)ev + fields[i].offset;

		switch (fields[i].type) {
		case FIELD_TEXT:
		case FIELD_TEXT_OPTIONAL:
			*(const char **)at = arena_printf(arena, "%s of %zu", fields[i].key, i);
			break;
		case FIELD_INT:
		case FIELD_INT_OPTIONAL:
			*(int64_t *)at = FIELD_INT_LIMIT - 1 - (int64_t)i;
			break;
		case FIELD_INT_ANY:
			*(int64_t *)at = INT64_MIN;
			break;
		case FIELD_BOOL:
			*(bool *)at = true;
			break;
		case FIELD_STRINGS:
			*(struct ev_strings *)at = (struct ev_strings){list, 2};
			break;
		case FIELD_OUTCOME:
			*(enum outcome *)at = OUTCOME_RCODE;
			break;
		}
	}
}

static void check_same_field(const struct field *field, const void *a, const void *b)
{
	const struct ev_strings *x = a, *y = b;

	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_TEXT_OPTIONAL:
		assert_string_equal(*(const char *const *)a, *(const char *const *)b);
		break;
	case FIELD_INT:
	case FIELD_INT_OPTIONAL:
	case FIELD_INT_ANY:
		assert_int_equal(*(const int64_t *)a, *(const int64_t *)b);
		break;
	case FIELD_BOOL:
		assert_int_equal(*(const bool *)a, *(const bool *)b);
		break;
	case FIELD_STRINGS:
		assert_int_equal(x->count, y->count);
		for (size_t i = 0; i < x->count; i++)
			assert_string_equal(x->v[i], y->v[i]);
		break;
	case FIELD_OUTCOME:
		assert_int_equal(*(const enum outcome *)a, *(const enum outcome *)b);
		break;
	}
}

static void every_kind_comes_back_as_it_was(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (int kind = 0; kind < EV_KIND_COUNT; kind++) {
		struct ev ev, back;
		struct buf line = {0};
		struct err err;
		size_t count;
		const struct field *fields = ev_fields((enum ev_kind)kind, &count);

		fill(&ev, (enum ev_kind)kind, arena);
		ev_encode(&ev, &line);
		if (ev_decode(line.data, line.len, LOC_NONE, arena, &back, &err))
			fail_msg("%s: %s", line.data, err.text);
		assert_int_equal(back.kind, kind);
		assert_int_equal(back.seq, 41);
		assert_int_equal(back.t_ns, 42);
		for (size_t i = 0; i < count; i++)
			check_same_field(&fields[i], (const char *)&ev + fields[i].offset,
					 (const char *)&back + fields[i].offset);
		buf_fini(&line);
	}
	arena_free(arena);
}

static void every_kind_is_json_to_others_too(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (int kind = 0; kind < EV_KIND_COUNT; kind++) {
		struct buf line = {0};
		struct ev ev;
		json_t *json;

		fill(&ev, (enum ev_kind)kind, arena);
		ev_encode(&ev, &line);
		json = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(json);
		assert_string_equal(json_string_value(json_object_get(json, "event")),
				    ev_kind_name((enum ev_kind)kind));
		json_decref(json);
		buf_fini(&line);
	}
	arena_free(arena);
}

static void an_event_is_one_line_with_fields_in_a_fixed_order(void **state)
{
	static const char *const answer[] = {"192.0.2.80"};
	struct ev ev = {.kind = EV_SAMPLE, .seq = 3, .t_ns = 120};
	struct buf line = {0};

	(void)state;
	ev.sample = (struct ev_sample){.probe = "www", .i = 1, .due_ns = 100, .sent_ns = 101, .done_ns = 119};
	ev.sample.rcode = "NOERROR";
	ev.sample.answer = (struct ev_strings){answer, 1};
	ev_encode(&ev, &line);
	assert_string_equal(line.data,
			    "{\"seq\":3,\"t_ns\":120,\"event\":\"sample\",\"probe\":\"www\",\"i\":1,\"due_ns\":100,"
			    "\"sent_ns\":101,\"done_ns\":119,\"outcome\":\"ok\",\"rcode\":\"NOERROR\","
			    "\"answer\":[\"192.0.2.80\"]}\n");
	buf_fini(&line);
}

static void check_text_encoded(const char *text, const char *expected)
{
	struct ev ev = {.kind = EV_NOTE, .note = {.level = "info", .text = text}};
	struct buf line = {0};
	const char *at;

	ev_encode(&ev, &line);
	at = strstr(line.data, "\"text\":");
	assert_non_null(at);
	assert_string_equal(at + strlen("\"text\":"), expected);
	buf_fini(&line);
}

static void hostile_text_stays_inside_its_string(void **state)
{
	(void)state;
	check_text_encoded("a\"b\\c", "\"a\\\"b\\\\c\"}\n");
	check_text_encoded("a\nb\tc\rd\x01\x1b[2J\x7f", "\"a\\nb\\tc\\rd\\u0001\\u001b[2J\\u007f\"}\n");
	check_text_encoded("gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"}\n");
	/* not UTF-8: a lone byte, a surrogate (three bytes of it), an overlong slash (two) */
	check_text_encoded("\xff", "\"\xef\xbf\xbd\"}\n");
	check_text_encoded("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}\n");
	check_text_encoded("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"}\n");
	/* U+2028 ends a line for JavaScript and for Python's splitlines() */
	check_text_encoded("a\xe2\x80\xa8z", "\"a\\u2028z\"}\n");
}

static void what_was_not_said_is_left_out(void **state)
{
	struct ev ev = {.kind = EV_SERVER_EXIT, .server_exit = {.host = "ns1"}};
	struct buf line = {0};

	(void)state;
	ev_encode(&ev, &line);
	assert_string_equal(line.data, "{\"seq\":0,\"t_ns\":0,\"event\":\"server.exit\",\"host\":\"ns1\"}\n");
	buf_fini(&line);
}

static void fields_may_come_in_any_order_and_unknown_ones_are_ignored(void **state)
{
	static const char line[] = " { \"reason\" : \"complete\", \"later\": {\"a\":[1,2.5e3,null,\"x\"]}, \"event\":"
				   "\"run.end\", \"t_ns\":5, \"seq\":9 } ";
	struct arena *arena = arena_new();
	struct err err;
	struct ev ev;

	(void)state;
	assert_int_equal(ev_decode(line, strlen(line), LOC_NONE, arena, &ev, &err), 0);
	assert_int_equal(ev.kind, EV_RUN_END);
	assert_int_equal(ev.seq, 9);
	assert_string_equal(ev.run_end.reason, "complete");
	arena_free(arena);
}

#define HEAD "{\"seq\":0,\"t_ns\":0,\"event\":"

static void a_wrong_line_is_refused_with_what_and_where(void **state)
{
	(void)state;
	check_refused("", "not an event (one JSON object on one line): expected {");
	check_refused("[]", "not an event (one JSON object on one line): expected {");
	check_refused("{}", "not an event (one JSON object on one line): expected a string");
	check_refused("{\"seq\":0,\"t_ns\":0}", "field \"event\" is missing");
	check_refused(HEAD "\"run.begin\"}", "unknown event \"run.begin\": was it written by a newer dnsdrill?");
	check_refused(HEAD "\"run.end\"}", "run.end: field \"reason\" is missing");
	check_refused("{\"event\":\"lab.ready\",\"seq\":1,\"took_ns\":1}", "field \"t_ns\" is missing");
	check_refused(HEAD "\"run.end\",\"reason\":4}", "field \"reason\": expected a string");
	check_refused(HEAD "\"lab.ready\",\"took_ns\":\"4\"}", "field \"took_ns\": expected a whole number");
	check_refused(HEAD "\"lab.ready\",\"took_ns\":4.5}",
		      "field \"took_ns\": expected a whole number, without fraction and exponent");
	check_refused(HEAD "\"lab.ready\",\"took_ns\":4611686018427387904}",
		      "field \"took_ns\": a number out of range (less than 2^62 either side of zero)");
	check_refused(HEAD "\"lab.ready\",\"took_ns\":99999999999999999999}",
		      "field \"took_ns\": a number beyond 64 bits");
	check_refused(HEAD "\"lab.ready\",\"took_ns\":1,\"took_ns\":2}", "field \"took_ns\": said twice");
	check_refused("{\"seq\":0,\"seq\":1,\"event\":\"lab.ready\"}", "field \"seq\": said twice");
	check_refused(HEAD "\"run.end\",\"reason\":\"a\\u0000b\"}",
		      "field \"reason\": a bad escape in a string (U+0000 is not allowed either)");
	check_refused(HEAD "\"run.end\",\"reason\":\"\xff\"}", "field \"reason\": a string that is not UTF-8");
	check_refused(HEAD "\"run.end\",\"reason\":\"x\"", "not an event (one JSON object on one line): expected } and "
							   "the end of the line");
	check_refused(HEAD "\"run.end\",\"reason\":\"x\"}}",
		      "not an event (one JSON object on one line): expected } and "
		      "the end of the line");
}

static void an_unknown_outcome_is_refused(void **state)
{
	(void)state;
	check_refused(HEAD "\"sample\",\"probe\":\"www\",\"i\":0,\"due_ns\":0,\"sent_ns\":0,\"done_ns\":0,"
			   "\"outcome\":\"fine\"}",
		      "field \"outcome\": expected ok, wrong, rcode, timeout or error");
}

static void outcomes_have_the_names_of_the_docs(void **state)
{
	(void)state;
	assert_string_equal(outcome_name(OUTCOME_OK), "ok");
	assert_string_equal(outcome_name(OUTCOME_WRONG), "wrong");
	assert_string_equal(outcome_name(OUTCOME_RCODE), "rcode");
	assert_string_equal(outcome_name(OUTCOME_TIMEOUT), "timeout");
	assert_string_equal(outcome_name(OUTCOME_ERROR), "error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_comes_back_as_it_was),
		cmocka_unit_test(every_kind_is_json_to_others_too),
		cmocka_unit_test(an_event_is_one_line_with_fields_in_a_fixed_order),
		cmocka_unit_test(hostile_text_stays_inside_its_string),
		cmocka_unit_test(what_was_not_said_is_left_out),
		cmocka_unit_test(fields_may_come_in_any_order_and_unknown_ones_are_ignored),
		cmocka_unit_test(a_wrong_line_is_refused_with_what_and_where),
		cmocka_unit_test(an_unknown_outcome_is_refused),
		cmocka_unit_test(outcomes_have_the_names_of_the_docs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
