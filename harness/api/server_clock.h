/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock of one server: what is added to the time of day that it reads. Shared memory between the lab and the server's processes, into which a library is
 * loaded (run/preload/clock.c) before anything else of theirs.
 *
 * Covered: time(2), gettimeofday(2) and clock_gettime(2) of CLOCK_REALTIME, CLOCK_REALTIME_COARSE and CLOCK_TAI, and when a datagram came (recvmsg(2) with SO_TIMESTAMP), as called through libc by the program and its libraries; and waits until a
 * moment of that clock (pthread_cond_timedwait(3), sem_timedwait(3), pthread_mutex_timedlock(3)), which last as long as they would have. Not covered: programs without a dynamic libc, system calls
 * that bypass it, times of files, kernel timers set to a moment of the day. CLOCK_MONOTONIC and CLOCK_BOOTTIME are left alone, as by an administrator who sets a clock.
 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

struct server_clock {
	_Atomic int64_t shift_ns;
	_Atomic int64_t
		loads; /* of the library: 0 when the server answers means that it has none (static, or privileged) */
	_Atomic int64_t shifted_reads; /* how often the server read it while shift_ns was not 0 */
};

#define SERVER_CLOCK_ENV "DNSDRILL_CLOCK" /* names the file that holds it */
