/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/actions/update_send.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/pkt.h"
#include "harness/base/units.h"

#define DNS_PORT 53
#define TSIG_FUDGE_S 300
#define TSIG_MAC 3 /* RFC 8945 section 4.2: which field of the record */
#define TSIG_ERROR 5
#define ALGORITHM "hmac-sha256."

struct message {
	uint8_t *wire;
	size_t len;
	uint16_t id;
	ldns_rdf *mac; /* NULL: unsigned */
};

/* ---- the message ---- */

static ldns_status sign(ldns_pkt *packet, const struct update_way *way)
{
	char secret[128];

	snprintf(secret, sizeof(secret), "%s", way->key->secret);
	switch ((enum update_tsig)way->tsig) {
	case UPDATE_TSIG_NONE:
		return LDNS_STATUS_OK;
	case UPDATE_TSIG_UNKNOWN_KEY:
		return ldns_pkt_tsig_sign(packet, "nobodys-key", secret, TSIG_FUDGE_S, ALGORITHM, NULL);
	case UPDATE_TSIG_WRONG_SECRET:
		secret[0] = secret[0] == 'A' ? 'B' : 'A';
		break;
	case UPDATE_TSIG_RIGHT:
		break;
	}
	return ldns_pkt_tsig_sign(packet, way->key->name, secret, TSIG_FUDGE_S, ALGORITHM, NULL);
}

static int write_message(const char *zone, const struct update_records *records, const struct update_way *way,
			 struct message *ret)
{
	ldns_rdf *name = ldns_dname_new_frm_str(zone);
	ldns_pkt *packet = ldns_update_pkt_new(name, LDNS_RR_CLASS_IN, records->prerequisites, records->changes, NULL);
	int r = -EINVAL;

	*ret = (struct message){.id = (uint16_t)(clock_now_ns() >> 8)};
	if (!packet)
		return r;
	ldns_pkt_set_id(packet, ret->id);
	if (sign(packet, way) == LDNS_STATUS_OK && ldns_pkt2wire(&ret->wire, packet, &ret->len) == LDNS_STATUS_OK)
		r = 0;
	if (!r && ldns_pkt_tsig(packet))
		ret->mac = ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(packet), TSIG_MAC));
	ldns_pkt_free(packet);
	return r;
}

static void message_fini(struct message *message)
{
	free(message->wire);
	ldns_rdf_deep_free(message->mac);
}

/* ---- the wire ---- */

static int wait_for(int fd, short events, int64_t until_ns)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};
	int64_t left_ns = until_ns - clock_now_ns();

	if (left_ns <= 0 || poll(&poll_fd, 1, (int)(left_ns / NSEC_PER_MSEC) + 1) <= 0)
		return -ETIMEDOUT;
	return 0;
}

/* A connected socket. */
static int open_socket(const struct update_way *way, int64_t until_ns)
{
	int type = way->transport == UPDATE_UDP ? SOCK_DGRAM : SOCK_STREAM, error = 0, fd, r;
	struct sockaddr_storage to;
	socklen_t len = address_to_sockaddr(way->to, DNS_PORT, &to), error_len = sizeof(error);

	if (way->from)
		fd = host_socket_from_job(way->from, way->own, to.ss_family, type, 0);
	else
		fd = socket(to.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return way->from ? fd : -errno;
	r = connect(fd, (const struct sockaddr *)&to, len) ? -errno : 0;
	if (r == -EINPROGRESS) {
		r = wait_for(fd, POLLOUT, until_ns);
		if (!r && !getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len))
			r = -error;
	}
	if (!r)
		return fd;
	close(fd);
	return r;
}

static int send_message(int fd, const struct update_way *way, const struct message *message)
{
	uint8_t framed[2 + LDNS_MAX_PACKETLEN];
	size_t head = way->transport == UPDATE_UDP ? 0 : 2;

	ldns_write_uint16(framed, (uint16_t)message->len);
	memcpy(framed + head, message->wire, message->len);
	return send(fd, framed, head + message->len, MSG_NOSIGNAL) == (ssize_t)(head + message->len) ? 0 : -EPIPE;
}

/* Exactly so many bytes of a stream. */
static int read_all(int fd, uint8_t *to, size_t len, int64_t until_ns)
{
	for (size_t at = 0; at < len;) {
		int r = wait_for(fd, POLLIN, until_ns);
		ssize_t got = r ? 0 : recv(fd, to + at, len - at, 0);

		if (r || got <= 0)
			return r ? r : got < 0 ? -errno : -ECONNRESET;
		at += (size_t)got;
	}
	return 0;
}

/* The next message that comes; its length. */
static ssize_t receive(int fd, const struct update_way *way, uint8_t *to, int64_t until_ns)
{
	uint8_t head[2];
	ssize_t len;
	int r;

	if (way->transport == UPDATE_UDP) {
		r = wait_for(fd, POLLIN, until_ns);
		len = r ? r : recv(fd, to, LDNS_MAX_PACKETLEN, 0);
		return len == -1 ? -errno : len;
	}
	r = read_all(fd, head, sizeof(head), until_ns);
	len = ldns_read_uint16(head);
	if (!r)
		r = read_all(fd, to, (size_t)len, until_ns);
	return r ? r : len;
}

/* ---- the answer ---- */

static const char *tsig_error_name(uint16_t error)
{
	switch (error) {
	case 16:
		return " (BADSIG)";
	case 17:
		return " (BADKEY)";
	case 18:
		return " (BADTIME)";
	case 22:
		return " (BADTRUNC)";
	default:
		return "";
	}
}

static void say_answer(struct update_answer *answer, ldns_pkt *packet, const char *before)
{
	char *rcode = ldns_pkt_rcode2str(answer->rcode);
	const ldns_rr *tsig = ldns_pkt_tsig(packet);
	const ldns_rdf *field = tsig ? ldns_rr_rdf(tsig, TSIG_ERROR) : NULL;
	const char *error = field ? tsig_error_name(ldns_rdf2native_int16(field)) : "";
	const char *doubt = tsig ? ", its signature not that of the key" : ", not signed";

	if (answer->is_verified || *error)
		doubt = "";
	snprintf(answer->text, sizeof(answer->text), "%s%s%s%s%s", before, *before ? ", then " : "the answer was ",
		 rcode ? rcode : "?", error, doubt);
	free(rcode);
}

static bool take_answer(const struct update_way *way, const struct message *message, const uint8_t *wire, size_t len,
			const char *before, struct update_answer *ret)
{
	ldns_pkt *packet = NULL;
	bool is_ours;

	if (pkt_from_wire(&packet, wire, len) != LDNS_STATUS_OK)
		return false;
	is_ours = ldns_pkt_id(packet) == message->id && ldns_pkt_qr(packet);
	if (is_ours) {
		ret->came = true;
		ret->rcode = ldns_pkt_get_rcode(packet);
		ret->is_verified =
			message->mac && ldns_pkt_tsig(packet) &&
			ldns_pkt_tsig_verify(packet, wire, len, way->key->name, way->key->secret, message->mac);
		say_answer(ret, packet, before);
	}
	ldns_pkt_free(packet);
	return is_ours;
}

/* 0 once an answer was taken; a negative errno: why there is none. */
static int try_once(const struct update_way *way, const struct message *message, int64_t until_ns, const char *before,
		    struct update_answer *ret)
{
	uint8_t wire[LDNS_MAX_PACKETLEN];
	int fd = open_socket(way, until_ns), r;
	ssize_t len;

	if (fd < 0)
		return fd;
	r = send_message(fd, way, message);
	while (!r) {
		len = receive(fd, way, wire, until_ns);
		if (len < 0)
			r = (int)len;
		else if (take_answer(way, message, wire, (size_t)len, before, ret))
			break;
	}
	close(fd);
	return r;
}

/* "no answer within 500 ms (3 times)", or what the network said at once, the last time. */
static void say_silence(int r, const struct update_way *way, int64_t tries, char *text, size_t size)
{
	char within[32], times[32] = "";

	if (tries > 1)
		snprintf(times, sizeof(times), " (%lld times)", (long long)tries);
	if (r == -ETIMEDOUT)
		snprintf(text, size, "no answer within %s%s",
			 units_format_duration(way->try_ns, within, sizeof(within)), times);
	else
		snprintf(text, size, "no answer (%s)%s", strerror(-r), times);
}

/* The next try is not before this one's time is over, even if it failed at once. */
static void wait_until(int64_t moment_ns)
{
	int64_t left_ns;

	while ((left_ns = moment_ns - clock_now_ns()) > 0)
		poll(NULL, 0, (int)(left_ns / NSEC_PER_MSEC) + 1);
}

int update_send(const char *zone, const struct update_records *records, const struct update_way *way,
		struct update_answer *ret)
{
	struct message message;
	char before[100] = "";
	int r = write_message(zone, records, way, &message);

	*ret = (struct update_answer){0};
	if (r)
		snprintf(ret->text, sizeof(ret->text), "the update cannot be written as a message");
	for (int64_t tries = 1; !r; tries++) {
		int64_t until_ns = clock_now_ns() + way->try_ns;
		int silence = try_once(way, &message, until_ns < way->until_ns ? until_ns : way->until_ns, before, ret);

		if (!silence)
			break;
		say_silence(silence, way, tries, before, sizeof(before));
		snprintf(ret->text, sizeof(ret->text), "%s", before);
		if (tries > way->retries || until_ns >= way->until_ns)
			break;
		wait_until(until_ns);
	}
	message_fini(&message);
	return r;
}
