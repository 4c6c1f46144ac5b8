/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps `reload`, `flush` and `restart`: servers told what an operator tells them.
 */
#include "harness/actions/common.h"
#include "harness/base/units.h"

static int perform_verb(const struct action_place *place, enum server_verb verb, struct job_report *report)
{
	if (place->server)
		return control_verb(place->server, verb, NULL, report);
	job_say(report, "it has no server");
	return 1;
}

static int reload_perform(const struct action *action UNUSED, const struct action_place *place,
			  struct job_report *report)
{
	return perform_verb(place, SERVER_RELOAD, report);
}

static int flush_perform(const struct action *action UNUSED, const struct action_place *place,
			 struct job_report *report)
{
	return perform_verb(place, SERVER_FLUSH, report);
}

static void reload_sentence(const struct action *action, struct buf *out)
{
	buf_puts(out, "has the configuration and the zone files read again by ");
	action_add_hosts(action, out);
}

static void flush_sentence(const struct action *action, struct buf *out)
{
	buf_puts(out, "empties the cache of ");
	action_add_hosts(action, out);
}

static void add_commands(const struct action *action, const char *commands, struct buf *out)
{
	for (size_t i = 0; i < action->host_count; i++)
		buf_printf(out, "# on %s, whichever its software has: %s\n", action->hosts[i], commands);
}

static void reload_commands(const struct action *action, struct buf *out)
{
	add_commands(action,
		     "rndc reconfig && rndc reload | knotc reload | nsd-control reconfig && nsd-control reload | "
		     "pdns_control rediscover | unbound-control reload_keep_cache | rec_control reload-zones",
		     out);
}

static void flush_commands(const struct action *action, struct buf *out)
{
	add_commands(action,
		     "rndc flush | unbound-control flush_zone . | rec_control wipe-cache '.$' | cache.clear() at "
		     "kresd's control socket | kill -HUP of dnsmasq",
		     out);
}

struct restart {
	struct action action;
	int64_t away_ns;
};

static const struct param restart_params[] = {
	P_DURATION(struct restart, away_ns, "away", 0, 3600 * SEC, 0,
		   "how long the server is away between end and start"),
	PARAM_END,
};

static int64_t restart_away_ns(const struct action *action)
{
	return ((const struct restart *)action)->away_ns;
}

static void restart_sentence(const struct action *action, struct buf *out)
{
	int64_t away_ns = restart_away_ns(action);
	char text[32];

	buf_puts(out, "ends the server and starts it again");
	if (away_ns)
		buf_printf(out, " after %s", units_format_duration(away_ns, text, sizeof(text)));
	buf_puts(out, " on ");
	action_add_hosts(action, out);
}

static void restart_commands(const struct action *action, struct buf *out)
{
	add_commands(action, "systemctl restart its service", out);
}

extern const struct action_ops reload_ops, flush_ops, restart_ops;
const struct action_ops reload_ops = {
	.kind = "reload",
	.summary = "has servers read their configuration and zone files again",
	.on = ACTION_ON_SERVERS,
	.verbs = SERVER_CAN(RELOAD),
	.size = sizeof(struct action),
	.perform = reload_perform,
	.sentence = reload_sentence,
	.commands = reload_commands,
};

const struct action_ops flush_ops = {
	.kind = "flush",
	.summary = "empties the caches of resolvers",
	.on = ACTION_ON_SERVERS,
	.verbs = SERVER_CAN(FLUSH),
	.size = sizeof(struct action),
	.perform = flush_perform,
	.sentence = flush_sentence,
	.commands = flush_commands,
};

const struct action_ops restart_ops = {
	.kind = "restart",
	.summary = "ends servers and starts them again; done once they answer",
	.on = ACTION_ON_SERVERS,
	.params = restart_params,
	.size = sizeof(struct restart),
	.restart_away_ns = restart_away_ns,
	.sentence = restart_sentence,
	.commands = restart_commands,
};
