/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema of the real tables and of two made-up kinds. Whether it is a right draft-07 schema, and right about plans, is for an independent
 * implementation to say: tests/scenario/test_schema.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "harness/event/metric.h"
#include "harness/plan/plan.h"
#include "harness/plan/schema.h"

struct slowness {
	struct injector injector;
	int64_t delay_ns;
};

static const struct param slowness_params[] = {
	P_DURATION(struct slowness, delay_ns, "delay", 0, 60 * SEC, PARAM_UNSET, "delay added to each packet"),
	PARAM_END,
};
static const struct injector_ops slowness = {.kind = "slowness",
					     .summary = "makes packets slow",
					     .params = slowness_params,
					     .size = sizeof(struct slowness)};
static const struct injector_ops silence = {
	.kind = "silence", .summary = "drops packets", .size = sizeof(struct injector)};
static const struct probe_ops dns = {.kind = "dns", .summary = "asks", .size = sizeof(struct probe)};
static const struct probe_ops stub = {.kind = "stub", .summary = "resolves", .size = sizeof(struct probe)};
static const struct server_ops server_auth = {.name = "auth", .roles = SERVER_AUTHORITATIVE};
static const struct server_ops server_both = {.name = "both", .roles = SERVER_AUTHORITATIVE | SERVER_RESOLVER};
static const struct server_ops server_forwarder = {.name = "forwarder", .roles = SERVER_FORWARDER};

static const struct injector_ops *const injectors[] = {&slowness, &silence, NULL};
static const struct probe_ops *const probes[] = {&dns, &stub, NULL};
static const struct server_ops *const servers[] = {&server_auth, &server_both, &server_forwarder, NULL};
static const struct registry registry = {.injectors = injectors, .probes = probes, .servers = servers};

static int load(void **state)
{
	struct buf out = {0};

	schema_write(&registry, &out);
	assert_false(out.failed);
	*state = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
	buf_fini(&out);
	return *state ? 0 : -1;
}

static int unload(void **state)
{
	json_decref(*state);
	return 0;
}

/* What stands at a path of names with '/' between. */
static json_t *at(json_t *value, const char *path)
{
	char copy[200], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *name = strtok_r(copy, "/", &save); name; name = strtok_r(NULL, "/", &save))
		value = json_is_array(value) ? json_array_get(value, (size_t)atoi(name)) : json_object_get(value, name);
	return value;
}

static const char *text_at(json_t *value, const char *path)
{
	const char *text = json_string_value(at(value, path));

	return text ? text : "";
}

static bool requires(json_t *object, const char *key)
{
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(object, "required"), i, item)
	{
		if (!strcmp(json_string_value(item), key))
			return true;
	}
	return false;
}

static void says_which_draft_and_what_it_is_of(void **state)
{
	assert_string_equal(text_at(*state, "$schema"), "http://json-schema.org/draft-07/schema#");
	assert_string_equal(text_at(*state, "title"), "dnsdrill plan");
}

static void is_the_same_each_time(void **state)
{
	struct buf a = {0}, b = {0};

	(void)state;
	schema_write(&registry, &a);
	schema_write(&registry, &b);
	assert_string_equal(a.data, b.data);
	assert_int_equal(a.data[a.len - 1], '\n');
	buf_fini(&a);
	buf_fini(&b);
}

static void every_key_of_every_table_has_its_description(void **state)
{
	static const struct table *const tables[] = {&lab_table,    &zone_table,     &provider_table,
						     &root_table,   &resolver_table, &nameserver_table,
						     &client_table, &tld_table,      &good_table};
	char path[200];

	for (const struct param *param = plan_table.params; param->key; param++) {
		snprintf(path, sizeof(path), "properties/%s/description", param->key);
		assert_non_null(strstr(text_at(*state, path), param->doc));
	}
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		for (const struct param *param = tables[i]->params; param->key; param++) {
			snprintf(path, sizeof(path), "definitions/%s/properties/%s/description", tables[i]->name,
				 param->key);
			assert_non_null(strstr(text_at(*state, path), param->doc));
		}
		snprintf(path, sizeof(path), "definitions/%s/additionalProperties", tables[i]->name);
		assert_true(json_is_false(at(*state, path)));
	}
	assert_true(json_is_false(at(*state, "additionalProperties")));
}

static void a_fault_takes_the_common_keys_and_its_own(void **state)
{
	json_t *step = at(*state, "definitions/fault-slowness");

	assert_string_equal(text_at(step, "properties/fault/const"), "slowness");
	assert_string_equal(text_at(step, "description"), "makes packets slow");
	assert_non_null(at(step, "properties/delay"));
	assert_non_null(at(step, "properties/at"));
	assert_true(requires(step, "fault"));
	assert_true(requires(step, "at"));
	assert_false(requires(step, "delay"));
	/* Another kind's own keys are none of it. */
	assert_null(at(*state, "definitions/fault-silence/properties/delay"));
	assert_string_equal(text_at(*state, "definitions/step/anyOf/0/$ref"), "#/definitions/fault-slowness");
	assert_string_equal(text_at(*state, "definitions/step/anyOf/1/$ref"), "#/definitions/fault-silence");
}

static void only_the_default_kind_of_probe_may_be_left_out(void **state)
{
	assert_false(requires(at(*state, "definitions/probe-dns"), "kind"));
	assert_true(requires(at(*state, "definitions/probe-stub"), "kind"));
	assert_string_equal(text_at(*state, "definitions/probe-stub/properties/kind/const"), "stub");
	assert_non_null(at(*state, "definitions/probe-stub/properties/query"));
}

static void an_expectation_takes_every_metric(void **state)
{
	char path[200];

	for (int metric = 0; metric < METRIC_COUNT; metric++) {
		snprintf(path, sizeof(path), "definitions/expect/properties/%s/description", metric_infos[metric].name);
		assert_string_equal(text_at(*state, path), metric_infos[metric].doc);
	}
	assert_true(requires(at(*state, "definitions/expect"), "probe"));
}

static void servers_are_offered_by_what_they_can_do(void **state)
{
	json_t *auth = at(*state, "definitions/nameserver/properties/server/anyOf/0/enum");
	json_t *resolver = at(*state, "definitions/resolver/properties/server/anyOf/0/enum");

	assert_int_equal(json_array_size(auth), 2);
	assert_string_equal(text_at(auth, "0"), "auth");
	assert_string_equal(text_at(auth, "1"), "both");
	assert_int_equal(json_array_size(resolver), 2);
	assert_string_equal(text_at(resolver, "0"), "both");
	assert_string_equal(text_at(resolver, "1"), "forwarder");
}

static void ranges_and_defaults_are_shown(void **state)
{
	assert_non_null(
		strstr(text_at(*state, "definitions/client/properties/timeout/description"), "(1s … 30s; default 5s)"));
	assert_string_equal(text_at(*state, "definitions/client/properties/timeout/default"), "5s");
	assert_int_equal(json_integer_value(at(*state, "definitions/client/properties/attempts/default")), 2);
}

static void what_a_plan_must_say_may_be_included(void **state)
{
	assert_null(at(*state, "required"));
	assert_string_equal(text_at(*state, "anyOf/0/required/0"), "plan");
	assert_string_equal(text_at(*state, "anyOf/1/required/0"), "include");
}

static void works_without_anything_plugged_in(void **state)
{
	struct registry empty = {0};
	struct buf out = {0};
	json_t *json;

	(void)state;
	schema_write(&empty, &out);
	json = json_loads(out.data, 0, NULL);
	assert_non_null(json);
	json_decref(json);
	buf_fini(&out);
}

/* Rows that fill the same struct must not claim the same key: parsing would hear only the first. */
static void no_key_stands_twice(const struct param *a, const struct param *b)
{
	for (const struct param *p = a; p->key; p++) {
		for (const struct param *q = p + 1; q->key; q++)
			assert_string_not_equal(p->key, q->key);
		for (const struct param *q = b; q && q->key; q++)
			assert_string_not_equal(p->key, q->key);
	}
}

#define INJECTOR(name) extern const struct injector_ops name##_ops;
#include "injectors/list.h"
#undef INJECTOR
#define PROBE(name) extern const struct probe_ops name##_ops;
#include "harness/probe/list.h"
#undef PROBE

static void no_kind_claims_a_key_of_the_common_rows(void **state)
{
	(void)state;
#define INJECTOR(name)                                              \
	no_key_stands_twice(step_params, name##_ops.params);        \
	no_key_stands_twice(step_target_params, name##_ops.params); \
	no_key_stands_twice(step_groups_params, name##_ops.params);
#include "injectors/list.h"
#undef INJECTOR
#define PROBE(name) no_key_stands_twice(probe_params, name##_ops.params);
#include "harness/probe/list.h"
#undef PROBE
	no_key_stands_twice(plan_table.params, NULL);
	no_key_stands_twice(lab_table.params, NULL);
	no_key_stands_twice(nameserver_table.params, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_which_draft_and_what_it_is_of),
		cmocka_unit_test(is_the_same_each_time),
		cmocka_unit_test(every_key_of_every_table_has_its_description),
		cmocka_unit_test(a_fault_takes_the_common_keys_and_its_own),
		cmocka_unit_test(only_the_default_kind_of_probe_may_be_left_out),
		cmocka_unit_test(an_expectation_takes_every_metric),
		cmocka_unit_test(servers_are_offered_by_what_they_can_do),
		cmocka_unit_test(ranges_and_defaults_are_shown),
		cmocka_unit_test(what_a_plan_must_say_may_be_included),
		cmocka_unit_test(works_without_anything_plugged_in),
		cmocka_unit_test(no_kind_claims_a_key_of_the_common_rows),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
