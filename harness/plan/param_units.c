/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers with units, and what to write instead of a wrong one.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/units.h"
#include "harness/plan/parse_value.h"

struct unit_kind {
	enum param_type type;
	int (*parse)(const char *text, int64_t *ret);
	const char *what;
	const char *bare; /* how a bare number N is to be written: N stands for it */
};

static const struct unit_kind kinds[] = {
	{PARAM_DURATION, units_parse_duration, "a duration such as 250ms, 10s, 5m, 24h or 7d", "Ns (or Nms, Nm, Nh)"},
	{PARAM_SHARE, units_parse_share, "a share such as 30% or 0.5%", "N%"},
	{PARAM_SIZE, units_parse_size, "a size such as 512B, 4KiB or 2MiB", "NB (or NKiB, NMiB)"},
	{PARAM_RATE, units_parse_rate, "a rate such as 100/s or 64kbit/s", "N/s"},
};

/* What people write for a unit, in lower case. */
static const struct {
	enum param_type type;
	const char *word, *unit;
} words[] = {
	{PARAM_DURATION, "sec", "s"},
	{PARAM_DURATION, "secs", "s"},
	{PARAM_DURATION, "second", "s"},
	{PARAM_DURATION, "seconds", "s"},
	{PARAM_DURATION, "min", "m"},
	{PARAM_DURATION, "mins", "m"},
	{PARAM_DURATION, "minute", "m"},
	{PARAM_DURATION, "minutes", "m"},
	{PARAM_DURATION, "hr", "h"},
	{PARAM_DURATION, "hour", "h"},
	{PARAM_DURATION, "hours", "h"},
	{PARAM_DURATION, "day", "d"},
	{PARAM_DURATION, "days", "d"},
	{PARAM_DURATION, "msec", "ms"},
	{PARAM_DURATION, "millis", "ms"},
	{PARAM_DURATION, "usec", "us"},
	{PARAM_DURATION, "\xc2\xb5s", "us"},
	{PARAM_DURATION, "nsec", "ns"},
	{PARAM_SHARE, "percent", "%"},
	{PARAM_SIZE, "byte", "B"},
	{PARAM_SIZE, "bytes", "B"},
	{PARAM_SIZE, "b", "B"},
	{PARAM_SIZE, "k", "KiB"},
	{PARAM_SIZE, "kb", "KiB"},
	{PARAM_SIZE, "kib", "KiB"},
	{PARAM_SIZE, "m", "MiB"},
	{PARAM_SIZE, "mb", "MiB"},
	{PARAM_SIZE, "mib", "MiB"},
	{PARAM_SIZE, "g", "GiB"},
	{PARAM_SIZE, "gb", "GiB"},
	{PARAM_SIZE, "gib", "GiB"},
	{PARAM_RATE, "/sec", "/s"},
	{PARAM_RATE, "/second", "/s"},
	{PARAM_RATE, "persecond", "/s"},
	{PARAM_RATE, "qps", "/s"},
	{PARAM_RATE, "pps", "/s"},
	{PARAM_RATE, "kbit", "kbit/s"},
	{PARAM_RATE, "mbit", "Mbit/s"},
	{PARAM_RATE, "mbit/s", "Mbit/s"},
	{PARAM_RATE, "gbit", "Gbit/s"},
	{PARAM_RATE, "gbit/s", "Gbit/s"},
	{PARAM_RATE, "bit", "bit/s"},
};

static const struct unit_kind *kind_of(enum param_type type)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].type == type)
			return &kinds[i];
	}
	return &kinds[0];
}

static bool is_bare(const char *text)
{
	size_t whole = strspn(text, "0123456789"), part;

	if (!whole || text[whole] != '.')
		return whole && !text[whole];
	part = strspn(text + whole + 1, "0123456789");
	return part && !text[whole + 1 + part];
}

/* What was probably meant: blanks left out, letters in lower case, units by other names. False if no guess parses. */
static bool guess(const struct unit_kind *kind, const char *text, char *ret, size_t size)
{
	char squeezed[32];
	size_t len = 0, number;
	int64_t value;

	for (; *text; text++) {
		if (isspace((unsigned char)*text))
			continue;
		if (len + 1 >= sizeof(squeezed))
			return false;
		squeezed[len++] = (char)tolower((unsigned char)*text);
	}
	squeezed[len] = '\0';
	number = strspn(squeezed, "0123456789.");
	snprintf(ret, size, "%s", squeezed);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (words[i].type == kind->type && !strcmp(words[i].word, squeezed + number))
			snprintf(ret, size, "%.*s%s", (int)number, squeezed, words[i].unit);
	}
	return !kind->parse(ret, &value);
}

static void say_no_unit(struct parse *parse, const struct param *param, const struct node *value)
{
	struct buf right = {0};

	for (const char *p = kind_of(param->type)->bare; *p; p++) {
		if (*p == 'N')
			buf_printf(&right, "%.24s", value->scalar);
		else
			buf_putc(&right, *p);
	}
	errs_add(parse->errs, value->loc, "%s: %.24s has no unit; write %s", param->key, value->scalar,
		 right.data ? right.data : "one");
	buf_fini(&right);
}

static void say_wrong(struct parse *parse, const struct param *param, const struct node *value)
{
	const struct unit_kind *kind = kind_of(param->type);
	char meant[64], shown[128];

	if (value->type != NODE_SCALAR)
		parse_mismatch(parse, param, value, kind->what);
	else if (is_bare(value->scalar))
		say_no_unit(parse, param, value);
	else if (value->scalar[0] == '-')
		errs_add(parse->errs, value->loc, "%s: %s is negative; write %s", param->key,
			 node_describe(value, shown, sizeof(shown)), kind->what);
	else if (guess(kind, value->scalar, meant, sizeof(meant)))
		errs_add(parse->errs, value->loc, "%s: %s is not spelt right; write %s", param->key,
			 node_describe(value, shown, sizeof(shown)), meant);
	else
		parse_mismatch(parse, param, value, kind->what);
}

void parse_unit(struct parse *parse, const struct param *param, const struct node *value, int64_t *ret)
{
	struct buf range = {0};
	int64_t number = 0;
	int r = value->type == NODE_SCALAR ? kind_of(param->type)->parse(value->scalar, &number) : -EINVAL;

	if (r == -EINVAL) {
		say_wrong(parse, param, value);
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
