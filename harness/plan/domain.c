/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domain names as plans write them.
 */
#include <ctype.h>
#include <string.h>

#include "harness/plan/internal.h"

#define DOMAIN_TEXT_MAX 253

static const char *label_reject(const char *label, size_t len)
{
	if (!len)
		return "two dots in a row, or a dot in front";
	if (len > 63)
		return "a label has more than 63 characters";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)label[i];

		if (c >= 0x80)
			return "write names in other scripts in their xn-- form";
		if (!isalnum(c) && !strchr("-_*/", c))
			return "a label holds letters, digits, \"-\" and \"_\" only";
	}
	return NULL;
}

const char *domain_normalise(struct arena *arena, const char *text, const char **ret_why)
{
	size_t len = strlen(text);
	char *name;

	*ret_why = NULL;
	if (!strcmp(text, "."))
		return arena_strdup(arena, text);
	if (len && text[len - 1] == '.')
		len--;
	if (!len)
		*ret_why = "it is empty";
	else if (len > DOMAIN_TEXT_MAX)
		*ret_why = "it has more than 253 characters";
	for (size_t i = 0; !*ret_why && i <= len;) {
		size_t label = 0;

		while (i + label < len && text[i + label] != '.')
			label++;
		*ret_why = label_reject(text + i, label);
		i += label + 1;
	}
	if (*ret_why)
		return NULL;
	name = arena_strndup(arena, text, len);
	for (char *p = name; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return name;
}

bool domain_is_within(const char *name, const char *zone)
{
	size_t n = strlen(name), z = strlen(zone);

	if (!strcmp(zone, "."))
		return true;
	return n >= z && !strcmp(name + n - z, zone) && (n == z || name[n - z - 1] == '.');
}

const char *domain_last_labels(const char *name, size_t labels)
{
	const char *p = name + strlen(name);

	while (p > name) {
		if (p[-1] == '.' && !--labels)
			return p;
		p--;
	}
	return name;
}
