/* SPDX-License-Identifier: GPL-2.0-or-later */
/* junit.xml, as CI systems read it. */
#include "harness/api/sink.h"
#include "harness/base/fd.h"
#include "tests/unit/measure/stream.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

extern const struct report_ops report_junit;

/* A fault "dark" from 500 to 1000 ms. */
static void add_run(struct stream *stream, const char *letters, bool took_effect)
{
	stream_probe(stream, "www");
	stream_fault(stream, 1, "dark");
	stream_expect(stream, "www", "dark", "time_to_failover", "<", 200 * MSEC);
	stream_applied(stream, 1, 500);
	stream_reverted(stream, 1, 1000, took_effect);
	stream_ask(stream, "www", 0, letters);
	stream_end(stream, "complete", 2500);
}

static void write_junit(const struct stream *stream, struct buf *out)
{
	*out = (struct buf){0};
	report_junit.write(stream->record, stream->results, out);
	assert_false(out->failed);
}

/* xmllint's exit status over the text; -1 where there is no xmllint. */
static int lint(const struct buf *xml)
{
	char path[] = "/tmp/dnsdrill-junit-XXXXXX";
	int fd = mkstemp(path), status = -1;
	pid_t pid;

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, xml->data, xml->len), 0);
	close(fd);
	pid = fork();
	if (pid == 0) {
		execlp("xmllint", "xmllint", "--noout", path, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	unlink(path);
	return WEXITSTATUS(status) == 127 ? -1 : WEXITSTATUS(status);
}

static void check_well_formed(const struct buf *xml)
{
	int status = lint(xml);

	if (status == -1)
		print_message("xmllint is not installed: well-formedness was not checked\n");
	else
		assert_int_equal(status, 0);
}

static void assert_has(const struct buf *xml, const char *what)
{
	if (!strstr(xml->data, what))
		fail_msg("no <%s> in:\n%s", what, xml->data);
}

static size_t count(const struct buf *xml, const char *what)
{
	size_t n = 0;

	for (const char *at = xml->data; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

static void a_run_that_held_is_all_green(void **state)
{
	struct stream stream;
	struct buf xml;

	(void)state;
	stream_begin(&stream);
	add_run(&stream, ".....x.........", true);
	write_junit(&stream, &xml);
	check_well_formed(&xml);
	/* one expectation, the fault's effect and undoing, the baseline, the run */
	assert_has(&xml, "<testsuites name=\"dnsdrill\" tests=\"5\" failures=\"0\" errors=\"0\" time=\"2.500000\">");
	assert_int_equal(count(&xml, "<testcase "), 5);
	assert_has(&xml, "name=\"fault takes effect: dark\" classname=\"Test plan.run\" time=\"0.500000\"");
	assert_int_equal(count(&xml, "<failure"), 0);
	assert_int_equal(count(&xml, "<error"), 0);
	buf_fini(&xml);
	stream_fini(&stream);
}

static void a_failure_says_measured_bound_and_how_to_repeat_it_in_its_text(void **state)
{
	struct stream stream;
	struct buf xml;

	(void)state;
	stream_begin(&stream);
	add_run(&stream, ".....xx........", true);
	write_junit(&stream, &xml);
	check_well_formed(&xml);
	assert_has(&xml, "tests=\"5\" failures=\"1\" errors=\"0\"");
	assert_has(&xml, "measured: 200 ms");
	assert_has(&xml, "expected: &lt; 200 ms");
	assert_has(&xml, "written in: test.yaml:12");
	assert_has(&xml, "repeat with: dnsdrill run test.yaml --seed 7</failure>");
	buf_fini(&xml);
	stream_fini(&stream);
}

static void a_fault_without_effect_is_an_error_never_skipped(void **state)
{
	struct stream stream;
	struct buf xml;

	(void)state;
	stream_begin(&stream);
	add_run(&stream, "...............", false);
	write_junit(&stream, &xml);
	check_well_formed(&xml);
	/* the expectation cannot be judged, the effect was not seen, the run proves nothing */
	assert_has(&xml, "tests=\"5\" failures=\"0\" errors=\"3\"");
	assert_has(&xml, "no effect was seen: counted");
	assert_int_equal(count(&xml, "<error "), 3);
	assert_int_equal(count(&xml, "<skipped"), 0);
	buf_fini(&xml);
	stream_fini(&stream);
}

static void a_run_that_was_cut_off_is_not_green(void **state)
{
	struct stream stream;
	struct buf xml;

	(void)state;
	stream_begin(&stream);
	stream_probe(&stream, "www");
	stream_ask(&stream, "www", 0, ".....");
	stream_end(&stream, NULL, 0);
	write_junit(&stream, &xml);
	check_well_formed(&xml);
	assert_has(&xml, "<error message=\"The recording was cut off before the run had ended.\" type=\"error\">");
	buf_fini(&xml);
	stream_fini(&stream);
}

static void a_sick_baseline_names_the_probe(void **state)
{
	struct stream stream;
	struct buf xml;

	(void)state;
	stream_begin(&stream);
	add_run(&stream, ".r...x.........", true);
	write_junit(&stream, &xml);
	assert_has(&xml, "www: 80% good before the first fault, 100% is needed");
	buf_fini(&xml);
	stream_fini(&stream);
}

static void names_are_unique_and_cases_have_classes_of_their_own(void **state)
{
	struct stream stream;
	struct buf xml;

	(void)state;
	stream_begin(&stream);
	stream_expect(&stream, "www", "dark", "time_to_failover", "<", 200 * MSEC);
	add_run(&stream, ".....x.........", true);
	stream_begin_case(&stream, "resolver=bind");
	add_run(&stream, ".....x.........", true);
	write_junit(&stream, &xml);
	check_well_formed(&xml);
	assert_int_equal(count(&xml, "name=\"www: time_to_failover &lt; 200000000\" classname=\"Test plan.run\""), 1);
	assert_int_equal(count(&xml, "name=\"www: time_to_failover &lt; 200000000 (2)\" classname=\"Test plan.run\""),
			 1);
	assert_int_equal(count(&xml, "classname=\"Test plan.resolver=bind\""), 5);
	assert_has(&xml, "<testsuite name=\"Test plan [resolver=bind]\"");
	buf_fini(&xml);
	stream_fini(&stream);
}

static void hostile_text_leaves_the_file_well_formed(void **state)
{
	struct stream stream;
	struct err err;
	struct buf xml;

	(void)state;
	stream_begin(&stream);
	add_run(&stream, ".....x.........", true);
	err_set(&err, -1, LOC_NONE, "]]> \"<b>&\" \x01\x1b[31m \xff \xef\xbf\xbe");
	bus_error(stream.bus, "ns1\x02", &err);
	stream_end(&stream, "complete", 2600);
	write_junit(&stream, &xml);
	check_well_formed(&xml);
	assert_null(memchr(xml.data, '\x01', xml.len));
	assert_null(memchr(xml.data, '\x1b', xml.len));
	assert_int_equal(count(&xml, "<b>"), 0);
	buf_fini(&xml);
	stream_fini(&stream);
}

static void test_cases_have_no_attributes_that_jenkins_refuses(void **state)
{
	struct stream stream;
	struct buf xml;

	(void)state;
	stream_begin(&stream);
	add_run(&stream, ".....xx........", true);
	write_junit(&stream, &xml);
	assert_int_equal(count(&xml, " file=\""), 0);
	assert_int_equal(count(&xml, " line=\""), 0);
	/* properties stand with the suite alone */
	assert_int_equal(count(&xml, "<properties>"), 1);
	assert_true(strstr(xml.data, "<properties>") < strstr(xml.data, "<testcase "));
	buf_fini(&xml);
	stream_fini(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_that_held_is_all_green),
		cmocka_unit_test(a_failure_says_measured_bound_and_how_to_repeat_it_in_its_text),
		cmocka_unit_test(a_fault_without_effect_is_an_error_never_skipped),
		cmocka_unit_test(a_run_that_was_cut_off_is_not_green),
		cmocka_unit_test(a_sick_baseline_names_the_probe),
		cmocka_unit_test(names_are_unique_and_cases_have_classes_of_their_own),
		cmocka_unit_test(hostile_text_leaves_the_file_well_formed),
		cmocka_unit_test(test_cases_have_no_attributes_that_jenkins_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
