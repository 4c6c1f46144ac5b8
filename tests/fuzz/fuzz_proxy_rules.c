/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of rules: it is taken whole or refused with errors that say where. What was taken is asked about a query, one by one taken out again, and warned of.
 */
#include "injectors/proxy/ruleset.h"

#include "injectors/proxy/decide.h"

#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t query[] = "\x12\x34\1\0\0\1\0\0\0\0\0\1\3wWw\7example\3com\0\0\1\0\1\0\0\x29\x10\0\0\0\x80\0\0\0";

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void ask(struct rules *rules)
{
	static uint8_t scratch[DECIDE_SCRATCH_SIZE];
	struct rng rng = rng_stream(1, "fuzz");
	struct address client = {.family = AF_INET, .bytes = {192, 0, 2, 7}};
	struct decide_out out = {.scratch = scratch, .scratch_size = sizeof(scratch)};
	struct decide_memo memo = {0};
	struct decide_in in = {.msg = query, .len = sizeof(query) - 1, .client = &client, .memo = &memo};

	decide(rules, &in, &rng, &out);
	check(out.count <= 1);
	in.transport = DECIDE_TCP;
	decide_refuses(rules, &in, &rng);
}

static void take_out(struct ruleset *set)
{
	while (set->rules.count) {
		struct ruleset *rest;

		check(!ruleset_without(set, set->rules.v[0]->id, &rest));
		check(rest->rules.count + 1 == set->rules.count);
		ruleset_drop(set);
		set = rest;
	}
	ruleset_drop(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ruleset *none = ruleset_new(), *set = NULL;
	struct errs errs = {0}, warnings = {0};
	int r = ruleset_with(none, "fuzz.yaml", (const char *)data, size, &set, &errs, &warnings);

	check(!r == !(errs.count + errs.dropped) || r == -ENOMEM);
	for (size_t i = 0; i < errs.count; i++)
		check(errs.v[i].loc.file && errs.v[i].text[0]); /* an empty file has no line */
	if (!r) {
		ask(&set->rules);
		take_out(set);
	}
	ruleset_drop(none);
	errs_fini(&errs);
	errs_fini(&warnings);
	return 0;
}
