/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/chain.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* The chain's name, and with "_packets" behind it the counter's. The prefix "fault_1_" is not one of "fault_10_packets". */
static void name_of(const struct injector *injector, const char *suffix, char *buf, size_t size)
{
	snprintf(buf, size, "fault_%" PRId64 "%s", injector->id, suffix);
}

#define COUNTER_SUFFIX "_packets"

static void add_text(const struct injector *injector, const struct traffic *traffic, const char *verdict,
		     struct buf *out)
{
	char chain[32], counter[40];

	name_of(injector, "", chain, sizeof(chain));
	name_of(injector, COUNTER_SUFFIX, counter, sizeof(counter));
	buf_printf(out, "add counter " CORE_TABLE " %s\n", counter);
	buf_printf(out, "add chain " CORE_TABLE " %s { type filter hook forward priority 0; policy accept; }\n", chain);
	traffic_rules(traffic, injector, chain, counter, verdict, out);
}

/* What may not be there is added first, so that the transaction never fails for it. */
static void remove_text(const struct injector *injector, struct buf *out)
{
	char chain[32], counter[40];

	name_of(injector, "", chain, sizeof(chain));
	name_of(injector, COUNTER_SUFFIX, counter, sizeof(counter));
	buf_printf(out, "add chain " CORE_TABLE " %s\n", chain);
	buf_printf(out, "add counter " CORE_TABLE " %s\n", counter);
	buf_printf(out, "flush chain " CORE_TABLE " %s\n", chain);
	buf_printf(out, "delete chain " CORE_TABLE " %s\n", chain);
	buf_printf(out, "delete counter " CORE_TABLE " %s\n", counter);
}

static int run_text(struct injector_ctx *ctx, struct buf *text, struct err *err)
{
	int r = text->failed ? err_set(err, -ENOMEM, LOC_NONE, "out of memory") : core_nft(ctx->core, text->data, err);

	buf_fini(text);
	return r;
}

int chain_apply(const struct injector *injector, const struct traffic *traffic, const char *verdict,
		struct injector_ctx *ctx, struct err *err)
{
	struct buf text = {0};

	add_text(injector, traffic, verdict, &text);
	return run_text(ctx, &text, err);
}

int chain_revert(const struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct buf text = {0};

	remove_text(injector, &text);
	return run_text(ctx, &text, err);
}

int chain_effect(const struct injector *injector, const char *verb, struct injector_ctx *ctx, struct effect *ret,
		 struct err *err)
{
	struct effect effect = {0};
	char prefix[40];
	int r;

	name_of(injector, "_", prefix, sizeof(prefix));
	r = core_counters(ctx->core, prefix, &effect.packets, &effect.bytes, err);
	if (r)
		return r;
	effect.took_effect = effect.packets > 0;
	if (effect.took_effect)
		snprintf(effect.text, sizeof(effect.text), "%s %" PRId64 " packet%s (%" PRId64 " bytes)", verb,
			 effect.packets, effect.packets == 1 ? "" : "s", effect.bytes);
	else
		snprintf(effect.text, sizeof(effect.text), "no packet came by: nothing was %s", verb);
	*ret = effect;
	return 0;
}

static void as_shell(const struct buf *text, struct buf *out)
{
	for (const char *line = text->data; line && *line;) {
		size_t len = strcspn(line, "\n");

		buf_printf(out, "nft '%.*s'\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

void chain_commands(const struct injector *injector, const struct traffic *traffic, const char *verdict,
		    struct buf *apply, struct buf *revert)
{
	struct buf text = {0};

	add_text(injector, traffic, verdict, &text);
	as_shell(&text, apply);
	buf_clear(&text);
	remove_text(injector, &text);
	as_shell(&text, revert);
	buf_fini(&text);
}
