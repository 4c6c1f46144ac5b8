/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/rr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void a_line_becomes_a_record(void **state)
{
	ldns_rdf *origin = ldns_dname_new_frm_str("example.com.");
	ldns_rr *rr = NULL;
	char *text;

	(void)state;
	assert_int_equal(rr_from_text(&rr, "www A 192.0.2.1", 300, origin), LDNS_STATUS_OK);
	text = ldns_rr2str(rr);
	assert_string_equal(text, "www.example.com.\t300\tIN\tA\t192.0.2.1\n");
	free(text);
	ldns_rr_free(rr);
	ldns_rdf_deep_free(origin);
}

/* With ldns_rr_new_frm_str each of these writes blanks behind the end of a buffer. */
static void what_ldns_would_write_past_its_buffers_for_is_refused(void **state)
{
	char long_text[1200] = "www (";
	static const char end[] = ") 300 IN A 192.0.2.1";
	ldns_rr *rr = NULL;

	(void)state;
	memset(long_text + strlen(long_text), '\n', 1000);
	memcpy(long_text + 1005, end, sizeof(end));
	assert_int_equal(rr_from_text(&rr, long_text, 300, NULL), LDNS_STATUS_SYNTAX_SUPERFLUOUS_TEXT_ERR);
	assert_int_equal(rr_from_text(&rr, "www 300 (\n IN A 192.0.2.1 )", 300, NULL),
			 LDNS_STATUS_SYNTAX_SUPERFLUOUS_TEXT_ERR);
	assert_int_equal(rr_from_text(&rr, "www 300 IN A 192.0.2.1\n", 300, NULL),
			 LDNS_STATUS_SYNTAX_SUPERFLUOUS_TEXT_ERR);
	assert_null(rr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_becomes_a_record),
		cmocka_unit_test(what_ldns_would_write_past_its_buffers_for_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
