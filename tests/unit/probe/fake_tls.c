/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/probe/fake_tls.h"
#include "harness/api/transport.h"
#include <assert.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct talk {
	SSL *ssl;
	bool is_https;
	enum fake_tls_mode mode;
	unsigned char query[512];
	int query_len;
};

static bool read_exactly(SSL *ssl, unsigned char *to, int len)
{
	for (int n, done = 0; done < len; done += n) {
		n = SSL_read(ssl, to + done, len - done);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool read_framed(struct talk *talk)
{
	unsigned char len[2];

	if (!read_exactly(talk->ssl, len, 2))
		return false;
	talk->query_len = len[0] << 8 | len[1];
	return talk->query_len <= (int)sizeof(talk->query) && read_exactly(talk->ssl, talk->query, talk->query_len);
}

/* Header lines up to the empty one, then what Content-Length says. */
static bool read_http(struct talk *talk)
{
	char head[2048] = "";
	const char *length;

	for (size_t n = 0; !strstr(head, "\r\n\r\n"); n++) {
		if (n == sizeof(head) - 1 || SSL_read(talk->ssl, head + n, 1) != 1)
			return false;
	}
	length = strcasestr(head, "\r\ncontent-length:");
	if (strncmp(head, "POST /dns-query HTTP/1.1\r\n", 26) || !length ||
	    !strcasestr(head, "\r\ncontent-type: application/dns-message\r\n"))
		return false;
	talk->query_len = atoi(length + 17);
	return talk->query_len <= (int)sizeof(talk->query) && read_exactly(talk->ssl, talk->query, talk->query_len);
}

/* The query with QR and two addresses. */
static int make_answer(const struct talk *talk, unsigned char *to)
{
	static const unsigned char records[] = "\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x50"
					       "\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x08";
	int end = 12;

	while (talk->query[end])
		end += 1 + talk->query[end];
	end += 5;
	memcpy(to, talk->query, (size_t)end);
	to[2] |= 0x80;
	to[7] = 2;
	to[11] = 0; /* no OPT */
	if (talk->mode == FAKE_TLS_OTHER_QUESTION)
		to[13] ^= 1;
	memcpy(to + end, records, sizeof(records) - 1);
	return end + (int)sizeof(records) - 1 - (talk->mode == FAKE_TLS_CUT ? 3 : 0);
}

static void write_http(const struct talk *talk, const void *body, int len)
{
	char head[256];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
			 talk->mode == FAKE_TLS_503 ? "503 Service Unavailable" : "200 OK",
			 talk->mode == FAKE_TLS_HTML ? "text/html; charset=utf-8" : "application/dns-message", len);

	SSL_write(talk->ssl, head, n);
	SSL_write(talk->ssl, body, len);
}

static void write_answer(const struct talk *talk)
{
	unsigned char message[2 + 1024];
	int len = make_answer(talk, message + 2);
	static unsigned char endless[70000];

	message[0] = (unsigned char)(len >> 8);
	message[1] = (unsigned char)len;
	if (talk->mode == FAKE_TLS_ENDLESS)
		write_http(talk, endless, sizeof(endless));
	else if (talk->is_https)
		write_http(talk, message + 2, len);
	else
		SSL_write(talk->ssl, message, 2 + len);
}

static void converse(struct talk *talk)
{
	if (SSL_accept(talk->ssl) != 1)
		return;
	while (talk->is_https ? read_http(talk) : read_framed(talk)) {
		if (talk->mode == FAKE_TLS_CLOSES)
			return;
		if (talk->mode != FAKE_TLS_SILENT)
			write_answer(talk);
		if (talk->mode == FAKE_TLS_ANSWERS_ONCE) {
			SSL_shutdown(talk->ssl);
			return;
		}
	}
}

/* Each connection in a process of its own, so that a hung one does not keep others waiting. */
static void serve(const struct fake_tls *fake, int listener, unsigned port, enum fake_tls_mode mode)
{
	struct ca_identity identity;
	struct err err;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert(ca_issue(fake->ca, "r1", fake->flaw, &identity, &err) == 0);
	assert(SSL_CTX_use_certificate(ctx, identity.certificate) == 1);
	assert(SSL_CTX_use_PrivateKey(ctx, identity.key) == 1);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		struct talk talk = {.is_https = port == DOH_PORT, .mode = mode};
		int fd = accept(listener, NULL, NULL);

		++*fake->connections;
		if (fork() > 0) {
			close(fd);
			continue;
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(listener);
		if (mode == FAKE_TLS_MUTE)
			pause();
		talk.ssl = SSL_new(ctx);
		SSL_set_fd(talk.ssl, fd);
		converse(&talk);
		_exit(0);
	}
}

static int listen_on(const struct address *address, unsigned port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_storage sa;
	socklen_t len = address_to_sockaddr(address, (uint16_t)port, &sa);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* The port is taken for as long as a process of the server before, killed already, is not at its end. */
	for (int i = 0; i < 500 && bind(fd, (struct sockaddr *)&sa, len) < 0; i++)
		poll(NULL, 0, 10);
	assert(listen(fd, 64) == 0);
	return fd;
}

struct fake_tls *fake_tls_new(unsigned port, enum fake_tls_mode mode, enum ca_flaw flaw)
{
	struct fake_tls *fake = calloc(1, sizeof(*fake));
	struct err err;
	int listener;

	fake->flaw = flaw;
	assert(address_parse("127.0.0.1", &fake->address) == 0);
	fake->addresses = (struct addresses){&fake->address, 1};
	strcpy(fake->dir, "/tmp/dnsdrill-tls-XXXXXX");
	assert(mkdtemp(fake->dir));
	fake->ca = ca_new(fake->dir, time(NULL), &err);
	assert(fake->ca && ca_add_host(fake->ca, "r1", NULL, &fake->addresses, &err) == 0);
	fake->connections = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	listener = listen_on(&fake->address, port);
	fake->pid = fork();
	if (!fake->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(fake, listener, port, mode);
	}
	close(listener);
	return fake;
}

void fake_tls_free(struct fake_tls *fake)
{
	char path[128];

	kill(fake->pid, SIGKILL);
	waitpid(fake->pid, NULL, 0);
	snprintf(path, sizeof(path), "%s/r1.%s.pem", fake->dir, ca_flaw_name(fake->flaw));
	unlink(path);
	snprintf(path, sizeof(path), "%s/r1.key", fake->dir);
	unlink(path);
	unlink(ca_bundle(fake->ca));
	rmdir(fake->dir);
	ca_free(fake->ca);
	munmap(fake->connections, sizeof(int));
	free(fake);
}
