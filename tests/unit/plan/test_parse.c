/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/plan/yaml_text.h"

#include <netinet/in.h>

#include "harness/base/buf.h"
#include "harness/plan/parse.h"

struct thing {
	struct loc loc;
	struct text name;
	bool unique;
	int64_t count, wait_ns, share_ppm, size_bytes, rate_per_s, mode;
	struct text title, query;
	struct texts tags;
	struct addresses address;
	struct inner {
		struct loc loc;
		int64_t depth;
		struct text label;
	} inner;
	struct items things, list;
	const struct node *raw;
};

static const char *const modes[] = {"from-file", "from-lab", NULL};

static const struct param inner_params[] = {
	P_INT(struct inner, depth, "depth", 1, 9, 3, "how deep it is"),
	P_TEXT_REQUIRED(struct inner, label, "label", "what it is called"),
	PARAM_END,
};
static const struct table inner_table = {
	"inner", "an inner thing", inner_params, sizeof(struct inner), offsetof(struct inner, loc), PARAM_NO_NAME, 0};

static const struct param item_params[] = {
	P_DURATION(struct thing, wait_ns, "wait", MSEC, 60 * SEC, SEC, "how long it waits"),
	PARAM_END,
};
static const struct table item_table = {
	"item", "an item", item_params, sizeof(struct thing), offsetof(struct thing, loc), offsetof(struct thing, name),
	0};

static const struct param thing_params[] = {
	P_BOOL(struct thing, unique, "unique", true, "whether it is"),
	P_INT(struct thing, count, "count", 0, 100, PARAM_UNSET, "how many there are"),
	P_DURATION(struct thing, wait_ns, "wait", MSEC, 60 * SEC, 250 * MSEC, "how long it waits"),
	P_SHARE(struct thing, share_ppm, "share", 0, PPM_ONE, PPM_ONE / 2, "how much of it"),
	P_SIZE(struct thing, size_bytes, "size", 512, 65535, 1232, "how large it is"),
	P_RATE(struct thing, rate_per_s, "rate", 1, INT64_MAX, PARAM_UNSET, "how often"),
	P_ENUM(struct thing, mode, "mode", modes, 1, "where from"),
	P_TEXT_DEFAULT(struct thing, title, "title", "untitled", "its title"),
	P_TEXTS(struct thing, tags, "tags", "its tags"),
	P_ADDRESSES(struct thing, address, "address", "its addresses"),
	P_TABLE(struct thing, inner, "inner", struct inner, &inner_table, "what is in it"),
	P_MAP(struct thing, things, "things", &item_table, "named things"),
	P_LIST(struct thing, list, "list", &item_table, "a list of things"),
	P_NODE(struct thing, raw, "raw", "anything"),
	PARAM_END,
};
static const struct table thing_table = {
	"thing", "a thing", thing_params, sizeof(struct thing), offsetof(struct thing, loc), PARAM_NO_NAME, 0};

static const struct param query_params[] = {
	P_TEXT_REQUIRED(struct thing, query, "query", "name and type to ask for"),
	PARAM_END,
};

/* A thing from a text that must be right; yaml_end by the caller. */
static struct thing parsed(struct yaml *yaml, const char *text)
{
	struct thing thing = {0};

	yaml_begin(yaml);
	parse_table(yaml->arena, yaml_load(yaml, text), &thing_table, &thing, &yaml->errs);
	assert_string_equal(yaml_said(yaml), "");
	return thing;
}

static void says(const char *text, const char *said)
{
	struct thing thing = {0};
	struct yaml yaml;

	yaml_begin(&yaml);
	parse_table(yaml.arena, yaml_load(&yaml, text), &thing_table, &thing, &yaml.errs);
	assert_string_equal(yaml_said(&yaml), said);
	yaml_end(&yaml);
}

static void what_is_not_given_has_its_default(void **state)
{
	struct yaml yaml;
	struct thing thing = parsed(&yaml, "{}");

	(void)state;
	assert_true(thing.unique);
	assert_true(thing.count == PARAM_UNSET);
	assert_int_equal(thing.wait_ns, 250 * MSEC);
	assert_int_equal(thing.share_ppm, PPM_ONE / 2);
	assert_int_equal(thing.size_bytes, 1232);
	assert_true(thing.rate_per_s == PARAM_UNSET);
	assert_int_equal(thing.mode, 1);
	assert_string_equal(thing.title.value, "untitled");
	assert_int_equal(thing.tags.count, 0);
	assert_int_equal(thing.address.count, 0);
	assert_int_equal(thing.inner.depth, 3); /* of a mapping that is not given, too */
	assert_null(thing.inner.loc.file);
	assert_null(thing.raw);
	yaml_end(&yaml);
}

static void every_type_is_read(void **state)
{
	struct yaml yaml;
	struct thing thing = parsed(&yaml, "unique: false\ncount: 7\nwait: 1m\nshare: 12.5%\nsize: 4KiB\nrate: 100/s\n"
					   "mode: from-file\ntitle: A title\ninner: {label: x}\nraw: [1]\n");

	(void)state;
	assert_false(thing.unique);
	assert_int_equal(thing.count, 7);
	assert_int_equal(thing.wait_ns, 60 * SEC);
	assert_int_equal(thing.share_ppm, 125000);
	assert_int_equal(thing.size_bytes, 4096);
	assert_int_equal(thing.rate_per_s, 100);
	assert_int_equal(thing.mode, 0);
	assert_string_equal(thing.title.value, "A title");
	assert_int_equal(thing.title.loc.line, 8);
	assert_int_equal(thing.title.loc.col, 8);
	assert_string_equal(thing.inner.label.value, "x");
	assert_int_equal(thing.inner.loc.line, 9);
	assert_int_equal(thing.raw->type, NODE_LIST);
	assert_int_equal(thing.loc.line, 1);
	yaml_end(&yaml);
}

static void texts_take_any_scalar_alone_or_in_a_list(void **state)
{
	struct yaml yaml;
	struct thing thing = parsed(&yaml, "title: 5\ntags: [1, true, x, '']\n");

	(void)state;
	assert_string_equal(thing.title.value, "5");
	assert_int_equal(thing.tags.count, 4);
	assert_string_equal(thing.tags.v[1].value, "true");
	assert_string_equal(thing.tags.v[3].value, "");
	yaml_end(&yaml);
	thing = parsed(&yaml, "tags: one");
	assert_int_equal(thing.tags.count, 1);
	assert_string_equal(thing.tags.v[0].value, "one");
	yaml_end(&yaml);
}

static void named_things_keep_the_order_of_the_file(void **state)
{
	struct yaml yaml;
	struct thing thing = parsed(&yaml, "things:\n  z: {wait: 5s}\n  a: {}\n");
	const struct thing *things = thing.things.v;

	(void)state;
	assert_int_equal(thing.things.count, 2);
	assert_string_equal(things[0].name.value, "z");
	assert_int_equal(things[0].wait_ns, 5 * SEC);
	assert_int_equal(things[0].name.loc.line, 2);
	assert_int_equal(things[0].name.loc.col, 3);
	assert_int_equal(things[0].loc.col, 6);
	assert_string_equal(things[1].name.value, "a");
	assert_int_equal(things[1].wait_ns, SEC);
	yaml_end(&yaml);
}

static void lists_of_mappings_are_read(void **state)
{
	struct yaml yaml;
	struct thing thing = parsed(&yaml, "list: [{wait: 2s}, {}]\n");
	const struct thing *list = thing.list.v;

	(void)state;
	assert_int_equal(thing.list.count, 2);
	assert_int_equal(list[0].wait_ns, 2 * SEC);
	assert_int_equal(list[1].loc.col, 20);
	yaml_end(&yaml);
}

static void rows_of_several_lists_fill_one_struct(void **state)
{
	const struct param *const lists[] = {thing_params, query_params};
	struct thing thing = {0};
	struct yaml yaml;

	(void)state;
	yaml_begin(&yaml);
	parse_mapping(yaml.arena, yaml_load(&yaml, "{query: www A, count: 1}"), lists, 2, &thing, "probe", &yaml.errs);
	assert_string_equal(yaml_said(&yaml), "");
	assert_string_equal(thing.query.value, "www A");
	assert_int_equal(thing.count, 1);
	yaml_end(&yaml);
	yaml_begin(&yaml);
	parse_mapping(yaml.arena, yaml_load(&yaml, "\n{qeury: www A}"), lists, 2, &thing, "probe", &yaml.errs);
	assert_string_equal(yaml_said(&yaml),
			    "t.yaml:2:1: error: probe needs the key 'query': name and type to ask for\n"
			    "t.yaml:2:2: error: unknown key 'qeury' in probe; did you mean 'query'?\n");
	yaml_end(&yaml);
}

static void every_error_is_shown_at_once(void **state)
{
	(void)state;
	says("count: x\nwait: 5\nunique: yes\nnope: 1\ninner: {}\nmode: from-la\n",
	     "t.yaml:1:8: error: count: a whole number is expected, not \"x\"\n"
	     "t.yaml:2:7: error: wait: 5 has no unit; write 5s (or 5ms, 5m, 5h)\n"
	     "t.yaml:3:9: error: unique: yes is not a boolean here; write true\n"
	     "t.yaml:4:1: error: unknown key 'nope' in thing; did you mean 'mode'?\n"
	     "t.yaml:5:8: error: inner needs the key 'label': what it is called\n"
	     "t.yaml:6:7: error: mode: \"from-la\" is not one of from-file, from-lab; did you mean 'from-lab'?\n");
}

static void an_unknown_key_far_from_all_lists_what_there_is(void **state)
{
	(void)state;
	says("things: {a: {abcdefgh: 1}}\n", "t.yaml:1:14: error: unknown key 'abcdefgh' in item; it knows wait\n");
}

static void booleans_of_yaml_1_1_are_refused(void **state)
{
	static const char *const truths[] = {"yes", "on", "y", "Y", "On", "True", "TRUE"};
	static const char *const lies[] = {"no", "off", "n", "N", "Off", "False"};
	char text[64], said[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(truths) + ARRAY_LEN(lies); i++) {
		bool truth = i < ARRAY_LEN(truths);
		const char *word = truth ? truths[i] : lies[i - ARRAY_LEN(truths)];

		snprintf(text, sizeof(text), "unique: %s", word);
		snprintf(said, sizeof(said), "t.yaml:1:9: error: unique: %s is not a boolean here; write %s\n", word,
			 truth ? "true" : "false");
		says(text, said);
	}
	says("unique: \"true\"", "t.yaml:1:9: error: unique: \"true\" is not a boolean here; write true\n");
	says("unique: maybe", "t.yaml:1:9: error: unique: true or false is expected, not \"maybe\"\n");
	says("unique: []", "t.yaml:1:9: error: unique: true or false is expected, not a list\n");
}

static void a_bare_number_is_shown_with_its_unit(void **state)
{
	(void)state;
	says("wait: 0.5", "t.yaml:1:7: error: wait: 0.5 has no unit; write 0.5s (or 0.5ms, 0.5m, 0.5h)\n");
	says("share: 30", "t.yaml:1:8: error: share: 30 has no unit; write 30%\n");
	says("size: 512", "t.yaml:1:7: error: size: 512 has no unit; write 512B (or 512KiB, 512MiB)\n");
	says("rate: 100", "t.yaml:1:7: error: rate: 100 has no unit; write 100/s\n");
}

static void a_unit_spelt_otherwise_is_shown_right(void **state)
{
	(void)state;
	says("wait: 5 s", "t.yaml:1:7: error: wait: \"5 s\" is not spelt right; write 5s\n");
	says("wait: 250MS", "t.yaml:1:7: error: wait: \"250MS\" is not spelt right; write 250ms\n");
	says("wait: 5 seconds", "t.yaml:1:7: error: wait: \"5 seconds\" is not spelt right; write 5s\n");
	says("size: 4kb", "t.yaml:1:7: error: size: \"4kb\" is not spelt right; write 4KiB\n");
	says("share: 5 percent", "t.yaml:1:8: error: share: \"5 percent\" is not spelt right; write 5%\n");
	says("rate: 10 per second", "t.yaml:1:7: error: rate: \"10 per second\" is not spelt right; write 10/s\n");
}

static void what_is_no_quantity_shows_examples(void **state)
{
	(void)state;
	says("wait: soon", "t.yaml:1:7: error: wait: a duration such as 250ms, 10s, 5m, 24h or 7d is expected, "
			   "not \"soon\"\n");
	says("wait: [5s]", "t.yaml:1:7: error: wait: a duration such as 250ms, 10s, 5m, 24h or 7d is expected, "
			   "not a list\n");
	says("wait: -5s", "t.yaml:1:7: error: wait: \"-5s\" is negative; write a duration such as 250ms, 10s, 5m, 24h "
			  "or 7d\n");
	says("share: half", "t.yaml:1:8: error: share: a share such as 30% or 0.5% is expected, not \"half\"\n");
	says("size: big", "t.yaml:1:7: error: size: a size such as 512B, 4KiB or 2MiB is expected, not \"big\"\n");
	says("rate: fast", "t.yaml:1:7: error: rate: a rate such as 100/s or 64kbit/s is expected, not \"fast\"\n");
}

static void out_of_range_shows_the_range_with_units(void **state)
{
	(void)state;
	says("wait: 2m", "t.yaml:1:7: error: wait: 2m is out of range; it must be 1ms … 1m\n");
	says("wait: 1us", "t.yaml:1:7: error: wait: 1us is out of range; it must be 1ms … 1m\n");
	says("wait: 99999999999d", "t.yaml:1:7: error: wait: 99999999999d is out of range; it must be 1ms … 1m\n");
	says("share: 101%", "t.yaml:1:8: error: share: 101% is out of range; it must be 0% … 100%\n");
	says("size: 1MiB", "t.yaml:1:7: error: size: 1MiB is out of range; it must be 512B … 65535B\n");
	says("rate: 0/s", "t.yaml:1:7: error: rate: 0/s is out of range; it must be 1/s or more\n");
	says("count: 101", "t.yaml:1:8: error: count: 101 is out of range; it must be 0 … 100\n");
	says("count: -1", "t.yaml:1:8: error: count: -1 is out of range; it must be 0 … 100\n");
	says("count: 99999999999999999999",
	     "t.yaml:1:8: error: count: 99999999999999999999 is out of range; it must be 0 … 100\n");
}

static void the_ends_of_a_range_belong_to_it(void **state)
{
	struct yaml yaml;
	struct thing thing = parsed(&yaml, "{wait: 60s, count: 0, share: 100%, size: 512B}");

	(void)state;
	assert_int_equal(thing.wait_ns, 60 * SEC);
	assert_int_equal(thing.count, 0);
	assert_int_equal(thing.share_ppm, PPM_ONE);
	assert_int_equal(thing.size_bytes, 512);
	yaml_end(&yaml);
}

static void whole_numbers_are_plain_decimal(void **state)
{
	(void)state;
	says("count: 0x10", "t.yaml:1:8: error: count: \"0x10\" is not a plain decimal number; write 16\n");
	says("count: 010", "t.yaml:1:8: error: count: \"010\" is not a plain decimal number; write 8\n");
	says("count: 0o10", "t.yaml:1:8: error: count: \"0o10\" is not a plain decimal number; write 8\n");
	says("count: 1_0", "t.yaml:1:8: error: count: \"1_0\" is not a plain decimal number; write 10\n");
	says("count: +5", "t.yaml:1:8: error: count: \"+5\" is not a plain decimal number; write 5\n");
	says("count: '5'", "t.yaml:1:8: error: count: \"5\" is a text; write 5 without quotes\n");
	says("count: 5.0", "t.yaml:1:8: error: count: a whole number is expected, not \"5.0\"\n");
	says("count: 1e3", "t.yaml:1:8: error: count: a whole number is expected, not \"1e3\"\n");
	says("count: {}", "t.yaml:1:8: error: count: a whole number is expected, not a mapping\n");
}

static void addresses_of_both_families_are_read_with_their_place(void **state)
{
	struct yaml yaml;
	struct thing thing = parsed(&yaml, "address: [192.0.2.1, \"2001:DB8:0::1\"]");

	(void)state;
	assert_int_equal(thing.address.count, 2);
	assert_int_equal(thing.address.v[0].family, AF_INET);
	assert_int_equal(thing.address.v[0].loc.col, 11);
	assert_int_equal(thing.address.v[1].family, AF_INET6);
	assert_string_equal(thing.address.v[1].text, "2001:db8::1"); /* RFC 5952 */
	yaml_end(&yaml);
	thing = parsed(&yaml, "address: 2001:db8::1");
	assert_int_equal(thing.address.count, 1);
	yaml_end(&yaml);
}

static void wrong_addresses_say_what_is_wrong(void **state)
{
	(void)state;
	says("address: [192.0.2.1, 192.0.2.300, \"2001:db8::1\", \"2001:db8:0:0::1\", 192.0.2.1]",
	     "t.yaml:1:22: error: address: \"192.0.2.300\" is not an IP address; write one such as 192.0.2.1 or "
	     "2001:db8::1\n"
	     "t.yaml:1:50: error: address: 2001:db8::1 stands twice in the list; remove one\n"
	     "t.yaml:1:69: error: address: 192.0.2.1 stands twice in the list; remove one\n");
	says("address: \"::ffff:192.0.2.1\"", "t.yaml:1:10: error: address: \"::ffff:192.0.2.1\" is an IPv4 address "
					      "mapped into IPv6; write 192.0.2.1\n");
	says("address: fe80::1%eth0",
	     "t.yaml:1:10: error: address: \"fe80::1%eth0\" has a zone id; write the address without %…\n");
	says("address: 192.0.2.0/24",
	     "t.yaml:1:10: error: address: \"192.0.2.0/24\" is a network; write one address without /…\n");
	says("address: []", "t.yaml:1:10: error: address: the list is empty; write an address, or leave the key out\n");
	says("address: [[]]", "t.yaml:1:11: error: address: an IP address or a list of them is expected, not a list\n");
	says("address: ns1",
	     "t.yaml:1:10: error: address: \"ns1\" is not an IP address; write one such as 192.0.2.1 or "
	     "2001:db8::1\n");
}

static void nothing_where_a_value_belongs_is_an_error(void **state)
{
	(void)state;
	says("wait:\ntitle: ~\nraw: null\n", "t.yaml:1:6: error: wait: has no value; write one, or leave the key out\n"
					     "t.yaml:2:8: error: title: has no value; write one, or leave the key out\n"
					     "t.yaml:3:6: error: raw: has no value; write one, or leave the key out\n");
	says("tags: [a, ~]\n",
	     "t.yaml:1:11: error: tags: an item of the list has no value; remove it, or write \"\"\n");
	says("things:\n  a:\n", "t.yaml:2:5: error: item 'a' has no value; write {} if its defaults will do\n");
	says("list: [~]\n", "t.yaml:1:8: error: item: a mapping is expected (key: value), not nothing\n");
}

static void the_wrong_kind_of_value_is_named(void **state)
{
	(void)state;
	says("[1]", "t.yaml:1:1: error: thing: a mapping is expected (key: value), not a list\n");
	says("title: [a]", "t.yaml:1:8: error: title: a text is expected, not a list\n");
	says("tags: {a: b}", "t.yaml:1:7: error: tags: a text or a list of texts is expected, not a mapping\n");
	says("inner: 5", "t.yaml:1:8: error: inner: a mapping is expected (key: value), not \"5\"\n");
	says("things: [a]", "t.yaml:1:9: error: things: a mapping of names is expected, not a list\n");
	says("things: {a: 5}", "t.yaml:1:13: error: item: a mapping is expected (key: value), not \"5\"\n");
	says("list: {a: 5}", "t.yaml:1:7: error: list: a list of mappings is expected, not a mapping\n");
	says("mode: [from-lab]", "t.yaml:1:7: error: mode: a list is not one of from-file, from-lab\n");
	says("mode: neither", "t.yaml:1:7: error: mode: \"neither\" is not one of from-file, from-lab\n");
}

static void a_required_text_is_not_empty(void **state)
{
	(void)state;
	says("inner: {label: ''}", "t.yaml:1:16: error: label: the text is empty; write what it is called\n");
}

static void a_wrong_value_leaves_the_default(void **state)
{
	struct thing thing = {0};
	struct yaml yaml;

	(void)state;
	yaml_begin(&yaml);
	parse_table(yaml.arena, yaml_load(&yaml, "{wait: x, count: x, unique: x, mode: x}"), &thing_table, &thing,
		    &yaml.errs);
	assert_int_equal(yaml.errs.count, 4);
	assert_int_equal(thing.wait_ns, 250 * MSEC);
	assert_true(thing.count == PARAM_UNSET);
	assert_true(thing.unique);
	assert_int_equal(thing.mode, 1);
	yaml_end(&yaml);
}

static void a_thousand_unknown_keys_are_counted(void **state)
{
	struct buf text = {0};
	struct thing thing = {0};
	struct yaml yaml;

	(void)state;
	yaml_begin(&yaml);
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "unknown%d: 1\n", i);
	parse_table(yaml.arena, yaml_load(&yaml, text.data), &thing_table, &thing, &yaml.errs);
	assert_int_equal(yaml.errs.count + yaml.errs.dropped, 1000);
	buf_fini(&text);
	yaml_end(&yaml);
}

/* What a row's default, range and type read like. */
static void reads(const char *key, const char *def, const char *range, const char *type)
{
	for (const struct param *param = thing_params; param->key; param++) {
		struct buf buf = {0};

		if (strcmp(param->key, key))
			continue;
		param_format_default(param, &buf);
		assert_string_equal(buf.data ? buf.data : "", def);
		buf_clear(&buf);
		param_format_range(param, &buf);
		assert_string_equal(buf.data ? buf.data : "", range);
		assert_string_equal(param_type_name(param), type);
		buf_fini(&buf);
		return;
	}
	fail_msg("no row %s", key);
}

static void rows_read_as_people_write_them(void **state)
{
	(void)state;
	reads("unique", "true", "true, false", "boolean");
	reads("count", "", "0 … 100", "whole number");
	reads("wait", "250ms", "1ms … 1m", "duration");
	reads("share", "50%", "0% … 100%", "share");
	reads("size", "1232B", "512B … 65535B", "size");
	reads("rate", "", "1/s or more", "rate");
	reads("mode", "from-lab", "from-file, from-lab", "choice");
	reads("title", "untitled", "", "text");
	reads("tags", "", "", "text or list of texts");
	reads("address", "", "", "address or list of addresses");
	reads("inner", "", "", "mapping");
	reads("things", "", "", "mapping of names to mappings");
	reads("list", "", "", "list of mappings");
	reads("raw", "", "", "anything");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_given_has_its_default),
		cmocka_unit_test(every_type_is_read),
		cmocka_unit_test(texts_take_any_scalar_alone_or_in_a_list),
		cmocka_unit_test(named_things_keep_the_order_of_the_file),
		cmocka_unit_test(lists_of_mappings_are_read),
		cmocka_unit_test(rows_of_several_lists_fill_one_struct),
		cmocka_unit_test(every_error_is_shown_at_once),
		cmocka_unit_test(an_unknown_key_far_from_all_lists_what_there_is),
		cmocka_unit_test(booleans_of_yaml_1_1_are_refused),
		cmocka_unit_test(a_bare_number_is_shown_with_its_unit),
		cmocka_unit_test(a_unit_spelt_otherwise_is_shown_right),
		cmocka_unit_test(what_is_no_quantity_shows_examples),
		cmocka_unit_test(out_of_range_shows_the_range_with_units),
		cmocka_unit_test(the_ends_of_a_range_belong_to_it),
		cmocka_unit_test(whole_numbers_are_plain_decimal),
		cmocka_unit_test(addresses_of_both_families_are_read_with_their_place),
		cmocka_unit_test(wrong_addresses_say_what_is_wrong),
		cmocka_unit_test(nothing_where_a_value_belongs_is_an_error),
		cmocka_unit_test(the_wrong_kind_of_value_is_named),
		cmocka_unit_test(a_required_text_is_not_empty),
		cmocka_unit_test(a_wrong_value_leaves_the_default),
		cmocka_unit_test(a_thousand_unknown_keys_are_counted),
		cmocka_unit_test(rows_read_as_people_write_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
