/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How rows read: for `dnsdrill list`, errors, docs and the man page.
 */
#include <inttypes.h>
#include <stdio.h>

#include "harness/base/buf.h"
#include "harness/base/units.h"
#include "harness/plan/parse.h"

static const char *format_number(enum param_type type, int64_t number, char *buf, size_t size)
{
	switch (type) {
	case PARAM_DURATION:
		return units_format_duration(number, buf, size);
	case PARAM_SHARE:
		return units_format_share(number, buf, size);
	case PARAM_SIZE:
		return units_format_size(number, buf, size);
	case PARAM_RATE:
		return units_format_rate(number, buf, size);
	case PARAM_INT:
	case PARAM_BOOL:
	case PARAM_TEXT:
	case PARAM_ENUM:
	case PARAM_ENUMS:
	case PARAM_TEXTS:
	case PARAM_GROUPS:
	case PARAM_ADDRESSES:
	case PARAM_TABLE:
	case PARAM_MAP:
	case PARAM_LIST:
	case PARAM_NODE:
		break;
	}
	snprintf(buf, size, "%" PRId64, number);
	return buf;
}

void param_format_default(const struct param *param, struct buf *out)
{
	char number[32];

	switch (param->type) {
	case PARAM_BOOL:
		buf_puts(out, param->def ? "true" : "false");
		return;
	case PARAM_ENUM:
		if (param->def != PARAM_UNSET)
			buf_puts(out, param->choices[param->def]);
		return;
	case PARAM_INT:
	case PARAM_DURATION:
	case PARAM_SHARE:
	case PARAM_SIZE:
	case PARAM_RATE:
		if (param->def != PARAM_UNSET)
			buf_puts(out, format_number(param->type, param->def, number, sizeof(number)));
		return;
	case PARAM_TEXT:
		if (param->def_text)
			buf_puts(out, param->def_text);
		return;
	case PARAM_ENUMS:
	case PARAM_TEXTS:
	case PARAM_GROUPS:
	case PARAM_ADDRESSES:
	case PARAM_TABLE:
	case PARAM_MAP:
	case PARAM_LIST:
	case PARAM_NODE:
		return;
	}
}

static void format_bounds(const struct param *param, struct buf *out)
{
	char min[32], max[32];

	format_number(param->type, param->min, min, sizeof(min));
	format_number(param->type, param->max, max, sizeof(max));
	if (param->min == param->max)
		buf_puts(out, min);
	else if (param->max == INT64_MAX)
		buf_printf(out, "%s or more", min);
	else if (param->min == INT64_MIN)
		buf_printf(out, "%s or less", max);
	else
		buf_printf(out, "%s … %s", min, max);
}

void param_format_range(const struct param *param, struct buf *out)
{
	switch (param->type) {
	case PARAM_BOOL:
		buf_puts(out, "true, false");
		return;
	case PARAM_ENUM:
	case PARAM_ENUMS:
		for (size_t i = 0; param->choices[i]; i++)
			buf_printf(out, "%s%s", i ? ", " : "", param->choices[i]);
		return;
	case PARAM_INT:
	case PARAM_DURATION:
	case PARAM_SHARE:
	case PARAM_SIZE:
	case PARAM_RATE:
		format_bounds(param, out);
		return;
	case PARAM_TEXT:
	case PARAM_TEXTS:
	case PARAM_GROUPS:
	case PARAM_ADDRESSES:
	case PARAM_TABLE:
	case PARAM_MAP:
	case PARAM_LIST:
	case PARAM_NODE:
		return;
	}
}

const char *param_type_name(const struct param *param)
{
	switch (param->type) {
	case PARAM_BOOL:
		return "boolean";
	case PARAM_INT:
		return "whole number";
	case PARAM_DURATION:
		return "duration";
	case PARAM_SHARE:
		return "share";
	case PARAM_SIZE:
		return "size";
	case PARAM_RATE:
		return "rate";
	case PARAM_TEXT:
		return "text";
	case PARAM_ENUM:
		return "choice";
	case PARAM_ENUMS:
		return "choice or list of choices";
	case PARAM_TEXTS:
		return "text or list of texts";
	case PARAM_GROUPS:
		return "list of lists of texts";
	case PARAM_ADDRESSES:
		return "address or list of addresses";
	case PARAM_TABLE:
		return "mapping";
	case PARAM_MAP:
		return "mapping of names to mappings";
	case PARAM_LIST:
		return "list of mappings";
	case PARAM_NODE:
		return "anything";
	}
	return "anything";
}
