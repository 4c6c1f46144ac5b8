/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/ready.h"
#include "harness/api/transport.h"
#include "harness/base/macro.h"
#include "harness/base/pkt.h"
#include "harness/run/ready_tls.h"
#include <errno.h>
#include <ldns/ldns.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ASK_AGAIN_USEC 20000
#define EDNS_SIZE 4096 /* the way is the host's own */

struct target { /* one address */
	struct ready *ready;
	const struct address *address;
	struct event *readable;
	int fd; /* -1 until it could be connected */
	size_t at; /* the name being asked */
	int rounds_left; /* 0: done */
	uint16_t id; /* of the query: tells its answer from late ones to those before */
	uint8_t *query;
	size_t query_len;
	char last[96]; /* what came instead of the right answer */
};

struct ready {
	struct ready_ask ask;
	void (*done)(void *arg);
	void *arg;
	struct event_base *base;
	struct event *tick;
	struct target *targets;
	size_t target_count, left; /* left: targets, and tls if there is one */
	struct ready_tls *tls;
};

static ldns_rr_type asked_type(const struct ready_ask *ask)
{
	return ask->is_authoritative ? LDNS_RR_TYPE_SOA : LDNS_RR_TYPE_NS;
}

static bool wants_signature(const struct target *target)
{
	const struct ready_ask *ask = &target->ready->ask;

	return ask->are_signed && ask->are_signed[target->at];
}

static bool has_type(const ldns_rr_list *list, ldns_rr_type type)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++)
		if (ldns_rr_get_type(ldns_rr_list_rr(list, i)) == type)
			return true;
	return false;
}

static bool is_done(const struct target *target)
{
	return target->rounds_left == 0;
}

static int make_query(struct target *target)
{
	const struct ready_ask *ask = &target->ready->ask;
	ldns_pkt *packet = NULL;
	uint16_t flags = ask->is_authoritative ? 0 : LDNS_RD;
	int r = -EINVAL;

	free(target->query);
	target->query = NULL;
	if (ldns_pkt_query_new_frm_str(&packet, ask->names[target->at], asked_type(ask), LDNS_RR_CLASS_IN, flags) !=
	    LDNS_STATUS_OK)
		return r;
	ldns_pkt_set_id(packet, ++target->id);
	if (wants_signature(target)) {
		ldns_pkt_set_edns_udp_size(packet, EDNS_SIZE);
		ldns_pkt_set_edns_do(packet, true);
	}
	if (ldns_pkt2wire(&target->query, packet, &target->query_len) == LDNS_STATUS_OK)
		r = 0;
	ldns_pkt_free(packet);
	return r;
}

/* NULL if it is the answer waited for, else what is wrong with it (may be in buf). */
static const char *judge(const struct target *target, const ldns_pkt *packet, char *buf, size_t size)
{
	const struct ready_ask *ask = &target->ready->ask;
	ldns_rr_list *answer = ldns_pkt_answer(packet);

	if (ask->takes_anything)
		return NULL;
	if (ldns_pkt_get_rcode(packet) != LDNS_RCODE_NOERROR) {
		char *name = ldns_pkt_rcode2str(ldns_pkt_get_rcode(packet));

		snprintf(buf, size, "%s", name ? name : "an unknown rcode");
		free(name);
		return buf;
	}
	if (ask->is_authoritative && !ldns_pkt_aa(packet))
		return "an answer without AA";
	if (ldns_pkt_tc(packet) && !ask->is_authoritative)
		return NULL; /* it has the set, only no room for it */
	if (!has_type(answer, asked_type(ask)))
		return "NOERROR without the record";
	if (wants_signature(target) && !has_type(answer, LDNS_RR_TYPE_RRSIG))
		return "the record without a signature";
	return NULL;
}

static void send_query(struct target *target)
{
	if (target->fd >= 0)
		(void)send(target->fd, target->query, target->query_len,
			   0); /* refused or full: the next tick asks again */
}

/* On to the next name, at once; to the next round, with the next tick. */
static void advance(struct target *target)
{
	bool is_round_over = ++target->at == target->ready->ask.name_count;

	if (is_round_over) {
		target->at = 0;
		target->rounds_left--;
	}
	if (!is_done(target) && make_query(target) == 0 && !is_round_over)
		send_query(target);
}

static void start_again(struct target *target)
{
	target->at = 0;
	target->rounds_left = target->ready->ask.rounds;
	(void)make_query(target);
}

/* True if this answer was the last one of all waited for. */
static bool take_answer(struct target *target, const uint8_t *wire, size_t len)
{
	ldns_pkt *packet = NULL;
	char text[sizeof(target->last)];
	bool was_last = false;

	if (pkt_from_wire(&packet, wire, len) != LDNS_STATUS_OK)
		return false;
	if (ldns_pkt_id(packet) == target->id && ldns_pkt_qr(packet)) {
		const char *wrong = judge(target, packet, text, sizeof(text));

		snprintf(target->last, sizeof(target->last), "%s", wrong ? wrong : "");
		if (!wrong)
			advance(target);
		else if (target->rounds_left < target->ready->ask.rounds)
			start_again(target);
		was_last = is_done(target) && --target->ready->left == 0;
	}
	ldns_pkt_free(packet);
	return was_last;
}

static void end(struct ready *ready)
{
	event_del(ready->tick);
	ready->done(ready->arg); /* may free everything */
}

static void on_tls(void *arg)
{
	struct ready *ready = arg;

	if (--ready->left == 0)
		end(ready);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct target *target = arg;
	struct ready *ready = target->ready;
	uint8_t wire[4096];
	ssize_t len;

	(void)what;
	while (!is_done(target) && (len = recv(fd, wire, sizeof(wire), 0)) >= 0) {
		if (take_answer(target, wire, (size_t)len)) {
			end(ready);
			return;
		}
	}
	if (is_done(target))
		event_del(target->readable);
}

/* Addresses may need a moment before they can be used (IPv6), so each tick tries again. */
static int connect_target(struct target *target)
{
	struct sockaddr_storage to;
	socklen_t len = address_to_sockaddr(target->address, DNS_PORT, &to);
	int fd = host_socket(target->ready->ask.host, target->address->family, SOCK_DGRAM, 0);

	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&to, len) < 0) {
		int r = -errno;

		snprintf(target->last, sizeof(target->last), "%s", strerror(errno));
		close(fd);
		return r;
	}
	target->readable = event_new(target->ready->base, fd, EV_READ | EV_PERSIST, on_readable, target);
	if (!target->readable || event_add(target->readable, NULL) < 0) {
		close(fd);
		return -ENOMEM;
	}
	target->fd = fd;
	return 0;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct ready *ready = arg;

	(void)fd, (void)what;
	for (size_t i = 0; i < ready->target_count; i++) {
		struct target *target = &ready->targets[i];

		if (is_done(target))
			continue;
		if (target->fd < 0 && connect_target(target) < 0)
			continue;
		send_query(target);
	}
}

static int start_targets(struct ready *ready, struct err *err)
{
	static const struct timeval again = {.tv_usec = ASK_AGAIN_USEC};

	for (size_t i = 0; i < ready->target_count; i++) {
		struct target *target = &ready->targets[i];

		target->ready = ready;
		target->address = &ready->ask.addresses->v[i];
		target->fd = -1;
		target->rounds_left = ready->ask.rounds;
		if (make_query(target) < 0)
			return err_set(err, -EINVAL, LOC_NONE, "cannot ask for the name \"%s\"", ready->ask.names[0]);
	}
	ready->tick = event_new(ready->base, -1, EV_PERSIST, on_tick, ready);
	if (!ready->tick || event_add(ready->tick, &again) < 0)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	if (ready->ask.encrypted) {
		ready->tls = ready_tls_start(ready->base, ready->ask.host, ready->ask.addresses, ready->ask.encrypted,
					     on_tls, ready, err);
		if (!ready->tls)
			return err->code;
		ready->left++;
	}
	event_active(ready->tick, EV_TIMEOUT, 1); /* the first round at once */
	return 0;
}

struct ready *ready_start(struct event_base *base, const struct ready_ask *ask, void (*done)(void *arg), void *arg,
			  struct err *err)
{
	struct ready *ready = calloc(1, sizeof(*ready));

	if (ready)
		ready->targets = calloc(ask->addresses->count + 1, sizeof(*ready->targets));
	if (!ready || !ready->targets) {
		free(ready);
		err_set(err, -ENOMEM, LOC_NONE, "out of memory");
		return NULL;
	}
	ready->ask = *ask;
	if (ready->ask.rounds < 1)
		ready->ask.rounds = 1;
	ready->done = done;
	ready->arg = arg;
	ready->base = base;
	ready->target_count = ready->left = ask->addresses->count;
	if (start_targets(ready, err) < 0) {
		ready_cancel(ready);
		return NULL;
	}
	return ready;
}

void ready_cancel(struct ready *ready)
{
	if (!ready)
		return;
	for (size_t i = 0; i < ready->target_count; i++) {
		struct target *target = &ready->targets[i];

		if (target->readable)
			event_free(target->readable);
		if (target->ready && target->fd >= 0)
			close(target->fd);
		free(target->query);
	}
	if (ready->tick)
		event_free(ready->tick);
	ready_tls_cancel(ready->tls);
	free(ready->targets);
	free(ready);
}

void ready_describe(const struct ready *ready, struct buf *out)
{
	for (size_t i = 0; i < ready->target_count; i++) {
		const struct target *target = &ready->targets[i];

		if (is_done(target))
			continue;
		buf_printf(out, "%s %s at %s: %s", ready->ask.names[target->at],
			   ready->ask.is_authoritative ? "SOA" : "NS", target->address->text,
			   target->last[0] ? target->last : "no answer");
		return;
	}
	if (ready->tls)
		ready_tls_describe(ready->tls, out);
}
