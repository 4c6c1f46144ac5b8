/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/http/front_child.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/api/server.h"
#include "harness/base/macro.h"
#include "harness/base/units.h"

#define SERVER_WAIT_S 20
#define BACKLOG 64

struct child {
	struct front *front;
	struct event_base *base;
	struct { /* the oldest answer to a GET of that URI that passed */
		char *uri;
		struct evbuffer *body;
	} oldest[16];
	size_t oldest_count;
};

/* One request on its way to the API and back. */
struct flight {
	struct child *child;
	struct evhttp_request *client; /* NULL: it is gone */
	struct front_slot *slot; /* whose rule acts on it; NULL: none */
	/* until it leaves */
	struct evhttp_request *upstream;
	enum evhttp_cmd_type method;
	char *uri; /* owned */
};

static const enum evhttp_cmd_type methods[FRONT_METHODS] = {
	[FRONT_GET] = EVHTTP_REQ_GET,   [FRONT_PATCH] = EVHTTP_REQ_PATCH,   [FRONT_PUT] = EVHTTP_REQ_PUT,
	[FRONT_POST] = EVHTTP_REQ_POST, [FRONT_DELETE] = EVHTTP_REQ_DELETE,
};

static void act(struct front_slot *slot)
{
	atomic_fetch_add(&slot->acted, 1);
	atomic_fetch_sub(&slot->left, 1);
}

static bool means(const struct front_rule *rule, const struct evhttp_request *request)
{
	for (int i = 0; i < FRONT_METHODS; i++) {
		if (methods[i] == request->type)
			return rule->methods & 1u << i;
	}
	return false;
}

static struct front_slot *find_slot(struct front *front, const struct evhttp_request *request)
{
	int count = atomic_load(&front->count);

	for (int i = 0; i < count; i++) {
		struct front_slot *slot = &front->slots[i];

		if (!atomic_load(&slot->is_on) || !means(&slot->rule, request))
			continue;
		atomic_fetch_add(&slot->matched, 1);
		if (atomic_load(&slot->left) > 0)
			return slot;
	}
	return NULL;
}

/* ---- answers ---- */

static void add_json(struct evhttp_request *client)
{
	evhttp_add_header(evhttp_request_get_output_headers(client), "Content-Type", "application/json");
}

static void answer_status(struct evhttp_request *client, const struct front_rule *rule)
{
	struct evbuffer *body = evbuffer_new();
	char seconds[24];

	if (rule->retry_after_s) {
		snprintf(seconds, sizeof(seconds), "%lld", (long long)rule->retry_after_s);
		evhttp_add_header(evhttp_request_get_output_headers(client), "Retry-After", seconds);
	}
	add_json(client);
	if (body)
		evbuffer_add_printf(body, "{\"error\": \"status %d by the drill\"}", rule->status);
	evhttp_send_reply(client, rule->status, NULL, body);
	if (body)
		evbuffer_free(body);
}

static const char *success_body(const struct evhttp_request *client)
{
	return client->type == EVHTTP_REQ_PUT ? "{\"result\": \"Notification queued\"}" : "";
}

static void answer_body(struct evhttp_request *client, const struct front_rule *rule)
{
	struct evbuffer *body = evbuffer_new();

	if (body)
		evbuffer_add(body, rule->body, strlen(rule->body));
	evhttp_add_header(evhttp_request_get_output_headers(client), "Content-Type", rule->type);
	evhttp_send_reply(client, rule->status, NULL, body);
	if (body)
		evbuffer_free(body);
}

static void answer_success(struct evhttp_request *client)
{
	const char *text = success_body(client);
	struct evbuffer *body = evbuffer_new();

	if (body)
		evbuffer_add(body, text, strlen(text));
	if (*text)
		add_json(client);
	evhttp_send_reply(client, *text ? 200 : 204, NULL, body);
	if (body)
		evbuffer_free(body);
}

/* ---- what the API said before ---- */

static struct evbuffer *find_oldest(const struct child *child, const char *uri)
{
	for (size_t i = 0; i < child->oldest_count; i++) {
		if (!strcmp(child->oldest[i].uri, uri))
			return child->oldest[i].body;
	}
	return NULL;
}

static void remember(struct child *child, const char *uri, struct evbuffer *body)
{
	size_t len = evbuffer_get_length(body), at = child->oldest_count;
	struct evbuffer *copy;

	if (at == sizeof(child->oldest) / sizeof(*child->oldest) || find_oldest(child, uri))
		return;
	copy = evbuffer_new();
	child->oldest[at].uri = strdup(uri);
	if (!copy || !child->oldest[at].uri)
		_exit(1);
	evbuffer_add(copy, evbuffer_pullup(body, -1), len);
	child->oldest[at].body = copy;
	child->oldest_count++;
}

static bool is_same(struct evbuffer *a, struct evbuffer *b)
{
	size_t len = evbuffer_get_length(a);

	return len == evbuffer_get_length(b) && (!len || !memcmp(evbuffer_pullup(a, -1), evbuffer_pullup(b, -1), len));
}

/* ---- to the API and back ---- */

static void answer_passed(struct flight *flight, struct evhttp_request *upstream)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(upstream), *said = body, *copy = NULL;
	const char *type = evhttp_find_header(evhttp_request_get_input_headers(upstream), "Content-Type");
	const char *uri = evhttp_request_get_uri(flight->client);
	int status = evhttp_request_get_response_code(upstream);

	if (flight->client->type == EVHTTP_REQ_GET && status == 200) {
		struct evbuffer *oldest = find_oldest(flight->child, uri);
		bool is_stale = flight->slot && flight->slot->rule.what == FRONT_STALE;

		if (is_stale && oldest && !is_same(oldest, body)) {
			copy = evbuffer_new();
			if (copy)
				evbuffer_add(copy, evbuffer_pullup(oldest, -1), evbuffer_get_length(oldest));
			said = copy ? copy : body;
			act(flight->slot);
		}
		remember(flight->child, uri, body);
	}
	if (type)
		evhttp_add_header(evhttp_request_get_output_headers(flight->client), "Content-Type", type);
	evhttp_send_reply(flight->client, status, evhttp_request_get_response_code_line(upstream), said);
	if (copy)
		evbuffer_free(copy);
}

static void flight_free(struct flight *flight)
{
	free(flight->uri);
	free(flight);
}

static void on_answer(struct evhttp_request *upstream, void *arg)
{
	struct flight *flight = arg;
	int status = upstream ? evhttp_request_get_response_code(upstream) : 0;
	bool is_partial = flight->slot && flight->slot->rule.what == FRONT_PARTIAL && status / 100 == 2;

	if (is_partial)
		act(flight->slot);
	if (flight->client) {
		evhttp_connection_set_closecb(evhttp_request_get_connection(flight->client), NULL, NULL);
		if (!status)
			evhttp_send_error(flight->client, 502, NULL);
		else if (is_partial)
			answer_status(flight->client, &flight->slot->rule);
		else
			answer_passed(flight, upstream);
	}
	flight_free(flight);
}

static void on_client_gone(struct evhttp_connection *connection, void *arg)
{
	struct flight *flight = arg;

	(void)connection;
	flight->client = NULL;
}

static void copy_headers(const struct evhttp_request *from, struct evhttp_request *to, size_t len)
{
	static const char *const names[] = {"X-API-Key", "Content-Type", "Accept", "Authorization"};
	struct evkeyvalq *out = evhttp_request_get_output_headers(to);
	char text[24];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = evhttp_find_header(from->input_headers, names[i]);

		if (value)
			evhttp_add_header(out, names[i], value);
	}
	snprintf(text, sizeof(text), "%zu", len);
	if (from->type != EVHTTP_REQ_GET)
		evhttp_add_header(out, "Content-Length", text);
	evhttp_add_header(out, "Host", "127.0.0.1");
	evhttp_add_header(out, "Connection", "close");
}

/* A request like the client's, ready to leave. body: taken from. */
static struct flight *flight_new(struct child *child, struct evhttp_request *client, struct front_slot *slot,
				 struct evbuffer *body)
{
	struct flight *flight = calloc(1, sizeof(*flight));

	if (!flight)
		_exit(1);
	*flight = (struct flight){
		.child = child,
		.client = client,
		.slot = slot,
		.upstream = evhttp_request_new(on_answer, flight),
		.method = client->type,
		.uri = strdup(evhttp_request_get_uri(client)),
	};
	if (!flight->upstream || !flight->uri)
		_exit(1);
	copy_headers(client, flight->upstream, evbuffer_get_length(body));
	evbuffer_add_buffer(evhttp_request_get_output_buffer(flight->upstream), body);
	evhttp_connection_set_closecb(evhttp_request_get_connection(client), on_client_gone, flight);
	return flight;
}

static void leave(struct flight *flight)
{
	struct evhttp_connection *connection =
		evhttp_connection_base_new(flight->child->base, NULL, "127.0.0.1", API_PORT);

	if (!connection)
		_exit(1);
	evhttp_connection_set_timeout(connection, SERVER_WAIT_S);
	evhttp_connection_free_on_completion(connection);
	evhttp_make_request(connection, flight->upstream, flight->method, flight->uri);
}

static void pass_on(struct child *child, struct evhttp_request *client, struct front_slot *slot, struct evbuffer *body)
{
	leave(flight_new(child, client, slot, body));
}

static void on_delay_over(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	leave(arg);
}

static void pass_on_late(struct child *child, struct evhttp_request *client, struct front_slot *slot,
			 struct evbuffer *body)
{
	const int64_t ns = slot->rule.delay_ns;
	const struct timeval delay = {.tv_sec = ns / SEC, .tv_usec = ns % SEC / NSEC_PER_USEC};

	act(slot);
	if (event_base_once(child->base, -1, EV_TIMEOUT, on_delay_over, flight_new(child, client, slot, body), &delay))
		_exit(1);
}

/* The first half of the record sets; NULL: there is none that is less than all. */
static struct evbuffer *half_of(struct evbuffer *body)
{
	size_t len = evbuffer_get_length(body);
	json_t *root = len ? json_loadb((const char *)evbuffer_pullup(body, -1), len, 0, NULL) : NULL;
	json_t *sets = json_object_get(root, "rrsets");
	size_t count = json_array_size(sets);
	struct evbuffer *ret = count > 1 ? evbuffer_new() : NULL;
	char *text;

	if (ret) {
		while (json_array_size(sets) > count / 2)
			json_array_remove(sets, json_array_size(sets) - 1);
		text = json_dumps(root, JSON_COMPACT);
		evbuffer_add(ret, text ? text : "", text ? strlen(text) : 0);
		free(text);
	}
	json_decref(root);
	return ret;
}

static void on_request(struct evhttp_request *client, void *arg)
{
	struct child *child = arg;
	struct front_slot *slot = find_slot(child->front, client);
	struct evbuffer *body = evhttp_request_get_input_buffer(client), *half;

	if (!slot) {
		pass_on(child, client, NULL, body);
		return;
	}
	switch (slot->rule.what) {
	case FRONT_STATUS:
		act(slot);
		answer_status(client, &slot->rule);
		return;
	case FRONT_TIMEOUT:
		act(slot); /* it is kept until the client goes */
		return;
	case FRONT_NOT_APPLIED:
		act(slot);
		answer_success(client);
		return;
	case FRONT_PARTIAL:
		half = half_of(body);
		pass_on(child, client, half ? slot : NULL, half ? half : body);
		if (half)
			evbuffer_free(half);
		return;
	case FRONT_STALE:
		pass_on(child, client, slot, body);
		return;
	case FRONT_LATE:
		pass_on_late(child, client, slot, body);
		return;
	case FRONT_BODY:
		act(slot);
		answer_body(client, &slot->rule);
		return;
	}
}

/* ---- start ---- */

static int open_listener(const struct address *address)
{
	const int yes = 1;
	struct sockaddr_storage at;
	socklen_t len = address_to_sockaddr(address, API_PORT, &at);
	int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &yes, sizeof(yes));
	if (bind(fd, (const struct sockaddr *)&at, len) || listen(fd, BACKLOG))
		return -errno;
	return fd;
}

static int furnish(int ready_fd)
{
	const struct rlimit nothing = {0, 0};
	int fd = dup2(ready_fd, STDERR_FILENO + 1);

	signal(SIGINT, SIG_IGN); /* Ctrl-C is the maker's to hear: faults are undone in order */
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0UL, 0UL, 0UL);
	prctl(PR_SET_NAME, "dnsdrill-api", 0UL, 0UL, 0UL);
	setrlimit(RLIMIT_CORE, &nothing);
	syscall(SYS_close_range, STDERR_FILENO + 2, ~0U, 0); /* what others wait for the end of */
	return fd;
}

_Noreturn void front_child_run(struct front *front, const struct address *address, int ready_fd)
{
	struct child child = {.front = front};
	struct evhttp *http;
	int listener;

	ready_fd = furnish(ready_fd);
	listener = open_listener(address);
	child.base = event_base_new();
	http = child.base ? evhttp_new(child.base) : NULL;
	if (listener < 0 || !http || evhttp_accept_socket(http, listener))
		_exit(1);
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_PATCH | EVHTTP_REQ_PUT | EVHTTP_REQ_POST |
						 EVHTTP_REQ_DELETE);
	evhttp_set_gencb(http, on_request, &child);
	if (write(ready_fd, "", 1) != 1)
		_exit(1);
	close(ready_fd);
	event_base_dispatch(child.base);
	_exit(1);
}
