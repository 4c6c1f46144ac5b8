/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kind dns for other kinds that are one rule of the inline proxy with words of their own: a kind's struct begins with a struct dns, its compile makes the rule (dns_rule_defaults, the keys it
 * wants, dns_rule_compile), its ops have the functions below. All faults whose prepare is dns_rule_prepare share one proxy.
 */
#pragma once
#include "harness/api/injector.h"
#include "injectors/proxy/rule.h"

struct inline_proxy;

struct dns {
	struct injector injector;
	struct rule rule;
	bool is_reversed; /* messages that from is sent by target; by compile */
	/* From prepare to release: */
	struct rule *live; /* the rule in force, shared with the proxy */
	uint64_t losses; /* of the proxy, when it was applied */
	struct injector *const *faults; /* of the host: all of the run's */
	size_t fault_count;
	struct inline_proxy *proxy; /* of the host */
};

/* Every key of the rule at its default. */
void dns_rule_defaults(struct dns *dns, struct arena *arena, struct errs *errs);
void dns_rule_compile(struct injector *injector, struct arena *arena, struct errs *errs);
/* What a rule that signs needs of the plan. */
void dns_rule_resolve(struct injector *injector, struct plan *plan, bool is_end, struct arena *arena,
		      struct errs *errs);
void dns_rule_validate(const struct injector *injector, struct errs *errs);
int dns_rule_available(const struct injector *injector, const struct abilities *abilities, struct err *err);
int dns_rule_prepare(struct injector *injector, struct injector_ctx *ctx, struct err *err);
int dns_rule_release(struct injector *injector, struct injector_ctx *ctx, struct err *err);
int dns_rule_apply(struct injector *injector, struct injector_ctx *ctx, struct err *err);
int dns_rule_adjust(struct injector *injector, struct injector_ctx *ctx, int64_t progress_ppm, struct err *err);
int dns_rule_revert(struct injector *injector, struct injector_ctx *ctx, struct err *err);
int dns_rule_effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err);
void dns_rule_commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert);
