/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The capture that backs every number: all packets at every link of the core, by libpcap, in a process of its own.
 * Format: pcap with nanosecond timestamps, LINKTYPE_LINUX_SLL2: each packet carries the link's index and its direction, so a forwarded packet
 * stands there twice and a dropped one once.
 */
#pragma once
#include "harness/base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct capture;

/* Starts in the calling process's network namespace; returns when packets are being taken. fd: the file, borrowed; it is
 * only ever written to. saves_timers: take each packet as it comes, where a timer that looks for blocks costs more than that. */
struct capture *capture_start(int fd, bool saves_timers, struct err *err);
/* Stops after what has already passed is written. ret_* may be NULL. -EIO with the child's reason if the file could not be written whole. Frees. */
int capture_stop(struct capture *capture, int64_t *ret_packets, int64_t *ret_dropped, struct err *err);
pid_t capture_pid(const struct capture *capture);
