/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/event/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void every_metric_is_found_by_its_name(void **state)
{
	(void)state;
	for (int i = 0; i < METRIC_COUNT; i++)
		assert_int_equal(metric_find(metric_infos[i].name), i);
	assert_int_equal(metric_find("time_to_failover"), METRIC_TIME_TO_FAILOVER);
	assert_int_equal(metric_find("time_to_fail"), METRIC_COUNT);
	assert_int_equal(metric_infos[METRIC_AVAILABILITY].unit, METRIC_SHARE);
	assert_int_equal(metric_infos[METRIC_OUTAGE].unit, METRIC_DURATION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_metric_is_found_by_its_name)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
