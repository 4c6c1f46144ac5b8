/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/zone_print.h"

#include <errno.h>
#include <stdlib.h>

void zone_print_rr(const ldns_rr *rr, struct buf *out)
{
	char *text = ldns_rr2str_fmt(ldns_output_format_nocomments, rr);

	buf_puts(out, text ? text : "");
	out->failed |= !text;
	free(text);
}

int zone_printer_take(void *arg, const ldns_rr *rr)
{
	struct zone_printer *printer = arg;

	buf_clear(&printer->line);
	zone_print_rr(rr, &printer->line);
	if (printer->line.failed)
		return -ENOMEM;
	errno = 0;
	if (fwrite(printer->line.data, 1, printer->line.len, printer->out) == printer->line.len)
		return 0;
	return errno ? -errno : -EIO;
}

void zone_printer_fini(struct zone_printer *printer)
{
	buf_fini(&printer->line);
}

int zone_print(const ldns_rr_list *rrs, FILE *out)
{
	struct zone_printer printer = {.out = out};
	int r = 0;

	for (size_t i = 0; !r && i < ldns_rr_list_rr_count(rrs); i++)
		r = zone_printer_take(&printer, ldns_rr_list_rr(rrs, i));
	zone_printer_fini(&printer);
	return r;
}
