/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Booleans, whole numbers, choices and texts.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "harness/base/buf.h"
#include "harness/base/text.h"
#include "harness/plan/parse_value.h"

void parse_mismatch(struct parse *parse, const struct param *param, const struct node *value, const char *what)
{
	char shown[128];

	errs_add(parse->errs, value->loc, "%s: %s is expected, not %s", param->key, what,
		 node_describe(value, shown, sizeof(shown)));
}

void parse_bool(struct parse *parse, const struct param *param, const struct node *value, bool *ret)
{
	/* What YAML 1.1 and people also take for a boolean. */
	static const char *const words[2][8] = {
		{"no", "off", "n", "false", "disabled", "0", "f"},
		{"yes", "on", "y", "true", "enabled", "1", "t"},
	};

	if (value->type == NODE_SCALAR && !value->quoted) {
		if (!strcmp(value->scalar, "true") || !strcmp(value->scalar, "false")) {
			*ret = *value->scalar == 't';
			return;
		}
	}
	for (int truth = 0; truth < 2 && value->type == NODE_SCALAR; truth++) {
		for (size_t i = 0; words[truth][i]; i++) {
			if (strcasecmp(value->scalar, words[truth][i]))
				continue;
			errs_add(parse->errs, value->loc, "%s: %s%s%s is not a boolean here; write %s", param->key,
				 value->quoted ? "\"" : "", value->scalar, value->quoted ? "\"" : "",
				 truth ? "true" : "false");
			return;
		}
	}
	parse_mismatch(parse, param, value, "true or false");
}

/* Plain decimal. 0, -EINVAL, or -ERANGE if it does not fit. */
static int decimal(const char *text, int64_t *ret)
{
	const char *digits = text + (*text == '-');
	char *end;
	intmax_t number;

	if (!*digits || digits[strspn(digits, "0123456789")] || (digits[0] == '0' && digits[1]))
		return -EINVAL;
	errno = 0;
	number = strtoimax(text, &end, 10);
	if (errno || number == INT64_MIN)
		return -ERANGE;
	*ret = number;
	return 0;
}

/* A number in one of YAML's other spellings: 0x10, 0o10, 010, 1_000, +5. False if it is none. */
static bool other_spelling(const char *text, intmax_t *ret)
{
	char squeezed[32];
	size_t len = 0;
	bool octal = false;
	char *end;

	text += *text == '+';
	if (text[0] == '0' && (text[1] == 'o' || text[1] == 'O')) {
		octal = true;
		text += 2;
	}
	for (; *text; text++) {
		if (*text == '_')
			continue;
		if (len + 1 >= sizeof(squeezed))
			return false;
		squeezed[len++] = *text;
	}
	squeezed[len] = '\0';
	if (!len || squeezed[0] == '+' || squeezed[0] == ' ')
		return false;
	errno = 0;
	*ret = strtoimax(squeezed, &end, octal ? 8 : 0);
	return !errno && !*end;
}

static void say_no_int(struct parse *parse, const struct param *param, const struct node *value)
{
	char shown[128];
	intmax_t number;

	node_describe(value, shown, sizeof(shown));
	if (value->type == NODE_SCALAR && value->quoted && !decimal(value->scalar, &(int64_t){0}))
		errs_add(parse->errs, value->loc, "%s: %s is a text; write %s without quotes", param->key, shown,
			 value->scalar);
	else if (value->type == NODE_SCALAR && other_spelling(value->scalar, &number))
		errs_add(parse->errs, value->loc, "%s: %s is not a plain decimal number; write %jd", param->key, shown,
			 number);
	else
		parse_mismatch(parse, param, value, "a whole number");
}

void parse_int(struct parse *parse, const struct param *param, const struct node *value, int64_t *ret)
{
	int r = value->type == NODE_SCALAR && !value->quoted ? 0 : -EINVAL;
	struct buf range = {0};
	int64_t number = 0;

	if (!r)
		r = decimal(value->scalar, &number);
	if (r == -EINVAL) {
		say_no_int(parse, param, value);
		return;
	}
	if (!r && number >= param->min && number <= param->max) {
		*ret = number;
		return;
	}
	param_format_range(param, &range);
	errs_add(parse->errs, value->loc, "%s: %.60s is out of range; it must be %s", param->key, value->scalar,
		 range.data ? range.data : "smaller");
	buf_fini(&range);
}

void parse_enum(struct parse *parse, const struct param *param, const struct node *value, int64_t *ret)
{
	const char *nearest;
	struct buf list = {0};
	char shown[128];
	size_t count = 0;

	for (; param->choices[count]; count++) {
		if (value->type == NODE_SCALAR && !strcmp(value->scalar, param->choices[count])) {
			*ret = (int64_t)count;
			buf_fini(&list);
			return;
		}
		buf_printf(&list, "%s%s", count ? ", " : "", param->choices[count]);
	}
	nearest = value->type == NODE_SCALAR ? text_nearest(value->scalar, param->choices, count) : NULL;
	errs_add(parse->errs, value->loc, "%s: %s is not one of %s%s%s%s", param->key,
		 node_describe(value, shown, sizeof(shown)), list.data ? list.data : "",
		 nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
	buf_fini(&list);
}

void parse_text(struct parse *parse, const struct param *param, const struct node *value, struct text *ret)
{
	if (value->type != NODE_SCALAR)
		parse_mismatch(parse, param, value, "a text");
	else if (param->required && !*value->scalar)
		errs_add(parse->errs, value->loc, "%s: the text is empty; write %s", param->key, param->doc);
	else
		*ret = (struct text){value->scalar, value->loc};
}
