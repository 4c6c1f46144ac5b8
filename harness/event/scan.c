/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/event/scan.h"

#include "harness/base/text.h"

#include <string.h>

#define DEPTH_MAX 32 /* of values that are skipped; ours have depth 1 */

static bool problem(struct scan *scan, const char *what)
{
	scan->problem = what;
	return false;
}

static void skip_space(struct scan *scan)
{
	while (scan->at < scan->end &&
	       (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r' || *scan->at == '\n'))
		scan->at++;
}

bool scan_char(struct scan *scan, char c)
{
	skip_space(scan);
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

bool scan_is_end(struct scan *scan)
{
	skip_space(scan);
	return scan->at == scan->end;
}

/* To the closing quote, which is not taken. Says whether there are escapes and bytes beyond ASCII. */
static bool find_quote(struct scan *scan, const char **ret_end, bool *ret_plain)
{
	const char *p = scan->at;
	bool plain = true;

	for (; p < scan->end && *p != '"'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20)
			return problem(scan, "a bare control character in a string");
		if (c == '\\' && p + 1 < scan->end)
			p++;
		if (c == '\\' || c >= 0x80)
			plain = false;
	}
	if (p >= scan->end)
		return problem(scan, "a string without its closing quote");
	*ret_end = p;
	*ret_plain = plain;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits of \uXXXX; at is behind the u. */
static bool take_hex4(const char **at, const char *end, uint32_t *ret)
{
	uint32_t value = 0;

	if (end - *at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit((*at)[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	*at += 4;
	*ret = value;
	return true;
}

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

/* A \u escape, the second half of a surrogate pair included; at is behind the u. */
static bool take_unicode(const char **at, const char *end, char **to)
{
	uint32_t c, low;

	if (!take_hex4(at, end, &c) || c == 0 || (c >= 0xdc00 && c < 0xe000))
		return false;
	if (c >= 0xd800 && c < 0xdc00) {
		if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
			return false;
		*at += 2;
		if (!take_hex4(at, end, &low) || low < 0xdc00 || low >= 0xe000)
			return false;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	*to = put_utf8(*to, c);
	return true;
}

static bool take_escape(const char **at, const char *end, char **to)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	char c = *(*at)++;
	const char *letter = c ? strchr(letters, c) : NULL;

	if (c == 'u')
		return take_unicode(at, end, to);
	if (!letter)
		return false;
	*(*to)++ = meant[letter - letters];
	return true;
}

/* Decodes [at, end) to `to`, which is never longer. Returns where it ended, NULL for a bad escape. */
static char *unescape(const char *at, const char *end, char *to)
{
	while (at < end) {
		if (*at != '\\') {
			*to++ = *at++;
			continue;
		}
		at++;
		if (at == end || !take_escape(&at, end, &to))
			return NULL;
	}
	return to;
}

static bool is_utf8(const char *s, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = text_utf8_length(s + i);
		if (!n)
			return false;
	}
	return true;
}

bool scan_string(struct scan *scan, const char **ret, size_t *ret_len)
{
	const char *close, *start;
	char *text, *end;
	bool plain;

	if (!scan_char(scan, '"'))
		return problem(scan, "expected a string");
	start = scan->at;
	if (!find_quote(scan, &close, &plain))
		return false;
	scan->at = close + 1;
	text = arena_strndup(scan->arena, start, (size_t)(close - start));
	end = text + (close - start);
	if (!plain) {
		end = unescape(start, close, text);
		if (!end)
			return problem(scan, "a bad escape in a string (U+0000 is not allowed either)");
		*end = '\0';
		if (!is_utf8(text, (size_t)(end - text)))
			return problem(scan, "a string that is not UTF-8");
	}
	*ret = text;
	*ret_len = (size_t)(end - text);
	return true;
}

static bool is_digit(const struct scan *scan)
{
	return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

bool scan_int(struct scan *scan, int64_t *ret)
{
	bool negative = scan_char(scan, '-');
	int64_t value = 0;

	if (!is_digit(scan))
		return problem(scan, "expected a whole number");
	if (*scan->at == '0' && scan->at + 1 < scan->end && scan->at[1] >= '0' && scan->at[1] <= '9')
		return problem(scan, "a number with a leading zero");
	for (; is_digit(scan); scan->at++) {
		int digit = *scan->at - '0';

		/* Gathered below zero, where there is room for one more. */
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, digit, &value))
			return problem(scan, "a number beyond 64 bits");
	}
	if (scan->at < scan->end && (*scan->at == '.' || *scan->at == 'e' || *scan->at == 'E'))
		return problem(scan, "expected a whole number, without fraction and exponent");
	if (!negative && value == INT64_MIN)
		return problem(scan, "a number beyond 64 bits");
	*ret = negative ? value : -value;
	return true;
}

static bool take_word(struct scan *scan, const char *word)
{
	size_t len = strlen(word);

	skip_space(scan);
	if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, word, len) != 0)
		return false;
	scan->at += len;
	return true;
}

bool scan_bool(struct scan *scan, bool *ret)
{
	*ret = take_word(scan, "true");
	if (!*ret && !take_word(scan, "false"))
		return problem(scan, "expected true or false");
	return true;
}

static void skip_digits(struct scan *scan)
{
	while (is_digit(scan))
		scan->at++;
}

static bool skip_number(struct scan *scan)
{
	scan_char(scan, '-');
	if (!is_digit(scan))
		return problem(scan, "expected a value");
	if (*scan->at == '0')
		scan->at++;
	else
		skip_digits(scan);
	if (scan->at < scan->end && *scan->at == '.') {
		scan->at++;
		if (!is_digit(scan))
			return problem(scan, "a number that ends with its point");
		skip_digits(scan);
	}
	if (scan->at < scan->end && (*scan->at == 'e' || *scan->at == 'E')) {
		scan->at++;
		if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
			scan->at++;
		if (!is_digit(scan))
			return problem(scan, "a number without exponent digits");
		skip_digits(scan);
	}
	return true;
}

static bool skip_string(struct scan *scan)
{
	const char *text;
	size_t len;

	return scan_string(scan, &text, &len);
}

static bool skip_value(struct scan *scan, unsigned depth);

static bool skip_members(struct scan *scan, char close, bool keyed, unsigned depth)
{
	if (depth == DEPTH_MAX)
		return problem(scan, "values nested too deep");
	if (scan_char(scan, close))
		return true;
	do {
		if (keyed && (!skip_string(scan) || !scan_char(scan, ':')))
			return problem(scan, "expected \"key\": value");
		if (!skip_value(scan, depth + 1))
			return false;
	} while (scan_char(scan, ','));
	return scan_char(scan, close) || problem(scan, "expected , or the closing bracket");
}

static bool skip_value(struct scan *scan, unsigned depth)
{
	if (scan_char(scan, '{'))
		return skip_members(scan, '}', true, depth);
	if (scan_char(scan, '['))
		return skip_members(scan, ']', false, depth);
	if (scan->at < scan->end && *scan->at == '"')
		return skip_string(scan);
	if (take_word(scan, "true") || take_word(scan, "false") || take_word(scan, "null"))
		return true;
	return skip_number(scan);
}

bool scan_skip(struct scan *scan)
{
	return skip_value(scan, 0);
}
