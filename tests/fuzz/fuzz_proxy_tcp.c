/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client's stream, in chunks, through a connection of the proxy to an upstream that sends every query back as its answer. The first octet chooses the rules; then chunks, each preceded by
 * its length in one octet. Without a rule, every whole message of the stream arrives upstream, and back at the client, in its order and to the byte.
 */
#include "injectors/proxy/tcp_conn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAM_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const known[] = {
	"[]",
	"- {do: {tcp_cut: 5B}}",
	"- {every: 2, do: {tcp: reset}}",
	"- {every: 2, do: {tcp: stall}}",
	"- {every: 3, do: {tcp: close}}",
	"- {do: {tcp_length: 9, twice: true}}",
	"- {do: {tcp_pieces: 3B, tcp_pause: 1ms}}",
	"- {every: 2, do: {delay: 1ms, tcp_pieces: 1B, tcp_cut: 40B}}",
	"- {every: 2, do: {drop: query}}\n- {do: {truncate: 13B}}",
	"- {every: 2, do: {rcode: SERVFAIL, again: 1ms}}",
};

/* Everything that is not the input's, made once. */
static struct rig {
	struct proxy proxy;
	struct worker worker;
	struct ruleset *rules[ARRAY_LEN(known)];
	bool is_ready;
} rig;

struct bytes {
	uint8_t v[2 * STREAM_MAX];
	size_t len;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void make_rig(void)
{
	struct worker *worker = &rig.worker;
	struct ruleset *none = ruleset_new();
	struct errs errs = {0};

	rig.proxy.options.timeout_ns = SEC;
	rig.proxy.options.on_failure = PROXY_SILENCE;
	worker->proxy = &rig.proxy;
	worker->rng = rng_stream(1, "fuzz");
	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	worker->copies = malloc(COPIES_MAX);
	worker->scratch = malloc(DECIDE_SCRATCH_SIZE);
	worker->stream = malloc(TCP_STREAM_SIZE);
	check(worker->epoll_fd >= 0 && worker->copies && worker->scratch && worker->stream);
	check(!flight_init(&worker->flight, &worker->rng));
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		check(!ruleset_with(none, "known.yaml", known[i], strlen(known[i]), &rig.rules[i], &errs, &errs));
	ruleset_drop(none);
	rig.is_ready = true;
}

static void make_pair(int ret[2])
{
	int size = 4 * STREAM_MAX;

	check(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret));
	setsockopt(ret[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(ret[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* False: the other side has closed. */
static bool receive(int fd, struct bytes *to)
{
	ssize_t n;

	while (to->len < sizeof(to->v) && (n = recv(fd, to->v + to->len, sizeof(to->v) - to->len, 0)) != 0) {
		if (n < 0)
			return errno == EAGAIN;
		to->len += (size_t)n;
	}
	return false;
}

static void turn(struct conn *conn, struct source *source)
{
	struct worker *worker = &rig.worker;

	if (conn_is_open(conn) && source->fd >= 0)
		tcp_event(worker, source, EPOLLIN);
	tcp_flush(worker);
	worker->now_ns += 10 * MSEC;
	pass_due(worker);
	tcp_flush(worker);
}

/* What came upstream since *at, sent back. */
static void send_back(int fd, struct bytes *seen, size_t *at)
{
	receive(fd, seen);
	while (seen->len - *at >= 2 && seen->len - *at - 2 >= msg_u16(seen->v + *at)) {
		size_t len = 2u + msg_u16(seen->v + *at);

		(void)!send(fd, seen->v + *at, len, MSG_NOSIGNAL);
		*at += len;
	}
	check(seen->len == *at); /* only whole messages go upstream */
}

/* The whole messages of the client's stream are what came upstream, but for their IDs, and what came back. */
static void compare(const struct bytes *sent, const struct bytes *upstream, const struct bytes *back)
{
	size_t whole = 0;

	while (sent->len - whole >= 2 && sent->len - whole - 2 >= msg_u16(sent->v + whole)) {
		size_t len = msg_u16(sent->v + whole), id = len < 2 ? 0 : 2;

		check(upstream->len >= whole + 2 + len && !memcmp(upstream->v + whole, sent->v + whole, 2));
		check(!memcmp(upstream->v + whole + 2 + id, sent->v + whole + 2 + id, len - id));
		if (len < 2)
			return; /* without an ID, its answer is a stranger's */
		whole += 2 + len;
	}
	check(upstream->len == whole && back->len == whole && !memcmp(back->v, sent->v, whole));
}

struct drill {
	int client[2], upstream[2];
	struct conn *conn;
	struct bytes sent, up, back;
	size_t answered;
};

static void feed(struct drill *drill, const uint8_t *data, size_t size)
{
	while (size > 1 && drill->sent.len < STREAM_MAX) {
		size_t len = data[0] < size - 1 ? data[0] : size - 1;

		if (send(drill->client[1], data + 1, len, MSG_NOSIGNAL) != (ssize_t)len)
			return;
		memcpy(drill->sent.v + drill->sent.len, data + 1, len);
		drill->sent.len += len;
		turn(drill->conn, &drill->conn->client.source);
		send_back(drill->upstream[1], &drill->up, &drill->answered);
		turn(drill->conn, &drill->conn->upstream.source);
		if (!receive(drill->client[1], &drill->back))
			return;
		data += 1 + len;
		size -= 1 + len;
	}
}

static void end(struct drill *drill)
{
	struct worker *worker = &rig.worker;

	conn_close(drill->conn, false);
	conn_drop(drill->conn);
	for (int i = 0; i < 2; i++) { /* pieces and delayed answers let go of it */
		worker->now_ns += SEC;
		pass_due(worker);
	}
	tcp_flush(worker);
	check(!worker->flight.count && !worker->later.count && !worker->conns && !worker->later.bytes);
	close(drill->client[1]);
	close(drill->upstream[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct drill drill;
	union endpoint peer = {.in = {.sin_family = AF_INET}};
	size_t which = size ? data[0] % ARRAY_LEN(known) : 0;

	if (!rig.is_ready)
		make_rig();
	rig.worker.rules = rig.rules[which];
	drill.sent.len = drill.up.len = drill.back.len = drill.answered = 0;
	make_pair(drill.client);
	make_pair(drill.upstream);
	drill.conn = conn_new(&rig.worker, drill.client[0], &peer, DECIDE_TCP);
	check(drill.conn != NULL);
	drill.conn->upstream.source.fd = drill.upstream[0];
	check(!worker_watch(&rig.worker, &drill.conn->upstream.source, EPOLLIN));
	conn_take(drill.conn); /* it stays for us to look at */
	if (size > 1)
		feed(&drill, data + 1, size - 1);
	if (!which)
		compare(&drill.sent, &drill.up, &drill.back);
	end(&drill);
	return 0;
}
