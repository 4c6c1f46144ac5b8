/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of rules, in the order in which they are asked.
 */
#include <errno.h>
#include <string.h>

#include "harness/base/array.h"
#include "injectors/proxy/match.h"

uint64_t rule_seen(const struct rule *rule)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < RULE_SEEN_COUNTERS; i++)
		sum += atomic_load_explicit(&rule->seen[i].count, memory_order_relaxed);
	return sum;
}

void rule_reset(struct rule *rule)
{
	for (size_t i = 0; i < RULE_SEEN_COUNTERS; i++)
		atomic_store(&rule->seen[i].count, 0);
	atomic_store(&rule->matched, 0);
	atomic_store(&rule->done, 0);
}

int rules_add(struct rules *rules, struct rule *rule)
{
	if (array_reserve((void **)&rules->v, &rules->cap, rules->count + 1, sizeof(struct rule *)))
		return -ENOMEM;
	rule->id = ++rules->last_id;
	rules->v[rules->count++] = rule;
	rules->needing_answer += rule->match.needs_answer;
	rules->tls += rule->is_tls;
	return 0;
}

struct rule *rules_remove(struct rules *rules, uint32_t id)
{
	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = rules->v[i];

		if (rule->id != id)
			continue;
		rules->count--;
		memmove(rules->v + i, rules->v + i + 1, (rules->count - i) * sizeof(struct rule *));
		rules->needing_answer -= rule->match.needs_answer;
		rules->tls -= rule->is_tls;
		return rule;
	}
	return NULL;
}

void rules_fini(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		rule_fini(rules->v[i]);
	free(rules->v);
	*rules = (struct rules){0};
}

/* Whether it leaves nothing of what it matches to later rules. */
static bool takes_all(const struct rule *rule)
{
	return (rule->share_ppm == PARAM_UNSET || rule->share_ppm == PPM_ONE) &&
	       (rule->every == PARAM_UNSET || rule->every == 1) && rule->first == PARAM_UNSET &&
	       rule->after == PARAM_UNSET && rule->above == PARAM_UNSET;
}

static void add_hidden(struct errs *warnings, const struct rule *rule, const struct rule *by)
{
	if (rule->loc.file == by->loc.file)
		errs_add(warnings, rule->loc, "this rule never acts: the one in line %u takes all that it matches",
			 by->loc.line);
	else
		errs_add(warnings, rule->loc, "this rule never acts: rule %u takes all that it matches", by->id);
}

void rules_check(const struct rules *rules, size_t from, struct errs *warnings)
{
	for (size_t i = from; i < rules->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!takes_all(rules->v[j]) || rules->v[j]->is_tls != rules->v[i]->is_tls ||
			    !match_covers(&rules->v[j]->match, &rules->v[i]->match))
				continue;
			add_hidden(warnings, rules->v[i], rules->v[j]);
			break;
		}
	}
}

static void undo_load(struct rules *rules, size_t count)
{
	while (rules->count > count)
		rule_fini(rules_remove(rules, rules->v[rules->count - 1]->id));
}

int rules_load_bytes(struct rules *rules, struct arena *arena, const char *file, const char *data, size_t len,
		     struct errs *errs, struct errs *warnings)
{
	size_t before = errs->count + errs->dropped, count = rules->count;
	const struct node *root = node_load_bytes(arena, file, data, len, errs);

	if (!root)
		return -EINVAL;
	if (root->type != NODE_LIST)
		errs_add(errs, root->loc, "a list of rules is expected: - {match: {…}, do: {…}}");
	for (size_t i = 0; root->type == NODE_LIST && i < root->count; i++) {
		struct rule *rule = rule_parse(arena, root->items[i], errs);

		if (rule && rules_add(rules, rule)) {
			errs_add(errs, rule->loc, "out of memory");
			rule_fini(rule);
		}
	}
	if (errs->count + errs->dropped != before) {
		undo_load(rules, count);
		return -EINVAL;
	}
	rules_check(rules, count, warnings);
	return 0;
}
