/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/event/metric.h"

#include <string.h>

const struct metric_info metric_infos[METRIC_COUNT] = {
#define METRIC_ROW(id, name, unit, doc) {name, unit, doc},
	METRICS(METRIC_ROW)
#undef METRIC_ROW
};

enum metric metric_find(const char *name)
{
	size_t i = 0;

	while (i < METRIC_COUNT && strcmp(metric_infos[i].name, name) != 0)
		i++;
	return (enum metric)i;
}
