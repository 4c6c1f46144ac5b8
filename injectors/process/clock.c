/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clock: the time of day that one server reads is ahead or behind; signatures and TSIG are then judged at the wrong time (RFC 4035 section 5.3.1, RFC 8945 section 5.2.3). Its host,
 * the lab and all others keep the right time. Which clocks that covers: harness/api/server_clock.h. With ramp: it drifts.
 */
#include <errno.h>

#include "harness/base/units.h"
#include "injectors/process/servers.h"

#define SHIFT_MAX_NS (INT64_C(100) * 365 * 24 * 60 * 60 * SEC)

struct clock {
	struct injector injector;
	int64_t ahead_ns, behind_ns;
};

static const struct param params[] = {
	P_DURATION(struct clock, ahead_ns, "ahead", MSEC, SHIFT_MAX_NS, PARAM_UNSET,
		   "how far the server's clock goes ahead; this or behind"),
	P_DURATION(struct clock, behind_ns, "behind", MSEC, SHIFT_MAX_NS, PARAM_UNSET,
		   "how far the server's clock is behind; this or ahead"),
	PARAM_END,
};

static const struct clock *clock_of(const struct injector *injector)
{
	return (const struct clock *)injector;
}

static void validate(const struct injector *injector, struct errs *errs)
{
	const struct clock *fault = clock_of(injector);

	if ((fault->ahead_ns == PARAM_UNSET) == (fault->behind_ns == PARAM_UNSET))
		errs_add(errs, injector->loc, "clock: say one of ahead: and behind:, such as ahead: 40d");
}

/* By straight lines: progress_ppm of the whole, without the product's overflow. */
static int64_t shift_at(const struct injector *injector, int64_t progress_ppm)
{
	const struct clock *fault = clock_of(injector);
	int64_t whole = fault->ahead_ns != PARAM_UNSET ? fault->ahead_ns : -fault->behind_ns;

	return whole / 1000000 * progress_ppm + whole % 1000000 * progress_ppm / 1000000;
}

static int set_all(struct injector *injector, struct injector_ctx *ctx, int64_t shift_ns, struct err *err)
{
	for (size_t i = 0; i < injector->server_count; i++) {
		struct injector_server *server = &injector->servers[i];
		struct server_process *process = servers_process(ctx, server);
		struct server_clock *clock = process ? server_process_clock(process) : NULL;

		if (!clock)
			return err_set(err, -ESRCH, server->loc, "%s was not started with a clock that can be shifted",
				       server->host);
		if (shift_ns && !atomic_load(&clock->loads))
			return err_set(
				err, -EOPNOTSUPP, server->loc,
				"%s of %s cannot be given another clock: it was started with a library for that and "
				"has not "
				"loaded it, as programs do that are linked statically or have privileges of their own "
				"(setuid, file capabilities); take one that is linked to libc and has none",
				server->software->program, server->host);
		if (!server->mark.is_held && shift_ns)
			server->mark =
				(struct server_mark){.is_held = true, .count = atomic_load(&clock->shifted_reads)};
		atomic_store(&clock->shift_ns, shift_ns);
	}
	return 0;
}

static int adjust(struct injector *injector, struct injector_ctx *ctx, int64_t progress_ppm, struct err *err)
{
	return set_all(injector, ctx, shift_at(injector, progress_ppm), err);
}

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	ctx->backend = "preload";
	return adjust(injector, ctx, ctx->progress_ppm, err);
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	int r = set_all(injector, ctx, 0, err);

	for (size_t i = 0; i < injector->server_count; i++)
		injector->servers[i].mark.is_held = false;
	return r;
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err UNUSED)
{
	*ret = (struct effect){0};
	for (size_t i = 0; i < injector->server_count; i++) {
		const struct injector_server *server = &injector->servers[i];
		struct server_process *process = servers_process(ctx, server);
		struct server_clock *clock = process ? server_process_clock(process) : NULL;
		int64_t reads = clock ? atomic_load(&clock->shifted_reads) - server->mark.count : 0;

		servers_prove(ret, server->mark.is_held && reads > 0, "%s of %s read the wrong time %lld time%s",
			      server->software->program, server->host, (long long)reads, reads == 1 ? "" : "s");
	}
	return 0;
}

static void sentence(const struct injector *injector, struct buf *out)
{
	const struct clock *fault = clock_of(injector);
	bool ahead = fault->ahead_ns != PARAM_UNSET;
	char text[32];

	buf_printf(out, "puts the clock %s %s for ",
		   units_format_duration(ahead ? fault->ahead_ns : fault->behind_ns, text, sizeof(text)),
		   ahead ? "ahead" : "behind");
	servers_list(injector, out);
}

/* A whole host's clock, for want of one for a single program. */
static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	int64_t seconds = shift_at(injector, 1000000) / SEC;
	char line[96];

	snprintf(line, sizeof(line), "'timedatectl set-ntp false && date -s @$(($(date +%%s) + (%lld)))'",
		 (long long)seconds);
	for (size_t i = 0; i < injector->server_count; i++) {
		buf_printf(to_apply, "ssh root@%s %s\n", injector->servers[i].host, line);
		buf_printf(to_revert, "ssh root@%s timedatectl set-ntp true\n", injector->servers[i].host);
	}
}

const struct injector_ops clock_ops = {
	.kind = "clock",
	.summary = "the server's time of day is wrong",
	.hits = INJECTOR_HITS_SERVERS,
	.demands = INJECTOR_DEMANDS_CLOCK,
	.params = params,
	.size = sizeof(struct clock),
	.validate = validate,
	.apply = apply,
	.adjust = adjust,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
