/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

struct tls_service {
	SSL_CTX *contexts[CA_FLAW_COUNT]; /* NULL: none */
};

struct tls_trust {
	SSL_CTX *context;
	char *name;
	bool verify;
};

/* As ALPN says them, with their length in front. */
static const char *const protocols[] = {[TLS_DOT] = "\3dot", [TLS_H2] = "\2h2"};

static int complain(struct err *err, const char *what, const char *file)
{
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return err_set(err, -EINVAL, LOC_NONE, "%s%s%s: %s", what, file ? " " : "", file ? file : "",
		       reason ? reason : "OpenSSL does not say why");
}

/* What was asked for, if it is among what the client offers; a client that offers other things is told so (RFC 7301 section 3.2), but one of HTTP/1.1 is let in to be told in its own words. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
			   unsigned in_len, void *user)
{
	const char *want = SSL_get_app_data(ssl);

	(void)user;
	for (unsigned i = 0; i < in_len; i += 1 + in[i]) {
		if (in[i] == want[0] && i + 1 + in[i] <= in_len && !memcmp(in + i + 1, want + 1, in[i])) {
			*out = in + i + 1;
			*out_len = in[i];
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_NOACK;
}

static SSL_CTX *new_context(const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (!context)
		return NULL;
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	return context;
}

static SSL_CTX *new_server_context(void)
{
	static const unsigned char id[] = "dnsdrill";
	SSL_CTX *context = new_context(TLS_server_method());

	if (!context)
		return NULL;
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	SSL_CTX_set_session_id_context(context, id, sizeof(id) - 1);
	return context;
}

static int add_flaws(struct tls_service *service, const struct ca_identity *identities, struct err *err)
{
	for (int i = 0; identities && i < CA_FLAW_COUNT; i++) {
		if (!identities[i].certificate || service->contexts[i])
			continue;
		service->contexts[i] = new_server_context();
		if (!service->contexts[i] ||
		    SSL_CTX_use_certificate(service->contexts[i], identities[i].certificate) != 1 ||
		    SSL_CTX_use_PrivateKey(service->contexts[i], identities[i].key) != 1)
			return complain(err, "a certificate", ca_flaw_name((enum ca_flaw)i));
	}
	return 0;
}

int tls_service_new(const struct ca_identity identities[CA_FLAW_COUNT], struct tls_service **ret, struct err *err)
{
	struct tls_service *service = calloc(1, sizeof(*service));
	int r = service ? add_flaws(service, identities, err) : err_set(err, -ENOMEM, LOC_NONE, "out of memory");

	if (r)
		tls_service_free(service);
	else
		*ret = service;
	return r;
}

int tls_service_from_files(const char *chain_file, const char *key_file, const struct ca_identity *others,
			   struct tls_service **ret, struct err *err)
{
	struct tls_service *service = calloc(1, sizeof(*service));
	SSL_CTX *context = new_server_context();
	int r = 0;

	if (!service || !context) {
		SSL_CTX_free(context);
		free(service);
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	}
	service->contexts[CA_SOUND] = context;
	if (SSL_CTX_use_certificate_chain_file(context, chain_file) != 1)
		r = complain(err, "certificate", chain_file);
	else if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1 ||
		 SSL_CTX_check_private_key(context) != 1)
		r = complain(err, "key", key_file);
	else
		r = add_flaws(service, others, err);
	if (r)
		tls_service_free(service);
	else
		*ret = service;
	return r;
}

void tls_service_free(struct tls_service *service)
{
	for (int i = 0; service && i < CA_FLAW_COUNT; i++)
		SSL_CTX_free(service->contexts[i]);
	free(service);
}

int tls_trust_new(const char *ca_file, const char *name, bool verify, struct tls_trust **ret, struct err *err)
{
	struct tls_trust *trust = calloc(1, sizeof(*trust));
	SSL_CTX *context = new_context(TLS_client_method());
	int good = 1;

	if (!trust || !context) {
		SSL_CTX_free(context);
		free(trust);
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	}
	*trust = (struct tls_trust){.context = context, .name = name ? strdup(name) : NULL, .verify = verify};
	if (verify) {
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
		good = ca_file ? SSL_CTX_load_verify_file(context, ca_file) : SSL_CTX_set_default_verify_paths(context);
	}
	if (good != 1) {
		tls_trust_free(trust);
		return complain(err, "authorities", ca_file);
	}
	*ret = trust;
	return 0;
}

void tls_trust_free(struct tls_trust *trust)
{
	if (!trust)
		return;
	SSL_CTX_free(trust->context);
	free(trust->name);
	free(trust);
}

const char *tls_trust_name(const struct tls_trust *trust)
{
	return trust->name;
}

static struct tls *new_connection(SSL_CTX *context, enum tls_protocol protocol, int fd)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return NULL;
	tls->ssl = SSL_new(context);
	if (!tls->ssl || SSL_set_fd(tls->ssl, fd) != 1) {
		SSL_free(tls->ssl);
		free(tls);
		ERR_clear_error();
		return NULL;
	}
	SSL_set_app_data(tls->ssl, (void *)(uintptr_t)protocols[protocol]);
	return tls;
}

/* An old server: today's libraries speak such versions only when told that security does not matter. */
static void grow_old(SSL *ssl, int64_t newest)
{
	static const int versions[] = {
		[RULE_TLS_1_0] = TLS1_VERSION, [RULE_TLS_1_1] = TLS1_1_VERSION, [RULE_TLS_1_2] = TLS1_2_VERSION};

	SSL_set_security_level(ssl, 0);
	SSL_set_min_proto_version(ssl, TLS1_VERSION);
	SSL_set_max_proto_version(ssl, versions[newest]);
}

struct tls *tls_accept(const struct tls_service *service, enum tls_protocol protocol, const struct decide_tls *fault,
		       int fd)
{
	SSL_CTX *context = service->contexts[fault->certificate];
	struct tls *tls = new_connection(context ? context : service->contexts[CA_SOUND], protocol, fd);

	if (!tls)
		return NULL;
	SSL_set_accept_state(tls->ssl);
	if (fault->newest != PARAM_UNSET)
		grow_old(tls->ssl, fault->newest);
	if (fault->handshake == RULE_HANDSHAKE_ALERT) { /* no cipher in common */
		SSL_set_ciphersuites(tls->ssl, "");
		SSL_set_cipher_list(tls->ssl, "PSK-AES128-CBC-SHA");
	}
	return tls;
}

struct tls *tls_connect(const struct tls_trust *trust, enum tls_protocol protocol, const char *name, int fd)
{
	struct tls *tls = new_connection(trust->context, protocol, fd);
	const char *alpn = protocols[protocol];
	char asked[256];
	struct address address;
	bool good;

	if (!tls)
		return NULL;
	name = trust->name ? trust->name : name;
	snprintf(asked, sizeof(asked), "%s", name);
	SSL_set_connect_state(tls->ssl);
	good = !SSL_set_alpn_protos(tls->ssl, (const unsigned char *)alpn, (unsigned)strlen(alpn));
	if (!address_parse(name, &address))
		good = good && (!trust->verify || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), name) == 1);
	else
		good = good && SSL_set_tlsext_host_name(tls->ssl, asked) == 1 &&
		       (!trust->verify || SSL_set1_host(tls->ssl, name) == 1);
	if (good)
		return tls;
	tls->is_broken = true;
	tls_free(tls);
	return NULL;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	if (tls->is_up && !tls->is_broken)
		SSL_shutdown(tls->ssl);
	SSL_free(tls->ssl);
	ERR_clear_error(); /* what is left over would be taken for the next connection's */
	free(tls);
}

static const char *reason_of(const SSL *ssl)
{
	long verified = SSL_get_verify_result(ssl);
	unsigned long code = ERR_peek_error();

	if (verified != X509_V_OK && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE)
		return X509_verify_cert_error_string(verified);
	return code ? ERR_reason_error_string(code) : NULL;
}

static ssize_t outcome(struct tls *tls, int r)
{
	int why = SSL_get_error(tls->ssl, r);

	tls->is_up = SSL_is_init_finished(tls->ssl);
	tls->wants_write = why == SSL_ERROR_WANT_WRITE;
	if (r > 0)
		return r;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return -EAGAIN;
	if (why == SSL_ERROR_ZERO_RETURN)
		return 0;
	tls->is_broken = true;
	tls->why = reason_of(tls->ssl);
	return -EPROTO;
}

const char *tls_reason(const struct tls *tls)
{
	return tls->why;
}

ssize_t tls_read(struct tls *tls, void *buf, size_t size)
{
	ERR_clear_error();
	return outcome(tls, SSL_read(tls->ssl, buf, size > INT32_MAX ? INT32_MAX : (int)size));
}

ssize_t tls_write(struct tls *tls, const void *bytes, size_t len)
{
	ssize_t n;

	ERR_clear_error();
	n = outcome(tls, SSL_write(tls->ssl, bytes, len > INT32_MAX ? INT32_MAX : (int)len));
	return n ? n : -EPIPE;
}

bool tls_is_agreed(const struct tls *tls)
{
	const char *want = SSL_get_app_data(tls->ssl);
	const unsigned char *got;
	unsigned len;

	SSL_get0_alpn_selected(tls->ssl, &got, &len);
	return len == (unsigned)want[0] && !memcmp(got, want + 1, len);
}
