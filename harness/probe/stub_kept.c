/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `process: kept`: one long-lived program. Each of its threads keeps the resolver state that glibc gives it; the thread that was busy last is used first, so that a
 * lookup at a time is always the same thread's, as in most programs.
 */
#include "harness/probe/stub_agent.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define KEPT_STACK (512u << 10) /* getaddrinfo uses alloca; the default of 8 MiB times 1,000 would be much to promise */

struct kept_thread {
	struct kept *kept;
	struct kept_thread *next_idle;
	pthread_cond_t wake;
	int64_t i; /* to look up; -1: nothing */
	struct stub_result result;
};

struct kept {
	struct stub_agent *agent;
	pthread_mutex_t lock; /* idle, and every thread's i */
	struct kept_thread *idle; /* a stack */
};

static int64_t kept_await(struct kept_thread *thread)
{
	struct kept *kept = thread->kept;
	int64_t i;

	pthread_mutex_lock(&kept->lock);
	while (thread->i < 0)
		pthread_cond_wait(&thread->wake, &kept->lock);
	i = thread->i;
	pthread_mutex_unlock(&kept->lock);
	return i;
}

/* Idle first, then the answer: when the harness has it, the thread is there for the next lookup. */
static void kept_finish(struct kept_thread *thread)
{
	struct kept *kept = thread->kept;

	pthread_mutex_lock(&kept->lock);
	thread->i = -1;
	thread->next_idle = kept->idle;
	kept->idle = thread;
	pthread_mutex_unlock(&kept->lock);
	stub_agent_send(kept->agent, &thread->result);
}

static void *kept_thread_main(void *arg)
{
	struct kept_thread *thread = arg;

	for (;;) {
		stub_agent_lookup(thread->kept->agent, kept_await(thread), &thread->result);
		thread->result.what = STUB_ANSWERED;
		thread->result.is_gone = true;
		kept_finish(thread);
	}
	return NULL;
}

static int kept_spawn(struct kept *kept, int64_t i)
{
	struct kept_thread *thread = calloc(1, sizeof(*thread));
	pthread_attr_t attr;
	pthread_t id;
	int r;

	if (!thread)
		return ENOMEM;
	*thread = (struct kept_thread){.kept = kept, .i = i};
	pthread_cond_init(&thread->wake, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, KEPT_STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	r = pthread_create(&id, &attr, kept_thread_main, thread);
	pthread_attr_destroy(&attr);
	if (r != 0)
		free(thread);
	return r;
}

static void kept_ask(struct kept *kept, int64_t i)
{
	struct kept_thread *thread;
	int r;

	pthread_mutex_lock(&kept->lock);
	thread = kept->idle;
	if (thread) {
		kept->idle = thread->next_idle;
		thread->i = i;
		pthread_cond_signal(&thread->wake);
	}
	pthread_mutex_unlock(&kept->lock);
	if (thread)
		return;
	r = kept_spawn(kept, i);
	if (r != 0)
		stub_agent_send(kept->agent,
				&(struct stub_result){.i = i, .what = STUB_FAILED, .error = r, .is_gone = true});
}

_Noreturn void stub_agent_kept(struct stub_agent *agent)
{
	struct kept kept = {.agent = agent, .lock = PTHREAD_MUTEX_INITIALIZER};
	int64_t requests[64];
	sigset_t none;
	ssize_t n;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	stub_agent_begin(agent);
	while ((n = read(agent->requests_fd, requests, sizeof(requests))) != 0) {
		for (size_t k = 0; n > 0 && k < (size_t)n / sizeof(requests[0]); k++) {
			if (requests[k] >= 0) /* a call in a thread cannot be stopped: giving up is nothing here */
				kept_ask(&kept, requests[k]);
		}
		if (n < 0 && errno != EINTR)
			break;
	}
	_exit(0); /* with all its threads, whatever they are waiting for */
}
