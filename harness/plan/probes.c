/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `probes:` — the rows all kinds share, the question, and what it needs.
 */
#include <ldns/ldns.h>
#include <string.h>

#include "harness/base/units.h"
#include "harness/plan/internal.h"

#define DEFAULT_KIND "dns"
#define UNIQUE_QNAME_MAX 230 /* leaves room for the fresh label in front */

static const char *const stale_choices[] = {"ok", "bad", NULL};
static const char *const tristate_choices[] = {"any", "true", "false", NULL};

static const struct param good_params[] = {
	P_TEXT_DEFAULT(struct good, rcode, "rcode", "NOERROR", "response code"),
	P_TEXTS(struct good, answer, "answer",
		"data of the wanted type, in any order; by default what the lab's zones hold, and [] means none"),
	P_INT(struct good, min_ttl, "min_ttl", 0, INT32_MAX, PARAM_UNSET,
	      "least TTL of the answer's records, in seconds"),
	P_INT(struct good, max_ttl, "max_ttl", 0, INT32_MAX, PARAM_UNSET,
	      "greatest TTL of the answer's records, in seconds"),
	P_ENUM(struct good, aa, "aa", tristate_choices, TRISTATE_ANY,
	       "the AA flag: whether the server is authoritative"),
	P_ENUM(struct good, ad, "ad", tristate_choices, TRISTATE_ANY, "the AD flag: whether the resolver validated"),
	PARAM_END,
};

const struct table good_table = {
	.name = "good",
	.doc = "what a right answer is: all of what is given must hold",
	.params = good_params,
	.size = sizeof(struct good),
	.loc_offset = offsetof(struct good, loc),
	.name_offset = PARAM_NO_NAME,
};

const struct param probe_params[] = {
	P_TEXT_DEFAULT(struct probe, kind, "kind", DEFAULT_KIND, "how it asks (see `dnsdrill list probes`)"),
	P_TEXT_REQUIRED(struct probe, from, "from", "host that asks: a client, or any other host that says via"),
	P_TEXT_REQUIRED(struct probe, query, "query", "name and type asked for, such as \"www.example.com A\""),
	P_DURATION(struct probe, every_ns, "every", MSEC, 3600 * SEC, 100 * MSEC,
		   "pace: a question each so often, whether or not earlier ones were answered"),
	P_DURATION(
		struct probe, near_faults_ns, "near-faults", MSEC, 3600 * SEC, PARAM_UNSET,
		"a denser pace, of which every is a whole multiple: around what the timeline does, and while samples "
		"are bad; by default every"),
	P_DURATION(struct probe, timeout_ns, "timeout", MSEC, 3600 * SEC, PARAM_UNSET,
		   "how long an answer is waited for; the default depends on the kind"),
	P_BOOL(struct probe, unique, "unique", false,
	       "put a fresh label in front of the name each time, so that no cache can know it; the zone answers by a "
	       "wildcard"),
	P_ENUM(struct probe, stale, "stale", stale_choices, PROBE_STALE_OK,
	       "whether answers from a version of the zone that a step has replaced are good"),
	P_TABLE(struct probe, good, "good", struct good, &good_table,
		"what a right answer is; by default NOERROR with the "
		"answer the lab's zones hold"),
	PARAM_END,
};

static const struct probe_ops *find_kind(struct plan_ctx *ctx, const struct node *node)
{
	const struct node *kind = node_get(node, "kind");
	const char *name = kind && kind->type == NODE_SCALAR ? kind->scalar : DEFAULT_KIND;
	const struct probe_ops *ops = registry_probe(ctx->registry, name);
	struct names known = {0};

	for (size_t i = 0; !ops && ctx->registry->probes && ctx->registry->probes[i]; i++)
		names_add(&known, ctx->arena, ctx->registry->probes[i]->kind);
	if (!ops)
		names_unknown(&known, "kind of probe", name, kind ? kind->loc : node->loc, ctx->errs);
	return ops;
}

/* Types people ask for, for suggestions. */
static uint16_t parse_type(struct plan_ctx *ctx, const struct probe *probe, const char *text)
{
	static const char *const common[] = {"A",   "AAAA", "CNAME", "MX",     "NS",   "SOA",   "TXT",  "SRV",
					     "PTR", "CAA",  "DS",    "DNSKEY", "TLSA", "HTTPS", "SVCB", "NAPTR"};
	struct names known = {0};
	ldns_rr_type type = ldns_get_rr_type_by_name(text);

	if (type == LDNS_RR_TYPE_AXFR || type == LDNS_RR_TYPE_IXFR) {
		errs_add(ctx->errs, probe->query.loc, "query: %.10s is a transfer, not a question a probe can ask",
			 text);
		return 0;
	}
	if (type)
		return (uint16_t)type;
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		names_add(&known, ctx->arena, common[i]);
	names_unknown(&known, "record type", text, probe->query.loc, ctx->errs);
	return 0;
}

static void parse_query(struct plan_ctx *ctx, struct probe *probe)
{
	const char *why;
	char *word[4] = {NULL}, *save = NULL, *copy;
	size_t words = 0;

	if (!probe->query.value)
		return; /* said already */
	copy = arena_strdup(ctx->arena, probe->query.value);
	while (words < ARRAY_LEN(word) && (word[words] = strtok_r(words ? NULL : copy, " \t", &save)))
		words++;
	if (!words || words > 2 || (words == 1 && probe->ops->needs_type)) {
		errs_add(ctx->errs, probe->query.loc,
			 "query: '%.80s' is not a name and a type; write such as \"www.example.com A\"",
			 probe->query.value);
		return;
	}
	probe->qname = domain_normalise(ctx->arena, word[0], &why);
	if (!probe->qname)
		errs_add(ctx->errs, probe->query.loc, "query: '%.80s' is not a domain name: %s", word[0], why);
	else if (probe->unique && strlen(probe->qname) > UNIQUE_QNAME_MAX)
		errs_add(ctx->errs, probe->query.loc, "query: the name is too long to have a fresh label put in front");
	if (words == 2)
		probe->qtype = parse_type(ctx, probe, word[1]);
}

/* The next smaller pace that `every` is a whole multiple of. */
static int64_t fitting_pace(int64_t every_ns, int64_t near_ns)
{
	int64_t n = every_ns / near_ns + 1;

	while (every_ns % n)
		n++;
	return every_ns / n;
}

/* Sparse samples must lie on the dense grid: then where samples can be does not depend on when the pace changed. */
static void fill_pace(struct plan_ctx *ctx, struct probe *probe)
{
	char every[32], near[32], fitting[32];

	if (probe->near_faults_ns == PARAM_UNSET)
		probe->near_faults_ns = probe->every_ns;
	if (probe->near_faults_ns <= 0 || probe->every_ns <= 0 || probe->every_ns % probe->near_faults_ns == 0)
		return;
	units_format_duration(probe->every_ns, every, sizeof(every));
	units_format_duration(probe->near_faults_ns, near, sizeof(near));
	units_format_duration(fitting_pace(probe->every_ns, probe->near_faults_ns), fitting, sizeof(fitting));
	if (probe->near_faults_ns > probe->every_ns)
		errs_add(ctx->errs, probe->loc, "near-faults: %s is not denser than every: %s", near, every);
	else
		errs_add(ctx->errs, probe->loc,
			 "near-faults: every: %s is no whole multiple of %s, and samples near faults lie on one grid "
			 "with the others; write such as %s",
			 every, near, fitting);
}

static void fill_serials(struct plan_ctx *ctx, struct probe *probe)
{
	const struct zone_spec *spec = zones_enclosing(&ctx->plan->lab, probe->qname);

	if (probe->ops->to && spec && spec->zone)
		probe->serials = version_serials(ctx->plan, spec, ctx->arena, &probe->serial_count);
}

static void parse_probe(struct plan_ctx *ctx, const struct node_pair *pair)
{
	const struct probe_ops *ops;
	size_t before = ctx->errs->count + ctx->errs->dropped, i = ctx->plan->probe_count;
	const char *why = name_reject(pair->key);
	struct probe *probe;
	char shown[80];

	names_add(&ctx->probe_names, ctx->arena, pair->key);
	if (why)
		errs_add(ctx->errs, pair->key_loc, "'%.80s' cannot be the name of a probe: %s", pair->key, why);
	if (pair->value->type != NODE_MAP) {
		errs_add(ctx->errs, pair->value->loc, "probe: a mapping is expected (from: …, query: …), not %s",
			 node_describe(pair->value, shown, sizeof(shown)));
		return;
	}
	ops = find_kind(ctx, pair->value);
	if (!ops)
		return;
	probe = arena_alloc(ctx->arena, ops->size);
	probe->loc = pair->value->loc;
	probe->ops = ops;
	probe->name = (struct text){pair->key, pair->key_loc};
	parse_mapping(ctx->arena, pair->value, (const struct param *const[]){probe_params, ops->params},
		      ops->params ? 2 : 1, probe, "probe", ctx->errs);
	if (probe->timeout_ns == PARAM_UNSET)
		probe->timeout_ns = ops->default_timeout_ns;
	fill_pace(ctx, probe);
	parse_query(ctx, probe);
	via_resolve(ctx, probe, &ctx->plan->probe_servers[i], &ctx->plan->probe_server_counts[i]);
	if (ops->needs_anchor && !ctx->plan->topology->is_signed)
		errs_add(ctx->errs, probe->loc,
			 "a probe of kind %s needs a trust anchor, and no zone of this lab is signed: say sign: true "
			 "at one",
			 ops->kind);
	if (probe->qname && ctx->errs->count + ctx->errs->dropped == before) {
		good_fill(ctx, probe, node_get(pair->value, "good"));
		fill_serials(ctx, probe);
		if (ops->validate)
			ops->validate(probe, ctx->errs);
	}
	ctx->plan->probes[ctx->plan->probe_count++] = probe;
}

void probes_parse(struct plan_ctx *ctx)
{
	const struct node *map = ctx->doc->probes;
	struct plan *plan = ctx->plan;
	char shown[80];

	if (!map)
		return;
	if (map->type != NODE_MAP) {
		errs_add(ctx->errs, map->loc,
			 "probes: a mapping of names is expected (www: {from: …, query: …}), not %s",
			 node_describe(map, shown, sizeof(shown)));
		return;
	}
	plan->probes = ARENA_ARRAY(ctx->arena, struct probe *, map->count);
	plan->probe_servers = ARENA_ARRAY(ctx->arena, struct probe_server *, map->count);
	plan->probe_server_counts = ARENA_ARRAY(ctx->arena, size_t, map->count);
	for (size_t i = 0; i < map->count; i++)
		parse_probe(ctx, &map->pairs[i]);
}
