/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a sample of the probe kind `validate`: what its verdict is, in words that name who served what.
 */
#include "harness/base/clock.h"
#include "harness/base/units.h"
#include "harness/probe/validate.h"
#include <stdio.h>
#include <string.h>

static const enum validation_status chain_status[] = {VALIDATION_SECURE, VALIDATION_INSECURE, VALIDATION_BOGUS};

int64_t validate_now(const struct validate *v)
{
	return clock_now_ns() - v->ctx.epoch_ns;
}

void validate_give_up(struct asking *asking)
{
	if (asking->conn)
		bufferevent_free(asking->conn);
	if (asking->attempt)
		event_free(asking->attempt);
	validation_free(asking->validation);
	walk_free(asking->walk);
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
	validate_give_up(asking);
}

/* ---- who served what ---- */

/* "beta.ns1 (198.51.100.1)" */
static void add_server(const struct validate *v, const struct address *address, struct buf *out)
{
	const char *host = v->ctx.host_at ? v->ctx.host_at(v->ctx.arg, address) : NULL;

	buf_printf(out, host ? "%s (%s)" : "%s%s", host ? host : "", address->text);
}

/* "example.com DNSKEY from beta.ns1 (198.51.100.1)" */
static void add_source(const struct validate *v, const ldns_pkt *packet, struct buf *out)
{
	const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(packet), 0);
	char *name = question ? ldns_rdf2str(ldns_rr_owner(question)) : NULL;
	char *type = question ? ldns_rr_type2str(ldns_rr_get_type(question)) : NULL;
	char *from = ldns_pkt_answerfrom(packet) ? ldns_rdf2str(ldns_pkt_answerfrom(packet)) : NULL;
	struct address address;

	if (name && type && from && address_parse(from, &address) == 0) {
		size_t len = strlen(name);

		buf_printf(out, "%.*s %s from ", (int)(len > 1 ? len - 1 : len), name, type);
		add_server(v, &address, out);
	}
	free(name);
	free(type);
	free(from);
}

static void add_sources(const struct asking *asking, const struct validation_verdict *verdict, struct buf *out)
{
	if (!asking->walk || !verdict->from)
		return;
	buf_puts(out, "; ");
	add_source(asking->validate, verdict->from, out);
	if (!verdict->against || verdict->against == verdict->from)
		return;
	buf_puts(out, ", ");
	add_source(asking->validate, verdict->against, out);
}

/* Servers that did not do their part, though another did. */
static void add_notes(const struct asking *asking, struct buf *out)
{
	size_t count = 0;
	const struct walk_note *notes = asking->walk ? walk_notes(asking->walk, &count) : NULL;

	for (size_t i = 0; i < count; i++) {
		buf_puts(out, out->len ? "; " : "");
		if (notes[i].address.family) {
			add_server(asking->validate, &notes[i].address, out);
			buf_puts(out, ": ");
		}
		buf_puts(out, notes[i].text);
	}
}

/* ---- samples ---- */

void validate_expire(void *arg, struct flight *flight)
{
	struct asking *asking = (struct asking *)(void *)flight;
	struct validate *v = arg;
	char timeout[32];
	struct buf detail = {0};
	struct ev_sample sample = {.outcome = OUTCOME_TIMEOUT};

	sample.done_ns = inflight_deadline(&v->inflight, flight);
	units_format_duration(v->probe->probe.timeout_ns, timeout, sizeof(timeout));
	buf_printf(&detail, "not all answers within %s", timeout);
	add_notes(asking, &detail);
	sample.detail = detail.data;
	emit(asking, &sample);
	buf_fini(&detail);
}

void validate_finish(struct asking *asking, enum outcome outcome, const char *detail)
{
	struct ev_sample sample = {
		.outcome = outcome, .detail = detail, .done_ns = validate_now(asking->validate), .fits = asking->fits};

	if (sample.done_ns >= inflight_deadline(&asking->validate->inflight, &asking->flight)) {
		validate_expire(asking->validate, &asking->flight);
		return;
	}
	sample.rcode = asking->rcode[0] ? asking->rcode : NULL;
	if (asking->has_reply)
		sample.answer =
			(struct ev_strings){.v = asking->reply.answer.rdata, .count = asking->reply.answer.count};
	emit(asking, &sample);
}

void validate_not_asked(struct validate *v, int64_t i, int64_t due_ns, const char *why)
{
	struct ev_sample sample = {.i = i, .due_ns = due_ns, .outcome = OUTCOME_ERROR, .detail = why};

	sample.probe = v->probe->probe.name.value;
	sample.sent_ns = sample.done_ns = validate_now(v);
	v->ctx.done(v->ctx.arg, &sample);
}

void validate_walk_failed(struct asking *asking)
{
	int rcode = walk_rcode(asking->walk);
	char *name = rcode >= 0 ? ldns_pkt_rcode2str((ldns_pkt_rcode)rcode) : NULL;
	struct buf detail = {0};

	if (name)
		snprintf(asking->rcode, sizeof(asking->rcode), "%s", name);
	free(name);
	add_notes(asking, &detail);
	validate_finish(asking, rcode >= 0 ? OUTCOME_RCODE : OUTCOME_TIMEOUT,
			detail.len ? detail.data : "nobody could be asked");
	buf_fini(&detail);
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
	add_sources(asking, verdict, out);
	if (asking->resolver_says[0])
		buf_printf(out, "; %s says %s", asking->validate->ctx.servers[0].host, asking->resolver_says);
}

void validate_conclude(struct asking *asking, const struct validation_verdict *verdict)
{
	enum outcome outcome = OUTCOME_OK;
	struct buf detail = {0};

	if (verdict->status == VALIDATION_FAILED)
		outcome = OUTCOME_RCODE;
	else if (verdict->status != chain_status[asking->validate->probe->chain])
		outcome = OUTCOME_WRONG;
	else if (verdict->status != VALIDATION_BOGUS && asking->has_reply)
		outcome = judge_versions(&asking->validate->good, &asking->reply.answer, &detail, &asking->fits);
	if (outcome != OUTCOME_OK || verdict->status != VALIDATION_SECURE || asking->resolver_says[0]) {
		if (detail.len)
			buf_puts(&detail, "; ");
		describe(asking, verdict, &detail);
	}
	add_notes(asking, &detail);
	validate_finish(asking, outcome, detail.data);
	buf_fini(&detail);
}
