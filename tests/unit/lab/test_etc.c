/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/lab/etc.h"
#include "tests/unit/lab/fixture.h"
#include <fcntl.h>

static void assert_resolv_conf(const struct fixture *fixture, size_t host, const char *wanted)
{
	struct buf text = {0};

	etc_resolv_conf(&fixture->topology, &fixture->hosts[host], &text);
	assert_string_equal(text.data, wanted);
	buf_fini(&text);
}

static void give_resolvers(struct topo_host *client, struct probe_server *servers, const char *const *addresses,
			   size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(address_parse(addresses[i], &servers[i].address), 0);
	client->resolvers = servers;
	client->resolver_count = count;
}

static void a_client_asks_its_resolvers_in_order_with_its_own_patience(void **state UNUSED)
{
	static const char *const addresses[] = {"203.0.113.54", "2001:db8::53"};
	struct client_spec spec = {.timeout_ns = 2 * SEC, .attempts = 3, .options = {.value = "options rotate"}};
	struct probe_server servers[2] = {0};
	struct fixture fixture = {0};
	struct topo_host *client = fixture_add_host(&fixture, "office", HOST_CLIENT, "192.0.2.9", NULL);

	client->client = &spec;
	give_resolvers(client, servers, addresses, 2);
	assert_resolv_conf(&fixture, 0,
			   "nameserver 203.0.113.54\nnameserver 2001:db8::53\n"
			   "options timeout:2 attempts:3\noptions rotate\n");
}

static void only_three_nameservers_are_written(void **state UNUSED)
{
	static const char *const addresses[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"};
	struct client_spec spec = {.timeout_ns = 5 * SEC, .attempts = 2};
	struct probe_server servers[4] = {0};
	struct fixture fixture = {0};
	struct topo_host *client = fixture_add_host(&fixture, "office", HOST_CLIENT, "192.0.2.9", NULL);

	client->client = &spec;
	give_resolvers(client, servers, addresses, 4);
	assert_resolv_conf(&fixture, 0,
			   "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
			   "options timeout:5 attempts:2\n");
}

static void a_resolver_asks_itself_and_others_ask_the_first_resolver(void **state UNUSED)
{
	struct fixture fixture = {0};

	fixture_add_host(&fixture, "root", HOST_ROOT, "198.41.0.4", NULL);
	fixture_add_host(&fixture, "r1", HOST_RESOLVER, "2001:db8::53", "203.0.113.53");
	fixture_add_host(&fixture, "r2", HOST_RESOLVER, "203.0.113.54", NULL);
	assert_resolv_conf(&fixture, 0, "nameserver 203.0.113.53\nnameserver 2001:db8::53\n");
	assert_resolv_conf(&fixture, 1, "nameserver 203.0.113.53\nnameserver 2001:db8::53\n");
	assert_resolv_conf(&fixture, 2, "nameserver 203.0.113.54\n");
}

static void without_a_resolver_none_is_written(void **state UNUSED)
{
	struct fixture fixture = {0};

	fixture_add_host(&fixture, "root", HOST_ROOT, "198.41.0.4", NULL);
	assert_resolv_conf(&fixture, 0, "# this lab has no resolver\n");
}

static int read_etc(const char *path, char **ret)
{
	size_t len;

	return fd_read_file(AT_FDCWD, path, 1 << 16, ret, &len);
}

/* Replaces resolv.conf as programs do: a new file, renamed over the old. */
static int replace_resolv_conf(void)
{
	return fd_write_file(AT_FDCWD, "/etc/resolv.conf.new", "mine\n", 5, 0644) ||
	       rename("/etc/resolv.conf.new", "/etc/resolv.conf");
}

static bool has_resolv_conf(const char *wanted)
{
	CLEANUP_FREE char *text = NULL;

	return !read_etc("/etc/resolv.conf", &text) && !strcmp(text, wanted);
}

static int in_child(struct host *host, bool is_first)
{
	int status;
	pid_t pid = host_fork(host);

	if (pid == 0 && is_first)
		_exit(replace_resolv_conf() || !has_resolv_conf("mine\n"));
	if (pid == 0)
		_exit(!has_resolv_conf("nameserver 203.0.113.53\n"));
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

static int replace_in_one(struct lab *lab, struct err *err)
{
	CLEANUP_FREE char *before = NULL;
	CLEANUP_FREE char *after = NULL;
	int had = read_etc("/etc/resolv.conf", &before);

	CHECK(in_child(lab_host(lab, 0), true) == 0);
	CHECK(in_child(lab_host(lab, 1), false) == 0);
	CHECK(read_etc("/etc/resolv.conf", &after) == had);
	CHECK(had || !strcmp(before, after));
	return 0;
}

static void replacing_a_hosts_resolv_conf_touches_nobody_elses(void **state UNUSED)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture_add_host(fixture, "r1", HOST_RESOLVER, "203.0.113.53", NULL);
	fixture_add_host(fixture, "alpha.ns1", HOST_NAMESERVER, "192.0.2.1", NULL);
	fixture_must(fixture, replace_in_one);
	free(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_asks_its_resolvers_in_order_with_its_own_patience),
		cmocka_unit_test(only_three_nameservers_are_written),
		cmocka_unit_test(a_resolver_asks_itself_and_others_ask_the_first_resolver),
		cmocka_unit_test(without_a_resolver_none_is_written),
		cmocka_unit_test(replacing_a_hosts_resolv_conf_touches_nobody_elses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
