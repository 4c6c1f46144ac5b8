/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/api/zone_job.h"

#include <errno.h>
#include <fcntl.h>
#include <ldns/ldns.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/pkt.h"
#include "harness/plan/zone.h"

#define DNS_PORT 53
#define ASK_AGAIN_MS 4

/* ---- the file ---- */

static const struct server_zone *find_zone(const struct server_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->zone_count; i++) {
		if (!strcmp(spec->zones[i].name, name))
			return &spec->zones[i];
	}
	return NULL;
}

/* A new file in the place of the old one: a server that reads meanwhile reads the one or the other. */
static int replace_file(const char *path, const char *text, size_t len, struct job_report *report)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *fresh = arena_printf(arena, "%s.new", path);
	int r = fd_write_file(AT_FDCWD, fresh, text, len, 0644);

	if (!r && rename(fresh, path))
		r = -errno;
	if (!r)
		return 0;
	unlink(fresh);
	job_say(report, "cannot write %s: %s", path, strerror(-r));
	return 1;
}

int zone_job_write(const struct server_process *server, const char *zone, const char *text, size_t len,
		   struct job_report *report)
{
	const struct server_zone *own = find_zone(server_process_spec(server), zone);

	if (own && !own->primary_count)
		return replace_file(own->file, text, len, report);
	job_say(report, "%s is no primary of %s", server_process_spec(server)->host, zone);
	return 1;
}

/* Of pushes that meet, one comes after the other: hold, replace and reload of two must not mix. Kept until closed, or the job ends. */
static int lock_file(const char *path, struct job_report *report)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	int fd = open(arena_printf(arena, "%s.lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0 && flock(fd, LOCK_EX)) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		job_say(report, "cannot lock %s: %s", path, strerror(errno));
	return fd;
}

static int replace_and_reload(const struct server_process *server, const struct server_zone *own, const char *text,
			      size_t len, struct job_report *report)
{
	int status = 0;

	if (server_process_software(server)->verbs & SERVER_CAN(HOLD_ZONE))
		status = control_verb(server, SERVER_HOLD_ZONE, own->name, report);
	if (!status)
		status = replace_file(own->file, text, len, report);
	if (status)
		return status;
	status = control_verb(server, SERVER_RELOAD_ZONE, own->name, report);
	if (status)
		job_say_before(report, "the new file is in place, but the server could not be told: ");
	return status;
}

/* That the server loads from a file; NULL: report->text says that it does not. */
static const struct server_zone *own_zone(const struct server_process *server, const char *zone,
					  struct job_report *report)
{
	const struct server_zone *own = find_zone(server_process_spec(server), zone);

	if (own && !own->primary_count)
		return own;
	job_say(report, "%s is no primary of %s", server_process_spec(server)->host, zone);
	return NULL;
}

int zone_job_hold(const struct server_process *server, const char *zone, struct job_report *report)
{
	const struct server_zone *own = own_zone(server, zone, report);

	return own ? lock_file(own->file, report) : -1;
}

int zone_job_replace(const struct server_process *server, const char *zone, const char *text, size_t len,
		     struct job_report *report)
{
	const struct server_zone *own = own_zone(server, zone, report);

	return own ? replace_and_reload(server, own, text, len, report) : 1;
}

int zone_job_push(const struct server_process *server, const char *zone, const char *text, size_t len,
		  struct job_report *report)
{
	int lock = zone_job_hold(server, zone, report), status;

	if (lock < 0)
		return 1;
	status = zone_job_replace(server, zone, text, len, report);
	close(lock);
	return status;
}

/* ---- asking ---- */

struct asker {
	int fd;
	uint8_t *query;
	size_t query_len;
	uint16_t id;
};

static int open_asker(struct asker *asker, const struct server_process *server, const char *name, uint16_t type)
{
	struct sockaddr_storage to;
	socklen_t len = address_to_sockaddr(&server_process_spec(server)->listen.v[0], DNS_PORT, &to);
	ldns_pkt *packet = NULL;
	int r = -EINVAL;

	*asker = (struct asker){.fd = -1, .id = (uint16_t)(clock_now_ns() >> 10)};
	if (ldns_pkt_query_new_frm_str(&packet, name, (ldns_rr_type)type, LDNS_RR_CLASS_IN, 0) != LDNS_STATUS_OK)
		return r;
	ldns_pkt_set_id(packet, asker->id);
	ldns_pkt_set_edns_udp_size(packet, 4096);
	if (ldns_pkt2wire(&asker->query, packet, &asker->query_len) == LDNS_STATUS_OK)
		asker->fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (asker->fd >= 0)
		r = connect(asker->fd, (const struct sockaddr *)&to, len) ? -errno : 0;
	ldns_pkt_free(packet);
	return r;
}

static void close_asker(struct asker *asker)
{
	free(asker->query);
	if (asker->fd >= 0)
		close(asker->fd);
}

/* One asking. NULL: no answer within some milliseconds, or by until_ns. */
static ldns_pkt *ask_once(const struct asker *asker, int64_t until_ns)
{
	struct pollfd poll_fd = {.fd = asker->fd, .events = POLLIN};
	uint8_t wire[65536];
	ldns_pkt *packet = NULL;
	ssize_t len;

	(void)send(asker->fd, asker->query, asker->query_len, 0);
	while (clock_now_ns() < until_ns && poll(&poll_fd, 1, 20) > 0) {
		len = recv(asker->fd, wire, sizeof(wire), MSG_DONTWAIT);
		if (len < 0)
			return NULL; /* refused: it does not run */
		if (pkt_from_wire(&packet, wire, (size_t)len) != LDNS_STATUS_OK)
			continue;
		if (ldns_pkt_id(packet) == asker->id && ldns_pkt_qr(packet))
			return packet;
		ldns_pkt_free(packet);
	}
	return NULL;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_answer(const ldns_pkt *packet, const struct zone_question *question, struct arena *arena)
{
	ldns_rr_list *answer = ldns_pkt_answer(packet);
	size_t count = 0, all = ldns_rr_list_rr_count(answer);
	const char **rdata = ARENA_ARRAY(arena, const char *, all + 1);
	ldns_pkt_rcode rcode = ldns_pkt_get_rcode(packet);

	if (rcode != LDNS_RCODE_NOERROR && (rcode != LDNS_RCODE_NXDOMAIN || question->rdata_count))
		return false;
	for (size_t i = 0; i < all; i++) {
		if (ldns_rr_get_type(ldns_rr_list_rr(answer, i)) == (ldns_rr_type)question->type)
			rdata[count++] = zone_rdata_text(ldns_rr_list_rr(answer, i), arena);
	}
	qsort(rdata, count, sizeof(*rdata), compare_texts);
	for (size_t i = 0; i < count && count == question->rdata_count; i++) {
		if (strcmp(rdata[i], question->rdata[i]))
			return false;
	}
	return count == question->rdata_count && ldns_pkt_aa(packet);
}

static int64_t serial_of(const ldns_pkt *packet)
{
	ldns_rr_list *answer = ldns_pkt_answer(packet);

	for (size_t i = 0; ldns_pkt_aa(packet) && i < ldns_rr_list_rr_count(answer); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answer, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA)
			return ldns_rdf2native_int32(ldns_rr_rdf(rr, 2));
	}
	return -1;
}

static void say_answer(const ldns_pkt *packet, struct job_report *report)
{
	char *rcode = packet ? ldns_pkt_rcode2str(ldns_pkt_get_rcode(packet)) : NULL;
	int64_t serial = packet ? serial_of(packet) : -1;

	if (serial >= 0)
		job_say(report, "it answers with serial %lld", (long long)serial);
	else
		job_say(report, "%s%s", packet ? "it answers " : "it does not answer", rcode ? rcode : "");
	free(rcode);
}

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

int64_t zone_job_serial(const struct server_process *server, const char *zone, int64_t until_ns,
			struct job_report *report)
{
	struct asker asker;
	int64_t serial = -1;
	bool answered = false;

	if (open_asker(&asker, server, zone, LDNS_RR_TYPE_SOA)) {
		close_asker(&asker);
		job_say(report, "cannot ask it");
		return -1;
	}
	do {
		ldns_pkt *packet = ask_once(&asker, until_ns);

		say_answer(packet, report);
		answered = packet != NULL;
		serial = packet ? serial_of(packet) : -1;
		ldns_pkt_free(packet);
		if (!answered)
			pause_ms(ASK_AGAIN_MS);
	} while (!answered && clock_now_ns() < until_ns);
	close_asker(&asker);
	report->serial = serial;
	return serial;
}

static int wait_answer(struct asker *asker, const struct zone_question *question, int64_t until_ns,
		       struct job_report *report)
{
	do {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		ldns_pkt *packet = ask_once(asker, until_ns);
		bool shows = packet && is_answer(packet, question, arena);

		if (shows)
			report->shown_ns = clock_now_ns();
		say_answer(packet, report);
		report->serial = packet ? serial_of(packet) : -1;
		ldns_pkt_free(packet);
		if (shows)
			return 0;
		pause_ms(ASK_AGAIN_MS);
	} while (clock_now_ns() < until_ns);
	return 1;
}

int zone_job_wait(const struct server_process *server, const char *zone, const struct zone_question *question,
		  int64_t until_ns, struct job_report *report)
{
	struct asker asker;
	int r = open_asker(&asker, server, question->name, question->type);

	if (r)
		job_say(report, "cannot ask it: %s", strerror(-r));
	else
		r = wait_answer(&asker, question, until_ns, report);
	close_asker(&asker);
	if (!r && question->type != LDNS_RR_TYPE_SOA) {
		int64_t shown_ns = report->shown_ns;

		zone_job_serial(server, zone, shown_ns + SEC, report);
		report->shown_ns = shown_ns;
	}
	return r ? 1 : 0;
}
