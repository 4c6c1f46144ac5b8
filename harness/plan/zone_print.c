/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/zone_print.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_plain(uint8_t c)
{
	return isalnum(c) || c == '-' || c == '_' || c == '*';
}

static void print_by_ldns(const ldns_rdf *rdf, struct buf *out)
{
	char *text = ldns_rdf2str(rdf);

	buf_puts(out, text ? text : "");
	out->failed |= !text;
	free(text);
}

/* False, and nothing written: a byte of it has to be escaped. */
static bool print_plain_name(const ldns_rdf *name, struct buf *out)
{
	const uint8_t *wire = ldns_rdf_data(name);
	size_t size = ldns_rdf_size(name), len = 0;
	char text[LDNS_MAX_DOMAINLEN + 1];

	if (size < 2 || size > LDNS_MAX_DOMAINLEN)
		return false;
	for (size_t at = 0; wire[at]; at += 1u + wire[at]) {
		for (size_t i = 1; i <= wire[at]; i++) {
			if (!is_plain(wire[at + i]))
				return false;
			text[len++] = (char)wire[at + i];
		}
		text[len++] = '.';
	}
	buf_add(out, text, len);
	return true;
}

static void print_number(unsigned value, struct buf *out)
{
	char digits[12], *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	buf_add(out, at, (size_t)(digits + sizeof(digits) - at));
}

static void print_rdf(const ldns_rdf *rdf, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];

	switch (ldns_rdf_get_type(rdf)) {
	case LDNS_RDF_TYPE_DNAME:
		if (print_plain_name(rdf, out))
			return;
		break;
	case LDNS_RDF_TYPE_A:
		buf_puts(out, inet_ntop(AF_INET, ldns_rdf_data(rdf), text, sizeof(text)));
		return;
	case LDNS_RDF_TYPE_AAAA:
		buf_puts(out, inet_ntop(AF_INET6, ldns_rdf_data(rdf), text, sizeof(text)));
		return;
	case LDNS_RDF_TYPE_INT16:
		print_number(ldns_rdf2native_int16(rdf), out);
		return;
	case LDNS_RDF_TYPE_INT32:
		print_number(ldns_rdf2native_int32(rdf), out);
		return;
	default:
		break;
	}
	print_by_ldns(rdf, out);
}

/* Types whose text is their fields' text: of others ldns knows more. */
static bool is_simple(const ldns_rr *rr)
{
	switch (ldns_rr_get_type(rr)) {
	case LDNS_RR_TYPE_A:
	case LDNS_RR_TYPE_AAAA:
	case LDNS_RR_TYPE_NS:
	case LDNS_RR_TYPE_CNAME:
	case LDNS_RR_TYPE_PTR:
	case LDNS_RR_TYPE_MX:
	case LDNS_RR_TYPE_SRV:
	case LDNS_RR_TYPE_TXT:
	case LDNS_RR_TYPE_RRSIG:
	case LDNS_RR_TYPE_NSEC:
		return ldns_rr_rd_count(rr) > 0;
	default:
		return false;
	}
}

static void print_whole_by_ldns(const ldns_rr *rr, struct buf *out)
{
	char *text = ldns_rr2str_fmt(ldns_output_format_nocomments, rr);

	buf_puts(out, text ? text : "");
	out->failed |= !text;
	free(text);
}

void zone_print_rr(const ldns_rr *rr, struct buf *out)
{
	const ldns_rr_descriptor *shape = ldns_rr_descript((uint16_t)ldns_rr_get_type(rr));

	if (!is_simple(rr) || ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN || !print_plain_name(ldns_rr_owner(rr), out)) {
		print_whole_by_ldns(rr, out);
		return;
	}
	buf_putc(out, '\t');
	print_number(ldns_rr_ttl(rr), out);
	buf_puts(out, "\tIN\t");
	buf_puts(out, shape->_name);
	buf_putc(out, '\t');
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		if (i)
			buf_putc(out, ' ');
		print_rdf(ldns_rr_rdf(rr, i), out);
	}
	buf_putc(out, '\n');
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
