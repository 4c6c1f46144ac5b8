/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The library that a server is started with where its clock can be shifted (harness/api/server_clock.h). Stands alone: nothing of dnsdrill is linked to it.
 *
 * It allocates nothing and looks up no symbol, for allocators read the clock while they are set up. libc's own functions with the clock as a parameter (glibc 2.30) do the waiting.
 */
#include "harness/api/server_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NSEC_PER_SEC INT64_C(1000000000)

static struct server_clock *page; /* NULL: no shift */

__attribute__((constructor)) static void map_page(void)
{
	const char *path = getenv(SERVER_CLOCK_ENV);
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (mapped != MAP_FAILED) {
		page = mapped;
		atomic_fetch_add(&page->loads, 1);
	}
	if (fd >= 0)
		close(fd);
}

static struct timespec add(struct timespec when, int64_t shift_ns)
{
	int64_t nsec = when.tv_nsec + shift_ns % NSEC_PER_SEC;

	when.tv_sec += shift_ns / NSEC_PER_SEC + (nsec >= NSEC_PER_SEC) - (nsec < 0);
	when.tv_nsec = (long)(nsec + (nsec < 0 ? NSEC_PER_SEC : 0) - (nsec >= NSEC_PER_SEC ? NSEC_PER_SEC : 0));
	return when;
}

static int64_t shift(void)
{
	return page ? atomic_load_explicit(&page->shift_ns, memory_order_relaxed) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);
	int64_t shift_ns;

	if (r || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE && clock != CLOCK_TAI))
		return r;
	shift_ns = shift();
	if (!shift_ns)
		return 0;
	*ret = add(*ret, shift_ns);
	atomic_fetch_add_explicit(&page->shifted_reads, 1, memory_order_relaxed);
	return 0;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	struct timespec now;

	if (zone)
		*(struct timezone *)zone = (struct timezone){0};
	if (clock_gettime(CLOCK_REALTIME, &now))
		return -1;
	*ret = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *ret)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME_COARSE, &now))
		return (time_t)-1;
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

/* When the kernel took a datagram in, by its clock (socket(7), SO_TIMESTAMP). pdns_recursor drops what it then thinks is old. */
static void shift_stamps(struct msghdr *message, int64_t shift_ns)
{
	for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at)) {
		struct timespec when;
		struct timeval rough;

		if (at->cmsg_level != SOL_SOCKET)
			continue;
		if (at->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&when, CMSG_DATA(at), sizeof(when));
			when = add(when, shift_ns);
			memcpy(CMSG_DATA(at), &when, sizeof(when));
		} else if (at->cmsg_type == SCM_TIMESTAMP) {
			memcpy(&rough, CMSG_DATA(at), sizeof(rough));
			when = add((struct timespec){rough.tv_sec, rough.tv_usec * 1000}, shift_ns);
			rough = (struct timeval){when.tv_sec, when.tv_nsec / 1000};
			memcpy(CMSG_DATA(at), &rough, sizeof(rough));
		}
	}
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t n = syscall(SYS_recvmsg, fd, message, flags);
	int64_t shift_ns = shift();

	if (n >= 0 && shift_ns)
		shift_stamps(message, shift_ns);
	return n;
}

/* glibc keeps the clock of a condition variable in this bit (nptl/pthread_cond_common.c). */
static clockid_t clock_of(const pthread_cond_t *cond)
{
	return cond->__data.__wrefs & 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
			   const struct timespec *restrict until)
{
	clockid_t clock = clock_of(cond);
	struct timespec real = clock == CLOCK_REALTIME ? add(*until, -shift()) : *until;

	return pthread_cond_clockwait(cond, mutex, clock, &real);
}

int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict until)
{
	struct timespec real = add(*until, -shift());

	return sem_clockwait(sem, CLOCK_REALTIME, &real);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
	struct timespec real = add(*until, -shift());

	return pthread_mutex_clocklock(mutex, CLOCK_REALTIME, &real);
}
