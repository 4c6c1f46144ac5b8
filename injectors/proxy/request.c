/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/request.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "harness/plan/parse.h"

/* Every error a string of an array, as it would be printed. */
static json_t *texts(const struct errs *errs)
{
	json_t *list = json_array();

	for (size_t i = 0; i < errs->count; i++) {
		const struct err *err = &errs->v[i];

		if (err->loc.file && err->loc.line)
			json_array_append_new(list, json_sprintf("%s:%u:%u: %s", err->loc.file, err->loc.line,
								 err->loc.col, err->text));
		else
			json_array_append_new(list, json_string(err->text));
	}
	return list;
}

static json_t *refuse(const char *why)
{
	return json_pack("{s:b, s:[s]}", "ok", 0, "errors", why);
}

static json_t *describe(const struct rule *rule, bool with_counts)
{
	json_t *row = json_pack("{s:I, s:s?}", "id", (json_int_t)rule->id, "name", rule->name.value);
	struct buf text = {0};

	json_object_set_new(
		row, "place",
		json_sprintf("%s:%u:%u", rule->loc.file ? rule->loc.file : "", rule->loc.line, rule->loc.col));
	param_format_given(rule_params, rule, &text);
	json_object_set_new(row, "rule", json_string(text.data ? text.data : ""));
	buf_fini(&text);
	if (with_counts) {
		json_object_set_new(row, "seen", json_integer((json_int_t)rule_seen(rule)));
		json_object_set_new(row, "matched", json_integer((json_int_t)atomic_load(&rule->matched)));
		json_object_set_new(row, "done", json_integer((json_int_t)atomic_load(&rule->done)));
	}
	return row;
}

static json_t *show(const struct control_state *state, bool with_counts)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < state->rules->rules.count; i++)
		json_array_append_new(rows, describe(state->rules->rules.v[i], with_counts));
	return json_pack("{s:b, s:o}", "ok", 1, "rules", rows);
}

static json_t *list(struct control_state *state, const json_t *request)
{
	(void)request;
	return show(state, false);
}

static json_t *count(struct control_state *state, const json_t *request)
{
	const struct proxy_losses *losses = proxy_losses(state->proxy);
	const struct proxy_failures *failures = proxy_failures(state->proxy);
	json_t *answer = show(state, true);

	(void)request;
	json_object_set_new(answer, "not_sent",
			    json_pack("{s:I, s:I}", "later", (json_int_t)atomic_load(&losses->later), "source",
				      (json_int_t)atomic_load(&losses->source)));
	json_object_set_new(answer, "upstream_failed",
			    json_pack("{s:I, s:s?}", "count", (json_int_t)atomic_load(&failures->count), "last",
				      atomic_load(&failures->why)));
	return answer;
}

/* From now on these; state has a reference of its own. */
static void use(struct control_state *state, struct ruleset *rules)
{
	ruleset_drop(state->rules);
	state->rules = rules;
	proxy_swap(state->proxy, ruleset_take(rules));
}

static json_t *add(struct control_state *state, const json_t *request)
{
	const char *text = json_string_value(json_object_get(request, "rule"));
	struct errs errs = {0}, warnings = {0};
	size_t before = state->rules->rules.count;
	struct ruleset *rules;
	json_t *answer;

	if (!text)
		return refuse("add needs \"rule\": a rule, or a list of rules, as YAML text");
	if (ruleset_with(state->rules, "rule", text, strlen(text), &rules, &errs, &warnings)) {
		answer =
			errs.count ? json_pack("{s:b, s:o}", "ok", 0, "errors", texts(&errs)) : refuse("out of memory");
	} else {
		json_t *ids = json_array();

		for (size_t i = before; i < rules->rules.count; i++)
			json_array_append_new(ids, json_integer(rules->rules.v[i]->id));
		use(state, rules);
		answer = json_pack("{s:b, s:o, s:o}", "ok", 1, "ids", ids, "warnings", texts(&warnings));
	}
	errs_fini(&errs);
	errs_fini(&warnings);
	return answer;
}

static json_t *remove_rule(struct control_state *state, const json_t *request)
{
	const json_t *id = json_object_get(request, "id");
	json_int_t value = json_integer_value(id);
	struct ruleset *rules;
	int r;

	if (!json_is_integer(id) || value < 1 || value > UINT32_MAX)
		return refuse("remove needs \"id\": the number that list shows");
	r = ruleset_without(state->rules, (uint32_t)value, &rules);
	if (r)
		return refuse(r == -ENOENT ? "no rule has this id; list shows those there are" : "out of memory");
	use(state, rules);
	return json_pack("{s:b}", "ok", 1);
}

static const struct {
	const char *name;
	json_t *(*run)(struct control_state *state, const json_t *request);
} requests[] = {{"list", list}, {"count", count}, {"add", add}, {"remove", remove_rule}};

static json_t *answer_to(struct control_state *state, const json_t *request, const json_error_t *error)
{
	const char *name = json_string_value(json_object_get(request, "command"));

	if (!request)
		return json_pack("{s:b, s:[o]}", "ok", 0, "errors", json_sprintf("not JSON: %s", error->text));
	for (size_t i = 0; name && i < ARRAY_LEN(requests); i++) {
		if (!strcmp(name, requests[i].name))
			return requests[i].run(state, request);
	}
	return refuse("\"command\" is none of: list, count, add, remove");
}

void request_handle(struct control_state *state, const char *line, size_t len, struct buf *out)
{
	json_error_t error;
	json_t *request = json_loadb(line, len, 0, &error), *answer = answer_to(state, request, &error);
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	buf_puts(out, text ? text : "{\"ok\":false,\"errors\":[\"out of memory\"]}");
	buf_putc(out, '\n');
	free(text);
	json_decref(answer);
	json_decref(request);
}
