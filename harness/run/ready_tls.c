/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/ready_tls.h"
#include "harness/api/transport.h"
#include "harness/base/macro.h"
#include "harness/probe/tls.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TRY_AGAIN_USEC 20000
#define PORTS 2

struct listener {
	struct ready_tls *ready;
	const struct address *address;
	unsigned port;
	int fd; /* -1: no attempt goes on */
	SSL *ssl;
	struct event *event; /* on fd */
	bool is_done;
	char last[96]; /* why the last attempt failed */
};

struct ready_tls {
	struct host *host;
	struct event_base *base;
	SSL_CTX *client;
	struct event *tick;
	void (*done)(void *arg);
	void *arg;
	struct listener *listeners;
	size_t count, left;
};

static void end_attempt(struct listener *listener)
{
	if (listener->event)
		event_free(listener->event);
	SSL_free(listener->ssl);
	if (listener->fd >= 0)
		close(listener->fd);
	listener->event = NULL;
	listener->ssl = NULL;
	listener->fd = -1;
}

static void finish(struct listener *listener)
{
	struct ready_tls *ready = listener->ready;

	end_attempt(listener);
	listener->is_done = true;
	if (--ready->left > 0)
		return;
	event_del(ready->tick);
	ready->done(ready->arg); /* may free everything */
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;
	int system, result;
	short wanted;

	(void)fd, (void)what;
	errno = 0;
	result = SSL_do_handshake(listener->ssl);
	if (result == 1) {
		finish(listener);
		return;
	}
	wanted = tls_waits_for(listener->ssl, result);
	if (wanted) {
		event_free(listener->event);
		listener->event = event_new(listener->ready->base, listener->fd, wanted, on_event, listener);
		if (listener->event && event_add(listener->event, NULL) == 0)
			return;
	}
	tls_why(listener->ssl, result, listener->last, sizeof(listener->last), &system);
	end_attempt(listener); /* the next tick tries again */
}

/* Whatever does not work here may at the next tick. */
static void start_attempt(struct listener *listener)
{
	struct ready_tls *ready = listener->ready;
	struct sockaddr_storage to;
	socklen_t len = address_to_sockaddr(listener->address, (uint16_t)listener->port, &to);

	listener->fd = host_socket(ready->host, listener->address->family, SOCK_STREAM, 0);
	if (listener->fd < 0) {
		snprintf(listener->last, sizeof(listener->last), "%s", strerror(-listener->fd));
		listener->fd = -1;
		return;
	}
	if (connect(listener->fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS) {
		snprintf(listener->last, sizeof(listener->last), "%s", strerror(errno));
		end_attempt(listener);
		return;
	}
	listener->ssl = tls_open(ready->client, listener->fd, NULL);
	listener->event = event_new(ready->base, listener->fd, EV_WRITE, on_event, listener);
	if (!listener->ssl || !listener->event || event_add(listener->event, NULL) < 0)
		end_attempt(listener);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct ready_tls *ready = arg;

	(void)fd, (void)what;
	for (size_t i = 0; i < ready->count; i++) {
		if (!ready->listeners[i].is_done && ready->listeners[i].fd < 0)
			start_attempt(&ready->listeners[i]);
	}
}

static void list_listeners(struct ready_tls *ready, const struct addresses *addresses, int encrypted)
{
	static const struct {
		enum encrypted bit;
		unsigned port;
	} kinds[PORTS] = {{ENCRYPTED_DOT, DOT_PORT}, {ENCRYPTED_DOH, DOH_PORT}};

	for (size_t i = 0; i < addresses->count; i++) {
		for (size_t k = 0; k < PORTS; k++) {
			if (encrypted & (int)kinds[k].bit)
				ready->listeners[ready->count++] = (struct listener){
					.ready = ready, .address = &addresses->v[i], .port = kinds[k].port, .fd = -1};
		}
	}
	ready->left = ready->count;
}

struct ready_tls *ready_tls_start(struct event_base *base, struct host *host, const struct addresses *addresses,
				  int encrypted, void (*done)(void *arg), void *arg, struct err *err)
{
	static const struct timeval again = {.tv_usec = TRY_AGAIN_USEC};
	struct ready_tls *ready = calloc(1, sizeof(*ready));

	if (ready)
		ready->listeners = calloc(PORTS * addresses->count + 1, sizeof(*ready->listeners));
	if (!ready || !ready->listeners) {
		free(ready);
		err_set(err, -ENOMEM, LOC_NONE, "out of memory");
		return NULL;
	}
	ready->base = base;
	ready->host = host;
	ready->done = done;
	ready->arg = arg;
	list_listeners(ready, addresses, encrypted);
	ready->client = tls_client_new(NULL, err);
	ready->tick = event_new(base, -1, EV_PERSIST, on_tick, ready);
	if (!ready->client || !ready->tick || event_add(ready->tick, &again) < 0) {
		if (ready->client)
			err_set(err, -ENOMEM, LOC_NONE, "out of memory");
		ready_tls_cancel(ready);
		return NULL;
	}
	event_active(ready->tick, EV_TIMEOUT, 1); /* the first attempt at once */
	return ready;
}

void ready_tls_cancel(struct ready_tls *ready)
{
	if (!ready)
		return;
	for (size_t i = 0; i < ready->count; i++)
		end_attempt(&ready->listeners[i]);
	if (ready->tick)
		event_free(ready->tick);
	SSL_CTX_free(ready->client);
	free(ready->listeners);
	free(ready);
}

void ready_tls_describe(const struct ready_tls *ready, struct buf *out)
{
	for (size_t i = 0; i < ready->count; i++) {
		const struct listener *listener = &ready->listeners[i];

		if (listener->is_done)
			continue;
		buf_printf(out, "a TLS handshake with %s port %u: %s", listener->address->text, listener->port,
			   listener->last[0] ? listener->last : "no answer");
		return;
	}
}
