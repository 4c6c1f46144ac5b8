/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inline proxy: a process in a network namespace of its own that sits on the path between clients and servers, unseen (injectors/proxy/proxy.h says how), and does what its
 * rules say. It has no privileges once it serves (confine.h), and dies with its maker.
 *
 * inline_start → make two links, their ends in inline_netns_fd → inline_attach: messages pass as they are → the rules' progress goes up and down → inline_stop.
 *
 * Its namespace takes every address for its own: packets that come in by the one link are for it, whatever their destination, and what it sends leaves by the
 * other, whatever its source. So its sockets can be any client and any server, without privileges. (ip-route(8), "local" routes; sysctl ip_nonlocal_bind.)
 *
 * Rules are handed over by fork, and live in memory shared with the process: their progress is set, and their counters are read, there. That needs no answer from it, and works when
 * it is gone.
 */
#pragma once
#include "harness/base/err.h"
#include "injectors/proxy/rule.h"
#include <sys/types.h>

struct inline_proxy;
struct proxy_tls;

struct inline_start {
	struct rule *const *rules; /* copied, with progress 0; their parts stay borrowed */
	size_t count;
	uint64_t seed;
	const struct proxy_tls *tls; /* NULL: TLS is not for it. Needed until inline_start returns. */
};
/* Forks. NULL with err set where it fails. */
struct inline_proxy *inline_start(const struct inline_start *start, struct err *err);
pid_t inline_pid(const struct inline_proxy *proxy);
/* Of the process's network namespace; the proxy's own. */
int inline_netns_fd(const struct inline_proxy *proxy);
/* The i-th of the rules it was given, as it is in force; valid until inline_stop. */
struct rule *inline_rule(struct inline_proxy *proxy, size_t i);

/* Takes packets from the link `in`, sends by `out` to the MAC address back. Returns when it serves. */
int inline_attach(struct inline_proxy *proxy, const char *in, const char *out, const unsigned char back[6],
		  struct err *err);
/* How many messages it lost that no rule said should be, for want of sockets or room. */
uint64_t inline_losses(const struct inline_proxy *proxy);
bool inline_is_alive(const struct inline_proxy *proxy);
/* Ends the process and frees everything; NULL is fine. */
void inline_stop(struct inline_proxy *proxy);
