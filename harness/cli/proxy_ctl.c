/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/cli/proxy_ctl.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/fd.h"
#include "harness/base/text.h"
#include "injectors/proxy/control.h"

#define RULE_MAX_BYTES (512u << 10)

static const char usage[] = "proxy ctl: it is: ctl PATH list, ctl PATH count, ctl PATH add RULE, ctl PATH remove ID";

static void print_safely(const char *text, FILE *out)
{
	struct buf shown = {0};

	text_add_printable(&shown, text);
	fputs(shown.data ? shown.data : "", out);
	buf_fini(&shown);
}

static void print_rules(const json_t *rules)
{
	size_t i;
	const json_t *row;

	json_array_foreach(rules, i, row)
	{
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *rule = json_string_value(json_object_get(row, "rule"));

		printf("%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(row, "id")));
		for (const char *const *key = (const char *const[]){"seen", "matched", "done", NULL}; *key; key++) {
			const json_t *value = json_object_get(row, *key);

			if (value)
				printf("\t%s %" JSON_INTEGER_FORMAT, *key, json_integer_value(value));
		}
		printf("\t");
		print_safely(json_string_value(json_object_get(row, "place")), stdout);
		printf("\t");
		print_safely(name ? name : "", stdout);
		printf("\t");
		print_safely(rule ? rule : "", stdout);
		printf("\n");
	}
}

/* What rules wanted sent, and could not be. */
static void print_losses(const json_t *losses)
{
	static const struct {
		const char *key, *why;
	} rows[] = {{"later", "too much was waiting to be sent later"},
		    {"source", "their address or port is not to be had"}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_int_t count = json_integer_value(json_object_get(losses, rows[i].key));

		if (count)
			printf("%" JSON_INTEGER_FORMAT " not sent: %s\n", count, rows[i].why);
	}
}

static void print_failures(const json_t *failures)
{
	json_int_t count = json_integer_value(json_object_get(failures, "count"));
	const char *why = json_string_value(json_object_get(failures, "last"));

	if (!count)
		return;
	printf("%" JSON_INTEGER_FORMAT " failed by the upstream; the last: ", count);
	print_safely(why ? why : "", stdout);
	printf("\n");
}

static void print_texts(const json_t *texts, const char *kind)
{
	size_t i;
	const json_t *text;

	json_array_foreach(texts, i, text)
	{
		fprintf(stderr, "dnsdrill: proxy ctl: %s", kind);
		print_safely(json_string_value(text), stderr);
		fputc('\n', stderr);
	}
}

static int print_answer(const char *line)
{
	json_t *answer = json_loads(line, 0, NULL);
	const json_t *ids = json_object_get(answer, "ids"), *id;
	bool ok = json_is_true(json_object_get(answer, "ok"));
	size_t i;

	print_texts(json_object_get(answer, "errors"), "");
	print_texts(json_object_get(answer, "warnings"), "warning: ");
	print_rules(json_object_get(answer, "rules"));
	print_losses(json_object_get(answer, "not_sent"));
	print_failures(json_object_get(answer, "upstream_failed"));
	json_array_foreach(ids, i, id) printf("%" JSON_INTEGER_FORMAT "\n", json_integer_value(id));
	json_decref(answer);
	return ok ? EXIT_PASS : EXIT_FAILED;
}

static json_t *add_request(const char *rule)
{
	CLEANUP_FREE char *text = NULL;
	size_t len;
	int r;

	if (strcmp(rule, "-") != 0)
		return json_pack("{s:s, s:s}", "command", "add", "rule", rule);
	r = fd_read_file(AT_FDCWD, "/dev/stdin", RULE_MAX_BYTES, &text, &len);
	if (r) {
		cli_complain("proxy ctl: reading the rule: %s", strerror(-r));
		return NULL;
	}
	return json_pack("{s:s, s:s}", "command", "add", "rule", text);
}

static json_t *remove_request(const char *id)
{
	if (!*id || strlen(id) > 10 || strspn(id, "0123456789") != strlen(id)) {
		cli_complain("proxy ctl: remove %s: the id is a number, which list shows", id);
		return NULL;
	}
	return json_pack("{s:s, s:I}", "command", "remove", "id", (json_int_t)strtoll(id, NULL, 10));
}

/* NULL: it was said what is wrong. */
static json_t *make_request(const struct cli_list *operands)
{
	const char *command = operands->count > 2 ? operands->v[2] : "";

	if (operands->count == 3 && (!strcmp(command, "list") || !strcmp(command, "count")))
		return json_pack("{s:s}", "command", command);
	if (operands->count == 4 && !strcmp(command, "add"))
		return add_request(operands->v[3]);
	if (operands->count == 4 && !strcmp(command, "remove"))
		return remove_request(operands->v[3]);
	cli_complain("%s", usage);
	return NULL;
}

int proxy_ctl(const struct cli_list *operands)
{
	json_t *request = make_request(operands);
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE char *line = NULL;
	struct err err = {0};

	if (!request)
		return EXIT_USAGE;
	text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (!text) {
		cli_complain("proxy ctl: the rule is not UTF-8");
		return EXIT_USAGE;
	}
	if (control_ask(operands->v[1], text, &line, &err)) {
		err_print(&err, stderr);
		return EXIT_TROUBLE;
	}
	return print_answer(line);
}
