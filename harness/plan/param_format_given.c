/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a plan said, from the struct it was parsed into: in sentences, and for other programs that read the same rows.
 */
#include <inttypes.h>
#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/units.h"
#include "harness/plan/parse.h"

#define AT(src, param, type) ((const type *)(const void *)((const char *)(src) + (param)->offset))

static bool is_plain(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";

	return *text && *text != '-' && strspn(text, letters) == strlen(text);
}

/* Double-quoted, where YAML or a reader might see something else in it. */
static void add_text(const char *text, struct buf *out)
{
	if (is_plain(text)) {
		buf_puts(out, text);
		return;
	}
	buf_putc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_printf(out, "\\%c", *text);
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			buf_printf(out, "\\x%02x", (unsigned char)*text);
		else
			buf_putc(out, *text);
	}
	buf_putc(out, '"');
}

static void add_texts(const struct texts *texts, struct buf *out)
{
	for (size_t i = 0; i < texts->count; i++) {
		buf_puts(out, i ? ", " : texts->count > 1 ? "[" : "");
		add_text(texts->v[i].value, out);
	}
	buf_puts(out, texts->count > 1 ? "]" : "");
}

static void add_addresses(const struct addresses *list, struct buf *out)
{
	for (size_t i = 0; i < list->count; i++) {
		buf_puts(out, i ? ", " : list->count > 1 ? "[" : "");
		add_text(list->v[i].text, out);
	}
	buf_puts(out, list->count > 1 ? "]" : "");
}

static void add_items(const struct param *param, const struct items *items, struct buf *out)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < items->count; i++) {
		buf_puts(out, i ? ", " : "");
		param_format_given(param->sub->params, (const char *)items->v + i * param->sub->size, out);
	}
	buf_putc(out, ']');
}

static bool is_number(enum param_type type)
{
	return type == PARAM_INT || type == PARAM_DURATION || type == PARAM_SHARE || type == PARAM_SIZE ||
	       type == PARAM_RATE;
}

static bool is_given(const struct param *param, const void *src)
{
	if (is_number(param->type) || param->type == PARAM_ENUM)
		return *AT(src, param, int64_t) != param->def;
	if (param->type == PARAM_BOOL)
		return *AT(src, param, bool) != (param->def != 0);
	if (param->type == PARAM_TEXT)
		return AT(src, param, struct text)->value != NULL;
	if (param->type == PARAM_TEXTS)
		return AT(src, param, struct texts)->count > 0;
	if (param->type == PARAM_ADDRESSES)
		return AT(src, param, struct addresses)->count > 0;
	if (param->type == PARAM_LIST)
		return AT(src, param, struct items)->count > 0;
	return param->type == PARAM_TABLE && param_is_given(param->sub->params, AT(src, param, char));
}

bool param_is_given(const struct param *params, const void *src)
{
	for (; params->key; params++) {
		if (is_given(params, src))
			return true;
	}
	return false;
}

static void add_number(const struct param *param, int64_t number, struct buf *out)
{
	char text[32];

	if (param->type == PARAM_DURATION)
		buf_puts(out, units_format_duration(number, text, sizeof(text)));
	else if (param->type == PARAM_SHARE)
		buf_puts(out, units_format_share(number, text, sizeof(text)));
	else if (param->type == PARAM_SIZE)
		buf_puts(out, units_format_size(number, text, sizeof(text)));
	else if (param->type == PARAM_RATE)
		buf_puts(out, units_format_rate(number, text, sizeof(text)));
	else
		buf_printf(out, "%" PRId64, number);
}

static void add_value(const struct param *param, const void *src, struct buf *out)
{
	if (is_number(param->type))
		add_number(param, *AT(src, param, int64_t), out);
	else if (param->type == PARAM_ENUM)
		add_text(param->choices[*AT(src, param, int64_t)], out);
	else if (param->type == PARAM_BOOL)
		buf_puts(out, *AT(src, param, bool) ? "true" : "false");
	else if (param->type == PARAM_TEXT)
		add_text(AT(src, param, struct text)->value, out);
	else if (param->type == PARAM_TEXTS)
		add_texts(AT(src, param, struct texts), out);
	else if (param->type == PARAM_ADDRESSES)
		add_addresses(AT(src, param, struct addresses), out);
	else if (param->type == PARAM_LIST)
		add_items(param, AT(src, param, struct items), out);
	else
		param_format_given(param->sub->params, AT(src, param, char), out);
}

void param_format_given(const struct param *params, const void *src, struct buf *out)
{
	const char *separator = "";

	buf_putc(out, '{');
	for (; params->key; params++) {
		if (!is_given(params, src))
			continue;
		buf_printf(out, "%s%s: ", separator, params->key);
		add_value(params, src, out);
		separator = ", ";
	}
	buf_putc(out, '}');
}
