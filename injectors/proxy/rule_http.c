/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys below http: how an answer over HTTPS (RFC 8484) is carried.
 */
#include <inttypes.h>
#include <string.h>

#include "harness/base/units.h"
#include "injectors/proxy/rule_check.h"

#define GIVEN(n) ((n) != PARAM_UNSET)
#define RATE_SUFFIX "/s"

static const char *const aborts[] = {"stream", "goaway", NULL};

static const struct param rule_http_params[] = {
	P_INT(struct rule_http, status, "status", 200, 599, PARAM_UNSET,
	      "the status; above 299 without a body, unless content_type is given"),
	P_TEXT(struct rule_http, content_type, "content_type", "instead of application/dns-message"),
	P_TEXT(struct rule_http, body_rate, "body_rate", "the body comes that slowly: 10B/s"),
	P_SIZE(struct rule_http, truncate_bytes, "truncate", 0, MSG_MAX, PARAM_UNSET,
	       "the body ends after that many bytes, of which content-length knows nothing"),
	P_ENUM(struct rule_http, abort, "abort", aborts, PARAM_UNSET,
	       "instead of an answer, the stream is reset; or all of the connection ends with GOAWAY"),
	PARAM_END,
};

const struct table rule_http_table = {.name = "http",
				      .doc = "how HTTP carries an answer",
				      .params = rule_http_params,
				      .size = sizeof(struct rule_http),
				      .loc_offset = offsetof(struct rule_http, loc),
				      .name_offset = PARAM_NO_NAME};

bool rule_has_http(const struct rule_do *todo)
{
	const struct rule_http *http = &todo->http;

	return GIVEN(http->status) || http->content_type.value || http->body_rate.value ||
	       GIVEN(http->truncate_bytes) || GIVEN(http->abort);
}

void rule_prepare_http(struct rule_http *http, struct errs *errs)
{
	const char *text = http->body_rate.value;
	size_t len = text ? strlen(text) : 0;
	char size[32];

	http->body_rate_bytes = PARAM_UNSET;
	if (!text)
		return;
	if (len > strlen(RATE_SUFFIX) && len < sizeof(size) && !strcmp(text + len - strlen(RATE_SUFFIX), RATE_SUFFIX)) {
		snprintf(size, sizeof(size), "%.*s", (int)(len - strlen(RATE_SUFFIX)), text);
		if (!units_parse_size(size, &http->body_rate_bytes) && http->body_rate_bytes > 0)
			return;
	}
	http->body_rate_bytes = PARAM_UNSET;
	errs_add(errs, http->body_rate.loc, "'%.60s' is no rate of bytes, as in 10B/s or 2KiB/s", text);
}

/* RFC 9110 section 5.5: what may stand in a field's value. */
static bool is_field_value(const char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

void rule_check_http(const struct rule *rule, struct errs *errs)
{
	const struct rule_http *http = &rule->todo.http;
	const struct text *type = &http->content_type;

	if (!rule_has_http(&rule->todo))
		return;
	if (rule->match.transport != RULE_TRANSPORT_ANY && rule->match.transport != RULE_DOH)
		errs_add(errs, rule->match.loc, "this can never act: http: is for transport: doh");
	if (type->value &&
	    (strlen(type->value) > RULE_CONTENT_TYPE_MAX || !is_field_value(type->value) || !*type->value))
		errs_add(errs, type->loc, "content_type: 1 to %d printable ASCII characters are expected",
			 RULE_CONTENT_TYPE_MAX);
	if (GIVEN(http->abort) &&
	    (GIVEN(http->status) || type->value || http->body_rate.value || GIVEN(http->truncate_bytes)))
		errs_add(errs, http->loc, "http: abort leaves no answer for other keys to act on; take it or them");
	if (GIVEN(http->status) && http->status > 299 && !type->value &&
	    (http->body_rate.value || GIVEN(http->truncate_bytes)))
		errs_add(errs, http->loc, "http: status %" PRId64 " has no body for %s; give it a content_type",
			 http->status, http->body_rate.value ? "body_rate" : "truncate");
	if (rule->todo.twice || GIVEN(rule->todo.again_ns))
		errs_add(errs, rule->todo.loc, "do: a request over HTTP has one answer: twice and again cannot act");
}
