/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts, choices and addresses: one, or a list of them.
 */
#include <errno.h>
#include <string.h>

#include "harness/plan/parse_value.h"

/* A value that is no list stands for a list of itself. */
static size_t item_count(const struct node *value)
{
	return value->type == NODE_LIST ? value->count : 1;
}

static const struct node *item_at(const struct node *value, size_t i)
{
	return value->type == NODE_LIST ? value->items[i] : value;
}

/* Whether item is a text; else says so. */
static bool is_text(struct parse *parse, const struct param *param, const struct node *item, const char *what)
{
	if (node_is_null(item)) {
		errs_add(parse->errs, item->loc, "%s: an item of the list has no value; remove it, or write \"\"",
			 param->key);
		return false;
	}
	if (item->type != NODE_SCALAR)
		parse_mismatch(parse, param, item, what);
	return item->type == NODE_SCALAR;
}

void parse_texts(struct parse *parse, const struct param *param, const struct node *value, struct texts *ret)
{
	size_t count = item_count(value);
	struct texts texts = {.v = ARENA_ARRAY(parse->arena, struct text, count)};

	if (param->required && !count)
		errs_add(parse->errs, value->loc, "%s: the list is empty; name at least one", param->key);
	for (size_t i = 0; i < count; i++) {
		const struct node *item = item_at(value, i);

		if (is_text(parse, param, item, "a text or a list of texts"))
			texts.v[texts.count++] = (struct text){item->scalar, item->loc};
	}
	*ret = texts;
}

void parse_enums(struct parse *parse, const struct param *param, const struct node *value, int64_t *ret)
{
	int64_t set = 0;

	for (size_t i = 0; i < item_count(value); i++) {
		const struct node *item = item_at(value, i);
		int64_t choice = -1;

		parse_enum(parse, param, item, &choice);
		if (choice >= 0 && set & INT64_C(1) << choice)
			errs_add(parse->errs, item->loc, "%s: %s stands twice in the list; remove one", param->key,
				 param->choices[choice]);
		else if (choice >= 0)
			set |= INT64_C(1) << choice;
	}
	*ret = set;
}

void parse_groups(struct parse *parse, const struct param *param, const struct node *value, struct text_groups *ret)
{
	struct text_groups groups = {.loc = value->loc};

	if (value->type != NODE_LIST) {
		parse_mismatch(parse, param, value, "a list of lists, such as [[a, b], [c]],");
		return;
	}
	groups.v = ARENA_ARRAY(parse->arena, struct texts, value->count);
	for (size_t i = 0; i < value->count; i++) {
		const struct node *item = value->items[i];

		if (item->type == NODE_LIST && !item->count && !param->required)
			errs_add(parse->errs, item->loc, "%s: a group is empty; name who is in it, or remove it",
				 param->key);
		parse_texts(parse, param, item, &groups.v[groups.count++]);
	}
	*ret = groups;
}

static bool is_v4_mapped(const struct address *address)
{
	static const unsigned char prefix[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291 section 2.5.5.2 */

	return address->family == AF_INET6 && !memcmp(address->bytes, prefix, sizeof(prefix));
}

/* The address item says; false after an error. */
static bool parse_one(struct parse *parse, const struct param *param, const struct node *item, struct address *ret)
{
	struct address address = {0};
	char shown[128];

	node_describe(item, shown, sizeof(shown));
	if (strchr(item->scalar, '%'))
		errs_add(parse->errs, item->loc, "%s: %s has a zone id; write the address without %%…", param->key,
			 shown);
	else if (strchr(item->scalar, '/'))
		errs_add(parse->errs, item->loc, "%s: %s is a network; write one address without /…", param->key,
			 shown);
	else if (address_parse(item->scalar, &address))
		errs_add(parse->errs, item->loc,
			 "%s: %s is not an IP address; write one such as 192.0.2.1 or 2001:db8::1", param->key, shown);
	else if (is_v4_mapped(&address))
		errs_add(parse->errs, item->loc, "%s: %s is an IPv4 address mapped into IPv6; write %u.%u.%u.%u",
			 param->key, shown, address.bytes[12], address.bytes[13], address.bytes[14], address.bytes[15]);
	else {
		address.loc = item->loc;
		*ret = address;
		return true;
	}
	return false;
}

static bool is_listed(const struct addresses *list, const struct address *address)
{
	for (size_t i = 0; i < list->count; i++) {
		if (address_is_equal(&list->v[i], address))
			return true;
	}
	return false;
}

#define ADDRESSES_MAX 1000 /* of one host; keeps the search for duplicates short */

void parse_addresses(struct parse *parse, const struct param *param, const struct node *value, struct addresses *ret)
{
	size_t count = item_count(value);
	struct addresses list = {0};

	if (!count)
		errs_add(parse->errs, value->loc, "%s: the list is empty; write an address, or leave the key out",
			 param->key);
	if (count > ADDRESSES_MAX) {
		errs_add(parse->errs, value->loc, "%s: more than %d addresses", param->key, ADDRESSES_MAX);
		return;
	}
	list.v = ARENA_ARRAY(parse->arena, struct address, count);
	for (size_t i = 0; i < count; i++) {
		const struct node *item = item_at(value, i);
		struct address address;

		if (!is_text(parse, param, item, "an IP address or a list of them") ||
		    !parse_one(parse, param, item, &address))
			continue;
		if (is_listed(&list, &address))
			errs_add(parse->errs, item->loc, "%s: %s stands twice in the list; remove one", param->key,
				 address.text);
		else
			list.v[list.count++] = address;
	}
	*ret = list;
}
