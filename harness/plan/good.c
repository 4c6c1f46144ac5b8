/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a good answer is: as the plan says, or as the lab's zones hold it.
 */
#include <ldns/ldns.h>
#include <string.h>
#include <strings.h>

#include "harness/base/rr.h"
#include "harness/plan/internal.h"
#include "harness/plan/zone_reader.h"

#define CHAIN_MAX 16 /* zones a chain of aliases may lead through */

/* ---- what the plan says ---- */

static void check_rcode(struct plan_ctx *ctx, struct good *good)
{
	static const char *const rcodes[] = {"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
					     "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE", "BADVERS"};
	struct names known = {0};

	for (size_t i = 0; i < ARRAY_LEN(rcodes); i++) {
		if (good->rcode.value && !strcasecmp(good->rcode.value, rcodes[i])) {
			good->rcode.value = rcodes[i];
			return;
		}
		names_add(&known, ctx->arena, rcodes[i]);
	}
	if (good->rcode.value)
		names_unknown(&known, "response code", good->rcode.value, good->rcode.loc, ctx->errs);
	good->rcode.value = rcodes[0];
}

/* Record data of the plan in the form answers are compared in; NULL after an error. */
static const char *canonical(struct plan_ctx *ctx, uint16_t qtype, const struct text *text)
{
	char *type = ldns_rr_type2str((ldns_rr_type)qtype);
	const char *ret = NULL;
	struct buf line = {0};
	ldns_rr *rr = NULL;
	ldns_status status = LDNS_STATUS_MEM_ERR;

	buf_printf(&line, ". 0 IN %s %s", type ? type : "", text->value);
	if (!line.failed)
		status = rr_from_text(&rr, line.data, 0, NULL);
	if (status == LDNS_STATUS_OK)
		ret = zone_rdata_text(rr, ctx->arena);
	else
		errs_add(ctx->errs, text->loc, "answer: '%.80s' is not the data of a record of type %s%s%s",
			 text->value, type ? type : "", status == LDNS_STATUS_SYNTAX_RDATA_ERR ? "" : ": ",
			 status == LDNS_STATUS_SYNTAX_RDATA_ERR ? "" : zone_status_text(status));
	ldns_rr_free(rr);
	buf_fini(&line);
	free(type);
	return ret;
}

static void take_given(struct plan_ctx *ctx, struct probe *probe)
{
	struct good *good = &probe->good;

	good->answer_given = true;
	if (good->answer.count && strcasecmp(good->rcode.value, "NOERROR"))
		errs_add(ctx->errs, good->answer.v[0].loc,
			 "answer: %s answers hold no records; leave out answer: or rcode:", good->rcode.value);
	for (size_t i = 0; i < good->answer.count; i++) {
		struct text *text = &good->answer.v[i];
		uint16_t qtype = probe->qtype;
		const char *found;

		if (!qtype) /* addresses of either family */
			qtype = strchr(text->value, ':') ? LDNS_RR_TYPE_AAAA : LDNS_RR_TYPE_A;
		found = canonical(ctx, qtype, text);
		if (found)
			text->value = found;
	}
}

static void check_ttls(struct plan_ctx *ctx, const struct good *good)
{
	if (good->min_ttl != PARAM_UNSET && good->max_ttl != PARAM_UNSET && good->min_ttl > good->max_ttl)
		errs_add(ctx->errs, good->loc, "good: min_ttl is larger than max_ttl: nothing could be good");
}

/* ---- what the zones hold ---- */

enum found { FOUND, FOUND_NODATA, FOUND_NXDOMAIN, FOUND_DELEGATION, FOUND_NO_ZONE, FOUND_UNKNOWN /* said elsewhere */ };

struct search {
	struct plan_ctx *ctx;
	struct names *answer; /* record data, each once */
	const char *name; /* where the search stands */
	const struct zone_spec *zone; /* that was asked last */
	size_t version; /* of the zones */
};

static const struct zone *content_of(const struct search *search, const struct zone_spec *spec)
{
	for (size_t i = search->version; i-- > 0;) {
		if (search->ctx->plan->versions[i]->spec == spec)
			return search->ctx->plan->versions[i]->zone;
	}
	return spec->zone;
}

static void add_rrs(struct search *search, ldns_rr_list *rrs)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++)
		names_add(search->answer, search->ctx->arena,
			  zone_rdata_text(ldns_rr_list_rr(rrs, i), search->ctx->arena));
}

/* Names of nameservers resolve in the lab even where the plan has no zone for them. */
static enum found ask_hosts(struct search *search, uint16_t qtype)
{
	const struct topology *topology = search->ctx->plan->topology;
	int family = qtype == LDNS_RR_TYPE_A ? AF_INET : qtype == LDNS_RR_TYPE_AAAA ? AF_INET6 : AF_UNSPEC;

	for (size_t i = 0; i < topology->host_count; i++) {
		const struct topo_host *host = &topology->hosts[i];

		if (!host->hostname || strcmp(host->hostname, search->name) || family == AF_UNSPEC)
			continue;
		for (size_t j = 0; j < host->addresses.count; j++) {
			if (host->addresses.v[j].family == family)
				names_add(search->answer, search->ctx->arena, host->addresses.v[j].text);
		}
		return search->answer->count ? FOUND : FOUND_NODATA;
	}
	return FOUND_NO_ZONE;
}

/* With apex_ns: from-lab the NS set is not what the file says. */
static bool ask_lab_ns(struct search *search, uint16_t qtype)
{
	const struct topology *topology = search->ctx->plan->topology;

	if (qtype != LDNS_RR_TYPE_NS || search->zone->apex_ns != APEX_NS_FROM_LAB ||
	    strcmp(search->zone->name.value, search->name))
		return false;
	for (size_t i = 0; i < topology->zone_count; i++) {
		const struct topo_zone *zone = &topology->zones[i];

		for (size_t j = 0; zone->spec == search->zone && j < zone->ns_count; j++)
			names_add(search->answer, search->ctx->arena,
				  arena_printf(search->ctx->arena, "%s.", zone->ns[j]->hostname));
	}
	return true;
}

static enum found ask_zones(struct search *search, uint16_t qtype)
{
	for (int i = 0; i < CHAIN_MAX; i++) {
		const struct zone_spec *zone = zones_enclosing(&search->ctx->plan->lab, search->name);
		ldns_rr_list *rrs = NULL;
		const char *next = NULL;
		enum zone_answer answer;

		if (!zone)
			return ask_hosts(search, qtype);
		if (!zone->zone)
			return FOUND_UNKNOWN;
		search->zone = zone;
		if (ask_lab_ns(search, qtype))
			return FOUND;
		answer = zone_lookup(content_of(search, zone), search->name, qtype, search->ctx->arena, &rrs, &next);
		add_rrs(search, rrs);
		ldns_rr_list_free(rrs);
		switch (answer) {
		case ZONE_ANSWER:
			return FOUND;
		case ZONE_NODATA:
			return FOUND_NODATA;
		case ZONE_NXDOMAIN:
			return FOUND_NXDOMAIN;
		case ZONE_DELEGATION:
			if (zones_enclosing(&search->ctx->plan->lab, next) == zone)
				return FOUND_DELEGATION;
			break;
		case ZONE_CNAME_OUT:
			break;
		}
		search->name = next;
	}
	return FOUND_NODATA; /* a loop */
}

/* ---- what is said if they hold nothing ---- */

static const char *zone_list(struct plan_ctx *ctx)
{
	const struct zone_spec *zones = ctx->plan->lab.zones.v;
	const char *text = "";

	for (size_t i = 0; i < ctx->plan->lab.zones.count; i++)
		text = arena_printf(ctx->arena, "%s%s%s", text, i ? ", " : "", zones[i].name.value);
	return *text ? text : "none";
}

static void say(struct plan_ctx *ctx, const struct probe *probe, const struct search *search, enum found found)
{
	const char *type = "address", *zone = search->zone ? search->zone->name.value : "";
	struct loc loc = probe->query.loc;
	char *name = probe->qtype ? ldns_rr_type2str((ldns_rr_type)probe->qtype) : NULL;

	if (name)
		type = name;
	switch (found) {
	case FOUND_NO_ZONE:
		errs_add(ctx->errs, loc,
			 "query: no zone of the lab holds %s (zones are: %s); add one, or write under good: what "
			 "answer is right",
			 search->name, zone_list(ctx));
		break;
	case FOUND_NXDOMAIN:
		if (probe->unique)
			errs_add(ctx->errs, loc,
				 "query: zone %s has no wildcard *.%s that would answer for fresh names (unique); add "
				 "it, or write "
				 "good: {rcode: NXDOMAIN}",
				 zone, probe->qname);
		else
			errs_add(ctx->errs, loc,
				 "query: zone %s has no name %s; mend it, or write good: {rcode: NXDOMAIN} if that is "
				 "right",
				 zone, search->name);
		break;
	case FOUND_NODATA:
		errs_add(ctx->errs, loc,
			 "query: the lab's zones have no %s record for %s; mend it, or write good: {answer: []} if "
			 "that is right",
			 type, search->name);
		break;
	case FOUND_DELEGATION:
		errs_add(ctx->errs, loc,
			 "query: zone %s delegates %s to a zone the lab does not have; add that zone, or write under "
			 "good: what "
			 "answer is right",
			 zone, search->name);
		break;
	case FOUND:
	case FOUND_UNKNOWN:
		break;
	}
	free(name);
}

/* Fills search->answer with what the zones of search->version hold. */
static enum found search_zones(struct search *search, const struct probe *probe)
{
	/* A stub without a type asks for both families. */
	const uint16_t both[] = {LDNS_RR_TYPE_A, LDNS_RR_TYPE_AAAA}, one[] = {probe->qtype};
	const uint16_t *types = probe->qtype ? one : both;
	enum found found = FOUND_NODATA;

	for (size_t i = 0; i < (probe->qtype ? 1u : 2u); i++) {
		enum found this;

		search->name = probe->unique ? arena_printf(search->ctx->arena, "x.%s", probe->qname) : probe->qname;
		this = ask_zones(search, types[i]);
		if (found != FOUND)
			found = this;
	}
	return found;
}

static void set_answer(struct plan_ctx *ctx, const struct probe *probe, const struct names *answer, struct good *good)
{
	good->answer = (struct texts){ARENA_ARRAY(ctx->arena, struct text, answer->count), answer->count};
	for (size_t i = 0; i < answer->count; i++)
		good->answer.v[i] = (struct text){answer->v[i], probe->query.loc};
	good->answer_given = true;
}

static bool is_same(const struct good *a, const struct good *b)
{
	if (a->answer.count != b->answer.count || strcmp(a->rcode.value, b->rcode.value))
		return false;
	for (size_t i = 0; i < a->answer.count; i++) {
		if (strcmp(a->answer.v[i].value, b->answer.v[i].value))
			return false;
	}
	return true;
}

/* What each version's answer is. False: some version has none that could be told here; then nothing is said of versions. */
static bool fill_versions(struct plan_ctx *ctx, struct probe *probe, struct good *versions, bool *ret_found)
{
	for (size_t k = 0; k <= ctx->plan->version_count; k++) {
		struct names answer = {0};
		struct search search = {.ctx = ctx, .answer = &answer, .version = k};
		enum found found = search_zones(&search, probe);

		versions[k] = probe->good;
		if (found == FOUND_NXDOMAIN)
			versions[k].rcode.value = "NXDOMAIN";
		else if (found != FOUND && found != FOUND_NODATA)
			return false;
		set_answer(ctx, probe, &answer, &versions[k]);
		*ret_found |= found == FOUND;
		if (k && !is_same(&versions[k - 1], &versions[k]))
			probe->tells |= INT64_C(1) << k;
	}
	return true;
}

/* True: what is good changes with the zones, and was found. */
static bool find_versions(struct plan_ctx *ctx, struct probe *probe)
{
	size_t count = ctx->plan->version_count + 1;
	struct good *versions = ARENA_ARRAY(ctx->arena, struct good, count);
	bool has_answer = false;

	if (count == 1 || !fill_versions(ctx, probe, versions, &has_answer) || !has_answer || !probe->tells) {
		probe->tells = 0;
		return false;
	}
	probe->good = versions[0];
	probe->good.versions = versions;
	probe->good.version_count = count;
	return true;
}

static void find_answer(struct plan_ctx *ctx, struct probe *probe, bool may_be_none)
{
	struct names answer = {0};
	struct search search = {.ctx = ctx, .answer = &answer};
	enum found found;

	if (find_versions(ctx, probe))
		return;
	found = search_zones(&search, probe);
	if (found == FOUND_UNKNOWN)
		return;
	if (found != FOUND && !may_be_none) {
		say(ctx, probe, &search, found);
		return;
	}
	if (found == FOUND || found == FOUND_NODATA) /* else the plan's rcode is all there is to compare */
		set_answer(ctx, probe, &answer, &probe->good);
}

void good_fill(struct plan_ctx *ctx, struct probe *probe, const struct node *given)
{
	struct good *good = &probe->good;

	check_rcode(ctx, good);
	check_ttls(ctx, good);
	if (given && given->type == NODE_MAP && node_get(given, "answer"))
		take_given(ctx, probe);
	else if (!good->rcode.value || !strcasecmp(good->rcode.value, "NOERROR"))
		find_answer(ctx, probe, given && given->type == NODE_MAP && node_get(given, "rcode"));
}
