/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "harness/base/macro.h"

#ifdef __SANITIZE_ADDRESS__
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

/* Those that answer, wait, and count; what libc needs for threads and memory; nothing that opens or starts anything. */
static const int calls[] = {
	SCMP_SYS(accept4),
	SCMP_SYS(bind),
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(close),
	SCMP_SYS(connect),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(getpeername),
	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getsockname),
	SCMP_SYS(getsockopt),
	SCMP_SYS(gettid),
	SCMP_SYS(lseek),
	SCMP_SYS(madvise),
	SCMP_SYS(mmap),
	SCMP_SYS(mprotect),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(nanosleep),
	SCMP_SYS(newfstatat),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(setsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(tgkill), /* abort(3) */
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(write),
	SCMP_SYS(writev),
};

/* Without the right to it the bounding set stays: with no_new_privs nothing comes out of it. */
static int drop_capabilities(struct err *err)
{
	bool may_bound;

	if (capng_get_caps_process())
		return err_set(err, -EPERM, LOC_NONE, "reading capabilities failed");
	may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	capng_clear(CAPNG_SELECT_ALL);
	/* those of the ambient set go with the permitted ones */
	if ((may_bound && capng_apply(CAPNG_SELECT_BOUNDS)) || capng_apply(CAPNG_SELECT_CAPS))
		return err_set(err, -EPERM, LOC_NONE, "dropping capabilities failed");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL))
		return err_set(err, -errno, LOC_NONE, "no_new_privs: %s", strerror(errno));
	return 0;
}

static int add_calls(scmp_filter_ctx filter, bool may_unlink)
{
	static const int families[] = {AF_INET, AF_INET6};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(calls); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	for (size_t i = 0; !r && i < ARRAY_LEN(families); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0));
	if (!r) /* threads, not processes; libc asks for clone3, whose flags a filter cannot see, first */
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!r && may_unlink)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(unlink), 0);
	return r;
}

static int limit_calls(bool may_unlink, struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = filter ? add_calls(filter, may_unlink) : -ENOMEM;

	if (!r)
		r = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return r ? err_set(err, r, LOC_NONE,
			   "limiting system calls: %s (a kernel with CONFIG_SECCOMP_FILTER is needed)", strerror(-r))
		 : 0;
}

int confine(bool may_unlink, struct err *err)
{
	int r = drop_capabilities(err);

	return r || IS_SANITIZED ? r : limit_calls(may_unlink, err);
}

int confine_memory(size_t bytes, struct err *err)
{
	const struct rlimit limit = {bytes, bytes};

	if (!IS_SANITIZED && setrlimit(RLIMIT_DATA, &limit))
		return err_set(err, -errno, LOC_NONE, "limiting memory: %s", strerror(errno));
	return 0;
}
