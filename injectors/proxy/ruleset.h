/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules that threads read while one thread exchanges them. A set never changes once it is shared; a new one is made from the old with a rule
 * more or less. Sets and rules are counted by references: the last to let go of a set frees it, and each rule with the last set that has it.
 */
#pragma once
#include "injectors/proxy/rule.h"

#include <stdatomic.h>

struct rule_box;

struct ruleset {
	struct rules rules; /* for decide() */
	struct rule_box **boxes; /* the owners of rules.v, in the same order */
	atomic_size_t refs;
};

/* A set without rules; NULL: out of memory. The caller has the one reference. */
struct ruleset *ruleset_new(void);
struct ruleset *ruleset_take(struct ruleset *set);
void ruleset_drop(struct ruleset *set); /* NULL is fine */

/* A set of prepared rules that are the caller's and outlive it. NULL: out of memory. Gives them their ids, 1… */
struct ruleset *ruleset_of(struct rule *const *rules, size_t count);
/* What set says and behind it the rules of a YAML text: a list of rules, or a single one. What errors call it is file. 0 with *ret, a new set; or -EINVAL or -ENOMEM,
 * with every error in errs. */
int ruleset_with(const struct ruleset *set, const char *file, const char *text, size_t len, struct ruleset **ret,
		 struct errs *errs, struct errs *warnings);
/* What set says but for the rule of that id. 0, -ENOENT or -ENOMEM. */
int ruleset_without(const struct ruleset *set, uint32_t id, struct ruleset **ret);
