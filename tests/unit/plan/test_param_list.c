/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of choices. Texts, groups and addresses: test_parse.c.
 */
#include "tests/unit/plan/yaml_text.h"

#include "harness/base/buf.h"
#include "harness/plan/parse.h"

struct thing {
	struct loc loc;
	int64_t modes;
};

static const char *const modes[] = {"from-file", "from-lab", NULL};
static const struct param thing_params[] = {
	P_ENUMS(struct thing, modes, "modes", modes, "all the places from where"),
	PARAM_END,
};
static const struct table thing_table = {
	.name = "thing",
	.doc = "a thing",
	.params = thing_params,
	.size = sizeof(struct thing),
	.loc_offset = offsetof(struct thing, loc),
	.name_offset = PARAM_NO_NAME,
};

/* Checks what is said of the text, and gives the set. */
static int64_t parse(const char *text, const char *said)
{
	struct thing thing = {0};
	struct yaml yaml;

	yaml_begin(&yaml);
	parse_table(yaml.arena, yaml_load(&yaml, text), &thing_table, &thing, &yaml.errs);
	assert_string_equal(yaml_said(&yaml), said);
	yaml_end(&yaml);
	return thing.modes;
}

static void choices_may_be_several_in_any_order_or_one(void **state)
{
	(void)state;
	assert_int_equal(parse("modes: [from-lab, from-file]", ""), 3);
	assert_int_equal(parse("modes: from-lab", ""), 2);
	assert_int_equal(parse("modes: []", ""), 0);
	assert_int_equal(parse("{}", ""), 0);
}

static void a_choice_that_is_none_or_stands_twice_is_an_error_at_its_place(void **state)
{
	(void)state;
	parse("modes: [from-lab, from-lb]",
	      "t.yaml:1:19: error: modes: \"from-lb\" is not one of from-file, from-lab; did you mean 'from-lab'?\n");
	parse("modes: [from-lab, from-lab]",
	      "t.yaml:1:19: error: modes: from-lab stands twice in the list; remove one\n");
}

static void the_row_reads_as_people_write_it(void **state)
{
	struct buf range = {0}, def = {0};

	(void)state;
	param_format_range(&thing_params[0], &range);
	param_format_default(&thing_params[0], &def);
	assert_string_equal(range.data, "from-file, from-lab");
	assert_int_equal(def.len, 0);
	assert_string_equal(param_type_name(&thing_params[0]), "choice or list of choices");
	buf_fini(&range);
	buf_fini(&def);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(choices_may_be_several_in_any_order_or_one),
		cmocka_unit_test(a_choice_that_is_none_or_stands_twice_is_an_error_at_its_place),
		cmocka_unit_test(the_row_reads_as_people_write_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
