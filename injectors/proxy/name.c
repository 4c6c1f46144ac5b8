/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of DNS messages to and from text, and what is below what.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "injectors/proxy/msg.h"

/* One character of a label, escaped or not. Returns how many bytes of text it takes, 0 if it is none. */
static size_t read_char(const char *text, uint8_t *ret)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned value;

	if (*s != '\\') {
		*ret = (uint8_t)tolower(*s);
		return 1;
	}
	if (!isdigit(s[1])) {
		*ret = (uint8_t)tolower(s[1]);
		return s[1] ? 2 : 0;
	}
	if (!isdigit(s[2]) || !isdigit(s[3]))
		return 0;
	value = (s[1] - '0') * 100u + (s[2] - '0') * 10u + (s[3] - '0');
	*ret = (uint8_t)tolower((int)(value & 0xff));
	return value < 256 ? 4 : 0;
}

int msg_name_from_text(struct msg_name *ret, const char *text)
{
	struct msg_name name = {.len = 0};

	if (!*text)
		return -EINVAL;
	if (!strcmp(text, "."))
		text++;
	while (*text) {
		size_t head = name.len++, label = 0;

		while (*text && *text != '.') {
			uint8_t c;
			size_t used = read_char(text, &c);

			if (!used || ++label > MSG_LABEL_MAX || name.len + 2 > MSG_NAME_MAX)
				return -EINVAL;
			name.wire[name.len++] = c;
			text += used;
		}
		if (!label)
			return -EINVAL;
		name.wire[head] = (uint8_t)label;
		if (*text)
			text++;
	}
	name.wire[name.len++] = 0;
	*ret = name;
	return 0;
}

void msg_name_to_text(const struct msg_name *name, char *ret, size_t size)
{
	size_t used = 0;

	if (name->len <= 1) {
		snprintf(ret, size, ".");
		return;
	}
	ret[0] = '\0';
	for (size_t at = 0; name->wire[at] && used + 6 < size; at += 1u + name->wire[at]) {
		if (at)
			ret[used++] = '.';
		for (size_t i = 1; i <= name->wire[at] && used + 6 < size; i++) {
			uint8_t c = name->wire[at + i];

			if (c <= ' ' || c >= 0x7f)
				used += (size_t)snprintf(ret + used, size - used, "\\%03u", c);
			else if (c == '.' || c == '\\')
				used += (size_t)snprintf(ret + used, size - used, "\\%c", c);
			else
				ret[used++] = (char)c;
		}
	}
	ret[used] = '\0';
}

bool msg_name_is_equal(const struct msg_name *a, const struct msg_name *b)
{
	return a->len == b->len && !memcmp(a->wire, b->wire, a->len);
}

bool msg_name_is_below(const struct msg_name *name, const struct msg_name *parent)
{
	size_t at = 0, boundary;

	if (name->len <= parent->len)
		return false;
	boundary = name->len - parent->len;
	if (memcmp(name->wire + boundary, parent->wire, parent->len) != 0)
		return false;
	while (at < boundary)
		at += 1u + name->wire[at];
	return at == boundary;
}
