/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/out.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#define SEGMENT_MAX 1200 /* bytes: fits every path there is (RFC 8899 section 5.1.2 begins there) */
#define RUN_MAX 50 /* datagrams: at most 60,000 bytes, and fewer than the kernel's 64 */

static size_t length(const struct out *out, unsigned i)
{
	return out->parts[i][0].iov_len + out->parts[i][1].iov_len;
}

/* Whether it goes where the socket is connected to, both its parts in their places. */
static bool is_plain(const struct out *out, unsigned i)
{
	const struct msghdr *header = &out->headers[i].msg_hdr;

	return !header->msg_name && !header->msg_control && header->msg_iovlen == 2;
}

/* How many datagrams, from the i-th on, may leave as one. */
static unsigned run_from(const struct out *out, unsigned i)
{
	size_t len = length(out, i);
	unsigned n = 1;

	if (out->is_single || !is_plain(out, i) || !len || len > SEGMENT_MAX)
		return 1;
	while (i + n < out->count && n < RUN_MAX && is_plain(out, i + n) && length(out, i + n) == len)
		n++;
	return n;
}

static void add_segment_size(struct msghdr *header, char *control, uint16_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;

	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(sizeof(len));
	*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(len)), .cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT};
	memcpy(CMSG_DATA(c), &len, sizeof(len));
}

/* Fills runs; returns how many there are. */
static unsigned gather(struct out *out)
{
	unsigned runs = 0;

	for (unsigned i = 0; i < out->count; i += out->lengths[runs++]) {
		unsigned n = run_from(out, i);

		out->lengths[runs] = (uint8_t)n;
		out->runs[runs] = out->headers[i];
		if (n > 1) {
			out->runs[runs].msg_hdr.msg_iovlen = 2 * (size_t)n; /* parts stand one behind the other */
			add_segment_size(&out->runs[runs].msg_hdr, out->control[i], (uint16_t)length(out, i));
		}
	}
	return runs;
}

/* The datagrams of a run that was refused as such. */
static void send_each(struct out *out, unsigned run)
{
	unsigned first = 0;

	for (unsigned i = 0; i < run; i++)
		first += out->lengths[i];
	for (unsigned i = first; i < first + out->lengths[run]; i++)
		sendmsg(out->fd, &out->headers[i].msg_hdr, MSG_DONTWAIT);
}

/* EINVAL, EIO, EMSGSIZE: no segments here. Others would meet a single datagram, too. */
static bool is_refused_as_run(const struct out *out, unsigned run, int error)
{
	return out->lengths[run] > 1 && (error == EINVAL || error == EIO || error == EMSGSIZE);
}

void out_send(struct out *out)
{
	unsigned runs = gather(out), done = 0;
	bool again = false;

	while (done < runs) {
		int r = sendmmsg(out->fd, out->runs + done, runs - done, MSG_DONTWAIT);

		if (r > 0) {
			done += (unsigned)r;
			again = false;
		} else if (errno == ECONNREFUSED && !again) {
			again = true; /* that was the answer to an earlier datagram; this one was not sent */
		} else if (is_refused_as_run(out, done, errno)) {
			out->is_single = true;
			send_each(out, done++);
		} else if (errno != EINTR) {
			done++;
		}
	}
	out->count = 0;
}
