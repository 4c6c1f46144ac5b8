/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/shaping.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "harness/base/units.h"

const char *const shaping_backends[] = {"auto", "netem", "relay", NULL};
const char *const shaping_distributions[] = {"uniform", "normal", "pareto", "paretonormal", NULL};

#define MTU_DEFAULT 0 /* the detour's own */
#define NO_HIT_ODDS 0.001 /* that a share hit none of the packets, where the kernel does not count its hits */

static const struct shaped *shaped_of(const struct injector *injector)
{
	return (const struct shaped *)injector;
}

static struct shape full_shape(const struct shaping *shaping, const struct injector *injector)
{
	struct shape shape = {0};

	shaping->shape(injector, &shape);
	return shape;
}

static struct shape shape_at(const struct shaping *shaping, const struct injector *injector, int64_t progress_ppm)
{
	struct shape full = full_shape(shaping, injector);

	return shape_scaled(&full, progress_ppm);
}

static bool may_use_kernel(const struct shaping *shaping, const struct injector *injector)
{
	struct shape shape = full_shape(shaping, injector);

	return shaped_of(injector)->backend != SHAPING_RELAY && netem_can(&shape);
}

static bool uses_kernel(const struct shaping *shaping, const struct injector *injector,
			const struct abilities *abilities)
{
	return may_use_kernel(shaping, injector) &&
	       (shaped_of(injector)->backend == SHAPING_NETEM || ability_has(abilities, shaping->ability));
}

void shaping_validate(const struct shaping *shaping, const struct injector *injector, struct errs *errs)
{
	traffic_validate(&shaped_of(injector)->traffic, injector, errs);
	if (shaped_of(injector)->backend == SHAPING_NETEM && !may_use_kernel(shaping, injector))
		errs_add(errs, injector->loc,
			 "backend: netem cannot do that: it neither counts packets (every:) nor correlates delays as "
			 "it says; leave backend: out, or say backend: relay");
}

int shaping_available(const struct shaping *shaping, const struct injector *injector, const struct abilities *abilities,
		      struct err *err)
{
	bool is_demanded = shaped_of(injector)->backend == SHAPING_NETEM;
	char who[64];
	int r = detour_available(injector, abilities, err);

	snprintf(who, sizeof(who), "%s%s", injector->ops->kind, is_demanded ? " with backend: netem" : "");
	if (r || uses_kernel(shaping, injector, abilities))
		return r ? r
			 : ability_demand(abilities, shaping->ability, injector->loc, who,
					  "leave backend: out for dnsdrill's own relay", err);
	return ability_demand(abilities, ABILITY_RELAY, injector->loc, who, NULL, err);
}

static uint64_t next_seed(struct shaped *shaped, const struct injector_ctx *ctx)
{
	char name[64];
	struct rng rng;

	snprintf(name, sizeof(name), "fault %" PRId64 ", start %" PRId64, shaped->injector.id, ++shaped->starts);
	rng = rng_stream((uint64_t)ctx->seed, name);
	return rng_next(&rng);
}

static void tell_child(const struct shaped *shaped, struct injector_ctx *ctx, bool is_needed)
{
	if (ctx->child)
		ctx->child(ctx->child_arg, &shaped->injector, relay_pid(shaped->relay), is_needed);
}

static int open_relay(struct shaped *shaped, struct injector_ctx *ctx, struct err *err)
{
	struct detour_names names;
	int r;

	shaped->relay = relay_start(err);
	if (!shaped->relay)
		return err->code;
	tell_child(shaped, ctx, true);
	detour_names(&shaped->injector, &names);
	r = detour_open(&shaped->injector, ctx, DETOUR_RELAY, relay_netns_fd(shaped->relay), MTU_DEFAULT, err);
	return r ? r : relay_attach(shaped->relay, names.relay_in, names.relay_out, err);
}

static int set_qdisc(const struct injector *injector, const struct shape *shape, struct err *err)
{
	struct detour_names names;

	detour_names(injector, &names);
	return netem_set(names.out, shape, err);
}

static int open_qdisc(const struct shaping *shaping, struct shaped *shaped, struct injector_ctx *ctx, struct err *err)
{
	struct shape none = shape_at(shaping, &shaped->injector, 0);
	int r = detour_open(&shaped->injector, ctx, DETOUR_QDISC, -1, MTU_DEFAULT, err);

	return r ? r : set_qdisc(&shaped->injector, &none, err);
}

static int open_detour(const struct shaping *shaping, struct shaped *shaped, struct injector_ctx *ctx, struct err *err)
{
	if (uses_kernel(shaping, &shaped->injector, ctx->abilities))
		return open_qdisc(shaping, shaped, ctx, err);
	return open_relay(shaped, ctx, err);
}

/* A relay that died has been reported by then; all that matters here is that nothing is left. */
static int close_detour(struct shaped *shaped, struct injector_ctx *ctx, struct err *err)
{
	struct err ignored = {0};

	if (shaped->relay) {
		tell_child(shaped, ctx, false);
		relay_stop(TAKE(shaped->relay), NULL, &ignored);
	}
	return detour_close(&shaped->injector, ctx, err);
}

int shaping_prepare(const struct shaping *shaping, struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct shaped *shaped = (struct shaped *)injector;

	shaped->is_prepared = true; /* or half so */
	return open_detour(shaping, shaped, ctx, err);
}

int shaping_release(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct shaped *shaped = (struct shaped *)injector;

	shaped->is_prepared = false;
	return close_detour(shaped, ctx, err);
}

static void rules(const struct injector *injector, struct buf *out)
{
	detour_rules(&shaped_of(injector)->traffic, injector, out);
}

static const struct chain chain = {.rules = rules};

static const char *kernel_name(const struct shaping *shaping)
{
	return shaping->ability == ABILITY_TBF ? "tbf" : "netem";
}

static int begin(struct shaped *shaped, struct injector_ctx *ctx, const struct shape *shape, struct err *err)
{
	struct detour_names names;
	int r;

	if (shaped->relay)
		return relay_begin(shaped->relay, shape, next_seed(shaped, ctx), err);
	detour_names(&shaped->injector, &names);
	r = netem_counters(names.out, &shaped->before, err);
	return r ? r : set_qdisc(&shaped->injector, shape, err);
}

int shaping_apply(const struct shaping *shaping, struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct shaped *shaped = (struct shaped *)injector;
	struct shape shape = shape_at(shaping, injector, ctx->progress_ppm);
	int r = shaped->is_prepared ? 0 : open_detour(shaping, shaped, ctx, err);

	if (!r)
		r = begin(shaped, ctx, &shape, err);
	ctx->backend = shaped->relay ? "relay" : kernel_name(shaping);
	return r ? r : chain_apply(&chain, injector, ctx, err);
}

int shaping_adjust(const struct shaping *shaping, struct injector *injector, struct injector_ctx *ctx UNUSED,
		   int64_t progress_ppm, struct err *err)
{
	struct shaped *shaped = (struct shaped *)injector;
	struct shape shape = shape_at(shaping, injector, progress_ppm);

	if (!shaped->relay)
		return set_qdisc(injector, &shape, err);
	relay_set(shaped->relay, &shape);
	return 0;
}

/* The detour stays, and does nothing to what is still on it. */
static int quieten(const struct shaping *shaping, struct shaped *shaped, struct err *err)
{
	struct shape none = shape_at(shaping, &shaped->injector, 0);
	struct err ignored = {0};

	if (!shaped->relay)
		return set_qdisc(&shaped->injector, &none, err);
	(void)relay_flush(shaped->relay, &ignored); /* fails if it died, which has been reported by then */
	return 0;
}

int shaping_revert(const struct shaping *shaping, struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	struct shaped *shaped = (struct shaped *)injector;
	struct err chain_err = {0};
	int chain_r = chain_revert(&chain, injector, ctx, &chain_err);
	int r = shaped->is_prepared ? quieten(shaping, shaped, err) : close_detour(shaped, ctx, err);

	if (chain_r)
		*err = chain_err;
	return chain_r ? chain_r : r;
}

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

/* Of what the backend saw and did; the words for each proof. */
static void add_words(enum relay_count proof, const struct relay_counters *counters, struct buf *out)
{
	int64_t n = counters->packets[proof], seen = counters->packets[RELAY_SEEN];
	static const char *const verbs[RELAY_COUNTS] = {
		[RELAY_LOST] = "lost",           [RELAY_DELAYED] = "delayed",     [RELAY_DUPLICATED] = "duplicated",
		[RELAY_REORDERED] = "let ahead", [RELAY_CORRUPTED] = "corrupted",
	};

	if (proof == RELAY_OVERFLOWED)
		buf_printf(out, "held back %" PRId64 " and lost %" PRId64, counters->packets[RELAY_DELAYED], n);
	else
		buf_printf(out, "%s %" PRId64, verbs[proof], n);
	buf_printf(out, " of %" PRId64 " packet%s", seen, plural(seen));
	if (counters->delay_count && (proof == RELAY_DELAYED || proof == RELAY_OVERFLOWED))
		buf_printf(out, ", by %.1f ms on average",
			   (double)counters->delay_sum_ns / (double)counters->delay_count / (double)MSEC);
}

static int64_t proven(enum relay_count proof, const int64_t counts[RELAY_COUNTS])
{
	return counts[proof] + (proof == RELAY_OVERFLOWED ? counts[RELAY_DELAYED] : 0);
}

static void fill_effect(enum relay_count proof, const char *backend, const struct relay_counters *counters,
			struct effect *ret)
{
	struct effect effect = {.packets = proven(proof, counters->packets), .bytes = proven(proof, counters->bytes)};
	struct buf text = {0};

	effect.took_effect = effect.packets > 0;
	buf_printf(&text, "%s ", backend);
	if (counters->packets[RELAY_SEEN])
		add_words(proof, counters, &text);
	else
		buf_puts(&text, "saw no packet: nothing was done to any");
	snprintf(effect.text, sizeof(effect.text), "%s", text.data ? text.data : "");
	buf_fini(&text);
	*ret = effect;
}

static int relay_effect(const struct shaping *shaping, struct shaped *shaped, struct effect *ret, struct err *err)
{
	struct relay_counters counters;
	int r = relay_counters(shaped->relay, &counters, err);

	if (r)
		return r;
	if (counters.packets[RELAY_UNWANTED])
		return err_set(err, -ENOBUFS, LOC_NONE,
			       "the relay could not keep up: %" PRId64 " packets were lost that should not have been",
			       counters.packets[RELAY_UNWANTED]);
	fill_effect(shaping->proof, "relay", &counters, ret);
	return 0;
}

/* What the kernel counted, in the relay's terms. It does not count what it corrupts: that is what is likely, if hitting none is not. */
static struct relay_counters from_kernel(const struct shaping *shaping, const struct shape *shape, int64_t seen,
					 const struct netem_counters *kernel)
{
	struct relay_counters counters = {0};
	int64_t *packets = counters.packets;
	double share = (double)shape->corrupt_ppm / (double)PPM_ONE;

	packets[RELAY_SEEN] = seen;
	packets[shaping->ability == ABILITY_TBF ? RELAY_OVERFLOWED : RELAY_LOST] = kernel->dropped;
	packets[RELAY_DELAYED] = shaping->ability == ABILITY_TBF ? kernel->overlimits : kernel->sent_packets;
	packets[RELAY_DUPLICATED] = kernel->sent_packets + kernel->waiting + kernel->dropped - seen;
	packets[RELAY_REORDERED] = kernel->requeued;
	if (pow(1 - share, (double)kernel->sent_packets) < NO_HIT_ODDS)
		packets[RELAY_CORRUPTED] = (int64_t)(share * (double)kernel->sent_packets);
	for (size_t i = 0; kernel->sent_packets && i < RELAY_COUNTS; i++)
		counters.bytes[i] = packets[i] * (kernel->sent_bytes / kernel->sent_packets);
	return counters;
}

static int kernel_effect(const struct shaping *shaping, struct injector *injector, struct injector_ctx *ctx,
			 struct effect *ret, struct err *err)
{
	struct shape shape = full_shape(shaping, injector);
	struct relay_counters counters;
	struct netem_counters kernel;
	struct detour_names names;
	struct effect seen;
	int r = chain_effect(injector, "detoured", ctx, &seen, err);

	detour_names(injector, &names);
	if (!r)
		r = netem_counters(names.out, &kernel, err);
	if (r)
		return r;
	kernel = netem_since(&kernel, &((struct shaped *)injector)->before);
	counters = from_kernel(shaping, &shape, seen.packets, &kernel);
	fill_effect(shaping->proof, kernel_name(shaping), &counters, ret);
	return 0;
}

int shaping_effect(const struct shaping *shaping, struct injector *injector, struct injector_ctx *ctx,
		   struct effect *ret, struct err *err)
{
	struct shaped *shaped = (struct shaped *)injector;

	return shaped->relay ? relay_effect(shaping, shaped, ret, err)
			     : kernel_effect(shaping, injector, ctx, ret, err);
}

void shaping_describe(const struct injector *injector, struct buf *out)
{
	const struct shaped *shaped = shaped_of(injector);

	traffic_describe(&shaped->traffic, injector, out);
	if (shaped->backend != SHAPING_AUTO)
		buf_printf(out, ", by %s", shaped->backend == SHAPING_NETEM ? "the kernel" : "dnsdrill's relay");
}

static void detour_and_tc(const struct shape *shape, const struct injector *injector, struct buf *to_apply,
			  struct buf *to_revert)
{
	struct detour_names names;
	struct buf last = {0}; /* undone in reverse */

	detour_names(injector, &names);
	detour_commands(injector, MTU_DEFAULT, to_apply, &last);
	netem_command(names.out, shape, to_apply);
	chain_commands(&chain, injector, to_apply, to_revert);
	buf_add(to_revert, last.data, last.len);
	buf_fini(&last);
}

void shaping_commands(const struct shaping *shaping, const struct injector *injector, struct buf *to_apply,
		      struct buf *to_revert)
{
	struct shape shape = full_shape(shaping, injector);

	if (shaping->as_rules && !netem_can(&shape))
		chain_commands(&(struct chain){.rules = shaping->as_rules}, injector, to_apply, to_revert);
	else
		detour_and_tc(&shape, injector, to_apply, to_revert);
}
