/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probe kind `stub`: what a program on the client gets from getaddrinfo(3), with the client's own resolv.conf, nsswitch.conf and hosts file.
 */
#include "harness/probe/stub.h"
#include "harness/api/probe.h"
#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/units.h"
#include "harness/probe/inflight.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define STUB_INFLIGHT_MAX 1000
#define STUB_READY_MS 10000
#define STUB_TYPE_A 1 /* RFC 1035 section 3.2.2 */
#define STUB_TYPE_AAAA 28 /* RFC 3596 section 2.1 */

struct stub_probe {
	struct probe probe;
	int64_t process; /* index of stub_processes */
};

struct stub {
	const struct stub_probe *probe;
	struct probe_ctx ctx;
	struct arena *arena;
	struct good good; /* the plan's, addresses in canonical text */
	char *name; /* as the plan writes it; in arena */
	struct unique unique;
	struct inflight inflight;
	size_t outstanding; /* lookups that hold a process or thread; more than in flight where one was given up */
	int requests_fd, results_fd;
	struct event *event;
	struct stub_result result; /* just read */
};

struct stub_ask {
	struct flight flight; /* first */
	int64_t requested_ns; /* when the agent was told, on the run's clock */
};

static const char *const stub_processes[] = {"fresh", "kept", NULL};
enum { STUB_FRESH, STUB_KEPT };

static const struct param stub_params[] = {
	P_ENUM(struct stub_probe, process, "process", stub_processes, STUB_FRESH,
	       "fresh: every lookup in a process of its own, as a command does; kept: all in one long-lived process "
	       "that "
	       "remembers what a program's resolver remembers"),
	PARAM_END,
};

static const struct stub_probe *stub_of(const struct probe *probe)
{
	return (const struct stub_probe *)(const void *)probe;
}

static bool stub_sees_rcode(const char *rcode)
{
	return !rcode || !strcasecmp(rcode, "NOERROR") || !strcasecmp(rcode, "NXDOMAIN") ||
	       !strcasecmp(rcode, "SERVFAIL");
}

static void stub_validate_good(const struct good *good, struct loc loc, struct errs *errs)
{
	struct address address;

	if (good->loc.file)
		loc = good->loc;
	if (good->min_ttl != PARAM_UNSET || good->max_ttl != PARAM_UNSET)
		errs_add(errs, loc, "good: getaddrinfo does not tell TTLs: use a probe of kind dns for TTL bounds");
	if (good->aa != TRISTATE_ANY || good->ad != TRISTATE_ANY)
		errs_add(errs, loc, "good: getaddrinfo does not tell AA and AD: use a probe of kind dns for them");
	if (!stub_sees_rcode(good->rcode.value))
		errs_add(errs, good->rcode.loc,
			 "good: getaddrinfo tells only NOERROR, NXDOMAIN and SERVFAIL apart, not %s",
			 good->rcode.value);
	for (size_t i = 0; i < good->answer.count; i++) {
		if (address_parse(good->answer.v[i].value, &address) < 0)
			errs_add(errs, good->answer.v[i].loc,
				 "good: getaddrinfo answers with IP addresses: \"%s\" is none",
				 good->answer.v[i].value);
	}
}

static void stub_validate(const struct probe *probe, struct errs *errs)
{
	if (probe->qtype != 0 && probe->qtype != STUB_TYPE_A && probe->qtype != STUB_TYPE_AAAA)
		errs_add(errs, probe->query.loc, "query: a stub asks for addresses: give A, AAAA, or no type for both");
	stub_validate_good(&probe->good, probe->loc, errs);
}

static void stub_describe(const struct probe *probe, const struct probe_ctx *ctx, struct buf *out)
{
	buf_printf(out, "getaddrinfo in %s",
		   stub_of(probe)->process == STUB_FRESH ? "a fresh process each time" : "one long-lived process");
	for (size_t i = 0; i < ctx->server_count; i++)
		buf_printf(out, "%s%s (%s)", i > 0 ? ", " : "; resolvers ", ctx->servers[i].host,
			   ctx->servers[i].address.text);
}

static const char *stub_transport(const struct probe *probe UNUSED)
{
	return "getaddrinfo";
}

static int64_t stub_now(const struct stub *stub)
{
	return clock_now_ns() - stub->ctx.epoch_ns;
}

static void stub_emit(struct stub *stub, struct ev_sample *sample)
{
	char name[UNIQUE_LABEL_LEN + 1 + 1024], label[UNIQUE_LABEL_LEN + 1];

	sample->probe = stub->probe->probe.name.value;
	if (stub->probe->probe.unique) {
		unique_label(&stub->unique, sample->i, label);
		snprintf(name, sizeof(name), "%s.%s", label, stub->probe->probe.qname);
		sample->name = name;
	}
	stub->ctx.done(stub->ctx.arg, sample);
}

/* The call's own times are in sample; its place is the flight's. */
static void stub_finish(struct stub *stub, struct flight *flight, struct ev_sample *sample)
{
	sample->i = flight->i;
	sample->due_ns = flight->due_ns;
	inflight_remove(&stub->inflight, flight);
	stub_emit(stub, sample);
}

static void stub_fail(struct stub *stub, struct flight *flight, const char *detail)
{
	int64_t now_ns = stub_now(stub);
	struct ev_sample sample = {.outcome = OUTCOME_ERROR, .sent_ns = now_ns, .done_ns = now_ns, .detail = detail};

	stub_finish(stub, flight, &sample);
}

static int stub_request(struct stub *stub, int64_t request)
{
	ssize_t n = write(stub->requests_fd, &request, sizeof(request));

	return n == (ssize_t)sizeof(request) ? 0 : -errno;
}

static void stub_time_out(struct stub *stub, struct flight *flight)
{
	char timeout[32], detail[64];
	struct ev_sample sample = {.outcome = OUTCOME_TIMEOUT, .detail = detail};

	units_format_duration(stub->probe->probe.timeout_ns, timeout, sizeof(timeout));
	snprintf(detail, sizeof(detail), "no answer within %s", timeout);
	/* When the call itself began is known only to the process that is in it. */
	sample.sent_ns = ((const struct stub_ask *)(const void *)flight)->requested_ns;
	sample.done_ns = inflight_deadline(&stub->inflight, flight);
	stub_finish(stub, flight, &sample);
}

static void stub_expire(void *arg, struct flight *flight)
{
	struct stub *stub = arg;

	stub_request(stub, ~flight->i); /* a pipe that is full or broken shows in the results, too */
	stub_time_out(stub, flight);
}

static void stub_answered(struct stub *stub, struct flight *flight)
{
	const struct stub_result *result = &stub->result;
	struct ev_sample sample = {.sent_ns = result->start_ns - stub->ctx.epoch_ns,
				   .done_ns = result->end_ns - stub->ctx.epoch_ns};
	struct arena *arena;

	if (sample.done_ns >= inflight_deadline(&stub->inflight, flight)) {
		stub_time_out(stub, flight);
		return;
	}
	arena = arena_new();
	stub_judge(&stub->good, result, arena, &sample);
	stub_finish(stub, flight, &sample);
	arena_free(arena);
}

static void stub_take(struct stub *stub)
{
	const struct stub_result *result = &stub->result;
	struct flight *flight = inflight_find(&stub->inflight, result->i);
	char detail[128];

	if (result->what == STUB_READY)
		return;
	if (result->is_gone)
		stub->outstanding--;
	if (!flight) /* timed out before, or answered before it was gone */
		return;
	if (result->what == STUB_ANSWERED) {
		stub_answered(stub, flight);
	} else if (result->what == STUB_FAILED) {
		snprintf(detail, sizeof(detail), "could not ask: no process for the lookup: %s",
			 strerrordesc_np(result->error));
		stub_fail(stub, flight, detail);
	} else {
		snprintf(detail, sizeof(detail), "could not ask: the lookup's process ended by signal %d",
			 result->signal);
		stub_fail(stub, flight, detail);
	}
}

static void stub_agent_is_gone(struct stub *stub)
{
	struct flight *flight;

	event_del(stub->event);
	close(stub->requests_fd);
	stub->requests_fd = -1; /* later asks fail with EBADF */
	while ((flight = inflight_first(&stub->inflight)))
		stub_fail(stub, flight, "could not ask: the process that does the lookups has ended");
}

static void stub_readable(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct stub *stub = arg;
	ssize_t n;

	while ((n = recv(fd, &stub->result, sizeof(stub->result), MSG_DONTWAIT)) > 0)
		stub_take(stub);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		stub_agent_is_gone(stub);
}

static void stub_not_asked(struct stub *stub, int64_t i, int64_t due_ns, const char *why)
{
	int64_t now_ns = stub_now(stub);
	struct ev_sample sample = {.i = i, .due_ns = due_ns, .sent_ns = now_ns, .done_ns = now_ns};

	sample.outcome = OUTCOME_ERROR;
	sample.detail = why;
	stub_emit(stub, &sample);
}

static void stub_ask(void *state, int64_t i, int64_t due_ns)
{
	struct stub *stub = state;
	struct flight *flight;
	int r;

	if (stub_now(stub) >= due_ns + stub->probe->probe.timeout_ns) {
		stub_not_asked(stub, i, due_ns, "could not ask: the harness was busy until the sample's time was over");
		return;
	}
	if (stub->outstanding >= STUB_INFLIGHT_MAX) {
		stub_not_asked(stub, i, due_ns, "could not ask: 1000 lookups are in flight: ask less often");
		return;
	}
	flight = inflight_add(&stub->inflight, i, due_ns);
	if (!flight) {
		stub_not_asked(stub, i, due_ns, "could not ask: out of memory");
		return;
	}
	((struct stub_ask *)(void *)flight)->requested_ns = stub_now(stub);
	r = stub_request(stub, i);
	if (r < 0) {
		stub_fail(stub, flight,
			  r == -EAGAIN ? "could not ask: the process that does the lookups is behind: ask less often"
				       : "could not ask: the process that does the lookups has ended");
		return;
	}
	stub->outstanding++;
}

static void stub_close(void *state)
{
	struct stub *stub = state;

	if (!stub)
		return;
	inflight_fini(&stub->inflight);
	if (stub->event)
		event_free(stub->event);
	if (stub->requests_fd >= 0)
		close(stub->requests_fd); /* ends the agent */
	if (stub->results_fd >= 0)
		close(stub->results_fd);
	arena_free(stub->arena);
	free(stub);
}

static _Noreturn void stub_agent_main(struct stub *stub, int requests_fd, int results_fd)
{
	static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
	uint16_t qtype = stub->probe->probe.qtype;
	struct stub_agent agent = {.requests_fd = requests_fd,
				   .results_fd = results_fd,
				   .name = stub->name,
				   .family = families[qtype == STUB_TYPE_A      ? 1
						      : qtype == STUB_TYPE_AAAA ? 2
										: 0],
				   .is_unique = stub->probe->probe.unique,
				   .unique = stub->unique};

	if (stub->probe->process == STUB_KEPT)
		stub_agent_kept(&agent);
	stub_agent_fresh(&agent);
}

/* The agent says that it is there, or its end of the socket closes. */
static int stub_await_ready(struct stub *stub, struct err *err)
{
	struct pollfd poll_fd = {.fd = stub->results_fd, .events = POLLIN};
	const char *host = host_name(stub->ctx.host);
	int r;

	do
		r = poll(&poll_fd, 1, STUB_READY_MS);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return err_set(err, -ETIMEDOUT, LOC_NONE, "the stub's process on %s did not start", host);
	if (r < 0 || recv(stub->results_fd, &stub->result, sizeof(stub->result), MSG_DONTWAIT) <= 0)
		return err_set(err, -ECHILD, LOC_NONE, "the stub's process could not start in the namespaces of %s",
			       host);
	return 0;
}

static int stub_start_agent(struct stub *stub, struct err *err)
{
	int requests[2], results[2];
	pid_t pid;

	if (pipe2(requests, O_CLOEXEC) < 0)
		return err_set(err, -errno, LOC_NONE, "stub: pipe: %s", strerror(errno));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, results) < 0) {
		err_set(err, -errno, LOC_NONE, "stub: socketpair: %s", strerror(errno));
		close(requests[0]);
		close(requests[1]);
		return err->code;
	}
	stub->requests_fd = requests[1];
	stub->results_fd = results[0];
	fd_set_nonblocking(stub->requests_fd);
	pid = host_fork(stub->ctx.host);
	if (pid == 0)
		stub_agent_main(stub, requests[0], results[1]);
	close(requests[0]);
	close(results[1]);
	if (pid < 0)
		return err_set(err, (int)pid, LOC_NONE, "stub: cannot start a process on %s: %s",
			       host_name(stub->ctx.host), strerror((int)-pid));
	return stub_await_ready(stub, err);
}

/* A program passes the name as somebody wrote it: without a trailing dot, resolv.conf's search list applies. */
static void stub_prepare(struct stub *stub)
{
	const struct probe *probe = &stub->probe->probe;
	struct address address;

	stub->name = arena_strndup(stub->arena, probe->query.value, strcspn(probe->query.value, " \t"));
	stub->unique = unique_new(stub->ctx.seed, probe->name.value);
	stub->good = probe->good;
	stub->good.answer.v = ARENA_ARRAY(stub->arena, struct text, probe->good.answer.count + 1);
	for (size_t i = 0; i < probe->good.answer.count; i++) {
		stub->good.answer.v[i] = probe->good.answer.v[i];
		if (address_parse(probe->good.answer.v[i].value, &address) == 0)
			stub->good.answer.v[i].value = arena_strdup(stub->arena, address.text);
	}
}

static int stub_open(const struct probe *probe, const struct probe_ctx *ctx, void **ret_state, struct err *err)
{
	struct stub *stub = calloc(1, sizeof(*stub));
	int r;

	if (!stub)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	*stub = (struct stub){.probe = stub_of(probe), .ctx = *ctx, .requests_fd = -1, .results_fd = -1};
	stub->arena = arena_new();
	stub_prepare(stub);
	r = stub_start_agent(stub, err);
	if (r == 0)
		r = inflight_init(&stub->inflight, ctx->base, ctx->epoch_ns, probe->timeout_ns, sizeof(struct stub_ask),
				  stub_expire, stub);
	if (r == 0)
		stub->event = event_new(ctx->base, stub->results_fd, EV_READ | EV_PERSIST, stub_readable, stub);
	if (r == 0 && (!stub->event || event_add(stub->event, NULL) < 0))
		r = -ENOMEM;
	if (r == 0) {
		*ret_state = stub;
		return 0;
	}
	stub_close(stub);
	return err->code ? err->code : err_set(err, r, LOC_NONE, "out of memory");
}

const struct probe_ops stub_ops = {
	.kind = "stub",
	.summary = "a real getaddrinfo(3) on a client, with its own resolv.conf",
	.params = stub_params,
	.size = sizeof(struct stub_probe),
	.default_timeout_ns = 30 * SEC,
	.needs_type = false,
	.validate = stub_validate,
	.describe = stub_describe,
	.transport = stub_transport,
	.open = stub_open,
	.ask = stub_ask,
	.close = stub_close,
};
