/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/servers/common.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *line_given(const char *options, struct buf *out)
{
	const struct server_spec spec = {.options = options};

	buf_clear(out);
	server_default(&spec, out, "recursion", "recursion %s;", "no");
	return out->len ? out->data : "";
}

static void own_line_gives_way_to_the_plans_options(void **state)
{
	struct buf out = {0};

	(void)state;
	assert_string_equal(line_given(NULL, &out), "recursion no;\n");
	assert_string_equal(line_given("version \"x\";", &out), "recursion no;\n");
	assert_string_equal(line_given("  recursion yes;", &out), "");
	assert_string_equal(line_given("a;\nrecursion\tyes;", &out), "");
	/* Another option that has the word in its name. */
	assert_string_equal(line_given("allow-recursion { any; };", &out), "recursion no;\n");
	assert_string_equal(line_given("recursion-depth 3;", &out), "recursion no;\n");
	assert_string_equal(line_given("no_recursion x; recursion2;", &out), "recursion no;\n");
	buf_fini(&out);
}

/* An ordinary user's PATH often lacks the sbin directories, where Debian puts servers. */
static void programs_are_found_in_path_and_in_sbin(void **state)
{
	struct arena *arena = arena_new();
	char *path = arena_strdup(arena, getenv("PATH") ? getenv("PATH") : "");

	(void)state;
	setenv("PATH", "/nonexistent:relative/dir::/usr/bin:/bin", 1);
	assert_non_null(server_find_program("sh", arena));
	assert_string_equal(server_find_program("ldconfig", arena), "/usr/sbin/ldconfig");
	assert_null(server_find_program("dnsdrill-no-such-program", arena));
	assert_null(server_find_program("share", arena)); /* a directory is no program */
	unsetenv("PATH");
	assert_string_equal(server_find_program("ldconfig", arena), "/usr/sbin/ldconfig");
	setenv("PATH", path, 1);
	arena_free(arena);
}

static void peers_of_several_zones_are_listed_once(void **state)
{
	const struct server_peer a = {.host = "a"}, b = {.host = "b"}, both[] = {a, b};
	const struct server_zone zones[] = {
		{.name = "one", .secondaries = both, .secondary_count = 2},
		{.name = "two", .primaries = &b, .primary_count = 1},
	};
	const struct server_spec spec = {.zones = zones, .zone_count = 2};
	struct arena *arena = arena_new();
	size_t count;
	const struct server_peer **peers = server_peers(&spec, arena, &count);

	(void)state;
	assert_int_equal(count, 2);
	assert_string_equal(peers[0]->host, "a");
	assert_string_equal(peers[1]->host, "b");
	arena_free(arena);
}

static void file_that_cannot_be_written_is_named(void **state)
{
	const struct server_spec spec = {.dir = "/nonexistent"};
	struct arena *arena = arena_new();
	struct buf out = {0};
	struct err err;

	(void)state;
	buf_puts(&out, "text");
	assert_int_equal(server_write(&spec, "x.conf", &out, arena, NULL, &err), -ENOENT);
	assert_string_equal(err.text, "cannot write /nonexistent/x.conf: No such file or directory");
	assert_null(out.data);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_line_gives_way_to_the_plans_options),
		cmocka_unit_test(programs_are_found_in_path_and_in_sbin),
		cmocka_unit_test(peers_of_several_zones_are_listed_once),
		cmocka_unit_test(file_that_cannot_be_written_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
