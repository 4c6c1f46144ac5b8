/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/probe/fake_dns.h"
#include "harness/base/address.h"
#include "harness/base/fd.h"
#include <assert.h>
#include <string.h>
#include <sys/socket.h>

struct message {
	uint8_t bytes[1024];
	size_t len;
};

static void put(struct message *message, const void *data, size_t len)
{
	memcpy(message->bytes + message->len, data, len);
	message->len += len;
}
#define PUT(message, literal) put((message), (literal), sizeof(literal) - 1)

/* Header and question of the query, as an answer with these flags and counts. */
static struct message begin(const struct fake_dns *fake, uint8_t flags, uint8_t rcode, uint8_t answers,
			    uint8_t additional)
{
	struct message message = {.len = 0};
	size_t end = 12;

	while (fake->last[end])
		end += 1u + fake->last[end];
	put(&message, fake->last, end + 5);
	message.bytes[2] = (uint8_t)(0x84 | flags); /* QR, AA */
	message.bytes[3] = (uint8_t)(0x80 | rcode); /* RA */
	memset(message.bytes + 4, 0, 8);
	message.bytes[5] = 1;
	message.bytes[7] = answers;
	message.bytes[11] = additional;
	return message;
}

static uint16_t qtype(const struct message *message)
{
	return (uint16_t)(message->bytes[message->len - 4] << 8 | message->bytes[message->len - 3]);
}

static struct message answer(const struct fake_dns *fake)
{
	struct message message = begin(fake, 0, 0, 1, 0);

	if (qtype(&message) == 28) {
		PUT(&message, "\xc0\x0c\0\x1c\0\x01\0\0\0\x3c\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x80");
		return message;
	}
	message.bytes[7] = 2;
	PUT(&message, "\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x50");
	PUT(&message, "\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x08");
	return message;
}

static struct message cname(const struct fake_dns *fake)
{
	struct message message = begin(fake, 0, 0, 3, 0);

	PUT(&message, "\xc0\x0c\0\x05\0\x01\0\0\0\x0a\0\x11\3WEB\7example\3net\0");
	PUT(&message, "\3web\7example\3net\0\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x50");
	PUT(&message, "\4evil\7example\3net\0\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x66");
	return message;
}

static struct message servfail(const struct fake_dns *fake)
{
	struct message message = begin(fake, 0, 2, 0, 1);

	/* OPT, 1232, rcode and version 0, no flags, 32 octets: option 15, 28 octets: INFO-CODE 22, EXTRA-TEXT */
	PUT(&message, "\0\0\x29\x04\xd0\0\0\0\0\0\x20\0\x0f\0\x1c\0\x16"
		      "at delegation example.com.");
	return message;
}

static struct message badvers(const struct fake_dns *fake)
{
	struct message message = begin(fake, 0, 0, 0, 1);

	PUT(&message, "\0\0\x29\x04\xd0\x01\0\0\0\0\0"); /* upper eight bits of the rcode: 1 */
	return message;
}

static void udp_send(struct fake_dns *fake, const struct message *message, const struct sockaddr_storage *to,
		     socklen_t to_len)
{
	sendto(fake->udp_fd, message->bytes, message->len, 0, (const struct sockaddr *)to, to_len);
}

static void udp_strangers(struct fake_dns *fake, const struct sockaddr_storage *to, socklen_t to_len)
{
	struct message id = answer(fake), question = answer(fake), query = answer(fake), tiny = answer(fake);

	id.bytes[1] ^= 1;
	question.bytes[13] ^= 1;
	query.bytes[2] &= 0x7f;
	tiny.bytes[0] ^= 1;
	tiny.len = 2;
	udp_send(fake, &id, to, to_len);
	udp_send(fake, &question, to, to_len);
	udp_send(fake, &query, to, to_len);
	udp_send(fake, &tiny, to, to_len);
}

/* The one message that answers in this mode; false: none. */
static bool reply(const struct fake_dns *fake, bool is_udp, struct message *ret)
{
	switch (fake->mode) {
	case FAKE_SILENT:
	case FAKE_ONLY_STRANGERS:
	case FAKE_CLOSES:
		return false;
	case FAKE_SERVFAIL:
		*ret = servfail(fake);
		return true;
	case FAKE_BADVERS:
		*ret = badvers(fake);
		return true;
	case FAKE_FORMERR_BARE:
		*ret = begin(fake, 0, 1, 0, 0);
		ret->bytes[5] = 0;
		ret->len = 12;
		return true;
	case FAKE_NXDOMAIN:
		*ret = begin(fake, 0, 3, 0, 0);
		return true;
	case FAKE_REFUSED:
		*ret = begin(fake, 0, 5, 0, 0);
		return true;
	case FAKE_NODATA:
		*ret = begin(fake, 0, 0, 0, 0);
		return true;
	case FAKE_GARBAGE:
		*ret = answer(fake);
		ret->len -= 3;
		return true;
	case FAKE_SHORT:
		*ret = answer(fake);
		ret->len = 6;
		return true;
	case FAKE_TRUNCATED:
	case FAKE_TRUNCATED_SILENT:
		if (!is_udp && fake->mode == FAKE_TRUNCATED_SILENT)
			return false;
		*ret = is_udp ? begin(fake, 0x02, 0, 0, 0) : answer(fake);
		return true;
	case FAKE_CNAME:
		*ret = cname(fake);
		return true;
	case FAKE_ANSWER:
	case FAKE_STRANGERS:
	case FAKE_DRIBBLES:
		break;
	}
	*ret = answer(fake);
	return true;
}

static void udp_readable(evutil_socket_t fd, short what, void *arg)
{
	struct fake_dns *fake = arg;
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	ssize_t n = recvfrom(fd, fake->last, sizeof(fake->last), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
	struct message message;

	(void)what;
	if (n < 17)
		return;
	fake->last_len = (size_t)n;
	if (fake->udp_queries < 64) {
		fake->ids[fake->udp_queries] = (uint16_t)(fake->last[0] << 8 | fake->last[1]);
		fake->ports[fake->udp_queries] = ntohs(((const struct sockaddr_in *)(const void *)&from)->sin_port);
	}
	fake->udp_queries++;
	if (fake->mode == FAKE_STRANGERS || fake->mode == FAKE_ONLY_STRANGERS)
		udp_strangers(fake, &from, from_len);
	if (reply(fake, true, &message))
		udp_send(fake, &message, &from, from_len);
}

static void tcp_send(int fd, const struct message *message)
{
	uint8_t len[2] = {(uint8_t)(message->len >> 8), (uint8_t)message->len};

	fd_write_all(fd, len, 2);
	fd_write_all(fd, message->bytes, message->len);
}

static void tcp_dribble(int fd, struct message *message)
{
	uint8_t len[2] = {(uint8_t)(message->len >> 8), (uint8_t)message->len};
	struct message other = *message;

	other.bytes[0] ^= 1;
	tcp_send(fd, &other);
	fd_write_all(fd, len, 1);
	fd_write_all(fd, len + 1, 1);
	fd_write_all(fd, message->bytes, message->len / 2);
	fd_write_all(fd, message->bytes + message->len / 2, message->len - message->len / 2);
}

/* The query is here, in one piece: blocking reads do not block. */
static void tcp_serve(struct fake_dns *fake, int fd)
{
	uint8_t len[2];
	struct message message;

	if (recv(fd, len, 2, MSG_WAITALL) != 2)
		return;
	fake->last_len = (size_t)(len[0] << 8 | len[1]);
	assert(fake->last_len <= sizeof(fake->last));
	recv(fd, fake->last, fake->last_len, MSG_WAITALL);
	fake->tcp_queries++;
	if (reply(fake, false, &message) && fake->mode == FAKE_DRIBBLES)
		tcp_dribble(fd, &message);
	else if (reply(fake, false, &message))
		tcp_send(fd, &message);
	else if (fake->mode != FAKE_CLOSES)
		return; /* as a hung server's, the connection stays open: until the test ends */
	close(fd);
}

static void tcp_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	tcp_serve(arg, fd);
}

static void tcp_acceptable(evutil_socket_t listener, short what, void *arg)
{
	struct fake_dns *fake = arg;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	(void)what;
	if (fd >= 0)
		event_base_once(fake->base, fd, EV_READ, tcp_readable, fake, NULL);
}

static int fake_bind(const char *address_text, int type)
{
	struct address address;
	struct sockaddr_storage sa;
	socklen_t len;
	int fd, on = 1;

	if (address_parse(address_text, &address) < 0)
		return -1;
	len = address_to_sockaddr(&address, 53, &sa);
	fd = socket(address.family, type | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&sa, len) < 0 || (type == SOCK_STREAM && listen(fd, 64) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

struct fake_dns *fake_dns_new(struct event_base *base, const char *address, int tcp, enum fake_mode mode)
{
	struct fake_dns *fake = calloc(1, sizeof(*fake));

	fake->base = base;
	fake->mode = mode;
	fake->udp_fd = fake_bind(address, SOCK_DGRAM);
	fake->tcp_fd = tcp ? fake_bind(address, SOCK_STREAM) : -1;
	assert(fake->udp_fd >= 0 && (!tcp || fake->tcp_fd >= 0));
	fake->udp = event_new(base, fake->udp_fd, EV_READ | EV_PERSIST, udp_readable, fake);
	event_add(fake->udp, NULL);
	if (tcp) {
		fake->tcp = event_new(base, fake->tcp_fd, EV_READ | EV_PERSIST, tcp_acceptable, fake);
		event_add(fake->tcp, NULL);
	}
	return fake;
}

void fake_dns_free(struct fake_dns *fake)
{
	event_free(fake->udp);
	if (fake->tcp)
		event_free(fake->tcp);
	close(fake->udp_fd);
	if (fake->tcp_fd >= 0)
		close(fake->tcp_fd);
	free(fake);
}
