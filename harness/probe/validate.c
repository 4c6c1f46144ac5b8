/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probe kind `validate`: one question, and every signature and proof from the lab's trust anchor down to its answer, looked at by ourselves.
 *
 * Each sample has one TCP connection to the resolver. First the question as users ask it, which shows what the resolver itself makes of it; then, with CD set, so
 * that bogus data are shown too, whatever the validator (dnssec/validate.h) needs next, one after the other.
 */
#include "harness/dnssec/validate.h"
#include "harness/api/transport.h"
#include "harness/base/clock.h"
#include "harness/base/units.h"
#include "harness/probe/dns_wire.h"
#include "harness/probe/inflight.h"
#include "harness/probe/unique.h"
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EDNS_SIZE 1232
#define HEADER_FLAGS_2 3 /* the octet with RA, AD, CD and the RCODE */
#define FLAG_CD 0x10

static const char *const chain_choices[] = {"secure", "insecure", "bogus", NULL};
static const enum validation_status chain_status[] = {VALIDATION_SECURE, VALIDATION_INSECURE, VALIDATION_BOGUS};

struct validate_probe {
	struct probe probe;
	struct text via;
	int64_t chain; /* index of chain_choices */
};

static const struct param validate_params[] = {
	P_TEXT(struct validate_probe, via, "via",
	       "resolver that is asked for everything, with CD set; without it, the first resolver of `from`"),
	P_ENUM(struct validate_probe, chain, "chain", chain_choices, 0,
	       "what a good sample finds: a chain of trust, the proof that there is none, or a broken one"),
	PARAM_END,
};

struct validate {
	const struct validate_probe *probe;
	struct probe_ctx ctx;
	ldns_rr_list *anchor;
	struct arena *arena; /* of good */
	struct good good;
	struct sockaddr_storage server;
	socklen_t server_len;
	struct unique unique;
	struct inflight inflight;
	uint16_t id;
};

struct asking {
	struct flight flight; /* first */
	struct validate *validate;
	struct bufferevent *conn;
	struct validation *validation;
	struct dns_query query; /* that is out */
	bool is_plain; /* the first: as users ask */
	int64_t sent_ns;
	char qname[UNIQUE_LABEL_LEN + 1 + 256];
	char resolver_says[160]; /* "SERVFAIL, EDE 7 Signature Expired"; "" if it has validated it, too */
	char rcode[24]; /* of the last answer to the question itself */
	struct arena *arena; /* of answer */
	struct dns_reply reply; /* to the question itself, with CD */
	bool has_reply;
};

static const struct validate_probe *validate_of(const struct probe *probe)
{
	return (const struct validate_probe *)(const void *)probe;
}

static void validate_validate(const struct probe *probe, struct errs *errs)
{
	if (probe->good.ad != TRISTATE_ANY)
		errs_add(errs, probe->good.loc,
			 "ad: a probe of kind validate looks at the chain itself: say chain:, or ask for AD by kind: "
			 "dns");
}

static void validate_describe(const struct probe *probe, const struct probe_ctx *ctx, struct buf *out)
{
	(void)probe;
	if (ctx->server_count)
		buf_printf(out, "chain of trust by way of %s (%s)", ctx->servers[0].host, ctx->servers[0].address.text);
	else
		buf_puts(out, "nobody");
}

static const char *validate_transport(const struct probe *probe)
{
	(void)probe;
	return "tcp";
}

static const struct text *validate_via(const struct probe *probe)
{
	return &validate_of(probe)->via;
}

static int64_t now_of(const struct validate *v)
{
	return clock_now_ns() - v->ctx.epoch_ns;
}

/* ---- the end of a sample ---- */

static void give_up(struct asking *asking)
{
	if (asking->conn)
		bufferevent_free(asking->conn);
	validation_free(asking->validation);
	dns_query_fini(&asking->query);
	if (asking->has_reply)
		dns_reply_fini(&asking->reply);
	arena_free(asking->arena);
	inflight_remove(&asking->validate->inflight, &asking->flight);
}

static void emit(struct asking *asking, struct ev_sample *sample)
{
	struct validate *v = asking->validate;
	char name[sizeof(asking->qname)];

	sample->probe = v->probe->probe.name.value;
	sample->i = asking->flight.i;
	sample->due_ns = asking->flight.due_ns;
	sample->sent_ns = asking->sent_ns ? asking->sent_ns : sample->done_ns;
	snprintf(name, sizeof(name), "%s", asking->qname);
	sample->name = v->probe->probe.unique ? name : NULL;
	v->ctx.done(v->ctx.arg, sample);
	give_up(asking);
}

static void expire(void *arg, struct flight *flight)
{
	struct asking *asking = (struct asking *)(void *)flight;
	struct validate *v = arg;
	char timeout[32], detail[128];
	struct ev_sample sample = {.outcome = OUTCOME_TIMEOUT, .detail = detail};

	sample.done_ns = inflight_deadline(&v->inflight, flight);
	units_format_duration(v->probe->probe.timeout_ns, timeout, sizeof(timeout));
	snprintf(detail, sizeof(detail), "not all answers within %s", timeout);
	emit(asking, &sample);
}

static void finish(struct asking *asking, enum outcome outcome, const char *detail)
{
	struct ev_sample sample = {.outcome = outcome, .detail = detail, .done_ns = now_of(asking->validate)};

	if (sample.done_ns >= inflight_deadline(&asking->validate->inflight, &asking->flight)) {
		expire(asking->validate, &asking->flight);
		return;
	}
	sample.rcode = asking->rcode[0] ? asking->rcode : NULL;
	if (asking->has_reply)
		sample.answer =
			(struct ev_strings){.v = asking->reply.answer.rdata, .count = asking->reply.answer.count};
	emit(asking, &sample);
}

static void network_failed(struct asking *asking, int error)
{
	char detail[128];

	snprintf(detail, sizeof(detail), "the resolver cannot be asked: %s", error ? strerror(error) : "closed");
	finish(asking, OUTCOME_TIMEOUT, detail);
}

/* ---- the verdict ---- */

static const char *status_text(enum validation_status status)
{
	switch (status) {
	case VALIDATION_SECURE:
		return "secure";
	case VALIDATION_INSECURE:
		return "insecure";
	case VALIDATION_BOGUS:
		return "bogus";
	case VALIDATION_FAILED:
	case VALIDATION_NEEDS:
		break;
	}
	return "not to be validated";
}

static void describe(const struct asking *asking, const struct validation_verdict *verdict, struct buf *out)
{
	const char *ede = validation_ede_name(verdict->ede);

	buf_puts(out, status_text(verdict->status));
	if (ede)
		buf_printf(out, " (EDE %u %s)", verdict->ede, ede);
	if (verdict->reason[0])
		buf_printf(out, ": %s", verdict->reason);
	if (asking->resolver_says[0])
		buf_printf(out, "; %s says %s", asking->validate->ctx.servers[0].host, asking->resolver_says);
}

static void conclude(struct asking *asking, const struct validation_verdict *verdict)
{
	enum outcome outcome = OUTCOME_OK;
	struct buf detail = {0};

	if (verdict->status == VALIDATION_FAILED)
		outcome = OUTCOME_RCODE;
	else if (verdict->status != chain_status[asking->validate->probe->chain])
		outcome = OUTCOME_WRONG;
	else if (verdict->status != VALIDATION_BOGUS && asking->has_reply)
		outcome = judge(&asking->validate->good, &asking->reply.answer, &detail);
	if (outcome != OUTCOME_OK || verdict->status != VALIDATION_SECURE || asking->resolver_says[0]) {
		if (detail.len)
			buf_puts(&detail, "; ");
		describe(asking, verdict, &detail);
	}
	finish(asking, outcome, detail.data);
	buf_fini(&detail);
}

/* ---- questions and answers ---- */

static bool send_question(struct asking *asking, const char *name, uint16_t type)
{
	struct dns_question question = {.qname = name,
					.qtype = type,
					.recursion = true,
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
		asking->sent_ns = now_of(asking->validate);
	return bufferevent_write(asking->conn, length, sizeof(length)) == 0 &&
	       bufferevent_write(asking->conn, asking->query.wire, asking->query.len) == 0;
}

/* Asks for what the validator needs, or ends the sample. False: it has ended. */
static bool go_on(struct asking *asking)
{
	struct validation_verdict verdict;

	validation_next(asking->validation, &verdict);
	if (verdict.status != VALIDATION_NEEDS) {
		conclude(asking, &verdict);
		return false;
	}
	if (send_question(asking, verdict.name, verdict.type))
		return true;
	finish(asking, OUTCOME_ERROR, "could not ask: out of memory");
	return false;
}

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
	finish(asking, OUTCOME_WRONG, "malformed answer");
	return false;
}

/* The question itself, with CD, is always the first that the validator needs. */
static void keep_reply(struct asking *asking, const uint8_t *wire, size_t len)
{
	if (asking->has_reply)
		return;
	asking->arena = arena_new();
	asking->has_reply = dns_reply_parse(&asking->reply, &asking->query, wire, len, asking->arena) == 0;
	if (asking->has_reply)
		snprintf(asking->rcode, sizeof(asking->rcode), "%s", asking->reply.answer.rcode);
}

static bool take_answer(struct asking *asking, const uint8_t *wire, size_t len)
{
	ldns_pkt *packet = NULL;

	switch (dns_match(&asking->query, wire, len)) {
	case DNS_OTHER:
		return true;
	case DNS_MALFORMED:
		finish(asking, OUTCOME_WRONG, "malformed answer");
		return false;
	case DNS_MATCH:
		break;
	}
	if (asking->is_plain)
		return take_plain(asking, wire, len);
	keep_reply(asking, wire, len);
	if (ldns_wire2pkt(&packet, wire, len) != LDNS_STATUS_OK || !validation_add(asking->validation, packet)) {
		finish(asking, OUTCOME_WRONG, "malformed answer");
		return false;
	}
	return go_on(asking);
}

static void on_readable(struct bufferevent *conn, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(conn);
	struct asking *asking = arg;
	uint8_t length[2];

	while (evbuffer_copyout(in, length, sizeof(length)) == (ssize_t)sizeof(length)) {
		size_t len = (size_t)length[0] << 8 | length[1];
		uint8_t *wire;
		bool goes_on;

		if (evbuffer_get_length(in) < 2 + len)
			return;
		wire = malloc(len + 1);
		if (!wire) {
			finish(asking, OUTCOME_ERROR, "could not ask: out of memory");
			return;
		}
		evbuffer_drain(in, 2);
		evbuffer_remove(in, wire, len);
		goes_on = take_answer(asking, wire, len);
		free(wire);
		if (!goes_on)
			return;
	}
}

static void on_event(struct bufferevent *conn, short what, void *arg)
{
	struct asking *asking = arg;

	(void)conn;
	if (what & BEV_EVENT_ERROR)
		network_failed(asking, EVUTIL_SOCKET_ERROR());
	else if (what & BEV_EVENT_EOF)
		network_failed(asking, 0);
}

/* 0 or a negative errno. */
static int start(struct asking *asking)
{
	struct validate *v = asking->validate;
	int fd = host_socket(v->ctx.host, v->server.ss_family, SOCK_STREAM, 0);

	if (fd < 0)
		return fd;
	asking->conn = bufferevent_socket_new(v->ctx.base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (!asking->conn) {
		close(fd);
		return -ENOMEM;
	}
	asking->validation = validation_new(v->anchor, asking->qname, v->probe->probe.qtype, (int64_t)time(NULL));
	if (!asking->validation)
		return -ENOMEM;
	bufferevent_setcb(asking->conn, on_readable, NULL, on_event, asking);
	bufferevent_enable(asking->conn, EV_READ | EV_WRITE);
	asking->is_plain = true;
	if (bufferevent_socket_connect(asking->conn, (struct sockaddr *)&v->server, (int)v->server_len) < 0)
		return errno ? -errno : -ECONNREFUSED;
	return send_question(asking, asking->qname, v->probe->probe.qtype) ? 0 : -ENOMEM;
}

static void not_asked(struct validate *v, int64_t i, int64_t due_ns, const char *why)
{
	struct ev_sample sample = {.i = i, .due_ns = due_ns, .outcome = OUTCOME_ERROR, .detail = why};

	sample.probe = v->probe->probe.name.value;
	sample.sent_ns = sample.done_ns = now_of(v);
	v->ctx.done(v->ctx.arg, &sample);
}

static void validate_ask(void *state, int64_t i, int64_t due_ns)
{
	struct validate *v = state;
	char label[UNIQUE_LABEL_LEN + 1], why[128];
	struct asking *asking;
	int r;

	if (now_of(v) >= due_ns + v->probe->probe.timeout_ns) {
		not_asked(v, i, due_ns, "could not ask: the harness was busy until the sample's time was over");
		return;
	}
	asking = (struct asking *)(void *)inflight_add(&v->inflight, i, due_ns);
	if (!asking) {
		not_asked(v, i, due_ns, "could not ask: out of memory");
		return;
	}
	asking->validate = v;
	snprintf(asking->qname, sizeof(asking->qname), "%s", v->probe->probe.qname);
	if (v->probe->probe.unique) {
		unique_label(&v->unique, i, label);
		snprintf(asking->qname, sizeof(asking->qname), "%s.%s", label, v->probe->probe.qname);
	}
	r = start(asking);
	if (r == 0)
		return;
	snprintf(why, sizeof(why), "could not ask: %s", strerror(-r));
	finish(asking, OUTCOME_ERROR, why);
}

/* ---- open and close ---- */

static void validate_close(void *state)
{
	struct validate *v = state;
	struct flight *flight;

	if (!v)
		return;
	while (v->inflight.ring && (flight = inflight_first(&v->inflight)))
		give_up((struct asking *)(void *)flight);
	inflight_fini(&v->inflight);
	ldns_rr_list_deep_free(v->anchor);
	arena_free(v->arena);
	free(v);
}

static int validate_open(const struct probe *probe, const struct probe_ctx *ctx, void **ret_state, struct err *err)
{
	struct validate *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	v->probe = validate_of(probe);
	v->ctx = *ctx;
	v->arena = arena_new();
	v->good = probe->good;
	v->good.answer = dns_canonical(&probe->good.answer, probe->qtype, v->arena);
	v->unique = unique_new(ctx->seed, probe->name.value);
	if (!ctx->server_count)
		r = err_set(err, -EINVAL, probe->loc,
			    "probe %s has nobody to ask: give it `via`, or `from` a client with resolvers",
			    probe->name.value);
	else
		r = validation_anchor(ctx->trust_anchor, &v->anchor, err);
	if (r == 0 && inflight_init(&v->inflight, ctx->base, ctx->epoch_ns, probe->timeout_ns, sizeof(struct asking),
				    expire, v) < 0)
		r = err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	if (r < 0) {
		validate_close(v);
		return r;
	}
	v->server_len = address_to_sockaddr(&ctx->servers[0].address, DNS_PORT, &v->server);
	*ret_state = v;
	return 0;
}

const struct probe_ops validate_ops = {
	.kind = "validate",
	.summary = "the chain of trust of one answer, from the lab's trust anchor down, validated by ourselves; says "
		   "why it "
		   "is bogus",
	.params = validate_params,
	.size = sizeof(struct validate_probe),
	.default_timeout_ns = 5 * SEC,
	.needs_type = true,
	.needs_anchor = true,
	.validate = validate_validate,
	.describe = validate_describe,
	.transport = validate_transport,
	.via = validate_via,
	.open = validate_open,
	.ask = validate_ask,
	.close = validate_close,
};
