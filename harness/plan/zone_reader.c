/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines are joined and split into fields here and only the data of a record is left to ldns: so every error knows its line, and a
 * record without a TTL is noticed instead of being given one that nobody wrote.
 */
#include "harness/plan/zone_reader.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "harness/base/rr.h"
#include "harness/plan/zone_entry.h"

#define PLAIN_MAX 512 /* longer than two names */
#define TTL_MAX INT32_MAX /* RFC 2181 section 8 */

static struct loc place(const struct zone_reader *reader)
{
	return (struct loc){reader->file, reader->line, 0};
}

/* Cuts the next field off *io, NUL-terminating it; NULL at the end. Escaped and quoted spaces stay. */
static char *next_field(char **io)
{
	char *p = *io + strspn(*io, " "), *field = p;
	bool is_quoted = false;

	if (!*p)
		return NULL;
	for (; *p && (is_quoted || *p != ' '); p++) {
		if (*p == '"')
			is_quoted = !is_quoted;
		else if (*p == '\\' && p[1])
			p++;
	}
	if (*p)
		*p++ = '\0';
	*io = p;
	return field;
}

/* A domain name as a field says it, made absolute. */
static int read_name(const struct zone_reader *reader, const char *field, ldns_rdf **ret, struct err *err)
{
	ldns_rdf *name;

	if (!strcmp(field, "@")) {
		name = ldns_rdf_clone(reader->origin);
	} else {
		name = ldns_dname_new_frm_str(field);
		if (name && !ldns_dname_str_absolute(field) && ldns_dname_cat(name, reader->origin) != LDNS_STATUS_OK) {
			ldns_rdf_deep_free(name);
			name = NULL;
		}
	}
	if (!name)
		return err_set(err, -EINVAL, place(reader), "'%.80s' is not a domain name", field);
	*ret = name;
	return 0;
}

/* Seconds, or with units as in "1h30m". -EINVAL if it is no such thing, -ERANGE past max. */
static int parse_period(const char *text, uint64_t max, uint64_t *ret)
{
	static const struct {
		char name;
		uint64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}, {'\0', 1}};
	uint64_t sum = 0;

	do {
		uint64_t number = 0;
		size_t unit = 0;

		if (*text < '0' || *text > '9')
			return -EINVAL;
		for (; *text >= '0' && *text <= '9'; text++) {
			number = number * 10 + (uint64_t)(*text - '0');
			if (number > max)
				return -ERANGE;
		}
		while (unit < ARRAY_LEN(units) &&
		       units[unit].name != (*text >= 'A' && *text <= 'Z' ? *text + 32 : *text))
			unit++;
		if (unit == ARRAY_LEN(units))
			return -EINVAL;
		text += *text != '\0';
		sum += number * units[unit].seconds;
		if (sum > max)
			return -ERANGE;
	} while (*text);
	*ret = sum;
	return 0;
}

static int read_ttl(const struct zone_reader *reader, const char *field, uint32_t *ret, struct err *err)
{
	uint64_t ttl;
	int r = parse_period(field, TTL_MAX, &ttl);

	if (r == -ERANGE)
		return err_set(err, -EINVAL, place(reader),
			       "TTL '%.80s' is larger than 2147483647 (RFC 2181 section 8)", field);
	if (r)
		return err_set(err, -EINVAL, place(reader), "'%.80s' is not a TTL: write seconds, or units as in 1h30m",
			       field);
	*ret = (uint32_t)ttl;
	return 0;
}

static int take_directive(struct zone_reader *reader, char *text, struct err *err)
{
	char *keyword = next_field(&text), *value = next_field(&text);
	ldns_rdf *origin;
	int r;

	if (!strcasecmp(keyword, "$INCLUDE"))
		return err_set(err, -EINVAL, place(reader),
			       "$INCLUDE is not allowed here: put all records of the zone into one file");
	if (strcasecmp(keyword, "$TTL") && strcasecmp(keyword, "$ORIGIN"))
		return err_set(err, -EINVAL, place(reader), "'%.80s' is not known: only $TTL and $ORIGIN are", keyword);
	if (!value)
		return err_set(err, -EINVAL, place(reader), "%s needs a value", keyword);
	if (next_field(&text))
		return err_set(err, -EINVAL, place(reader), "%s takes one value", keyword);
	if (!strcasecmp(keyword, "$TTL")) {
		r = read_ttl(reader, value, &reader->ttl, err);
		if (!r)
			reader->has_ttl = reader->has_directive = true;
		return r;
	}
	r = read_name(reader, value, &origin, err);
	if (r)
		return r;
	ldns_rdf_deep_free(reader->origin);
	reader->origin = origin;
	return 0;
}

static int take_owner(struct zone_reader *reader, char **io, struct err *err)
{
	ldns_rdf *owner;
	int r;

	if (**io == ' ') {
		if (!reader->owner)
			return err_set(err, -EINVAL, place(reader),
				       "a record without a name: the first record must begin with one");
		return 0;
	}
	r = read_name(reader, next_field(io), &owner, err);
	if (r)
		return r;
	ldns_rdf_deep_free(reader->owner);
	reader->owner = owner;
	return 0;
}

/* [TTL] [class], in any order, then the type, which is left in *ret_type. */
static int take_fields(struct zone_reader *reader, char **io, const char **ret_type, uint32_t *ret_ttl, struct err *err)
{
	bool has_ttl = false, has_class = false;
	char *field;

	while ((field = next_field(io))) {
		int r;

		if (!has_ttl && *field >= '0' && *field <= '9') {
			r = read_ttl(reader, field, ret_ttl, err);
			if (r)
				return r;
			has_ttl = true;
		} else if (!has_class && !strcasecmp(field, "IN")) {
			has_class = true;
		} else if (!has_class && ldns_get_rr_class_by_name(field) && !ldns_get_rr_type_by_name(field)) {
			return err_set(err, -EINVAL, place(reader), "class %.80s: only IN is served here", field);
		} else {
			break;
		}
	}
	if (!field)
		return err_set(err, -EINVAL, place(reader), "a record without a type");
	if (!ldns_get_rr_type_by_name(field))
		return err_set(err, -EINVAL, place(reader), "unknown record type '%.80s'", field);
	if (!has_ttl && !reader->has_ttl)
		return err_set(err, -EINVAL, place(reader), "no TTL: begin the file with a line such as \"$TTL 300\"");
	if (!has_ttl)
		*ret_ttl = reader->ttl;
	else if (!reader->has_directive)
		reader->ttl = *ret_ttl, reader->has_ttl = true;
	*ret_type = field;
	return 0;
}

const char *zone_status_text(ldns_status status)
{
	switch (status) {
	case LDNS_STATUS_INVALID_IP4:
		return "not an IPv4 address";
	case LDNS_STATUS_INVALID_IP6:
		return "not an IPv6 address";
	case LDNS_STATUS_SYNTAX_RDATA_ERR:
		return "not the data of a record of this type";
	case LDNS_STATUS_SYNTAX_MISSING_VALUE_ERR:
		return "a value is missing";
	case LDNS_STATUS_SYNTAX_SUPERFLUOUS_TEXT_ERR:
		return "more text than this type takes";
	default:
		return ldns_get_errorstr_by_id(status);
	}
}

/* ldns cuts a number that is too large for its field down to its low bits without a word. */
static int check_numbers(const struct zone_reader *reader, const ldns_rr *rr, char *data, struct err *err)
{
	if (!strncmp(data, "\\#", 2))
		return 0;
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		uint64_t max, number;
		char *field = next_field(&data);

		switch (ldns_rdf_get_type(ldns_rr_rdf(rr, i))) {
		case LDNS_RDF_TYPE_INT8:
			max = UINT8_MAX;
			break;
		case LDNS_RDF_TYPE_INT16:
			max = UINT16_MAX;
			break;
		case LDNS_RDF_TYPE_INT32:
		case LDNS_RDF_TYPE_PERIOD:
			max = UINT32_MAX;
			break;
		default:
			continue;
		}
		if (field && parse_period(field, max, &number) == -ERANGE)
			return err_set(err, -EINVAL, place(reader), "%.80s is too large: at most %ju fits here", field,
				       (uintmax_t)max);
	}
	return 0;
}

/* What the data of a type looks like; NULL if that needs more than a line. */
static const char *shape_of(const char *type)
{
	static const char *const shapes[][2] = {
		{"A", "an IPv4 address, such as 192.0.2.1"},
		{"AAAA", "an IPv6 address, such as 2001:db8::1"},
		{"NS", "the name of a nameserver"},
		{"CNAME", "a domain name"},
		{"PTR", "a domain name"},
		{"MX", "a preference and a name, such as 10 mail"},
		{"TXT", "texts in quotes"},
		{"SOA", "two names and five numbers: primary, mailbox, serial, refresh, retry, expire, negative TTL"},
		{"SRV", "priority, weight, port and a name, such as 0 0 5060 sip"},
		{"CAA", "flags, a tag and a value, such as 0 issue \"ca.example.net\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		if (!strcasecmp(type, shapes[i][0]))
			return shapes[i][1];
	}
	return NULL;
}

static int fail_data(const struct zone_reader *reader, const char *type, const char *data, ldns_status status,
		     struct err *err)
{
	const char *shape = shape_of(type);

	if (shape)
		return err_set(err, -EINVAL, place(reader), "%s '%.80s': the data should be %s", type, data, shape);
	return err_set(err, -EINVAL, place(reader), "%s '%.80s': %s", type, data, zone_status_text(status));
}

/* NULL: no field of such a kind, or a wrong one. */
static ldns_rdf *read_plain_field(const struct zone_reader *reader, ldns_rdf_type kind, const char *field)
{
	struct err ignored;
	ldns_rdf *rdf = NULL;

	switch (kind) {
	case LDNS_RDF_TYPE_A:
	case LDNS_RDF_TYPE_AAAA:
	case LDNS_RDF_TYPE_INT16:
		return ldns_rdf_new_frm_str(kind, field);
	case LDNS_RDF_TYPE_DNAME:
		return read_name(reader, field, &rdf, &ignored) ? NULL : rdf;
	default:
		return NULL;
	}
}

/* A record of addresses, names and short numbers with nothing escaped, which most of a large zone are: in a third of the time that ldns takes for the whole line. NULL:
 * it is no such record, or it is wrong; ldns then says how. */
static ldns_rr *read_plain(const struct zone_reader *reader, ldns_rr_type type, uint32_t ttl, const char *data)
{
	const ldns_rr_descriptor *shape = ldns_rr_descript((uint16_t)type);
	size_t count = ldns_rr_descriptor_minimum(shape);
	char copy[PLAIN_MAX], *rest = copy;
	ldns_rr *rr;

	if (!count || count != ldns_rr_descriptor_maximum(shape) || strlen(data) >= sizeof(copy) ||
	    strpbrk(data, "\\\"();"))
		return NULL;
	strcpy(copy, data);
	rr = ldns_rr_new_frm_type(type);
	for (size_t i = 0; rr && i <= count; i++) {
		const char *field = next_field(&rest);
		ldns_rdf *rdf = NULL;

		if (field && i < count)
			rdf = read_plain_field(reader, ldns_rr_descriptor_field_type(shape, i), field);
		if (rdf)
			ldns_rr_set_rdf(rr, rdf, i);
		else if (field || i < count)
			goto fail;
	}
	if (!rr)
		return NULL;
	ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
	ldns_rr_set_ttl(rr, ttl);
	return rr;
fail:
	ldns_rr_free(rr);
	return NULL;
}

/* Any record. The owner is set afterwards: it was read once, whatever it looks like. */
static ldns_status read_line(const struct zone_reader *reader, const char *type, uint32_t ttl, const char *data,
			     ldns_rr **ret)
{
	struct buf line = {0};
	ldns_status status = LDNS_STATUS_MEM_ERR;

	buf_printf(&line, ". %u IN %s %s", ttl, type, data);
	if (!line.failed)
		status = rr_from_text(ret, line.data, ttl, reader->origin);
	buf_fini(&line);
	return status;
}

static int read_record(struct zone_reader *reader, const char *type, uint32_t ttl, char *data, ldns_rr **ret,
		       struct err *err)
{
	ldns_status status = LDNS_STATUS_OK;
	ldns_rr *rr;
	int r;

	data += strspn(data, " ");
	for (size_t len = strlen(data); len && data[len - 1] == ' ' && (len < 2 || data[len - 2] != '\\'); len--)
		data[len - 1] = '\0';
	rr = read_plain(reader, ldns_get_rr_type_by_name(type), ttl, data);
	if (!rr)
		status = read_line(reader, type, ttl, data, &rr);
	if (status != LDNS_STATUS_OK)
		return fail_data(reader, type, data, status, err);
	r = check_numbers(reader, rr, data, err);
	if (r) {
		ldns_rr_free(rr);
		return r;
	}
	ldns_rdf_deep_free(ldns_rr_owner(rr));
	ldns_rr_set_owner(rr, ldns_rdf_clone(reader->owner));
	*ret = rr;
	return 0;
}

int zone_reader_next(struct zone_reader *reader, ldns_rr **ret_rr, struct err *err)
{
	int r;

	while ((r = zone_entry_next(reader, err)) > 0) {
		char *rest = reader->entry.data;
		const char *type = "";
		uint32_t ttl = 0;

		if (*rest == '$') {
			r = take_directive(reader, rest, err);
			if (r)
				return r;
			continue;
		}
		r = take_owner(reader, &rest, err);
		if (!r)
			r = take_fields(reader, &rest, &type, &ttl, err);
		if (!r)
			r = read_record(reader, type, ttl, rest, ret_rr, err);
		return r ? r : 1;
	}
	return r;
}

void zone_reader_fini(struct zone_reader *reader)
{
	ldns_rdf_deep_free(reader->origin);
	ldns_rdf_deep_free(reader->owner);
	buf_fini(&reader->entry);
}
