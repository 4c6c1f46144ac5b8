/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS over HTTPS (RFC 8484) by libcurl: a POST for each query, over HTTP/2 where the server speaks it, with sockets of the client's host. No name is ever looked up: the
 * URL has the server's name, and libcurl is told its address.
 *
 * A pool (struct doh) is one multi handle and its connections. It belongs to the requests in it, and, while it is the present one, to the probe; it is closed when it
 * belongs to nobody.
 */
#include "harness/base/macro.h"
#include "harness/probe/dns.h"
#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <strings.h>

#define DOH_TYPE "application/dns-message"

struct doh {
	struct dns *dns;
	CURLM *multi;
	struct event *timer;
	struct curl_slist *headers, *addresses;
	char url[320];
	size_t asks; /* in it */
	int64_t heard_ns; /* when an answer last came */
	bool is_busy; /* one of its own functions is at work: not to be closed */
};

static void doh_free(struct doh *doh)
{
	if (doh->multi)
		curl_multi_cleanup(doh->multi);
	if (doh->timer)
		event_free(doh->timer);
	curl_slist_free_all(doh->headers);
	curl_slist_free_all(doh->addresses);
	free(doh);
}

static void doh_release(struct doh *doh)
{
	if (!doh->is_busy && !doh->asks && doh->dns->doh != doh)
		doh_free(doh);
}

void dns_doh_leave(struct dns_ask *ask)
{
	struct doh *doh = TAKE(ask->doh);

	if (!doh)
		return;
	curl_multi_remove_handle(doh->multi, ask->easy);
	curl_easy_cleanup(TAKE(ask->easy));
	buf_fini(&ask->body);
	doh->asks--;
	doh_release(doh);
}

void dns_doh_close(struct dns *dns)
{
	struct doh *doh = TAKE(dns->doh);

	if (doh)
		doh_release(doh);
}

/* Kept connections on which nothing came since the query are taken for dead: the next query gets others. */
void dns_doh_expired(struct dns_ask *ask)
{
	struct doh *doh = ask->doh;

	if (doh && doh == ask->dns->doh && ask->dns->probe->connection == DNS_CONNECTION_KEEP &&
	    doh->heard_ns < ask->sent_ns)
		ask->dns->doh = NULL;
}

const char *dns_doh_stage(const struct dns_ask *ask)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	curl_off_t secured = 0;

	curl_easy_getinfo(ask->easy, CURLINFO_APPCONNECT_TIME_T, &secured);
	if (secured || ask->open_fd <= 0) /* on a connection that another question made */
		return "";
	return getpeername(ask->open_fd, (struct sockaddr *)&peer, &len) < 0 ? ": no TCP connection"
									     : ": the TLS handshake did not end";
}

/* ---- what came of a request ---- */

/* A header's value before its parameters. */
static bool is_dns_message(const char *type)
{
	size_t len = type ? strcspn(type, "; \t") : 0;

	return len == strlen(DOH_TYPE) && !strncasecmp(type, DOH_TYPE, len);
}

static void doh_answered(struct dns_ask *ask)
{
	struct dns_query *query = &ask->dns->query;
	const uint8_t *wire = (const uint8_t *)ask->body.data;
	const char *type = NULL;
	long status = 0;
	char why[200];

	curl_easy_getinfo(ask->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(ask->easy, CURLINFO_CONTENT_TYPE, &type);
	if (status < 200 || status > 299) {
		snprintf(why, sizeof(why), "HTTP status %ld", status);
		dns_refused(ask, why);
		return;
	}
	if (!is_dns_message(type)) {
		snprintf(why, sizeof(why), "HTTP content type %.80s, not " DOH_TYPE, type ? type : "none");
		dns_refused(ask, why);
		return;
	}
	dns_prepare(ask);
	switch (dns_match(query, wire, ask->body.len)) {
	case DNS_MATCH:
		dns_answered(ask, wire, ask->body.len);
		return;
	case DNS_OTHER:
		dns_garbled(ask, "the answer is not to this question");
		return;
	case DNS_MALFORMED:
		dns_garbled(ask, "malformed answer");
		return;
	}
}

/* libcurl's word for it, which OpenSSL's reasons are part of. */
static void doh_refused(struct dns_ask *ask, CURLcode code, const char *words)
{
	long verified = 0;
	char why[CURL_ERROR_SIZE + 64];

	curl_easy_getinfo(ask->easy, CURLINFO_SSL_VERIFYRESULT, &verified);
	if (!words[0])
		words = curl_easy_strerror(code);
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR || verified)
		snprintf(why, sizeof(why), "TLS handshake failed: %s", words);
	else
		snprintf(why, sizeof(why), "HTTPS failed: %s", words);
	dns_refused(ask, why);
}

static void doh_failed(struct dns_ask *ask, CURLcode code, const char *words)
{
	long error = 0;

	curl_easy_getinfo(ask->easy, CURLINFO_OS_ERRNO, &error);
	switch (code) {
	case CURLE_OUT_OF_MEMORY:
		dns_failed(ask, ENOMEM);
		return;
	case CURLE_COULDNT_CONNECT:
		dns_failed(ask, ask->open_fd < 0 ? -ask->open_fd : error ? (int)error : ECONNREFUSED);
		return;
	case CURLE_WRITE_ERROR: /* ours: there is no longer message */
		dns_garbled(ask, "malformed answer: longer than a DNS message can be");
		return;
	case CURLE_GOT_NOTHING:
		dns_failed(ask, ECONNRESET);
		return;
	default:
		doh_refused(ask, code, words);
	}
}

static void doh_take_finished(struct doh *doh)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(doh->multi, &left))) {
		struct dns_ask *ask;
		CURLcode code = message->data.result;
		char *p = NULL, words[CURL_ERROR_SIZE] = "";

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &p);
		ask = (struct dns_ask *)(void *)p;
		snprintf(words, sizeof(words), "%s", ask->words);
		doh->heard_ns = dns_now(doh->dns);
		if (code == CURLE_OK)
			doh_answered(ask);
		else
			doh_failed(ask, code, words);
	}
}

/* ---- libcurl's sockets and timer in our loop ---- */

static void doh_action(struct doh *doh, curl_socket_t fd, int what)
{
	int running;

	doh->is_busy = true;
	curl_multi_socket_action(doh->multi, fd, what, &running);
	doh_take_finished(doh);
	doh->is_busy = false;
	doh_release(doh);
}

static void doh_socket_event(evutil_socket_t fd, short what, void *arg)
{
	doh_action(arg, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void doh_timer_event(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	doh_action(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int doh_watch(CURL *easy UNUSED, curl_socket_t fd, int what, void *arg, void *old)
{
	struct doh *doh = arg;
	struct event *event = old;
	short wanted = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));

	if (event)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE)
		event = event_new(doh->dns->ctx.base, fd, (short)(wanted | EV_PERSIST), doh_socket_event, doh);
	curl_multi_assign(doh->multi, fd, event);
	if (what != CURL_POLL_REMOVE && (!event || event_add(event, NULL) < 0))
		return -1;
	return 0;
}

static int doh_set_timer(CURLM *multi UNUSED, long timeout_ms, void *arg)
{
	struct doh *doh = arg;
	struct timeval in = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

	return timeout_ms < 0 ? evtimer_del(doh->timer) : evtimer_add(doh->timer, &in);
}

static curl_socket_t doh_open_socket(void *arg, curlsocktype purpose UNUSED, struct curl_sockaddr *to)
{
	struct dns_ask *ask = arg;
	int fd = host_socket(ask->dns->ctx.host, to->family, to->socktype, to->protocol);

	ask->open_fd = fd;
	if (fd >= 0)
		return fd;
	return CURL_SOCKET_BAD;
}

static size_t doh_write(char *data, size_t size, size_t count, void *arg)
{
	struct dns_ask *ask = arg;

	if (ask->body.len + size * count > DNS_MESSAGE_MAX)
		return 0;
	buf_add(&ask->body, data, size * count);
	return ask->body.failed ? 0 : size * count;
}

/* ---- asking ---- */

static struct doh *doh_new(struct dns *dns)
{
	struct doh *doh = calloc(1, sizeof(*doh));
	bool is_v6 = dns->address->family == AF_INET6;
	char address[384];

	if (!doh)
		return NULL;
	doh->dns = dns;
	snprintf(doh->url, sizeof(doh->url), "https://%s:%d" DOH_PATH, dns->tls_name, DOH_PORT);
	snprintf(address, sizeof(address), is_v6 ? "%s:%d:[%s]" : "%s:%d:%s", dns->tls_name, DOH_PORT,
		 dns->address->text);
	doh->headers = curl_slist_append(NULL, "Content-Type: " DOH_TYPE);
	if (doh->headers && !curl_slist_append(doh->headers, "Accept: " DOH_TYPE))
		doh->headers = NULL;
	doh->addresses = curl_slist_append(NULL, address);
	doh->multi = curl_multi_init();
	doh->timer = evtimer_new(dns->ctx.base, doh_timer_event, doh);
	if (!doh->headers || !doh->addresses || !doh->multi || !doh->timer) {
		doh_free(doh);
		return NULL;
	}
	curl_multi_setopt(doh->multi, CURLMOPT_SOCKETFUNCTION, doh_watch);
	curl_multi_setopt(doh->multi, CURLMOPT_SOCKETDATA, doh);
	curl_multi_setopt(doh->multi, CURLMOPT_TIMERFUNCTION, doh_set_timer);
	curl_multi_setopt(doh->multi, CURLMOPT_TIMERDATA, doh);
	return doh;
}

int dns_doh_open(struct dns *dns, struct err *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return err_set(err, -EIO, LOC_NONE, "libcurl does not start");
	dns->doh = doh_new(dns);
	return dns->doh ? 0 : err_set(err, -ENOMEM, LOC_NONE, "out of memory");
}

/* Whom it goes to: no environment, no proxy, no cache of names or sessions has a say in it. */
static void doh_set_peer(const struct dns_ask *ask, const struct doh *doh)
{
	CURL *easy = ask->easy;
	bool is_kept = ask->dns->probe->connection == DNS_CONNECTION_KEEP;

	curl_easy_setopt(easy, CURLOPT_URL, doh->url);
	curl_easy_setopt(easy, CURLOPT_RESOLVE, doh->addresses);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, doh_open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, ask);
	curl_easy_setopt(easy, CURLOPT_CAINFO, ask->dns->ctx.ca_file);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, is_kept ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, is_kept ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, is_kept ? 1L : 0L);
}

static void doh_set_request(struct dns_ask *ask, const struct doh *doh)
{
	CURL *easy = ask->easy;
	const struct dns_query *query = &ask->dns->query;

	ask->id = 0; /* RFC 8484 section 4.1 */
	dns_prepare(ask);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, doh->headers);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)query->len);
	curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, query->wire);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, doh_write);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, ask);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, ask->words);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, ask);
}

void dns_doh_start(struct dns_ask *ask)
{
	struct dns *dns = ask->dns;
	CURL *easy = curl_easy_init();

	if (!dns->doh)
		dns->doh = doh_new(dns);
	if (!dns->doh || !easy) {
		curl_easy_cleanup(easy);
		dns_failed(ask, ENOMEM);
		return;
	}
	ask->doh = dns->doh;
	ask->doh->asks++;
	ask->easy = easy;
	ask->sent_ns = dns_now(dns);
	doh_set_peer(ask, ask->doh);
	doh_set_request(ask, ask->doh);
	if (curl_multi_add_handle(ask->doh->multi, easy))
		dns_failed(ask, ENOMEM);
}
