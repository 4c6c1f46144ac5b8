/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/relay/relay.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "injectors/companion.h"
#include "injectors/relay/worker.h"

struct relay {
	struct companion process;
	struct relay_shared *shared;
};

int relay_netns_fd(const struct relay *relay)
{
	return relay->process.netns_fd;
}

pid_t relay_pid(const struct relay *relay)
{
	return relay->process.pid;
}

static int tell(const struct relay *relay, const struct order *order, struct err *err)
{
	return companion_tell(&relay->process, order, sizeof(*order), err);
}

static void relay_free(struct relay *relay)
{
	companion_end(&relay->process);
	if (relay->shared)
		munmap(relay->shared, sizeof(*relay->shared));
	free(relay);
}

static void run(int ctl_fd, void *shared)
{
	worker_run(ctl_fd, shared);
}

struct relay *relay_start(struct err *err)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	void *memory =
		mmap(NULL, sizeof(struct relay_shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (relay)
		*relay = (struct relay){.process = COMPANION_NONE("the relay, the process that shapes packets,")};
	if (!relay || memory == MAP_FAILED) {
		if (memory != MAP_FAILED)
			munmap(memory, sizeof(struct relay_shared));
		free(relay);
		err_set(err, -ENOMEM, LOC_NONE, "out of memory");
		return NULL;
	}
	relay->shared = memory;
	if (companion_start(&relay->process, run, relay->shared, err)) {
		relay_free(relay);
		return NULL;
	}
	return relay;
}

int relay_attach(struct relay *relay, const char *in, const char *out, struct err *err)
{
	struct order order = {.kind = ORDER_ATTACH};

	snprintf(order.in, sizeof(order.in), "%s", in);
	snprintf(order.out, sizeof(order.out), "%s", out);
	return tell(relay, &order, err);
}

void relay_set(struct relay *relay, const struct shape *shape)
{
	struct relay_shared *shared = relay->shared;
	int64_t words[SHAPE_WORDS];

	memcpy(words, shape, sizeof(words));
	atomic_fetch_add(&shared->version, 1);
	for (size_t i = 0; i < SHAPE_WORDS; i++)
		atomic_store(&shared->words[i], words[i]);
	atomic_fetch_add(&shared->version, 1);
}

int relay_begin(struct relay *relay, const struct shape *shape, uint64_t seed, struct err *err)
{
	relay_set(relay, shape);
	return tell(relay, &(struct order){.kind = ORDER_BEGIN, .seed = seed}, err);
}

int relay_flush(struct relay *relay, struct err *err)
{
	relay_set(relay, &(struct shape){0});
	return tell(relay, &(struct order){.kind = ORDER_FLUSH}, err);
}

static struct relay_counters read_counters(struct relay *relay)
{
	struct relay_shared *shared = relay->shared;
	struct relay_counters counters = {
		.delay_sum_ns = atomic_load(&shared->delay_sum_ns),
		.delay_count = atomic_load(&shared->delay_count),
	};

	for (size_t i = 0; i < RELAY_COUNTS; i++) {
		counters.packets[i] = atomic_load(&shared->packets[i]);
		counters.bytes[i] = atomic_load(&shared->bytes[i]);
	}
	return counters;
}

int relay_counters(struct relay *relay, struct relay_counters *ret, struct err *err)
{
	if (!companion_is_alive(&relay->process))
		return companion_died(&relay->process, err);
	*ret = read_counters(relay);
	return 0;
}

int relay_stop(struct relay *relay, struct relay_counters *ret_last, struct err *err)
{
	int rc = relay ? tell(relay, &(struct order){.kind = ORDER_STOP}, err) : 0;

	if (!relay)
		return 0;
	if (rc)
		kill(relay->process.pid, SIGKILL);
	else if (ret_last)
		*ret_last = read_counters(relay);
	relay_free(relay);
	return rc;
}
