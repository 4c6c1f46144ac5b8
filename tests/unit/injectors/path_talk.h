/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of several kinds share beyond path_fixture.h: every kind, applied with every ability; datagrams of any size; connections that last; what is left behind.
 */
#pragma once
#include "tests/unit/injectors/path_fixture.h"
#include <netinet/in.h>
#include <stdlib.h>

extern const struct injector_ops rate_ops, fragments_ops, second_datagram_ops, half_open_ops, partition_ops, loss_ops,
	latency_ops;

/* As on a kernel that has all but netem and tbf: what shapes is the relay. */
static inline struct injector_ctx talk_ctx(struct lab *lab)
{
	static const struct abilities abilities = {.has = {[ABILITY_PACKET_SOCKET] = true,
							   [ABILITY_RELAY] = true,
							   [ABILITY_POLICY_ROUTING] = true,
							   [ABILITY_NFT_REJECT] = true,
							   [ABILITY_NFT_LIMIT] = true}};

	return (struct injector_ctx){
		.core = lab_core(lab), .abilities = &abilities, .seed = 1, .progress_ppm = 1000000};
}

static inline int talk_apply(struct lab *lab, struct injector *fault, struct err *err)
{
	struct injector_ctx ctx = talk_ctx(lab);

	return fault->ops->apply(fault, &ctx, err);
}

static inline int talk_revert(struct lab *lab, struct injector *fault, struct err *err)
{
	struct injector_ctx ctx = talk_ctx(lab);

	return fault->ops->revert(fault, &ctx, err);
}

static inline int64_t talk_hits(struct lab *lab, struct injector *fault)
{
	struct injector_ctx ctx = talk_ctx(lab);
	struct effect effect = {0};
	struct err err = {0};

	if (fault->ops->effect(fault, &ctx, &effect, &err))
		return -1;
	return effect.took_effect == (effect.packets > 0) ? effect.packets : -1;
}

/* Everything in the core that a fault may touch, as iproute2 and nft print it. */
static inline int talk_everything(char *text, size_t size)
{
	FILE *pipe = popen("nft -s list ruleset; ip -4 rule; ip -6 rule; ip -4 route show table all; "
			   "ip -6 route show table all; ip neigh; ip -o link | sed 's/^[0-9]*: //'",
			   "r");
	size_t n;

	if (!pipe)
		return -1;
	n = fread(text, 1, size - 1, pipe);
	text[n] = '\0';
	return pclose(pipe);
}

/* Reverted without having been applied, applied, reverted twice, and all of it again. */
static inline int talk_leaves_no_trace(struct lab *lab, struct injector *fault, struct err *err)
{
	char before[16384], between[32768], after[16384];

	CHECK(!talk_everything(before, sizeof(before)));
	if (talk_revert(lab, fault, err))
		return err->code;
	CHECK(!talk_everything(after, sizeof(after)) && !strcmp(before, after));
	for (int i = 0; i < 2; i++) {
		if (talk_apply(lab, fault, err))
			return err->code;
		CHECK(!talk_everything(between, sizeof(between)) && strstr(between, "chain fault_"));
		if (talk_revert(lab, fault, err) || talk_revert(lab, fault, err))
			return err->code;
		CHECK(!talk_everything(after, sizeof(after)) && !strcmp(before, after));
	}
	return 0;
}

/* Sockets of a sender and a listener of address, port: bound, connected. */
struct talk {
	int listener, sender;
};

static inline void talk_close(struct talk *talk)
{
	if (talk->listener >= 0)
		close(talk->listener);
	if (talk->sender >= 0)
		close(talk->sender);
}

static inline int talk_open(struct lab *lab, const char *from, const char *to, const char *address, uint16_t port,
			    int type, struct talk *ret)
{
	struct address parsed = {0};
	struct sockaddr_storage sa;
	socklen_t len;

	address_parse(address, &parsed);
	len = address_to_sockaddr(&parsed, port, &sa);
	ret->listener = host_socket(lab_host_named(lab, to), parsed.family, type, 0);
	ret->sender = host_socket(lab_host_named(lab, from), parsed.family, type, 0);
	if (setsockopt(ret->listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) ||
	    bind(ret->listener, (struct sockaddr *)&sa, len) || (type == SOCK_STREAM && listen(ret->listener, 1)) ||
	    (connect(ret->sender, (struct sockaddr *)&sa, len) && errno != EINPROGRESS))
		return -errno;
	return 0;
}

/* How many of count datagrams, sent at once, arrive. */
static inline int talk_datagrams(struct talk *talk, size_t size, int count)
{
	static char data[65536];
	struct pollfd ready = {.fd = talk->listener, .events = POLLIN};
	int arrived = 0;

	for (int i = 0; i < count; i++) {
		if (send(talk->sender, data, size, 0) != (ssize_t)size)
			return -errno;
	}
	while (arrived < count && poll(&ready, 1, 300) > 0)
		arrived += recv(talk->listener, data, sizeof(data), 0) == (ssize_t)size;
	return arrived;
}

static inline int talk_send(struct lab *lab, const char *from, const char *to, const char *address, uint16_t port,
			    size_t size, int count)
{
	struct talk talk = {-1, -1};
	int arrived = talk_open(lab, from, to, address, port, SOCK_DGRAM, &talk);

	if (!arrived)
		arrived = talk_datagrams(&talk, size, count);
	talk_close(&talk);
	return arrived;
}

/* Takes the connection's other end in place of the listener. */
static inline int talk_accept(struct talk *talk)
{
	struct pollfd ready = {.fd = talk->listener, .events = POLLIN}, done = {.fd = talk->sender, .events = POLLOUT};
	int fd, error = 0;
	socklen_t len = sizeof(error);

	if (poll(&done, 1, 500) != 1 || getsockopt(talk->sender, SOL_SOCKET, SO_ERROR, &error, &len))
		return -ETIMEDOUT;
	if (error)
		return -error;
	fd = poll(&ready, 1, 500) == 1 ? accept4(talk->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;
	close(talk->listener);
	talk->listener = fd;
	return fd < 0 ? -ETIMEDOUT : 0;
}

static inline int talk_connect(struct lab *lab, const char *from, const char *to, const char *address, uint16_t port,
			       struct talk *ret)
{
	int r = talk_open(lab, from, to, address, port, SOCK_STREAM, ret);

	return r ? r : talk_accept(ret);
}

/* REACHED if what one end of a connection writes arrives whole at the other. */
static inline int talk_write(int sender, int receiver, size_t size)
{
	static char data[65536];
	struct pollfd ready = {.fd = receiver, .events = POLLIN};
	size_t got = 0;

	if (send(sender, data, size, MSG_NOSIGNAL) != (ssize_t)size)
		return -errno;
	while (got < size && poll(&ready, 1, 300) > 0) {
		ssize_t n = recv(receiver, data, sizeof(data), 0);

		if (n <= 0)
			return n ? -errno : SILENCE;
		got += (size_t)n;
	}
	return got == size ? REACHED : SILENCE;
}

static inline void talk_in_lab(fixture_body *body)
{
	struct fixture fixture;

	path_fixture(&fixture);
	fixture_must(&fixture, body);
}

/* keys and what an error of them says. */
static inline void talk_rejects(struct arena *arena, const struct injector_ops *ops, const char *const *keys,
				const char *wanted)
{
	struct errs errs = {0};
	struct injector *fault = path_fault(arena, ops, 1, keys, &errs);

	if (!errs.count)
		ops->validate(fault, &errs);
	assert_int_equal(errs.count, 1);
	if (!strstr(errs.v[0].text, wanted))
		fail_msg("not \"%s\" in: %s", wanted, errs.v[0].text);
	errs_fini(&errs);
}

static inline struct injector *talk_fault(struct arena *arena, const struct injector_ops *ops, int64_t id,
					  const char *const *keys)
{
	struct errs errs = {0};
	struct injector *fault = path_fault(arena, ops, id, keys, &errs);

	if (!errs.count && ops->validate)
		ops->validate(fault, &errs);
	if (errs.count)
		fprintf(stderr, "%s: %s\n", ops->kind, errs.v[0].text);
	return errs.count ? NULL : fault;
}

static inline void talk_says(const struct injector *fault, const char *wanted)
{
	struct buf sentence = {0};

	fault->ops->sentence(fault, &sentence);
	assert_string_equal(sentence.data, wanted);
	buf_fini(&sentence);
}
