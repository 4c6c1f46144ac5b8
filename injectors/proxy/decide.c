/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/decide.h"

#include <math.h>
#include <string.h>

#include "injectors/proxy/act.h"
#include "injectors/proxy/rate.h"
#include "injectors/proxy/rule_check.h"
#include "injectors/relay/shape.h"

#define GIVEN(n) ((n) != PARAM_UNSET)

/* Returns the count with this one. */
static uint64_t count(_Atomic uint64_t *counter)
{
	return atomic_fetch_add_explicit(counter, 1, memory_order_relaxed) + 1;
}

static int64_t progress_of(const struct rule *rule)
{
	return atomic_load_explicit(&rule->progress_ppm, memory_order_relaxed);
}

static void pass(const struct decide_in *in, struct decide_out *out)
{
	out->count = 1;
	out->send[0] = (struct decide_send){
		.to = in->direction == DECIDE_QUERY ? DECIDE_TO_SERVER : DECIDE_TO_CLIENT,
		.msg = in->msg,
		.len = in->len,
	};
	out->conn = DECIDE_CONN_KEEP;
	out->conn_bytes = 0;
	out->has_http = false;
	out->rule = NULL;
}

/* The rule matches, for the n-th time: is this one of those it takes? */
static bool is_chosen(struct rule *rule, uint64_t n, const struct decide_in *in, struct rng *rng)
{
	int64_t share_ppm = GIVEN(rule->share_ppm) ? rule->share_ppm : PPM_ONE;
	uint64_t after = GIVEN(rule->after) ? (uint64_t)rule->after : 0;

	if (n <= after || (GIVEN(rule->first) && n - after > (uint64_t)rule->first))
		return false;
	if (GIVEN(rule->every) && (n - after - 1) % (uint64_t)rule->every != 0)
		return false;
	if (rule->rate && (!in->client || !rate_is_above(rule->rate, in->client, in->now_ns, rule->above)))
		return false;
	share_ppm = share_ppm * progress_of(rule) / PPM_ONE;
	return share_ppm >= PPM_ONE || rng_below(rng, PPM_ONE) < (uint64_t)share_ppm;
}

static void count_seen(struct rule *rule, const struct decide_in *in)
{
	unsigned last = RULE_SEEN_COUNTERS - 1;
	_Atomic uint64_t *mine = &rule->seen[in->thread < last ? in->thread : last].count;

	if (in->thread < last) /* nobody else writes it: no need to lock the bus, a hundred times for each query */
		atomic_store_explicit(mine, atomic_load_explicit(mine, memory_order_relaxed) + 1, memory_order_relaxed);
	else
		count(mine);
}

static bool takes(struct rule *rule, struct match_query *query, const struct msg *answer, const struct decide_in *in,
		  struct rng *rng)
{
	if (!progress_of(rule))
		return false;
	count_seen(rule, in);
	if (rule->name_hash && rule->name_hash != query->name_hash)
		return false;
	if (!match_fits_query(&rule->match, query, in) || (answer && !match_fits_answer(&rule->match, answer)))
		return false;
	return is_chosen(rule, count(&rule->matched), in, rng);
}

/* Counts a query and its answer once. */
static void done(struct rule *rule, const struct decide_in *in, struct decide_out *out)
{
	if (!in->memo->is_done)
		count(&rule->done);
	in->memo->is_done = true;
	out->rule = rule;
}

/* Nothing is sent, and the connection ends, if that is what the rule says. */
static void silence(struct rule *rule, const struct decide_in *in, struct decide_out *out)
{
	out->count = 0;
	if (rule->todo.tcp == RULE_TCP_RESET)
		out->conn = DECIDE_CONN_RST;
	else if (rule->todo.tcp == RULE_TCP_STALL)
		out->conn = DECIDE_CONN_STALL;
	else if (rule->todo.tcp == RULE_TCP_CLOSE)
		out->conn = DECIDE_CONN_CLOSE_AFTER_BYTES;
	done(rule, in, out);
}

/* What the server is asked instead. */
static void change_query(struct rule *rule, const struct match_query *query, const struct decide_in *in,
			 struct decide_out *out)
{
	if (out->scratch_size < DECIDE_SCRATCH_SIZE || !act_query(&rule->todo, query, out->scratch))
		return;
	out->send[0].msg = out->scratch;
	done(rule, in, out);
}

static void decide_query(struct rules *rules, const struct decide_in *in, struct rng *rng, struct decide_out *out)
{
	struct match_query query;

	if (rules->count == rules->needing_answer + rules->tls || match_query_init(&query, in->msg, in->len))
		return;
	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = rules->v[i];

		if (rule->match.needs_answer || rule->is_tls || rule->todo.tcp == RULE_TCP_REFUSE ||
		    !takes(rule, &query, NULL, in, rng))
			continue;
		in->memo->rule_id = rule->id;
		if (rule_drops_query(&rule->todo) || rule_breaks_connection(&rule->todo))
			silence(rule, in, out);
		else
			change_query(rule, &query, in, out);
		return;
	}
}

/* The changed answer, in scratch. False: as it came. */
static bool change(const struct rule *rule, const struct match_query *query, const struct decide_in *in,
		   struct rng *rng, const struct decide_out *out, struct decide_send *send, bool is_slip)
{
	struct act act = {.todo = &rule->todo,
			  .query = query,
			  .server = in->server,
			  .transport = in->transport,
			  .in = in,
			  .is_slip = is_slip,
			  .rng = rng,
			  .bytes = out->scratch,
			  .len = in->len,
			  .spare = out->scratch + MSG_MAX};

	if (out->scratch_size < DECIDE_SCRATCH_SIZE || in->len < MSG_HEADER || in->len > MSG_MAX)
		return false;
	memcpy(act.bytes, in->msg, in->len);
	if (act_all(&act) < 0 || (act.len == in->len && !memcmp(act.bytes, in->msg, in->len)))
		return false;
	send->msg = act.bytes;
	send->len = act.len;
	return true;
}

/* In (0, 1). */
static double draw_unit(struct rng *rng)
{
	return ((double)(rng_next(rng) >> 11) + 0.5) * 0x1p-53;
}

static int64_t draw_delay(const struct rule_do *todo, struct rng *rng)
{
	int64_t jitter = GIVEN(todo->jitter_ns) ? todo->jitter_ns : 0;
	double score, delay;

	if (!GIVEN(todo->delay_ns))
		return 0;
	if (!GIVEN(todo->distribution) || todo->distribution == SHAPE_UNIFORM)
		return todo->delay_ns - jitter + (int64_t)rng_below(rng, 2 * (uint64_t)jitter + 1);
	score = sqrt(-2 * log(draw_unit(rng))); /* Box and Muller, 1958 */
	score *= cos(2 * M_PI * draw_unit(rng));
	delay = (double)todo->delay_ns +
		(double)jitter * shape_spread((enum shape_distribution)todo->distribution, score);
	return delay > 0 ? (int64_t)delay : 0;
}

/* Of the client's family: an answer cannot come from the other. */
static struct decide_source choose_source(const struct rule_do *todo, const struct decide_in *in)
{
	struct decide_source source = {.port = GIVEN(todo->source_port) ? (uint16_t)todo->source_port : 0};

	for (size_t i = 0; i < todo->source.count && !source.address.family; i++) {
		if (in->client && todo->source.v[i].family == in->client->family)
			source.address = todo->source.v[i];
	}
	return source;
}

static struct decide_stream choose_stream(const struct rule_do *todo)
{
	return (struct decide_stream){
		.length_off = GIVEN(todo->tcp_length) ? (int32_t)todo->tcp_length : 0,
		.piece_bytes = GIVEN(todo->tcp_piece_bytes) ? (uint32_t)todo->tcp_piece_bytes : 0,
		.pause_ns = GIVEN(todo->tcp_pause_ns) ? todo->tcp_pause_ns : MSEC,
	};
}

/* After so many bytes of all messages together. */
static void cut_transfer(const struct rule_do *todo, const struct decide_in *in, struct decide_out *out, size_t len)
{
	struct decide_memo *memo = in->memo;
	uint64_t cut = (uint64_t)todo->transfer.cut_bytes, before = memo->bytes;

	memo->bytes += 2 + len;
	if (!GIVEN(todo->transfer.cut_bytes) || memo->bytes <= cut)
		return;
	out->conn = DECIDE_CONN_CLOSE_AFTER_BYTES;
	out->conn_bytes = cut > before ? (size_t)(cut - before) : 0;
	memo->is_hit = true;
}

/* How the changed answer travels. Returns whether that is another way than the usual one. */
static bool choose_way(const struct rule_do *todo, const struct decide_in *in, struct decide_out *out,
		       struct decide_send *send)
{
	send->source = choose_source(todo, in);
	send->stream = choose_stream(todo);
	if (GIVEN(todo->tcp_cut_bytes)) {
		out->conn = DECIDE_CONN_CLOSE_AFTER_BYTES;
		out->conn_bytes = (size_t)todo->tcp_cut_bytes;
	}
	if (todo->transfer.is_given)
		cut_transfer(todo, in, out, send->len);
	return out->conn != DECIDE_CONN_KEEP || send->source.address.family || send->source.port ||
	       send->stream.length_off || send->stream.piece_bytes;
}

static void set_http(const struct rule_http *todo, struct decide_out *out)
{
	struct decide_http *http = &out->http;

	*http = (struct decide_http){.is_truncated = GIVEN(todo->truncate_bytes)};
	if (GIVEN(todo->status))
		http->status = (uint16_t)todo->status;
	if (http->is_truncated)
		http->truncate_bytes = (size_t)todo->truncate_bytes;
	if (GIVEN(todo->body_rate_bytes))
		http->body_rate_bytes = todo->body_rate_bytes;
	if (GIVEN(todo->abort))
		http->end = todo->abort == RULE_ABORT_GOAWAY ? DECIDE_HTTP_GOAWAY : DECIDE_HTTP_RESET;
	if (todo->content_type.value)
		snprintf(http->content_type, sizeof(http->content_type), "%s", todo->content_type.value);
	out->has_http = true;
}

static void act_on(struct rule *rule, const struct match_query *query, const struct decide_in *in, struct rng *rng,
		   struct decide_out *out)
{
	const struct rule_do *todo = &rule->todo;
	struct decide_send *send = &out->send[0];
	struct decide_send changed = *send;
	bool is_slip = GIVEN(todo->slip) && count(&rule->limited) % (uint64_t)todo->slip == 0, is_changed;

	if ((todo->drop == RULE_DROP_ANSWER && !is_slip) || rule_drops_query(todo) || rule_breaks_connection(todo)) {
		silence(rule, in, out);
		return;
	}
	is_changed = change(rule, query, in, rng, out, &changed, is_slip);
	is_changed |= choose_way(todo, in, out, &changed);
	send->delay_ns = changed.delay_ns = draw_delay(todo, rng);
	if (GIVEN(todo->again_ns)) {
		out->send[out->count] = changed;
		out->send[out->count++].delay_ns += todo->again_ns;
	} else {
		*send = changed;
		if (todo->twice)
			out->send[out->count++] = changed;
	}
	if (todo->transfer.is_given && !in->memo->is_hit)
		is_changed = false; /* nothing but signed anew */
	if (in->transport == DECIDE_DOH && rule_has_http(todo))
		set_http(&todo->http, out);
	if (is_changed || out->count > 1 || send->delay_ns || out->has_http)
		done(rule, in, out);
}

static void decide_answer(struct rules *rules, const struct decide_in *in, struct rng *rng, struct decide_out *out)
{
	struct match_query query;
	struct msg answer;
	bool is_answer;

	if ((!rules->needing_answer && !in->memo->rule_id) || match_query_init(&query, in->query, in->query_len))
		return;
	is_answer = !msg_parse(&answer, in->msg, in->len);
	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = rules->v[i];

		if ((rule->id == in->memo->rule_id && progress_of(rule)) ||
		    (rule->match.needs_answer && is_answer && takes(rule, &query, &answer, in, rng))) {
			act_on(rule, &query, in, rng, out);
			return;
		}
	}
}

void decide(struct rules *rules, const struct decide_in *in, struct rng *rng, struct decide_out *out)
{
	pass(in, out);
	if (in->direction == DECIDE_QUERY)
		decide_query(rules, in, rng, out);
	else
		decide_answer(rules, in, rng, out);
}

void decide_connection(struct rules *rules, const struct decide_in *in, struct rng *rng, struct decide_tls *ret)
{
	*ret = (struct decide_tls){.certificate = CA_SOUND, .handshake = PARAM_UNSET, .newest = PARAM_UNSET};
	for (size_t i = 0; rules->tls && i < rules->count; i++) {
		struct rule *rule = rules->v[i];
		const struct rule_tls *todo = &rule->todo.tls;

		if (!rule->is_tls || !progress_of(rule))
			continue;
		count_seen(rule, in);
		if (!match_fits_connection(&rule->match, in) || !is_chosen(rule, count(&rule->matched), in, rng))
			continue;
		if (GIVEN(todo->certificate))
			ret->certificate = (enum ca_flaw)(todo->certificate + 1);
		ret->handshake = todo->handshake;
		ret->newest = todo->newest;
		ret->rule = rule;
		count(&rule->done);
		return;
	}
}

bool decide_refuses(struct rules *rules, const struct decide_in *in, struct rng *rng)
{
	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = rules->v[i];

		if (rule->todo.tcp != RULE_TCP_REFUSE || !progress_of(rule))
			continue;
		count_seen(rule, in);
		if (match_fits_connection(&rule->match, in) && is_chosen(rule, count(&rule->matched), in, rng)) {
			count(&rule->done);
			return true;
		}
	}
	return false;
}
