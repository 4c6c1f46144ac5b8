/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "harness/base/macro.h"

__extension__ typedef __int128 wide;

struct unit {
	const char *name;
	int64_t factor;
};

/* Largest first, for formatting. */
static const struct unit durations[] = {
	{"d", 86400 * SEC}, {"h", 3600 * SEC},     {"m", 60 * SEC}, {"s", SEC},
	{"ms", MSEC},       {"us", NSEC_PER_USEC}, {"ns", 1},
};
#define DURATION_SECONDS 3 /* where "s" stands in durations */
static const struct unit shares[] = {{"%", PPM_ONE / 100}};
static const struct unit sizes[] = {{"GiB", INT64_C(1) << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}};
static const struct unit rates[] = {
	{"Gbit/s", 1000000000}, {"Mbit/s", 1000000}, {"kbit/s", 1000}, {"bit/s", 1}, {"/s", 1},
};

int64_t units_share_ppm(int64_t part, int64_t whole)
{
	return (int64_t)((wide)part * PPM_ONE / whole);
}

bool units_share_is_more(int64_t part, int64_t whole)
{
	return (wide)part * PPM_ONE % whole != 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Decimal digits at *io as an integer; moves *io behind them. -EINVAL if there are none, -ERANGE past 63 bits. */
static int parse_digits(const char **io, int64_t *ret)
{
	const char *p = *io;
	int64_t value = 0;

	if (!is_digit(*p))
		return -EINVAL;
	for (; is_digit(*p); p++) {
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *p - '0', &value))
			return -ERANGE;
	}
	*io = p;
	*ret = value;
	return 0;
}

/* What the decimals behind a point are of factor, exactly: 0.1 has no exact double. -EINVAL where that is not a whole number. */
static int parse_fraction(const char **io, int64_t factor, int64_t *ret)
{
	const char *p = *io;
	wide parts = 0, scale = 1;
	size_t digits = strspn(p, "0123456789");

	if (!digits)
		return -EINVAL;
	*io += digits;
	while (digits && p[digits - 1] == '0')
		digits--;
	if (digits > 18) /* finer than any factor can be divided */
		return -EINVAL;
	for (; digits; digits--, p++, scale *= 10)
		parts = parts * 10 + (*p - '0');
	if (parts * factor % scale)
		return -EINVAL;
	*ret = (int64_t)(parts * factor / scale);
	return 0;
}

static const struct unit *find_unit(const char *name, size_t len, const struct unit *units, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(units[i].name) == len && !strncmp(units[i].name, name, len))
			return &units[i];
	}
	return NULL;
}

/* One number, decimals allowed, and its unit. */
static int parse_one(const char **io, const struct unit *units, size_t count, int64_t *io_sum)
{
	const char *p = *io, *name = p + strspn(p, "0123456789.");
	size_t len = strcspn(name, "0123456789");
	const struct unit *unit = find_unit(name, len, units, count);
	int64_t whole, fraction = 0;
	int r;

	if (!unit)
		return -EINVAL;
	r = parse_digits(&p, &whole);
	if (!r && *p == '.') {
		p++;
		r = parse_fraction(&p, unit->factor, &fraction);
	}
	if (r)
		return r;
	if (p != name)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, unit->factor, &whole) || __builtin_add_overflow(whole, fraction, &whole) ||
	    __builtin_add_overflow(*io_sum, whole, io_sum))
		return -ERANGE;
	*io = name + len;
	return 0;
}

static int parse_single(const char *text, const struct unit *units, size_t count, int64_t *ret)
{
	int64_t sum = 0;
	int r = parse_one(&text, units, count, &sum);

	if (r)
		return r;
	if (*text)
		return -EINVAL;
	*ret = sum;
	return 0;
}

int units_parse_duration(const char *text, int64_t *ret_ns)
{
	int64_t sum = 0;

	do {
		int r = parse_one(&text, durations, ARRAY_LEN(durations), &sum);

		if (r)
			return r;
	} while (*text);
	*ret_ns = sum;
	return 0;
}

int units_parse_share(const char *text, int64_t *ret_ppm)
{
	return parse_single(text, shares, ARRAY_LEN(shares), ret_ppm);
}

int units_parse_size(const char *text, int64_t *ret_bytes)
{
	return parse_single(text, sizes, ARRAY_LEN(sizes), ret_bytes);
}

int units_parse_rate(const char *text, int64_t *ret_per_s)
{
	return parse_single(text, rates, ARRAY_LEN(rates), ret_per_s);
}

/* value as "W.F<unit>", exact, without trailing zeroes. */
static const char *format_exact(int64_t value, const struct unit *unit, char *buf, size_t size)
{
	int64_t rest = value % unit->factor, place = unit->factor;
	char fraction[24] = "";
	size_t n = 0;

	while (rest && n < sizeof(fraction) - 1) {
		place /= 10;
		fraction[n++] = (char)('0' + rest / place);
		rest %= place;
	}
	fraction[n] = '\0';
	snprintf(buf, size, "%" PRId64 "%s%s%s", value / unit->factor, n ? "." : "", fraction, unit->name);
	return buf;
}

const char *units_format_duration(int64_t ns, char *buf, size_t size)
{
	size_t i = 0;

	if (!ns)
		return format_exact(ns, &durations[DURATION_SECONDS], buf, size);
	while (i < DURATION_SECONDS && (ns < durations[i].factor || ns % durations[i].factor))
		i++; /* days, hours and minutes only where they are whole */
	while (i + 1 < ARRAY_LEN(durations) && ns < durations[i].factor)
		i++;
	return format_exact(ns, &durations[i], buf, size);
}

const char *units_format_share(int64_t ppm, char *buf, size_t size)
{
	return format_exact(ppm, &shares[0], buf, size);
}

static const char *format_whole(int64_t value, const struct unit *units, size_t count, char *buf, size_t size)
{
	size_t i = 0;

	while (i + 1 < count && (value < units[i].factor || value % units[i].factor))
		i++;
	return format_exact(value, &units[i], buf, size);
}

const char *units_format_size(int64_t bytes, char *buf, size_t size)
{
	return format_whole(bytes, sizes, ARRAY_LEN(sizes), buf, size);
}

const char *units_format_rate(int64_t per_s, char *buf, size_t size)
{
	return format_exact(per_s, &rates[ARRAY_LEN(rates) - 1], buf, size);
}

/* Whole seconds and minutes, rounded; at least 100 s. */
static void human_long(int64_t ns, char *buf, size_t size)
{
	int64_t seconds = ns / SEC + (ns % SEC >= SEC / 2), minutes = ns / (60 * SEC) + (ns % (60 * SEC) >= 30 * SEC);

	if (seconds < 120)
		snprintf(buf, size, "%" PRId64 " s", seconds);
	else if (seconds < 7200)
		snprintf(buf, size, "%" PRId64 " min %" PRId64 " s", seconds / 60, seconds % 60);
	else
		snprintf(buf, size, "%" PRId64 " h %" PRId64 " min", minutes / 60, minutes % 60);
}

const char *units_human_duration(int64_t ns, char *buf, size_t size)
{
	double ms = (double)ns / 1e6;

	if (ns < 0 && size > 1) {
		buf[0] = '-';
		units_human_duration(ns == INT64_MIN ? INT64_MAX : -ns, buf + 1, size - 1);
	} else if (ns == 0) {
		snprintf(buf, size, "0 s");
	} else if (ns < NSEC_PER_USEC) {
		snprintf(buf, size, "%" PRId64 " ns", ns);
	} else if (ms < 0.9995) {
		snprintf(buf, size, "%.3g ms", ms);
	} else if (ms < 9.995) {
		snprintf(buf, size, "%.2f ms", ms);
	} else if (ms < 99.95) {
		snprintf(buf, size, "%.1f ms", ms);
	} else if (ms < 999.5) {
		snprintf(buf, size, "%.0f ms", ms);
	} else if (ms < 9995) {
		snprintf(buf, size, "%.2f s", ms / 1e3);
	} else if (ms < 99950) {
		snprintf(buf, size, "%.1f s", ms / 1e3);
	} else {
		human_long(ns, buf, size);
	}
	return buf;
}

/* Whether no field was out of its range: the 30th of February is the 2nd of March to timegm(3). */
static bool is_same_moment(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
	       a->tm_hour == b->tm_hour && a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

int units_parse_date(const char *text, int64_t *ret_s)
{
	static const char *const formats[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d"};
	static const size_t lengths[] = {20, 17, 10};

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct tm tm = {0}, back;
		const char *end = strlen(text) == lengths[i] ? strptime(text, formats[i], &tm) : NULL;
		time_t at;

		if (!end || *end || tm.tm_year < 70 || tm.tm_year > 200)
			continue;
		back = tm;
		at = timegm(&back);
		if (!is_same_moment(&tm, &back))
			return -EINVAL;
		*ret_s = at;
		return 0;
	}
	return -EINVAL;
}
