/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/text.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#define WORD_MAX 64 /* nobody misspells longer words by a letter */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Optimal string alignment distance; rows i-2, i-1, i of the usual table. */
static size_t distance(const char *a, size_t la, const char *b, size_t lb)
{
	size_t rows[3][WORD_MAX + 1];

	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *now = rows[i % 3], *before = rows[(i - 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);

			now[j] = min3(before[j] + 1, now[j - 1] + 1, before[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
			    cb == tolower((unsigned char)a[i - 2]) && rows[(i - 2) % 3][j - 2] + 1 < now[j])
				now[j] = rows[(i - 2) % 3][j - 2] + 1;
		}
	}
	return rows[la % 3][lb];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count)
{
	size_t len = strlen(word), best = (len + 2) / 3 + 1;
	const char *nearest = NULL;

	if (!len || len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(candidates[i]), d;

		if (other > WORD_MAX)
			continue;
		d = distance(word, len, candidates[i], other);
		if (d < best) {
			best = d;
			nearest = candidates[i];
		}
	}
	return nearest;
}

size_t text_utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	static const struct {
		unsigned char lead_min, lead_max, second_min, second_max, length;
	} forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (s[0] < 0x80)
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (s[0] < forms[i].lead_min || s[0] > forms[i].lead_max)
			continue;
		if (s[1] < forms[i].second_min || s[1] > forms[i].second_max)
			return 0;
		for (size_t j = 2; j < forms[i].length; j++) {
			if ((s[j] & 0xc0) != 0x80)
				return 0;
		}
		return forms[i].length;
	}
	return 0;
}

/* C0 and C1 controls, DEL, and the characters that turn the direction of text around. */
static bool is_hostile(const unsigned char *s, size_t len)
{
	if (len == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	if (len == 2)
		return s[0] == 0xc2 && s[1] < 0xa0;
	return len == 3 && s[0] == 0xe2 &&
	       ((s[1] == 0x80 && ((s[2] >= 0x8e && s[2] <= 0x8f) || (s[2] >= 0xa8 && s[2] <= 0xae))) ||
		(s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));
}

void text_add_printable(struct buf *buf, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		size_t len = text_utf8_length((const char *)s), shown = len ? len : 1;

		if (len && !is_hostile(s, len)) {
			buf_add(buf, s, len);
		} else {
			for (size_t i = 0; i < shown; i++)
				buf_printf(buf, "\\x%02X", s[i]);
		}
		s += shown;
	}
}
