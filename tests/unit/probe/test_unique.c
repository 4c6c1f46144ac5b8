/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/macro.h"
#include "harness/probe/unique.h"
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void a_label_is_q_and_twelve_hexadecimal_digits(void **state UNUSED)
{
	struct unique unique = unique_new(1, "www");
	char label[UNIQUE_LABEL_LEN + 1];

	unique_label(&unique, 7, label);
	assert_int_equal(strlen(label), 13);
	assert_int_equal(label[0], 'q');
	for (int i = 1; i < 13; i++)
		assert_true(isxdigit((unsigned char)label[i]));
}

static void the_same_seed_gives_the_same_labels(void **state UNUSED)
{
	struct unique a = unique_new(42, "www"), b = unique_new(42, "www");
	char x[UNIQUE_LABEL_LEN + 1], y[UNIQUE_LABEL_LEN + 1];

	for (int64_t i = 0; i < 100; i++) {
		unique_label(&a, i, x);
		unique_label(&b, i, y);
		assert_string_equal(x, y);
	}
}

/* Two probes over one zone must not warm each other's caches. */
static void another_seed_or_probe_gives_other_labels(void **state UNUSED)
{
	struct unique all[] = {unique_new(42, "www"), unique_new(43, "www"), unique_new(42, "api")};
	char labels[3][UNIQUE_LABEL_LEN + 1];

	for (int i = 0; i < 3; i++)
		unique_label(&all[i], 0, labels[i]);
	assert_string_not_equal(labels[0], labels[1]);
	assert_string_not_equal(labels[0], labels[2]);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void no_label_comes_twice(void **state UNUSED)
{
	enum { COUNT = 200000 };
	char(*labels)[UNIQUE_LABEL_LEN + 1] = calloc(COUNT, sizeof(*labels));
	struct unique unique = unique_new(7, "www");

	for (int64_t i = 0; i < COUNT; i++)
		unique_label(&unique, i, labels[i]);
	qsort(labels, COUNT, sizeof(*labels), compare);
	for (int i = 1; i < COUNT; i++)
		assert_string_not_equal(labels[i - 1], labels[i]);
	free(labels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_label_is_q_and_twelve_hexadecimal_digits),
		cmocka_unit_test(the_same_seed_gives_the_same_labels),
		cmocka_unit_test(another_seed_or_probe_gives_other_labels),
		cmocka_unit_test(no_label_comes_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
