/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/rule_words.h"

#include <ctype.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <string.h>
#include <strings.h>

struct word {
	const char *text;
	uint16_t value;
};

/* A decimal number up to max, after prefix. */
static int read_number(const char *text, const char *prefix, unsigned max, uint16_t *ret)
{
	size_t skip = strlen(prefix);
	unsigned value = 0;

	if (strncasecmp(text, prefix, skip) != 0 || !isdigit((unsigned char)text[skip]))
		return -EINVAL;
	for (text += skip; isdigit((unsigned char)*text); text++) {
		value = value * 10 + (unsigned)(*text - '0');
		if (value > max)
			return -EINVAL;
	}
	if (*text)
		return -EINVAL;
	*ret = (uint16_t)value;
	return 0;
}

static int find_word(const struct word *words, size_t count, const char *text, uint16_t *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcasecmp(words[i].text, text)) {
			*ret = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

/* The registry of DNS RCODEs (RFC 6895 section 2.3). */
int rule_word_rcode(const char *text, uint16_t *ret)
{
	static const struct word words[] = {
		{"NOERROR", 0},    {"FORMERR", 1},    {"SERVFAIL", 2}, {"NXDOMAIN", 3}, {"NOTIMP", 4},
		{"REFUSED", 5},    {"YXDOMAIN", 6},   {"YXRRSET", 7},  {"NXRRSET", 8},  {"NOTAUTH", 9},
		{"NOTZONE", 10},   {"DSOTYPENI", 11}, {"BADVERS", 16}, {"BADSIG", 16},  {"BADKEY", 17},
		{"BADTIME", 18},   {"BADMODE", 19},   {"BADNAME", 20}, {"BADALG", 21},  {"BADTRUNC", 22},
		{"BADCOOKIE", 23},
	};

	if (!find_word(words, ARRAY_LEN(words), text, ret))
		return 0;
	return read_number(text, "", 4095, ret) ? read_number(text, "RCODE", 4095, ret) : 0;
}

int rule_word_opcode(const char *text, uint16_t *ret)
{
	static const struct word words[] = {{"QUERY", 0},  {"IQUERY", 1}, {"STATUS", 2},
					    {"NOTIFY", 4}, {"UPDATE", 5}, {"DSO", 6}};

	return find_word(words, ARRAY_LEN(words), text, ret) ? read_number(text, "", 15, ret) : 0;
}

int rule_word_type(const char *text, uint16_t *ret)
{
	ldns_rr_type type;

	if (!strncasecmp(text, "TYPE", 4))
		return read_number(text, "TYPE", 65535, ret);
	if (!strcasecmp(text, "SVCB") || !strcasecmp(text, "HTTPS")) { /* not in every ldns */
		*ret = strcasecmp(text, "SVCB") ? 65 : 64;
		return 0;
	}
	type = ldns_get_rr_type_by_name(text);
	if (!type)
		return -EINVAL;
	*ret = (uint16_t)type;
	return 0;
}

int rule_word_class(const char *text, uint16_t *ret)
{
	static const struct word words[] = {{"IN", 1}, {"CH", 3}, {"HS", 4}, {"NONE", 254}, {"ANY", 255}};

	return find_word(words, ARRAY_LEN(words), text, ret) ? read_number(text, "CLASS", 65535, ret) : 0;
}

int rule_word_prefix(const char *text, struct rule_prefix *ret)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct rule_prefix prefix = {0};
	char address[INET6_ADDRSTRLEN];
	uint16_t bits;

	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (address_parse(address, &prefix.address))
		return -EINVAL;
	bits = prefix.address.family == AF_INET ? 32 : 128;
	if (slash && read_number(slash + 1, "", bits, &bits))
		return -EINVAL;
	prefix.bits = bits;
	for (unsigned i = bits; i < sizeof(prefix.address.bytes) * 8; i++) {
		if (prefix.address.bytes[i / 8] & 0x80 >> i % 8)
			return -EINVAL;
	}
	*ret = prefix;
	return 0;
}

static int read_regex(const char *text, size_t len, struct rule_qname *ret, char *why, size_t why_size)
{
	CLEANUP_FREE char *pattern = strndup(text + 1, len - 2);
	int r;

	if (!pattern) {
		snprintf(why, why_size, "out of memory");
		return -EINVAL;
	}
	r = regcomp(&ret->regex, pattern, REG_EXTENDED | REG_NOSUB | REG_ICASE);
	if (r) {
		regerror(r, NULL, why, why_size);
		return -EINVAL;
	}
	ret->kind = RULE_QNAME_REGEX;
	return 0;
}

/* Whether people mean something by it that a name does not: a * that is not escaped. */
static bool has_star(const char *text)
{
	for (; *text; text++) {
		if (*text == '*')
			return true;
		text += *text == '\\' && text[1];
	}
	return false;
}

int rule_word_qname(const char *text, struct rule_qname *ret, char *why, size_t why_size)
{
	size_t len = strlen(text);

	if (text[0] == '/') {
		if (len > 2 && len < 1024 && text[len - 1] == '/')
			return read_regex(text, len, ret, why, why_size);
		snprintf(why, why_size, "a regular expression stands between two slashes, /^www/");
		return -EINVAL;
	}
	ret->kind = RULE_QNAME_EXACT;
	if (!strncmp(text, "*.", 2) && text[2]) {
		ret->kind = RULE_QNAME_BELOW;
		text += 2;
	} else if (text[0] == '.' && text[1]) {
		ret->kind = RULE_QNAME_SUFFIX;
		text++;
	}
	if (has_star(text)) {
		snprintf(why, why_size,
			 "a * stands in front only (*.example.com); write a regular expression, /^www.*com$/, or \\* "
			 "for the character");
		return -EINVAL;
	}
	if (!msg_name_from_text(&ret->name, text))
		return 0;
	snprintf(why, why_size, "no domain name");
	return -EINVAL;
}
