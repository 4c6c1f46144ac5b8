/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes of one asking of the dns probe: the sample, in words.
 */
#include "harness/base/units.h"
#include "harness/probe/dns.h"
#include <errno.h>
#include <string.h>

void dns_give_up(struct dns_ask *ask)
{
	dns_disconnect(ask);
	dns_conn_leave(ask);
	dns_doh_leave(ask);
	inflight_remove(&ask->dns->inflight, &ask->flight);
}

/* Hands the sample on with the name that was asked. */
static void dns_emit(struct dns *dns, struct ev_sample *sample)
{
	char name[UNIQUE_LABEL_LEN + 1 + 256], label[UNIQUE_LABEL_LEN + 1];

	sample->probe = dns->probe->probe.name.value;
	if (dns->probe->probe.unique) {
		unique_label(&dns->unique, sample->i, label);
		snprintf(name, sizeof(name), "%s.%s", label, dns->probe->probe.qname);
		sample->name = name;
	}
	dns->ctx.done(dns->ctx.arg, sample);
}

static void dns_finish(struct dns_ask *ask, struct ev_sample *sample)
{
	struct dns *dns = ask->dns;

	sample->i = ask->flight.i;
	sample->due_ns = ask->flight.due_ns;
	sample->sent_ns = ask->sent_ns ? ask->sent_ns : sample->done_ns;
	dns_give_up(ask);
	dns_emit(dns, sample);
}

void dns_expire(void *arg, struct flight *flight)
{
	struct dns *dns = arg;
	struct dns_ask *ask = (struct dns_ask *)(void *)flight;
	char timeout[32], detail[224];
	const char *stage;
	struct ev_sample sample = {.outcome = OUTCOME_TIMEOUT, .detail = detail};

	sample.done_ns = inflight_deadline(&dns->inflight, flight);
	units_format_duration(dns->probe->probe.timeout_ns, timeout, sizeof(timeout));
	stage = ask->doh ? dns_doh_stage(ask) : dns_conn_stage(ask);
	snprintf(detail, sizeof(detail), "no answer within %s%s%s", timeout, stage,
		 ask->is_retried ? " (truncated over UDP, then none over TCP)" : "");
	if (ask->strangers > 0)
		snprintf(detail + strlen(detail), sizeof(detail) - strlen(detail),
			 "; %u message%s did not match the question", ask->strangers, ask->strangers > 1 ? "s" : "");
	dns_conn_expired(ask);
	dns_doh_expired(ask);
	dns_finish(ask, &sample);
}

/* The moment something came of the asking. False: it came too late, whatever the loop was busy with, and the asking has ended as a timeout. */
static bool dns_in_time(struct dns_ask *ask, int64_t *ret_now)
{
	*ret_now = dns_now(ask->dns);
	if (*ret_now < inflight_deadline(&ask->dns->inflight, &ask->flight))
		return true;
	dns_expire(ask->dns, &ask->flight);
	return false;
}

void dns_garbled(struct dns_ask *ask, const char *detail)
{
	struct ev_sample sample = {.outcome = OUTCOME_WRONG, .detail = detail};

	if (dns_in_time(ask, &sample.done_ns))
		dns_finish(ask, &sample);
}

static void dns_judge(struct dns_ask *ask, struct dns_reply *reply, int64_t now_ns)
{
	struct ev_sample sample = {.done_ns = now_ns, .rcode = reply->answer.rcode};
	struct buf detail = {0};

	sample.outcome = judge_versions(&ask->dns->good, &reply->answer, &detail, &sample.fits);
	if (reply->ede.len > 0)
		buf_printf(&detail, "%s%s", detail.len > 0 ? "; " : "", reply->ede.data);
	sample.detail = detail.len > 0 ? detail.data : NULL;
	sample.answer = (struct ev_strings){.v = reply->answer.rdata, .count = reply->answer.count};
	dns_finish(ask, &sample);
	buf_fini(&detail);
}

void dns_answered(struct dns_ask *ask, const uint8_t *wire, size_t len)
{
	struct arena *arena;
	struct dns_reply reply;
	int64_t now_ns;
	int r;

	if (!dns_in_time(ask, &now_ns))
		return;
	arena = arena_new();
	r = dns_reply_parse(&reply, &ask->dns->query, wire, len, arena);
	if (r == -ENOMEM) {
		dns_failed(ask, ENOMEM);
	} else if (r < 0) {
		dns_garbled(ask, "malformed answer");
	} else {
		dns_judge(ask, &reply, now_ns);
		dns_reply_fini(&reply);
	}
	arena_free(arena);
}

/* What the network did to the query, in words; NULL: it was not the network. EPERM and EACCES are what a firewall on the host looks like. */
static const char *dns_network_error(int error, bool is_stream)
{
	switch (error) {
	case ECONNREFUSED:
		return is_stream ? "refused: connection refused" : "refused: port unreachable";
	case ECONNRESET:
	case EPIPE:
		return "refused: connection closed without an answer";
	case EHOSTUNREACH:
	case EHOSTDOWN:
		return "refused: host unreachable";
	case ENETUNREACH:
	case ENETDOWN:
		return "refused: network unreachable";
	case EACCES:
	case EPERM:
		return "refused: not permitted by the network";
	case ENOPROTOOPT:
	case EPROTO:
		return "refused: protocol unreachable";
	case ETIMEDOUT:
		return "no connection";
	default:
		return NULL;
	}
}

static const char *dns_harness_error(int error, char *buf, size_t size)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
		return "could not ask: too many open files: raise `ulimit -n`, or ask less often";
	case EADDRNOTAVAIL:
	case EADDRINUSE:
		return "could not ask: no local port is free: ask less often";
	default:
		snprintf(buf, size, "could not ask: %s", strerrordesc_np(error));
		return buf;
	}
}

void dns_failed(struct dns_ask *ask, int error)
{
	bool is_stream = ask->is_retried || ask->dns->probe->transport != DNS_UDP;
	const char *detail = dns_network_error(error, is_stream);
	struct ev_sample sample = {.outcome = detail ? OUTCOME_TIMEOUT : OUTCOME_ERROR};
	char text[128];

	sample.detail = detail ? detail : dns_harness_error(error, text, sizeof(text));
	if (dns_in_time(ask, &sample.done_ns))
		dns_finish(ask, &sample);
}

void dns_refused(struct dns_ask *ask, const char *why)
{
	char detail[320];
	struct ev_sample sample = {.outcome = OUTCOME_TIMEOUT, .detail = detail};

	snprintf(detail, sizeof(detail), "refused: %s", why);
	if (dns_in_time(ask, &sample.done_ns))
		dns_finish(ask, &sample);
}

/* A sample for which there is nothing in flight. */
void dns_not_asked(struct dns *dns, int64_t i, int64_t due_ns, const char *why)
{
	int64_t now_ns = dns_now(dns);
	struct ev_sample sample = {.i = i, .due_ns = due_ns, .sent_ns = now_ns, .done_ns = now_ns};

	sample.outcome = OUTCOME_ERROR;
	sample.detail = why;
	dns_emit(dns, &sample);
}
