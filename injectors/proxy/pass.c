/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a message to what is sent: what is the same for both transports.
 */
#include "injectors/proxy/worker.h"

#include <string.h>

#define RCODE_SERVFAIL 2

/* What is done with one message that was decided on. */
struct step {
	const struct origin *origin;
	const struct decide_send *send;
	const uint8_t *query; /* of the client */
	size_t query_len;
	enum decide_conn fault;
	size_t fault_bytes;
	const struct decide_http *http; /* NULL: none */
	bool is_stable; /* send->msg lives until udp_flush */
};

static const struct address *to_address(const union endpoint *endpoint, struct address *ret)
{
	ret->family = endpoint->sa.sa_family;
	if (ret->family == AF_INET) {
		memset(ret->bytes, 0, sizeof(ret->bytes));
		memcpy(ret->bytes, &endpoint->in.sin_addr, 4);
		return ret;
	}
	memcpy(ret->bytes, &endpoint->in6.sin6_addr, 16);
	return ret->family == AF_INET6 ? ret : NULL;
}

/* What rules are told of where a message, or a connection, came from. */
static void fill_in(struct worker *worker, const struct origin *origin, struct decide_in *in,
		    struct address addresses[2])
{
	union endpoint asked = worker_server(worker, origin);

	in->client = to_address(&origin->client, &addresses[0]);
	in->server = to_address(&asked, &addresses[1]);
	in->transport = origin->conn ? conn_transport(origin->conn) : DECIDE_UDP;
	in->now_ns = worker->now_ns;
	in->thread = worker->index;
}

static void ask_rules(struct worker *worker, const struct origin *origin, struct decide_in *in, struct decide_out *out)
{
	struct address addresses[2];

	out->scratch = worker->scratch;
	out->scratch_size = DECIDE_SCRATCH_SIZE;
	if (worker->rules->rules.count)
		fill_in(worker, origin, in, addresses);
	decide(&worker->rules->rules, in, &worker->rng, out);
}

/* A message in memory that lives until udp_flush; NULL: too large for anything. */
static const uint8_t *keep(struct worker *worker, const uint8_t *msg, size_t len)
{
	uint8_t *copy;

	if (worker->copies_used + len > COPIES_MAX)
		udp_flush(worker);
	if (len > COPIES_MAX)
		return NULL;
	copy = worker->copies + worker->copies_used;
	worker->copies_used += len;
	memcpy(copy, msg, len);
	return copy;
}

static void reply(struct worker *worker, const struct step *step)
{
	const struct decide_source *source = &step->send->source;
	const uint8_t *msg = step->send->msg;

	if (step->origin->conn) {
		if (step->fault == DECIDE_CONN_CLOSE_AFTER_BYTES)
			tcp_cut(worker, step->origin->conn, step->fault_bytes);
		tcp_reply(worker, step->origin, step->send, step->http);
		return;
	}
	if (!step->is_stable)
		msg = keep(worker, msg, step->send->len);
	if (!msg)
		return;
	if (source->address.family || source->port) {
		if (!udp_reply_from(worker, step->origin, source, msg, step->send->len))
			atomic_fetch_add(&worker->proxy->losses->source, 1);
		return;
	}
	udp_reply(worker, step->origin, msg, step->send->len);
}

/* SERVFAIL to a query, if that is what was asked for and the query can be read. */
static void reply_failure(struct worker *worker, const struct origin *origin, const uint8_t *query, size_t len)
{
	uint8_t bytes[MSG_HEADER + MSG_NAME_MAX + 4] = {0};
	struct decide_send send = {.to = DECIDE_TO_CLIENT, .msg = bytes, .len = MSG_HEADER};
	struct step step = {.origin = origin, .send = &send};
	struct msg msg;

	if (worker->proxy->options.on_failure == PROXY_SILENCE || msg_parse(&msg, query, len))
		return;
	memcpy(bytes, query, 2);
	msg_put_u16(bytes + 2, (uint16_t)(MSG_QR | (msg.flags & (0xf << MSG_OPCODE_SHIFT | MSG_RD)) | RCODE_SERVFAIL));
	if (msg.counts[MSG_QDCOUNT] == 1 && msg.question_end <= sizeof(bytes)) {
		memcpy(bytes + MSG_HEADER, query + MSG_HEADER, msg.question_end - MSG_HEADER);
		bytes[5] = 1;
		send.len = msg.question_end;
	}
	reply(worker, &step);
}

/* AXFR, IXFR (RFC 5936, RFC 1995): answered by any number of messages. */
static bool is_transfer(const struct origin *origin, const uint8_t *query, size_t len)
{
	struct msg msg;

	return origin->conn && conn_transport(origin->conn) != DECIDE_DOH && !msg_parse(&msg, query, len) &&
	       msg.has_question && (msg.qtype == 251 || msg.qtype == 252);
}

/* Inline, the query that has waited longest makes room: what still answers it goes on as a stranger. */
static struct flight_entry *take_off(struct worker *worker, const void *way, const struct step *step)
{
	struct flight *flight = &worker->flight;
	int64_t due_ns = worker->now_ns + worker->proxy->options.timeout_ns;
	struct flight_entry *entry;

	if (way && flight->count == FLIGHT_MAX)
		pass_forget(worker, flight_first(flight));
	entry = flight_add(flight, way, step->query, step->query_len, due_ns);
	if (entry)
		entry->origin = *step->origin;
	return entry;
}

/* By a socket of the client's own. */
static void forward_flow(struct worker *worker, const struct step *step)
{
	struct flow *flow = flow_get(worker, step->origin);
	struct flight_entry *entry = flow ? take_off(worker, flow, step) : NULL;
	const uint8_t *msg = step->send->msg;

	if (!entry) {
		atomic_fetch_add(&worker->proxy->losses->sockets, 1);
		return;
	}
	flow_hold(worker, flow, entry);
	if (!step->is_stable)
		msg = keep(worker, msg, step->send->len);
	if (msg)
		flow_forward(worker, flow, msg, step->send->len);
}

static void forward(struct worker *worker, const struct step *step)
{
	bool is_inline = worker->proxy->options.is_inline;
	const uint8_t *msg = step->send->msg;
	struct flight_entry *entry;

	if (is_inline && !step->origin->conn) {
		forward_flow(worker, step);
		return;
	}
	entry = take_off(worker, is_inline ? step->origin->conn : NULL, step);
	if (!entry) {
		reply_failure(worker, step->origin, step->query, step->query_len);
		return;
	}
	if (step->origin->conn) {
		entry->many = is_transfer(step->origin, step->query, step->query_len);
		conn_count(step->origin->conn, 1);
		tcp_forward(worker, entry, msg, step->send->len);
		return;
	}
	if (!step->is_stable)
		msg = keep(worker, msg, step->send->len);
	if (msg)
		upstream_forward(worker, entry, msg, step->send->len);
}

static void do_now(struct worker *worker, const struct step *step)
{
	struct conn *conn = step->origin->conn;

	if (conn && !conn_is_open(conn))
		return;
	if (step->send->to == DECIDE_TO_CLIENT)
		reply(worker, step);
	else
		forward(worker, step);
	if (conn && step->fault != DECIDE_CONN_KEEP)
		tcp_fault(worker, conn, step->fault);
}

static void do_later(struct worker *worker, const struct step *step)
{
	struct later_item *item = later_put(&worker->later, step->origin, step->send, step->query, step->query_len,
					    worker->now_ns + step->send->delay_ns);

	if (!item) {
		atomic_fetch_add(&worker->proxy->losses->later, 1);
		return;
	}
	item->fault = step->fault;
	item->fault_bytes = step->fault_bytes;
	item->has_http = step->http != NULL;
	if (step->http)
		item->http = *step->http;
	if (step->origin->conn)
		conn_take(step->origin->conn);
}

/* msg: what was decided on; query: the client's that belongs to it. */
static void do_all(struct worker *worker, const struct origin *origin, const struct decide_in *in,
		   const struct decide_out *out)
{
	for (unsigned i = 0; i < out->count; i++) {
		bool is_last = i + 1 == out->count;
		struct step step = {.origin = origin,
				    .send = &out->send[i],
				    .query = in->query ? in->query : in->msg,
				    .query_len = in->query ? in->query_len : in->len,
				    .fault = is_last ? out->conn : DECIDE_CONN_KEEP,
				    .fault_bytes = out->conn_bytes,
				    .http = out->has_http ? &out->http : NULL,
				    .is_stable = out->send[i].msg == in->msg};

		if (out->send[i].delay_ns > 0)
			do_later(worker, &step);
		else
			do_now(worker, &step);
	}
	if (!out->count && origin->conn && out->conn != DECIDE_CONN_KEEP && conn_is_open(origin->conn))
		tcp_fault(worker, origin->conn, out->conn);
}

void pass_connection(struct worker *worker, const struct origin *origin, struct decide_tls *ret)
{
	struct address addresses[2];
	struct decide_in in = {0};

	fill_in(worker, origin, &in, addresses);
	decide_connection(&worker->rules->rules, &in, &worker->rng, ret);
}

void pass_query(struct worker *worker, struct origin *origin, const uint8_t *msg, size_t len)
{
	struct decide_in in = {.direction = DECIDE_QUERY, .msg = msg, .len = len, .memo = &origin->memo};
	struct decide_out out;

	out.count = 0;
	out.conn = DECIDE_CONN_KEEP;
	out.conn_bytes = 0;
	out.has_http = false;
	ask_rules(worker, origin, &in, &out);
	do_all(worker, origin, &in, &out);
}

void pass_answer(struct worker *worker, struct flight_entry *entry, const uint8_t *msg, size_t len)
{
	struct decide_in in = {.direction = DECIDE_ANSWER, .msg = msg, .len = len, .memo = &entry->origin.memo};
	uint64_t serial = entry->serial;
	struct decide_out out;

	in.query = entry->query;
	in.query_len = entry->query_len;
	out.count = 0;
	out.conn = DECIDE_CONN_KEEP;
	out.conn_bytes = 0;
	out.has_http = false;
	ask_rules(worker, &entry->origin, &in, &out);
	do_all(worker, &entry->origin, &in, &out);
	if (entry->serial != serial)
		return; /* a fault closed the connection, and the query went with it */
	entry->answered = true;
	if (entry->many)
		flight_renew(&worker->flight, entry, worker->now_ns + worker->proxy->options.timeout_ns);
	else
		pass_forget(worker, entry);
}

void pass_stranger(struct worker *worker, const struct origin *origin, const uint8_t *msg, size_t len)
{
	struct decide_send send = {.to = DECIDE_TO_CLIENT, .msg = msg, .len = len};
	struct step step = {.origin = origin, .send = &send, .is_stable = true};

	reply(worker, &step);
}

void pass_forget(struct worker *worker, struct flight_entry *entry)
{
	if (entry->origin.conn)
		conn_count(entry->origin.conn, -1);
	if (entry->flow)
		flow_let_go(worker, entry->flow);
	flight_remove(&worker->flight, entry);
}

void pass_failed(struct worker *worker, struct flight_entry *entry, const char *why)
{
	if (!entry->answered) {
		atomic_fetch_add_explicit(&worker->proxy->failures.count, 1, memory_order_relaxed);
		atomic_store_explicit(&worker->proxy->failures.why, why, memory_order_relaxed);
	}
	if (!entry->answered && (!entry->origin.conn || conn_is_open(entry->origin.conn)))
		reply_failure(worker, &entry->origin, entry->query, entry->query_len);
	pass_forget(worker, entry);
}

void pass_due(struct worker *worker)
{
	while (later_due_ns(&worker->later) <= worker->now_ns) {
		struct later_item *item = later_take(&worker->later);
		struct step step = {.origin = &item->origin,
				    .send = &item->send,
				    .query = item->query,
				    .query_len = item->query_len,
				    .fault = item->fault,
				    .fault_bytes = item->fault_bytes,
				    .http = item->has_http ? &item->http : NULL};

		if (item->is_resume)
			tcp_resume(worker, &item->origin);
		else
			do_now(worker, &step);
		if (item->origin.conn)
			conn_drop(item->origin.conn);
		free(item);
	}
	udp_flush(worker);
}

bool pass_resume_later(struct worker *worker, const struct origin *origin, int64_t pause_ns)
{
	struct later_item *item;

	item = later_put(&worker->later, origin, &(struct decide_send){.len = 0}, NULL, 0, worker->now_ns + pause_ns);
	if (!item)
		return false;
	item->is_resume = true;
	conn_take(origin->conn);
	return true;
}

bool pass_refuses(struct worker *worker, const struct origin *origin)
{
	struct address addresses[2];
	struct decide_in in = {0};

	if (!worker->rules->rules.count)
		return false;
	fill_in(worker, origin, &in, addresses);
	return decide_refuses(&worker->rules->rules, &in, &worker->rng);
}

void pass_expired(struct worker *worker)
{
	struct flight_entry *entry;

	while ((entry = flight_first(&worker->flight)) && entry->due_ns <= worker->now_ns)
		pass_failed(worker, entry, "no answer in time");
	udp_flush(worker);
}
