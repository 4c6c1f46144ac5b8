/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/table.h"

void table_write(const struct record *record, const struct results *results, bool colour, unsigned columns,
		 struct buf *out)
{
	(void)record, (void)colour, (void)columns;
	for (size_t i = 0; i < results->count; i++)
		buf_printf(out, "%s: %s\n", verdict_name(results->runs[i].verdict), results->runs[i].reason);
}
