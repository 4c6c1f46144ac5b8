/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS over TCP (RFC 7766) and over TLS (RFC 7858): messages behind two octets of length on a connection, one for each query or one for many.
 *
 * A connection belongs to the askings that wait on it, and, while it is the kept one, to the probe. It is closed when it belongs to nobody.
 */
#include "harness/base/macro.h"
#include "harness/probe/dns.h"
#include "harness/probe/tls.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum conn_stage { CONN_CONNECTING, CONN_HANDSHAKE, CONN_OPEN };

struct dns_conn {
	struct dns *dns;
	int fd;
	SSL *ssl; /* NULL: TCP */
	struct event event;
	enum conn_stage stage;
	struct dns_ask *asks; /* that wait on it, the latest first */
	struct buf out; /* queries, framed */
	size_t out_done;
	uint8_t *in; /* the message being read, framed */
	size_t in_done, in_cap;
	int64_t heard_ns; /* when octets last came, on the run's clock */
	bool has_answered;
	bool is_busy; /* one of its own functions is at work: not to be closed */
};

static void conn_event(evutil_socket_t fd, short what, void *arg);

static void conn_free(struct dns_conn *conn)
{
	if (conn->fd >= 0) {
		event_del(&conn->event);
		SSL_free(conn->ssl);
		close(conn->fd);
	}
	buf_fini(&conn->out);
	free(conn->in);
	free(conn);
}

static bool conn_is_kept(const struct dns_conn *conn)
{
	return conn->dns->conn == conn;
}

/* Closes it if it belongs to nobody. */
static void conn_release(struct dns_conn *conn)
{
	if (!conn->is_busy && !conn->asks && !conn_is_kept(conn))
		conn_free(conn);
}

void dns_conn_leave(struct dns_ask *ask)
{
	struct dns_conn *conn = ask->conn;
	struct dns_ask **at;

	if (!conn)
		return;
	for (at = &conn->asks; *at != ask; at = &(*at)->conn_next)
		;
	*at = ask->conn_next;
	ask->conn = NULL;
	conn_release(conn);
}

void dns_conn_close(struct dns *dns)
{
	struct dns_conn *conn = TAKE(dns->conn);

	if (conn)
		conn_release(conn);
}

/* A kept connection on which nothing came since the query is taken for dead: the next query gets another. */
void dns_conn_expired(struct dns_ask *ask)
{
	struct dns_conn *conn = ask->conn;

	if (conn && conn_is_kept(conn) && conn->heard_ns < ask->sent_ns)
		ask->dns->conn = NULL;
}

const char *dns_conn_stage(const struct dns_ask *ask)
{
	const struct dns_conn *conn = ask->conn;

	if (!conn || ask->dns->probe->transport != DNS_DOT)
		return "";
	switch (conn->stage) {
	case CONN_CONNECTING:
		return ": no TCP connection";
	case CONN_HANDSHAKE:
		return ": the TLS handshake did not end";
	case CONN_OPEN:
		break;
	}
	return "";
}

/* Why a connection failed: an errno, or what TLS says. */
struct conn_failure {
	int error; /* 0: see why */
	char why[256];
};

/* Only one that had worked and was then closed may just have been closed as idle: what waits is asked once more, on another (RFC 7766 section 6.2.4). */
static bool is_worth_another(const struct dns_conn *conn, const struct dns_ask *ask, const struct conn_failure *failure)
{
	return conn->has_answered && !ask->is_resent && (failure->error == ECONNRESET || failure->error == EPIPE);
}

static void conn_fail(struct dns_conn *conn, const struct conn_failure *failure)
{
	bool was_busy = conn->is_busy;

	conn->is_busy = true;
	if (conn_is_kept(conn))
		conn->dns->conn = NULL;
	event_del(&conn->event);
	while (conn->asks) {
		struct dns_ask *ask = conn->asks;

		if (is_worth_another(conn, ask, failure)) {
			ask->is_resent = true;
			dns_conn_leave(ask);
			dns_conn_start(ask);
		} else if (failure->error) {
			dns_failed(ask, failure->error);
		} else {
			dns_refused(ask, failure->why);
		}
	}
	conn->is_busy = was_busy;
}

static void conn_fail_errno(struct dns_conn *conn, int error)
{
	struct conn_failure failure = {.error = error};

	conn_fail(conn, &failure);
}

static void conn_fail_tls(struct dns_conn *conn, int result, const char *what)
{
	struct conn_failure failure = {0};
	char why[160];
	int error;

	tls_why(conn->ssl, result, why, sizeof(why), &error);
	if (conn->stage == CONN_OPEN && (error || !strcmp(why, "connection closed")))
		failure.error = error ? error : ECONNRESET;
	snprintf(failure.why, sizeof(failure.why), "%s: %s", what, why);
	conn_fail(conn, &failure);
}

static bool conn_await(struct dns_conn *conn, short what)
{
	event_del(&conn->event);
	event_assign(&conn->event, conn->dns->ctx.base, conn->fd, (short)(what | EV_PERSIST), conn_event, conn);
	if (event_add(&conn->event, NULL) == 0)
		return true;
	conn_fail_errno(conn, ENOMEM);
	return false;
}

/* A whole message is there. */
static void conn_take(struct dns_conn *conn, const uint8_t *wire, size_t len)
{
	struct dns_query *query = &conn->dns->query;

	for (struct dns_ask *ask = conn->asks; ask; ask = ask->conn_next) {
		enum dns_match match;

		dns_prepare(ask);
		match = dns_match(query, wire, len);
		if (match == DNS_OTHER)
			continue;
		conn->has_answered = true;
		if (match == DNS_MATCH)
			dns_answered(ask, wire, len);
		else
			dns_garbled(ask, "malformed answer");
		return;
	}
	for (struct dns_ask *ask = conn->asks; ask; ask = ask->conn_next)
		ask->strangers++;
}

/* How many octets of the message being read are wanted yet; at least one. */
static size_t conn_wanted(const struct dns_conn *conn)
{
	if (conn->in_done < 2)
		return 2 - conn->in_done;
	return 2 + ((size_t)conn->in[0] << 8 | conn->in[1]) - conn->in_done;
}

/* Room for what is wanted. */
static bool conn_room(struct dns_conn *conn)
{
	size_t size = conn->in_done + conn_wanted(conn);
	uint8_t *in = size > conn->in_cap ? realloc(conn->in, size) : conn->in;

	if (!in)
		return false;
	conn->in = in;
	if (size > conn->in_cap)
		conn->in_cap = size;
	return true;
}

static void conn_received(struct dns_conn *conn, size_t n)
{
	conn->in_done += n;
	conn->heard_ns = dns_now(conn->dns);
	if (conn->in_done < 2 || conn_wanted(conn) > 0)
		return;
	n = conn->in_done - 2;
	conn->in_done = 0;
	conn_take(conn, conn->in + 2, n);
}

/* Whether anybody still wants what may come. */
static bool conn_is_wanted(const struct dns_conn *conn)
{
	return conn->asks || conn_is_kept(conn);
}

/* Reads until there is no more. What to wait for besides EV_READ; -1: it failed. */
static short conn_read(struct dns_conn *conn)
{
	while (conn_is_wanted(conn)) {
		int n;

		if (!conn_room(conn)) {
			conn_fail_errno(conn, ENOMEM);
			return -1;
		}
		errno = 0;
		n = conn->ssl ? SSL_read(conn->ssl, conn->in + conn->in_done, (int)conn_wanted(conn))
			      : (int)recv(conn->fd, conn->in + conn->in_done, conn_wanted(conn), 0);
		if (n > 0) {
			conn_received(conn, (size_t)n);
			continue;
		}
		if (conn->ssl) {
			short waits = tls_waits_for(conn->ssl, n);

			if (waits)
				return waits;
			conn_fail_tls(conn, n, "TLS failed");
			return -1;
		}
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		conn_fail_errno(conn, n < 0 ? errno : ECONNRESET); /* closed without an answer */
		return -1;
	}
	return 0;
}

/* Sends what is to be sent. What to wait for; -1: it failed. */
static short conn_write(struct dns_conn *conn)
{
	while (conn->out_done < conn->out.len) {
		const char *data = conn->out.data + conn->out_done;
		size_t len = conn->out.len - conn->out_done;
		int n;

		errno = 0;
		n = conn->ssl ? SSL_write(conn->ssl, data, (int)len) : (int)send(conn->fd, data, len, MSG_NOSIGNAL);
		if (n > 0) {
			conn->out_done += (size_t)n;
			continue;
		}
		if (conn->ssl) {
			short waits = tls_waits_for(conn->ssl, n);

			if (waits)
				return waits;
			conn_fail_tls(conn, n, "TLS failed");
			return -1;
		}
		if (errno == EAGAIN || errno == EINTR)
			return EV_WRITE;
		conn_fail_errno(conn, errno);
		return -1;
	}
	buf_clear(&conn->out);
	conn->out_done = 0;
	return 0;
}

static void conn_exchange(struct dns_conn *conn)
{
	short reading, writing = conn_write(conn);

	if (writing < 0)
		return;
	reading = conn_read(conn);
	if (reading >= 0 && conn_is_wanted(conn))
		conn_await(conn, (short)(EV_READ | reading | writing));
}

static void conn_shake_hands(struct dns_conn *conn)
{
	int result;
	short waits;

	errno = 0;
	result = SSL_do_handshake(conn->ssl);
	if (result == 1) {
		conn->stage = CONN_OPEN;
		conn_exchange(conn);
		return;
	}
	waits = tls_waits_for(conn->ssl, result);
	if (waits)
		conn_await(conn, waits);
	else
		conn_fail_tls(conn, result, "TLS handshake failed");
}

static void conn_connected(struct dns_conn *conn)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error) {
		conn_fail_errno(conn, error);
		return;
	}
	conn->stage = conn->ssl ? CONN_HANDSHAKE : CONN_OPEN;
	if (conn->ssl)
		conn_shake_hands(conn);
	else
		conn_exchange(conn);
}

static void conn_event(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct dns_conn *conn = arg;

	conn->is_busy = true;
	switch (conn->stage) {
	case CONN_CONNECTING:
		conn_connected(conn);
		break;
	case CONN_HANDSHAKE:
		conn_shake_hands(conn);
		break;
	case CONN_OPEN:
		conn_exchange(conn);
		break;
	}
	conn->is_busy = false;
	conn_release(conn);
}

/* Else the query behind the end of a handshake would wait for an acknowledgement that the server puts off. */
static void conn_set_nodelay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* A new connection, under way. NULL: *ret_error says why. */
static struct dns_conn *conn_new(struct dns *dns, int *ret_error)
{
	struct dns_conn *conn = calloc(1, sizeof(*conn));
	int fd = conn ? dns_connect(dns, SOCK_STREAM) : -ENOMEM;

	if (fd < 0) {
		free(conn);
		*ret_error = -fd;
		return NULL;
	}
	conn->dns = dns;
	conn->fd = fd;
	conn_set_nodelay(fd);
	event_assign(&conn->event, dns->ctx.base, fd, EV_WRITE | EV_PERSIST, conn_event, conn);
	if ((!dns->tls || (conn->ssl = tls_open(dns->tls, fd, dns->tls_name))) && event_add(&conn->event, NULL) == 0)
		return conn;
	conn_free(conn);
	*ret_error = ENOMEM;
	return NULL;
}

/* IDs of queries on one connection differ (RFC 7766 section 6.2.1). */
static void conn_choose_id(struct dns_conn *conn, struct dns_ask *ask)
{
	const struct dns_ask *other = conn->asks;

	while (other) {
		if (other != ask && other->id == ask->id) {
			ask->id++;
			other = conn->asks;
		} else {
			other = other->conn_next;
		}
	}
}

static void conn_add(struct dns_conn *conn, struct dns_ask *ask)
{
	struct dns_query *query = &ask->dns->query;
	uint8_t frame[2] = {(uint8_t)(query->len >> 8), (uint8_t)query->len};

	ask->conn = conn;
	ask->conn_next = conn->asks;
	conn->asks = ask;
	conn_choose_id(conn, ask);
	dns_prepare(ask);
	buf_add(&conn->out, frame, sizeof(frame));
	buf_add(&conn->out, query->wire, query->len);
	if (!ask->sent_ns) /* a retry keeps the time of the first query */
		ask->sent_ns = dns_now(ask->dns);
	if (!conn->out.failed) {
		if (conn->stage == CONN_OPEN)
			event_active(&conn->event, EV_WRITE, 1);
		return;
	}
	conn_fail_errno(conn, ENOMEM);
	conn_release(conn);
}

void dns_conn_start(struct dns_ask *ask)
{
	struct dns *dns = ask->dns;
	bool is_kept = dns->probe->connection == DNS_CONNECTION_KEEP && dns->probe->transport != DNS_UDP;
	struct dns_conn *conn = dns->conn;
	int error = 0;

	if (!conn || !is_kept)
		conn = conn_new(dns, &error);
	if (!conn) {
		dns_failed(ask, error);
		return;
	}
	if (is_kept)
		dns->conn = conn;
	conn_add(conn, ask);
}
