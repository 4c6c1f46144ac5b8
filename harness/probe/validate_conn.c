/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The conversation of one asking of the probe kind `validate`: with a resolver, or with one server after another. Over TCP, so that no answer is too large.
 */
#include "harness/base/pkt.h"
#include "harness/base/units.h"
#include "harness/probe/validate.h"
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EDNS_SIZE 1232
#define HEADER_FLAGS_2 3 /* the octet with RA, AD, CD and the RCODE */
#define FLAG_CD 0x10

static bool walk_on(struct asking *asking);

/* Nothing more will come of this connection: another server is asked, or the sample ends. False: it has ended. */
static bool connection_failed(struct asking *asking, const char *why)
{
	char detail[160];

	if (asking->walk) {
		walk_no_answer(asking->walk, why);
		return walk_on(asking);
	}
	snprintf(detail, sizeof(detail), "the resolver cannot be asked: %s", why);
	validate_finish(asking, OUTCOME_TIMEOUT, detail);
	return false;
}

/* ---- questions ---- */

static bool send_question(struct asking *asking, const char *name, uint16_t type)
{
	struct dns_question question = {.qname = name,
					.qtype = type,
					.recursion = !asking->walk,
					.dnssec = true,
					.authentic = asking->is_plain,
					.edns_size = EDNS_SIZE};
	uint8_t length[2];
	struct err err;

	dns_query_fini(&asking->query);
	if (dns_query_new(&asking->query, &question, &err) < 0)
		return false;
	dns_query_set_id(&asking->query, ++asking->validate->id);
	if (!asking->is_plain)
		asking->query.wire[HEADER_FLAGS_2] |= FLAG_CD;
	length[0] = (uint8_t)(asking->query.len >> 8);
	length[1] = (uint8_t)asking->query.len;
	if (!asking->sent_ns)
		asking->sent_ns = validate_now(asking->validate);
	return bufferevent_write(asking->conn, length, sizeof(length)) == 0 &&
	       bufferevent_write(asking->conn, asking->query.wire, asking->query.len) == 0;
}

/* Asks a resolver for what the validator needs, or ends the sample. False: it has ended. */
static bool go_on(struct asking *asking)
{
	struct validation_verdict verdict;

	validation_next(asking->validation, &verdict);
	if (verdict.status != VALIDATION_NEEDS) {
		validate_conclude(asking, &verdict);
		return false;
	}
	if (send_question(asking, verdict.name, verdict.type))
		return true;
	validate_finish(asking, OUTCOME_ERROR, "could not ask: out of memory");
	return false;
}

/* ---- a resolver's answers ---- */

/* What users get. */
static bool take_plain(struct asking *asking, const uint8_t *wire, size_t len)
{
	struct arena *arena = arena_new();
	struct dns_reply reply;
	bool is_good = dns_reply_parse(&reply, &asking->query, wire, len, arena) == 0;

	if (is_good && (strcmp(reply.answer.rcode, "NOERROR") != 0 && strcmp(reply.answer.rcode, "NXDOMAIN") != 0))
		snprintf(asking->resolver_says, sizeof(asking->resolver_says), "%s%s%s", reply.answer.rcode,
			 reply.ede.len ? ", " : "", reply.ede.len ? reply.ede.data : "");
	else if (is_good && reply.answer.ad != TRISTATE_TRUE)
		snprintf(asking->resolver_says, sizeof(asking->resolver_says), "%s without AD", reply.answer.rcode);
	if (is_good)
		dns_reply_fini(&reply);
	arena_free(arena);
	asking->is_plain = false;
	if (is_good)
		return go_on(asking);
	validate_finish(asking, OUTCOME_WRONG, "malformed answer");
	return false;
}

static void drop_reply(struct asking *asking)
{
	if (asking->has_reply)
		dns_reply_fini(&asking->reply);
	arena_free(asking->arena);
	asking->arena = NULL;
	asking->has_reply = false;
}

static void keep_reply(struct asking *asking, const uint8_t *wire, size_t len)
{
	drop_reply(asking);
	asking->arena = arena_new();
	asking->has_reply = dns_reply_parse(&asking->reply, &asking->query, wire, len, asking->arena) == 0;
	if (asking->has_reply)
		snprintf(asking->rcode, sizeof(asking->rcode), "%s", asking->reply.answer.rcode);
}

static bool malformed(struct asking *asking)
{
	if (asking->walk)
		return connection_failed(asking, "a malformed answer");
	validate_finish(asking, OUTCOME_WRONG, "malformed answer");
	return false;
}

/* The question itself, with CD, is always the first that the validator needs. */
static bool take_resolved(struct asking *asking, const uint8_t *wire, size_t len)
{
	ldns_pkt *packet = NULL;

	if (!asking->has_reply)
		keep_reply(asking, wire, len);
	if (pkt_from_wire(&packet, wire, len) != LDNS_STATUS_OK || !validation_add(asking->validation, packet))
		return malformed(asking);
	return go_on(asking);
}

/* ---- servers' answers ---- */

static void disconnect(struct asking *asking)
{
	if (asking->conn)
		bufferevent_free(asking->conn);
	asking->conn = NULL;
	evtimer_del(asking->attempt);
}

/* Of the question itself, or of what its aliases lead to; keys and DS on the way are other questions, unless they are what is asked for. */
static bool is_the_answer(const struct asking *asking)
{
	uint16_t type = asking->validate->probe->probe.qtype;

	return asking->wanted_type == type &&
	       (!asking->has_reply || (type != LDNS_RR_TYPE_DS && type != LDNS_RR_TYPE_DNSKEY));
}

static bool take_served(struct asking *asking, const uint8_t *wire, size_t len)
{
	struct walk_question unused;
	ldns_pkt *packet = NULL;

	if (pkt_from_wire(&packet, wire, len) != LDNS_STATUS_OK)
		return malformed(asking);
	disconnect(asking);
	walk_answer(asking->walk, packet);
	if (walk_next(asking->walk, &unused) == WALK_DONE && is_the_answer(asking))
		keep_reply(asking, wire, len);
	return walk_on(asking);
}

static bool take_answer(struct asking *asking, const uint8_t *wire, size_t len)
{
	switch (dns_match(&asking->query, wire, len)) {
	case DNS_OTHER:
		return true;
	case DNS_MALFORMED:
		return malformed(asking);
	case DNS_MATCH:
		break;
	}
	if (asking->walk)
		return take_served(asking, wire, len);
	return asking->is_plain ? take_plain(asking, wire, len) : take_resolved(asking, wire, len);
}

static void on_readable(struct bufferevent *conn, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(conn);
	struct asking *asking = arg;
	uint8_t length[2];

	while (evbuffer_copyout(in, length, sizeof(length)) == (ssize_t)sizeof(length)) {
		size_t len = (size_t)length[0] << 8 | length[1];
		bool goes_on;
		uint8_t *wire;

		if (evbuffer_get_length(in) < 2 + len)
			return;
		wire = malloc(len + 1);
		if (!wire) {
			validate_finish(asking, OUTCOME_ERROR, "could not ask: out of memory");
			return;
		}
		evbuffer_drain(in, 2);
		evbuffer_remove(in, wire, len);
		goes_on = take_answer(asking, wire, len);
		free(wire);
		if (!goes_on || asking->conn != conn)
			return; /* a server's connection is gone with its answer */
	}
}

static void on_event(struct bufferevent *conn, short what, void *arg)
{
	struct asking *asking = arg;

	(void)conn;
	if (what & BEV_EVENT_ERROR)
		connection_failed(asking, strerror(EVUTIL_SOCKET_ERROR()));
	else if (what & BEV_EVENT_EOF)
		connection_failed(asking, "closed");
}

/* ---- connections ---- */

/* 0 or a negative errno. */
static int connect_to(struct asking *asking, const struct address *address)
{
	struct validate *v = asking->validate;
	struct sockaddr_storage server;
	socklen_t len = address_to_sockaddr(address, DNS_PORT, &server);
	int fd = host_socket(v->ctx.host, server.ss_family, SOCK_STREAM, 0);

	if (fd < 0)
		return fd;
	asking->conn = bufferevent_socket_new(v->ctx.base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (!asking->conn) {
		close(fd);
		return -ENOMEM;
	}
	bufferevent_setcb(asking->conn, on_readable, NULL, on_event, asking);
	bufferevent_enable(asking->conn, EV_READ | EV_WRITE);
	errno = 0;
	if (bufferevent_socket_connect(asking->conn, (struct sockaddr *)&server, (int)len) < 0)
		return errno ? -errno : -ECONNREFUSED;
	return 0;
}

static void on_attempt(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct asking *asking = arg;
	char limit[32], why[64];

	units_format_duration(asking->validate->probe->attempt_ns, limit, sizeof(limit));
	snprintf(why, sizeof(why), "no answer within %s", limit);
	connection_failed(asking, why);
}

/* What the validator needs next becomes the walk's question. False: the sample has ended. */
static bool begin_walk(struct asking *asking)
{
	struct validation_verdict verdict;

	validation_next(asking->validation, &verdict);
	if (verdict.status != VALIDATION_NEEDS) {
		validate_conclude(asking, &verdict);
		return false;
	}
	asking->is_walking = walk_begin(asking->walk, verdict.name, verdict.type) == 0;
	asking->wanted_type = verdict.type;
	if (!asking->is_walking)
		validate_finish(asking, OUTCOME_ERROR, "could not ask: out of memory");
	return asking->is_walking;
}

static bool ask_server(struct asking *asking, const struct walk_question *question)
{
	int64_t limit_ns = asking->validate->probe->attempt_ns;
	struct timeval limit = {limit_ns / SEC, limit_ns % SEC / 1000};
	int r = connect_to(asking, &question->address);

	if (r == 0 && send_question(asking, question->name, question->type)) {
		evtimer_add(asking->attempt, &limit);
		return true;
	}
	disconnect(asking);
	walk_no_answer(asking->walk, r ? strerror(-r) : "out of memory");
	return false;
}

/* Asks the next server, or goes on with what is known. False: the sample has ended. */
static bool walk_on(struct asking *asking)
{
	struct walk_question question;

	disconnect(asking);
	for (;;) {
		if (!asking->is_walking && !begin_walk(asking))
			return false;
		switch (walk_next(asking->walk, &question)) {
		case WALK_ASK:
			if (ask_server(asking, &question))
				return true;
			break;
		case WALK_DONE:
			asking->is_walking = false;
			if (validation_add(asking->validation, walk_take(asking->walk)))
				break;
			validate_finish(asking, OUTCOME_ERROR, "could not ask: too many questions, or out of memory");
			return false;
		case WALK_FAILED:
			validate_walk_failed(asking);
			return false;
		}
	}
}

static int start_walk(struct asking *asking)
{
	struct validate *v = asking->validate;

	asking->attempt = evtimer_new(v->ctx.base, on_attempt, asking);
	asking->walk = walk_new(v->roots, v->ctx.server_count, v->families, asking->flight.i);
	if (!asking->attempt || !asking->walk)
		return -ENOMEM;
	validation_set_direct(asking->validation);
	walk_on(asking);
	return 0;
}

int validate_start(struct asking *asking)
{
	struct validate *v = asking->validate;
	int r;

	asking->validation = validation_new(v->anchor, asking->qname, v->probe->probe.qtype, (int64_t)time(NULL));
	if (!asking->validation)
		return -ENOMEM;
	if (v->asks_servers)
		return start_walk(asking);
	r = connect_to(asking, &v->ctx.servers[0].address);
	asking->is_plain = true;
	if (r < 0)
		return r;
	return send_question(asking, asking->qname, v->probe->probe.qtype) ? 0 : -ENOMEM;
}
