/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/chain.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define PRIORITY_BASE (-600)

/* The prefix "fault_1_" is not one of "fault_10_packets". */
static void add_objects(const struct chain *chain, const struct injector *injector, struct buf *out)
{
	buf_printf(out, "add counter " CORE_TABLE " fault_%" PRId64 "_packets\n", injector->id);
	if (chain->objects)
		chain->objects(injector, out);
	buf_printf(out,
		   "add chain " CORE_TABLE " fault_%" PRId64 " { type filter hook prerouting priority %" PRId64
		   "; policy accept; }\n",
		   injector->id, PRIORITY_BASE + injector->id);
}

static void add_text(const struct chain *chain, const struct injector *injector, struct buf *out)
{
	add_objects(chain, injector, out);
	buf_printf(out, "add rule " CORE_TABLE " fault_%" PRId64 " meta mark >= %" PRId64 " accept\n", injector->id,
		   injector->id);
	chain->rules(injector, out);
}

/* "<verb> chain inet dnsdrill fault_1" of "add chain inet dnsdrill fault_1 { … }". */
static void add_line(const char *verb, const char *line, struct buf *out)
{
	const char *what = line + strlen("add ");
	size_t len = strcspn(what, "{\n");

	while (len && what[len - 1] == ' ')
		len--;
	buf_printf(out, "%s %.*s\n", verb, (int)len, what);
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return line + (*line == '\n');
}

/* What was added last is deleted first. */
static void delete_reversed(const char *line, struct buf *out)
{
	if (!*line)
		return;
	delete_reversed(next_line(line), out);
	add_line("delete", line, out);
}

/* What may not be there is added first, so that the transaction never fails for it. Chains are emptied before anything they refer to goes. */
static void remove_text(const struct chain *chain, const struct injector *injector, struct buf *out)
{
	struct buf objects = {0};

	add_objects(chain, injector, &objects);
	if (objects.failed) {
		out->failed = true;
	} else {
		buf_puts(out, objects.data);
		for (const char *line = objects.data; *line; line = next_line(line)) {
			if (!strncmp(line, "add chain ", strlen("add chain ")))
				add_line("flush", line, out);
		}
		delete_reversed(objects.data, out);
	}
	buf_fini(&objects);
}

static int run_text(struct injector_ctx *ctx, struct buf *text, struct err *err)
{
	int r = text->failed ? err_set(err, -ENOMEM, LOC_NONE, "out of memory") : core_nft(ctx->core, text->data, err);

	buf_fini(text);
	return r;
}

int chain_apply(const struct chain *chain, const struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct buf text = {0};

	add_text(chain, injector, &text);
	return run_text(ctx, &text, err);
}

int chain_revert(const struct chain *chain, const struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct buf text = {0};

	remove_text(chain, injector, &text);
	return run_text(ctx, &text, err);
}

int chain_effect(const struct injector *injector, const char *verb, struct injector_ctx *ctx, struct effect *ret,
		 struct err *err)
{
	struct effect effect = {0};
	char counter[40];
	int r;

	snprintf(counter, sizeof(counter), "fault_%" PRId64 "_packets", injector->id);
	r = core_counters(ctx->core, counter, &effect.packets, &effect.bytes, err);
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

void chain_as_shell(const char *lines, struct buf *out)
{
	for (const char *line = lines; line && *line; line = next_line(line))
		buf_printf(out, "nft '%.*s'\n", (int)strcspn(line, "\n"), line);
}

void chain_commands(const struct chain *chain, const struct injector *injector, struct buf *apply, struct buf *revert)
{
	struct buf text = {0};

	add_text(chain, injector, &text);
	chain_as_shell(text.data, apply);
	buf_clear(&text);
	remove_text(chain, injector, &text);
	chain_as_shell(text.data, revert);
	buf_fini(&text);
}

int chain_only_apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return chain_apply(injector->ops->chain, injector, ctx, err);
}

int chain_only_revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return chain_revert(injector->ops->chain, injector, ctx, err);
}

int chain_only_effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err)
{
	const struct chain *chain = injector->ops->chain;
	int r = chain_effect(injector, chain->verb, ctx, ret, err);

	if (!r && !ret->took_effect && chain->idle)
		snprintf(ret->text, sizeof(ret->text), "%s", chain->idle);
	return r;
}

void chain_only_commands(const struct injector *injector, struct buf *apply, struct buf *revert)
{
	chain_commands(injector->ops->chain, injector, apply, revert);
}
