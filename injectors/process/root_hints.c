/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * root-hints: the resolver's root hints are stale: they give addresses that no root server has any more, so priming (RFC 8109) finds nobody.
 */
#include "injectors/process/stale.h"

/* Of the lab's own reserved ranges; nobody bears them. */
#define GONE4 "198.18.255.53"
#define GONE6 "fd00:18:ff::53"

struct root_hints {
	struct injector injector;
	struct addresses addresses;
};

static const struct param params[] = {
	P_ADDRESSES(struct root_hints, addresses, "addresses",
		    "what the hints give as the root's addresses; by default " GONE4 " and " GONE6 ", where nobody is"),
	PARAM_END,
};

static int content(const struct injector *injector, struct buf *out, struct err *err UNUSED)
{
	const struct addresses *given = &((const struct root_hints *)injector)->addresses;

	buf_puts(out, ".\t3600000\tIN\tNS\told.root-servers.net.\n");
	for (size_t i = 0; i < given->count; i++)
		buf_printf(out, "old.root-servers.net.\t3600000\tIN\t%s\t%s\n",
			   given->v[i].family == AF_INET ? "A" : "AAAA", given->v[i].text);
	if (!given->count)
		buf_puts(out, "old.root-servers.net.\t3600000\tIN\tA\t" GONE4
			      "\nold.root-servers.net.\t3600000\tIN\tAAAA\t" GONE6 "\n");
	return 0;
}

static void use(struct server_spec *spec, const char *path)
{
	spec->root_hints = path;
}

static const struct stale stale = {"stale-hints", content, use};

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return stale_apply(&stale, injector, ctx, err);
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return stale_revert(&stale, injector, ctx, err);
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err UNUSED)
{
	return stale_effect(&stale, injector, ctx, ret);
}

static void sentence(const struct injector *injector, struct buf *out)
{
	buf_puts(out, "restarts with root hints that lead nowhere ");
	servers_list(injector, out);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	servers_units(injector, to_apply,
		      "'cp -a /usr/share/dns/root.hints /root/root.hints.right && sed -i "
		      "\"s/\\bA\\t.*/A\\t" GONE4 "/; s/\\bAAAA\\t.*/AAAA\\t" GONE6
		      "/\" /usr/share/dns/root.hints && systemctl restart %s'");
	servers_units(injector, to_revert,
		      "'mv /root/root.hints.right /usr/share/dns/root.hints; systemctl restart %s'");
}

const struct injector_ops root_hints_ops = {
	.kind = "root-hints",
	.summary = "the resolver's root hints are stale; it is restarted with them, and again with the right ones",
	.hits = INJECTOR_HITS_SERVERS,
	.params = params,
	.size = sizeof(struct root_hints),
	.validate = stale_validate,
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
