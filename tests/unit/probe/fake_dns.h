/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A DNS server in the test's event loop that does what real ones do on bad days. Its messages are put together by hand, so that
 * the probe's own encoder and decoder are not both the question and the answer.
 */
#pragma once
#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

enum fake_mode {
	FAKE_ANSWER, /* A 192.0.2.80 and 192.0.2.8 or AAAA 2001:db8::80, TTL 60, AA */
	FAKE_SILENT,
	FAKE_SERVFAIL, /* with EDE 22 "at delegation example.com." */
	FAKE_BADVERS, /* extended rcode 16 */
	FAKE_FORMERR_BARE, /* a header alone */
	FAKE_NXDOMAIN,
	FAKE_REFUSED,
	FAKE_NODATA,
	FAKE_STRANGERS, /* wrong ID, wrong question, a query, two octets; then the answer */
	FAKE_ONLY_STRANGERS, /* the same without the answer */
	FAKE_GARBAGE, /* ID and question right, the rest cut off within a record */
	FAKE_SHORT, /* the ID and four octets more */
	FAKE_TRUNCATED, /* TC over UDP, the answer over TCP */
	FAKE_TRUNCATED_SILENT, /* TC over UDP, silence over TCP */
	FAKE_CLOSES, /* TCP: closes when it has read the query */
	FAKE_DRIBBLES, /* TCP: the answer in two pieces, cut within the length, behind an answer to another query */
	FAKE_CNAME, /* www → web.example.net (A 192.0.2.80), and an A record of a third name that nobody asked for */
};

struct fake_dns {
	struct event_base *base;
	enum fake_mode mode;
	int udp_fd, tcp_fd;
	struct event *udp, *tcp;
	int udp_queries, tcp_queries; /* that came in */
	uint16_t ids[64]; /* of the first ones, over UDP */
	uint16_t ports[64]; /* they came from */
	uint8_t last[512]; /* query */
	size_t last_len;
};

/* Binds address, port 53, both transports. tcp false: no TCP listener. */
struct fake_dns *fake_dns_new(struct event_base *base, const char *address, int tcp, enum fake_mode mode);
void fake_dns_free(struct fake_dns *fake);
