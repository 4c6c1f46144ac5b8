/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/probe/judge.h"
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define JUDGE_LIST_MAX 4 /* records shown of a set; the rest is counted */

static char judge_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Names, hexadecimal and mnemonics do not care about case; what stands in quotes (TXT) does. */
static bool judge_is_same(const char *a, const char *b)
{
	bool is_quoted = false;

	for (; *a && *b; a++, b++) {
		if (is_quoted ? *a != *b : judge_lower(*a) != judge_lower(*b))
			return false;
		if (*a == '\\' && a[1] && a[1] == b[1]) { /* an escaped quote ends nothing */
			a++;
			b++;
		} else if (*a == '"') {
			is_quoted = !is_quoted;
		}
	}
	return *a == *b;
}

static bool judge_holds(const struct answer *answer, const char *rdata)
{
	for (size_t i = 0; i < answer->count; i++) {
		if (judge_is_same(answer->rdata[i], rdata))
			return true;
	}
	return false;
}

static bool judge_expects(const struct texts *expected, const char *rdata)
{
	for (size_t i = 0; i < expected->count; i++) {
		if (judge_is_same(expected->v[i].value, rdata))
			return true;
	}
	return false;
}

static bool judge_is_same_set(const struct texts *expected, const struct answer *answer)
{
	for (size_t i = 0; i < expected->count; i++) {
		if (!judge_holds(answer, expected->v[i].value))
			return false;
	}
	for (size_t i = 0; i < answer->count; i++) {
		if (!judge_expects(expected, answer->rdata[i]))
			return false;
	}
	return true;
}

static void judge_add_item(struct buf *out, size_t i, size_t count, const char *text)
{
	if (i < JUDGE_LIST_MAX)
		buf_printf(out, "%s%s", i > 0 ? ", " : "", text);
	else if (i == JUDGE_LIST_MAX)
		buf_printf(out, " and %zu more", count - JUDGE_LIST_MAX);
}

static void judge_add_sets(struct buf *out, const struct answer *answer, const struct texts *expected)
{
	buf_puts(out, answer->count > 0 ? "got {" : "got no record");
	for (size_t i = 0; i < answer->count; i++)
		judge_add_item(out, i, answer->count, answer->rdata[i]);
	buf_puts(out, answer->count > 0 ? "}, expected " : ", expected ");
	buf_puts(out, expected->count > 0 ? "{" : "none");
	for (size_t i = 0; i < expected->count; i++)
		judge_add_item(out, i, expected->count, expected->v[i].value);
	buf_puts(out, expected->count > 0 ? "}" : "");
}

static enum outcome judge_other_rcode(const char *expected, const char *rcode, struct buf *detail)
{
	bool is_statement = strcasecmp(rcode, "NOERROR") == 0 || strcasecmp(rcode, "NXDOMAIN") == 0;

	buf_puts(detail, rcode);
	if (is_statement || strcasecmp(expected, "NOERROR") != 0)
		buf_printf(detail, ", expected %s", expected);
	return is_statement ? OUTCOME_WRONG : OUTCOME_RCODE;
}

static bool judge_answer(const struct good *good, const char *expected_rcode, const struct answer *answer,
			 struct buf *detail)
{
	if (good->answer_given) {
		if (judge_is_same_set(&good->answer, answer))
			return true;
		judge_add_sets(detail, answer, &good->answer);
		return false;
	}
	if (answer->count > 0 || strcasecmp(expected_rcode, "NOERROR") != 0)
		return true;
	buf_puts(detail, "NOERROR without a record of the wanted type");
	return false;
}

static bool judge_ttl(const struct good *good, const struct answer *answer, struct buf *detail)
{
	bool has_bound = good->min_ttl != PARAM_UNSET || good->max_ttl != PARAM_UNSET;

	if (!has_bound || answer->count == 0)
		return true;
	if (answer->min_ttl == PARAM_UNSET || answer->max_ttl == PARAM_UNSET) {
		buf_puts(detail, "TTL bounds cannot be checked: this kind of probe does not see TTLs");
		return false;
	}
	if (good->min_ttl != PARAM_UNSET && answer->min_ttl < good->min_ttl) {
		buf_printf(detail, "TTL %" PRId64 ", expected at least %" PRId64, answer->min_ttl, good->min_ttl);
		return false;
	}
	if (good->max_ttl != PARAM_UNSET && answer->max_ttl > good->max_ttl) {
		buf_printf(detail, "TTL %" PRId64 ", expected at most %" PRId64, answer->max_ttl, good->max_ttl);
		return false;
	}
	return true;
}

static bool judge_flag(const char *flag, int64_t expected, int seen, struct buf *detail)
{
	if (expected == TRISTATE_ANY || expected == seen)
		return true;
	if (seen == TRISTATE_ANY)
		buf_printf(detail, "%s cannot be checked: this kind of probe does not see it", flag);
	else
		buf_printf(detail, "%s is %s, expected %s", flag, seen == TRISTATE_TRUE ? "set" : "not set",
			   expected == TRISTATE_TRUE ? "set" : "not set");
	return false;
}

enum outcome judge(const struct good *good, const struct answer *answer, struct buf *detail)
{
	const char *expected = good->rcode.value ? good->rcode.value : "NOERROR";

	if (strcasecmp(expected, answer->rcode) != 0)
		return judge_other_rcode(expected, answer->rcode, detail);
	if (!judge_answer(good, expected, answer, detail) || !judge_ttl(good, answer, detail))
		return OUTCOME_WRONG;
	if (!judge_flag("AA", good->aa, answer->aa, detail) || !judge_flag("AD", good->ad, answer->ad, detail))
		return OUTCOME_WRONG;
	return OUTCOME_OK;
}

enum outcome judge_versions(const struct good *good, const struct answer *answer, struct buf *detail, int64_t *ret_fits)
{
	struct buf unwanted = {0};
	int64_t fits = 0;

	for (size_t k = 0; k < good->version_count; k++) {
		if (judge(&good->versions[k], answer, &unwanted) == OUTCOME_OK)
			fits |= INT64_C(1) << k;
	}
	buf_fini(&unwanted);
	*ret_fits = fits;
	return fits ? OUTCOME_OK : judge(good, answer, detail);
}
