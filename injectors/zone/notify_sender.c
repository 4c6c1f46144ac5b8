/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/zone/notify_sender.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/api/transport.h"
#include "harness/base/clock.h"
#include "harness/base/rr.h"
#include "harness/base/signals.h"
#include "harness/base/units.h"

#define TSIG_FUDGE_S 300
#define HEADER_SIZE 12

struct shared_counts {
	_Atomic int64_t sent, answered[NOTIFY_RCODES];
};

struct notify_sender {
	pid_t pid;
	size_t size; /* of the mapping that this is */
	size_t count;
	struct shared_counts counts[];
};

/* ---- the process ---- */

struct child {
	struct notify_sender *shared;
	const struct notify_words *words;
	struct pollfd *sockets; /* one for each address */
	uint16_t id;
};

static void enter(void)
{
	signals_reset();
	signal(SIGINT, SIG_IGN); /* Ctrl-C is the maker's to hear: faults are undone in order */
	prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0UL, 0UL, 0UL);
	prctl(PR_SET_NAME, "dnsdrill-notify", 0UL, 0UL, 0UL);
	syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
}

static int open_socket(const struct address *address)
{
	struct sockaddr_storage to;
	socklen_t len = address_to_sockaddr(address, DNS_PORT, &to);
	int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, len))
		_exit(1);
	return fd;
}

/* RFC 1996 section 3: the question, and a hint of the SOA record that the zone has now. */
static ldns_pkt *make_message(const struct notify_words *words, const struct server_tsig *key, uint16_t id)
{
	ldns_pkt *packet = NULL;
	ldns_rr *soa = NULL;
	char text[512];

	snprintf(text, sizeof(text), "%s. 0 IN SOA invalid. invalid. %u 3600 600 604800 60", words->zone,
		 words->serial);
	if (ldns_pkt_query_new_frm_str(&packet, words->zone, LDNS_RR_TYPE_SOA, LDNS_RR_CLASS_IN, 0) ||
	    rr_from_text(&soa, text, 0, NULL))
		_exit(1);
	ldns_pkt_set_opcode(packet, LDNS_PACKET_NOTIFY);
	ldns_pkt_set_aa(packet, true);
	ldns_pkt_set_id(packet, id);
	ldns_pkt_push_rr(packet, LDNS_SECTION_ANSWER, soa);
	if (key && ldns_pkt_tsig_sign(packet, key->name, key->secret, TSIG_FUDGE_S, "hmac-sha256.", NULL))
		_exit(1);
	return packet;
}

static void send_one(struct child *child, size_t i)
{
	ldns_pkt *packet = make_message(child->words, child->words->to[i].key, child->id++);
	uint8_t *wire = NULL;
	size_t len = 0;

	if (ldns_pkt2wire(&wire, packet, &len))
		_exit(1);
	if (send(child->sockets[i].fd, wire, len, 0) == (ssize_t)len)
		atomic_fetch_add(&child->shared->counts[i].sent, 1);
	free(wire);
	ldns_pkt_free(packet);
}

static void hear(struct child *child, size_t i)
{
	uint8_t wire[4096];
	ssize_t len;

	while ((len = recv(child->sockets[i].fd, wire, sizeof(wire), 0)) >= 0) {
		if (len >= HEADER_SIZE && wire[2] & 0x80 && (wire[2] >> 3 & 15) == LDNS_PACKET_NOTIFY)
			atomic_fetch_add(&child->shared->counts[i].answered[wire[3] & 15], 1);
	}
}

/* Every server once, at its turn-th address. */
static void send_round(struct child *child, size_t turn)
{
	const struct notify_to *to = child->words->to;

	for (size_t i = 0; i < child->words->count; i += to[i].count)
		send_one(child, i + turn % to[i].count);
}

static _Noreturn void run(struct child *child)
{
	size_t count = child->words->count;
	int64_t start_ns = clock_now_ns();

	child->sockets = calloc(count + 1, sizeof(*child->sockets));
	if (!child->sockets)
		_exit(1);
	for (size_t i = 0; i < count; i++)
		child->sockets[i] = (struct pollfd){.fd = open_socket(child->words->to[i].address), .events = POLLIN};
	for (int64_t n = 0;; n++) {
		int64_t due_ns = start_ns + n * SEC / child->words->rate;
		struct timespec wait;
		int64_t left;

		while ((left = due_ns - clock_now_ns()) > 0) {
			wait = (struct timespec){left / SEC, left % SEC};
			(void)ppoll(child->sockets, count, &wait, NULL);
			for (size_t i = 0; i < count; i++)
				hear(child, i);
		}
		send_round(child, (size_t)n);
	}
}

/* ---- the maker ---- */

int notify_sender_start(struct host *host, const struct notify_words *words, struct notify_sender **ret,
			struct err *err)
{
	size_t size = sizeof(struct notify_sender) + words->count * sizeof(struct shared_counts);
	struct notify_sender *sender = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct child child = {.shared = sender, .words = words, .id = (uint16_t)(clock_now_ns() >> 10)};
	pid_t pid;

	if (sender == MAP_FAILED)
		return err_set(err, -errno, LOC_NONE, "mapping memory: %s", strerror(errno));
	sender->size = size;
	sender->count = words->count;
	pid = host_fork(host);
	if (pid == 0) {
		enter();
		run(&child);
	}
	sender->pid = pid;
	if (pid > 0) {
		*ret = sender;
		return 0;
	}
	munmap(sender, size);
	return err_set(err, (int)pid, LOC_NONE, "starting a process: %s", strerror(-pid));
}

pid_t notify_sender_pid(const struct notify_sender *sender)
{
	return sender->pid;
}

struct notify_counts notify_sender_counts(const struct notify_sender *sender, size_t i)
{
	struct notify_counts ret = {.sent = atomic_load(&sender->counts[i].sent)};

	for (size_t k = 0; k < NOTIFY_RCODES; k++)
		ret.answered[k] = atomic_load(&sender->counts[i].answered[k]);
	return ret;
}

void notify_sender_end(struct notify_sender *sender)
{
	if (!sender)
		return;
	kill(sender->pid, SIGKILL);
	while (waitpid(sender->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	munmap(sender, sender->size);
}
