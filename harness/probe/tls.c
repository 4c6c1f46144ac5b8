/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/probe/tls.h"
#include <errno.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <string.h>

static int client_failed(struct err *err, const char *what)
{
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return err_set(err, -EIO, LOC_NONE, "cannot %s: %s", what, reason ? reason : "OpenSSL does not say why");
}

SSL_CTX *tls_client_new(const char *ca_file, struct err *err)
{
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());

	if (!client) {
		client_failed(err, "make a TLS client");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(client, TLS1_2_VERSION);
	SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(client, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(client, ca_file ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (ca_file && !SSL_CTX_load_verify_file(client, ca_file)) {
		client_failed(err, "read the lab's CA");
		SSL_CTX_free(client);
		return NULL;
	}
	return client;
}

SSL *tls_open(SSL_CTX *client, int fd, const char *name)
{
	SSL *ssl = SSL_new(client);
	char host[256]; /* OpenSSL's macro takes no constant */

	snprintf(host, sizeof(host), "%s", name ? name : "");
	if (ssl && SSL_set_fd(ssl, fd) &&
	    (!name || (SSL_set_tlsext_host_name(ssl, host) && SSL_set1_host(ssl, host)))) {
		SSL_set_connect_state(ssl);
		return ssl;
	}
	SSL_free(ssl);
	ERR_clear_error();
	return NULL;
}

short tls_waits_for(SSL *ssl, int result)
{
	switch (SSL_get_error(ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return EV_READ;
	case SSL_ERROR_WANT_WRITE:
		return EV_WRITE;
	default:
		return 0;
	}
}

void tls_why(SSL *ssl, int result, char *buf, size_t size, int *ret_errno)
{
	int system = errno, kind = SSL_get_error(ssl, result);
	long verified = SSL_get_verify_result(ssl);
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	*ret_errno = 0;
	if (kind == SSL_ERROR_SYSCALL && !code && system)
		*ret_errno = system;
	if (verified != X509_V_OK)
		snprintf(buf, size, "%s", X509_verify_cert_error_string(verified));
	else if (kind == SSL_ERROR_ZERO_RETURN || (code && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING))
		snprintf(buf, size, "connection closed");
	else if (reason)
		snprintf(buf, size, "%s", reason);
	else
		snprintf(buf, size, "%s", system ? strerrordesc_np(system) : "connection closed");
	ERR_clear_error();
}
