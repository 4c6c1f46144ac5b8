/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What both kinds of agent do: settle in, look up, answer.
 */
#include "harness/probe/stub_agent.h"
#include "harness/base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AGENT_REQUESTS = 3, AGENT_RESULTS };

void stub_agent_send(const struct stub_agent *agent, const struct stub_result *result)
{
	size_t size = offsetof(struct stub_result, addresses) + result->count * sizeof(result->addresses[0]);
	ssize_t n;

	do
		n = send(agent->results_fd, result, size, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		_exit(1);
}

void stub_agent_begin(struct stub_agent *agent)
{
	struct stub_result *ready = &(struct stub_result){.what = STUB_READY};
	int null = open("/dev/null", O_RDWR);

	/* Out of the way of the fixed numbers first: either may bear the other's. */
	agent->requests_fd = fcntl(agent->requests_fd, F_DUPFD, AGENT_RESULTS + 1);
	agent->results_fd = fcntl(agent->results_fd, F_DUPFD, AGENT_RESULTS + 1);
	if (dup2(agent->requests_fd, AGENT_REQUESTS) < 0 || dup2(agent->results_fd, AGENT_RESULTS) < 0)
		_exit(1);
	agent->requests_fd = AGENT_REQUESTS;
	agent->results_fd = AGENT_RESULTS;
	/* Standard output may be the pipe on which the harness tells its events: nobody else may hold it open. */
	for (int fd = 0; fd <= 2; fd++) {
		if (null < 0 || (null != fd && dup2(null, fd) < 0))
			close(fd);
	}
	close_range(AGENT_RESULTS + 1, ~0U, 0);
	stub_agent_send(agent, ready);
}

static bool stub_agent_put(struct stub_address *put, const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		put->family = 4;
		memcpy(put->bytes, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		put->family = 6;
		memcpy(put->bytes, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
		return true;
	}
	return false;
}

static void stub_agent_collect(const struct addrinfo *list, struct stub_result *result)
{
	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		if (result->count == STUB_ADDRESSES_MAX) {
			result->is_cut = true;
			return;
		}
		if (stub_agent_put(&result->addresses[result->count], ai->ai_addr))
			result->count++;
	}
}

void stub_agent_lookup(const struct stub_agent *agent, int64_t i, struct stub_result *result)
{
	/* One socket type, or every address comes three times. No flags: in particular no AI_ADDRCONFIG, so both families are asked for whatever addresses the
	 * host has. */
	const struct addrinfo hints = {.ai_family = agent->family, .ai_socktype = SOCK_DGRAM};
	char label[UNIQUE_LABEL_LEN + 1], name[UNIQUE_LABEL_LEN + 1 + 1024];
	struct addrinfo *list = NULL;

	memset(result, 0, offsetof(struct stub_result, addresses));
	result->i = i;
	snprintf(name, sizeof(name), "%s", agent->name);
	if (agent->is_unique) {
		unique_label(&agent->unique, i, label);
		snprintf(name, sizeof(name), "%s.%s", label, agent->name);
	}
	errno = 0;
	result->start_ns = clock_now_ns();
	result->eai = getaddrinfo(name, NULL, &hints, &list);
	result->end_ns = clock_now_ns();
	result->error = errno;
	result->retrans_s = _res.retrans; /* of this thread's resolver state, which the call has set up */
	if (result->eai != 0)
		return;
	stub_agent_collect(list, result);
	freeaddrinfo(list);
}
