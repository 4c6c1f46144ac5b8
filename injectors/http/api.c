/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault `api`: what goes wrong between a tool that pushes zones and the nameserver's HTTP API. A proxy stands before the API for the whole run (front.h) and does it
 * to the requests it is asked to while the fault stands.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/api/control.h"
#include "harness/plan/topology.h"
#include "harness/plan/versions.h"
#include "injectors/http/front.h"
#include "injectors/process/servers.h"

static const char *const whats[] = {"status", "timeout", "partial", "not-applied",
				    "stale",  "late",    "body",    NULL}; /* enum front_what */
static const char *const method_names[] = {"GET", "PATCH", "PUT", "POST", "DELETE", NULL}; /* enum front_method */
#define METHODS_ALL ((1u << FRONT_METHODS) - 1)

struct api_front { /* before one of the servers */
	struct front *front;
	int rule;
};

struct api {
	struct injector injector;
	int64_t what, status, retry_after_ns, methods, first, delay_ns;
	struct text body, content_type;
	struct api_front *fronts; /* one for each server; NULL: not prepared */
};

static const struct param params[] = {
	P_ENUM(struct api, what, "what", whats, FRONT_STATUS,
	       "what becomes of a request: an error status; accepted and never answered; the first half of a PATCH's "
	       "record "
	       "sets applied and then an error status; a success although nothing was applied; a GET answered as it "
	       "was "
	       "before; passed on after delay:, even if its client has given up by then; something else (body:)"),
	P_INT(struct api, status, "status", 200, 599, PARAM_UNSET,
	      "the HTTP status: of what: status and partial an error such as 401, 403, 409, 412, 429 or 503, by "
	      "default "
	      "500; of what: body any, by default 200"),
	P_DURATION(struct api, retry_after_ns, "retry_after", 1 * SEC, 86400 * SEC, PARAM_UNSET,
		   "what: status, partial: a Retry-After with it, in whole seconds"),
	P_ENUMS(struct api, methods, "method", method_names,
		"requests it acts on; by default all, PATCH for partial and not-applied, GET for stale"),
	P_INT(struct api, first, "first", 1, INT32_MAX, PARAM_UNSET,
	      "only so many requests, the first; by default all"),
	P_DURATION(struct api, delay_ns, "delay", 1 * MSEC, 3600 * SEC, PARAM_UNSET, "what: late: how late"),
	P_TEXT(struct api, body, "body", "what: body: what is answered, such as a gateway's page"),
	P_TEXT_DEFAULT(struct api, content_type, "content_type", "text/html", "what: body: what it is said to be"),
	PARAM_END,
};

static unsigned methods_of(const struct api *api)
{
	if (api->methods)
		return (unsigned)api->methods;
	if (api->what == FRONT_STALE)
		return 1u << FRONT_GET;
	return api->what == FRONT_PARTIAL || api->what == FRONT_NOT_APPLIED ? 1u << FRONT_PATCH : METHODS_ALL;
}

static int status_of(const struct api *api)
{
	if (api->status != PARAM_UNSET)
		return (int)api->status;
	return api->what == FRONT_BODY ? 200 : 500;
}

/* Keys that belong to one what, and the what that needs them. */
static void validate_more(const struct api *api, struct errs *errs)
{
	struct loc loc = api->injector.loc;

	if ((api->delay_ns != PARAM_UNSET) != (api->what == FRONT_LATE))
		errs_add(errs, loc, "delay: goes with what: late, which needs it");
	if ((api->body.value != NULL) != (api->what == FRONT_BODY))
		errs_add(errs, loc, "body: goes with what: body, which needs it");
	if (api->body.value && strlen(api->body.value) >= FRONT_BODY_MAX)
		errs_add(errs, api->body.loc, "body: at most %d bytes", FRONT_BODY_MAX - 1);
	if (strlen(api->content_type.value) >= sizeof(((struct front_rule *)0)->type) ||
	    strpbrk(api->content_type.value, "\r\n"))
		errs_add(errs, api->content_type.loc, "content_type: a media type, such as text/html, is expected");
	if (api->status != PARAM_UNSET && api->what != FRONT_STATUS && api->what != FRONT_PARTIAL &&
	    api->what != FRONT_BODY)
		errs_add(errs, loc, "status: has no place with what: %s", whats[api->what]);
	else if (status_of(api) < 400 && api->what != FRONT_BODY)
		errs_add(errs, loc, "status: what: %s needs an error, 400 or above", whats[api->what]);
}

static void validate(const struct injector *injector, struct errs *errs)
{
	const struct api *api = (const struct api *)injector;
	unsigned methods = methods_of(api);

	if (api->what == FRONT_STALE && methods != 1u << FRONT_GET)
		errs_add(errs, injector->loc, "method: what: stale is for GET alone; leave method: out");
	if (api->what == FRONT_PARTIAL && methods != 1u << FRONT_PATCH)
		errs_add(errs, injector->loc, "method: what: partial is for PATCH alone; leave method: out");
	if (api->what == FRONT_NOT_APPLIED && methods & 1u << FRONT_GET)
		errs_add(errs, injector->loc, "method: what: not-applied is not for GET; name others");
	if (api->retry_after_ns != PARAM_UNSET && api->retry_after_ns % SEC)
		errs_add(errs, injector->loc, "retry_after: HTTP knows whole seconds only; write such as 2s");
	if (api->retry_after_ns != PARAM_UNSET && api->what != FRONT_STATUS && api->what != FRONT_PARTIAL)
		errs_add(errs, injector->loc, "retry_after: has no place with what: %s, which answers no error status",
			 whats[api->what]);
	validate_more(api, errs);
}

/* Whether an API is there at all. */
static bool has_api(const struct plan *plan, const char *host)
{
	const struct topology *topology = plan->topology;

	for (size_t i = 0; i < topology->zone_count; i++) {
		const struct topo_zone *zone = &topology->zones[i];

		for (size_t k = 0; zone->spec && zone->spec->api && k < zone->primary_count; k++) {
			if (!strcmp(zone->primaries[k]->name, host))
				return zone->primaries[k]->server->has_api;
		}
	}
	return false;
}

static void resolve(struct injector *injector, struct plan *plan, bool is_end, struct arena *arena, struct errs *errs)
{
	(void)arena;
	for (size_t i = 0; !is_end && i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];

		if (!has_api(plan, server->host))
			errs_add(errs, server->loc,
				 "target: %s has no HTTP API: it must run powerdns and be primary of a zone with api: "
				 "true in lab.zones",
				 server->host);
	}
}

/* That another fault of the plan opened before. */
static struct front *find_front(const struct api *api, const struct injector_ctx *ctx, const char *host)
{
	for (size_t i = 0; i < ctx->fault_count; i++) {
		const struct injector *other = ctx->faults[i];
		const struct api *its = (const struct api *)other;

		if (other->ops != api->injector.ops || its == api || !its->fronts)
			continue;
		for (size_t k = 0; k < other->server_count; k++) {
			if (its->fronts[k].front && !strcmp(other->servers[k].host, host))
				return its->fronts[k].front;
		}
	}
	return NULL;
}

static int prepare_one(struct api *api, size_t i, struct injector_ctx *ctx, struct err *err)
{
	const struct injector_server *server = &api->injector.servers[i];
	struct host *host = ctx->control->host(ctx->control->arg, server->host);
	struct front *before = find_front(api, ctx, server->host);
	struct front_rule rule = {
		.what = (enum front_what)api->what,
		.status = status_of(api),
		.retry_after_s = api->retry_after_ns == PARAM_UNSET ? 0 : api->retry_after_ns / SEC,
		.methods = methods_of(api),
		.first = api->first == PARAM_UNSET ? 0 : api->first,
		.delay_ns = api->delay_ns,
	};
	int r;

	snprintf(rule.body, sizeof(rule.body), "%s", api->body.value ? api->body.value : "");
	snprintf(rule.type, sizeof(rule.type), "%s", api->content_type.value);
	r = front_open(host, &server->addresses->v[0], before, &rule, &api->fronts[i].front, &api->fronts[i].rule, err);

	if (!r && !before && ctx->child)
		ctx->child(ctx->child_arg, &api->injector, front_pid(api->fronts[i].front), true);
	return r;
}

static int prepare(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct api *api = (struct api *)injector;
	int r = 0;

	api->fronts = calloc(injector->server_count + 1, sizeof(*api->fronts));
	if (!api->fronts)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	for (size_t i = 0; !r && i < injector->server_count; i++)
		r = prepare_one(api, i, ctx, err);
	return r;
}

static int release(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct api *api = (struct api *)injector;

	(void)err;
	for (size_t i = 0; api->fronts && i < injector->server_count; i++) {
		struct front *front = api->fronts[i].front;

		if (!front || !front_close(front))
			continue;
		if (ctx->child)
			ctx->child(ctx->child_arg, injector, front_pid(front), false);
		front_end(front);
	}
	free(api->fronts);
	api->fronts = NULL;
	return 0;
}

static void set_all(struct api *api, bool on)
{
	for (size_t i = 0; api->fronts && i < api->injector.server_count; i++) {
		if (api->fronts[i].front)
			front_set(api->fronts[i].front, api->fronts[i].rule, on);
	}
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	(void)ctx;
	(void)err;
	set_all((struct api *)injector, true);
	return 0;
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	(void)ctx;
	(void)err;
	set_all((struct api *)injector, false);
	return 0;
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err)
{
	const struct api *api = (const struct api *)injector;
	struct buf text = {0};

	(void)ctx;
	(void)err;
	*ret = (struct effect){.unit = "request"};
	for (size_t i = 0; api->fronts && i < injector->server_count; i++) {
		struct front_counts counts = front_counts(api->fronts[i].front, api->fronts[i].rule);

		ret->packets += counts.acted;
		buf_printf(&text, "%s%s: %lld requests matched, %lld met it (%s)", i ? "; " : "",
			   injector->servers[i].host, (long long)counts.matched, (long long)counts.acted,
			   whats[api->what]);
	}
	ret->took_effect = ret->packets > 0;
	snprintf(ret->text, sizeof(ret->text), "%s", text.data ? text.data : "no proxy was there");
	buf_fini(&text);
	return 0;
}

static void sentence(const struct injector *injector, struct buf *out)
{
	const struct api *api = (const struct api *)injector;
	static const char *const words[] = {
		[FRONT_STATUS] = "answers",
		[FRONT_TIMEOUT] = "accepts and never answers",
		[FRONT_PARTIAL] = "applies half of and then refuses",
		[FRONT_NOT_APPLIED] = "accepts and does not apply",
		[FRONT_STALE] = "answers as they were before",
		[FRONT_LATE] = "keeps and passes on late",
		[FRONT_BODY] = "answers with something else",
	};

	buf_printf(out, "%s ", words[api->what]);
	if (api->first != PARAM_UNSET)
		buf_printf(out, "the first %lld ", (long long)api->first);
	for (int i = 0, count = 0; i < FRONT_METHODS; i++) {
		if (methods_of(api) != METHODS_ALL && methods_of(api) & 1u << i)
			buf_printf(out, "%s%s", count++ ? ", " : "", method_names[i]);
	}
	buf_printf(out, "%srequests to the HTTP API of ", methods_of(api) == METHODS_ALL ? "" : " ");
	servers_list(injector, out);
	if (api->what == FRONT_STATUS || api->what == FRONT_PARTIAL)
		buf_printf(out, " with status %d", status_of(api));
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	const char *what = whats[((const struct api *)injector)->what];

	for (size_t i = 0; i < injector->server_count; i++) {
		buf_printf(to_apply, "# on %s: have a reverse proxy before the API do this: %s\n",
			   injector->servers[i].host, what);
		buf_printf(to_revert, "# on %s: have it pass everything on again\n", injector->servers[i].host);
	}
}

extern const struct injector_ops api_ops;
const struct injector_ops api_ops = {
	.kind = "api",
	.summary = "a nameserver's HTTP API refuses, stays silent, is late, applies half or nothing, shows what was "
		   "before, or is something else",
	.hits = INJECTOR_HITS_SERVERS,
	.demands = INJECTOR_DEMANDS_API,
	.params = params,
	.size = sizeof(struct api),
	.resolve = resolve,
	.validate = validate,
	.prepare = prepare,
	.release = release,
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
