/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an epoll event of a worker points to: the first member of what it is about.
 */
#pragma once
#include "injectors/proxy/flight.h"

enum source_kind {
	SOURCE_LISTEN_UDP,
	SOURCE_LISTEN_TCP,
	SOURCE_UPSTREAM,
	SOURCE_FLOW,
	SOURCE_CLIENT_CONN,
	SOURCE_UPSTREAM_CONN,
	SOURCE_TIMER,
	SOURCE_WAKE
};

struct source {
	enum source_kind kind;
	int fd;
	uint32_t interest; /* what epoll was told */
};
