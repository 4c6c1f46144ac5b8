/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both ends of TLS over a pair of sockets that never block.
 */
#include "injectors/proxy/tls.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST "dns.example"

struct bed {
	char dir[64];
	struct ca *ca;
	struct address address;
	struct addresses addresses;
	struct tls_service *service;
	int fds[2];
	struct tls *server, *client;
};

static int setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	struct ca_identity identities[CA_FLAW_COUNT];
	struct err err = {0};

	snprintf(bed->dir, sizeof(bed->dir), "/tmp/dnsdrill-test-XXXXXX");
	assert_non_null(mkdtemp(bed->dir));
	bed->ca = ca_new(bed->dir, time(NULL), &err);
	assert_non_null(bed->ca);
	assert_int_equal(address_parse("192.0.2.1", &bed->address), 0);
	bed->addresses = (struct addresses){&bed->address, 1};
	assert_int_equal(ca_add_host(bed->ca, HOST, NULL, &bed->addresses, &err), 0);
	for (int i = 0; i < CA_FLAW_COUNT; i++)
		assert_int_equal(ca_issue(bed->ca, HOST, (enum ca_flaw)i, &identities[i], &err), 0);
	assert_int_equal(tls_service_new(identities, &bed->service, &err), 0);
	bed->fds[0] = bed->fds[1] = -1;
	*state = bed;
	return 0;
}

static void hang_up(struct bed *bed)
{
	tls_free(bed->client);
	tls_free(bed->server);
	bed->client = bed->server = NULL;
	for (int i = 0; i < 2; i++) {
		if (bed->fds[i] >= 0)
			close(bed->fds[i]);
		bed->fds[i] = -1;
	}
}

static void clear_away(const char *dir)
{
	DIR *open = opendir(dir);
	struct dirent *entry;
	char path[400];

	while (open && (entry = readdir(open))) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (*entry->d_name != '.')
			unlink(path);
	}
	closedir(open);
	rmdir(dir);
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	hang_up(bed);
	tls_service_free(bed->service);
	ca_free(bed->ca);
	clear_away(bed->dir);
	free(bed);
	return 0;
}

/* Both ends go on as far as they can. What the client's last reading gave. */
static ssize_t shake(struct bed *bed, const struct tls_trust *trust, enum tls_protocol asked, const char *name,
		     const struct decide_tls *fault)
{
	ssize_t there = -EAGAIN, here = -EAGAIN;
	char byte;

	hang_up(bed);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, bed->fds), 0);
	bed->server = tls_accept(bed->service, TLS_DOT, fault, bed->fds[0]);
	bed->client = tls_connect(trust, asked, name, bed->fds[1]);
	assert_non_null(bed->server);
	assert_non_null(bed->client);
	for (int i = 0; i < 8; i++) {
		if (here == -EAGAIN)
			here = tls_read(bed->client, &byte, 1);
		if (there == -EAGAIN)
			there = tls_read(bed->server, &byte, 1);
	}
	return here;
}

static struct decide_tls with(enum ca_flaw flaw)
{
	return (struct decide_tls){.certificate = flaw, .handshake = PARAM_UNSET, .newest = PARAM_UNSET};
}

static struct tls_trust *trust_of(const struct bed *bed, const char *name, bool verify)
{
	struct tls_trust *trust;
	struct err err;

	assert_int_equal(tls_trust_new(verify ? ca_bundle(bed->ca) : NULL, name, verify, &trust, &err), 0);
	return trust;
}

static void a_sound_certificate_convinces_by_name_and_by_address(void **state)
{
	struct bed *bed = *state;
	struct tls_trust *trust = trust_of(bed, NULL, true), *named = trust_of(bed, HOST, true);
	struct decide_tls sound = with(CA_SOUND);
	char text[8] = "";

	assert_int_equal(shake(bed, trust, TLS_DOT, "192.0.2.1", &sound), -EAGAIN);
	assert_true(bed->client->is_up && bed->server->is_up && tls_is_agreed(bed->client) &&
		    tls_is_agreed(bed->server));
	assert_int_equal(tls_write(bed->client, "hello", 5), 5);
	assert_int_equal(tls_read(bed->server, text, sizeof(text)), 5);
	assert_string_equal(text, "hello");
	assert_int_equal(shake(bed, named, TLS_DOT, "192.0.2.9", &sound), -EAGAIN); /* the name, whatever the address */
	assert_true(bed->client->is_up);
	assert_int_equal(shake(bed, trust, TLS_DOT, "192.0.2.9", &sound), -EPROTO);
	assert_int_equal(shake(bed, trust, TLS_DOT, "other.example", &sound), -EPROTO);
	tls_trust_free(trust);
	tls_trust_free(named);
}

static void each_flaw_is_refused_unless_nobody_looks(void **state)
{
	struct bed *bed = *state;
	struct tls_trust *trust = trust_of(bed, HOST, true), *blind = trust_of(bed, HOST, false);

	for (int i = CA_SOUND + 1; i < CA_FLAW_COUNT; i++) {
		struct decide_tls bad = with((enum ca_flaw)i);

		assert_int_equal(shake(bed, trust, TLS_DOT, HOST, &bad), -EPROTO);
		assert_true(bed->client->is_broken);
		assert_int_equal(shake(bed, blind, TLS_DOT, HOST, &bad), -EAGAIN);
		assert_true(bed->client->is_up);
	}
	tls_trust_free(trust);
	tls_trust_free(blind);
}

static void a_handshake_ends_with_an_alert_or_in_the_past(void **state)
{
	struct bed *bed = *state;
	struct tls_trust *trust = trust_of(bed, HOST, true);
	struct decide_tls fault = with(CA_SOUND);

	fault.handshake = RULE_HANDSHAKE_ALERT;
	assert_int_equal(shake(bed, trust, TLS_DOT, HOST, &fault), -EPROTO);
	fault = with(CA_SOUND);
	fault.newest = RULE_TLS_1_0;
	assert_int_equal(shake(bed, trust, TLS_DOT, HOST, &fault), -EPROTO);
	fault.newest = RULE_TLS_1_2;
	assert_int_equal(shake(bed, trust, TLS_DOT, HOST, &fault), -EAGAIN);
	assert_true(bed->client->is_up);
	tls_trust_free(trust);
}

static void another_protocol_is_not_agreed_on(void **state)
{
	struct bed *bed = *state;
	struct tls_trust *trust = trust_of(bed, HOST, true);
	struct decide_tls sound = with(CA_SOUND);

	assert_int_equal(shake(bed, trust, TLS_H2, HOST, &sound), -EAGAIN);
	assert_true(bed->client->is_up && !tls_is_agreed(bed->client) && !tls_is_agreed(bed->server));
	tls_trust_free(trust);
}

static void goodbye_is_an_end_and_silence_is_none(void **state)
{
	struct bed *bed = *state;
	struct tls_trust *trust = trust_of(bed, HOST, true);
	struct decide_tls sound = with(CA_SOUND);
	char byte;

	assert_int_equal(shake(bed, trust, TLS_DOT, HOST, &sound), -EAGAIN);
	assert_int_equal(tls_read(bed->server, &byte, 1), -EAGAIN);
	tls_free(bed->client);
	bed->client = NULL;
	assert_int_equal(tls_read(bed->server, &byte, 1), 0);
	tls_trust_free(trust);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_sound_certificate_convinces_by_name_and_by_address, setup, teardown),
		cmocka_unit_test_setup_teardown(each_flaw_is_refused_unless_nobody_looks, setup, teardown),
		cmocka_unit_test_setup_teardown(a_handshake_ends_with_an_alert_or_in_the_past, setup, teardown),
		cmocka_unit_test_setup_teardown(another_protocol_is_not_agreed_on, setup, teardown),
		cmocka_unit_test_setup_teardown(goodbye_is_an_end_and_silence_is_none, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
