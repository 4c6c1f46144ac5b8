/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/plan/yaml_text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A folder of its own for each case, and it is the working directory, so that errors show short names. */
struct folder {
	struct yaml yaml;
	char path[64];
	int before;
};

static int enter(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	assert_non_null(folder);
	yaml_begin(&folder->yaml);
	strcpy(folder->path, "/tmp/dnsdrill-include-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	folder->before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(chdir(folder->path), 0);
	*state = folder;
	return 0;
}

static int leave(void **state)
{
	struct folder *folder = *state;
	char command[] = "rm", option[] = "-rf";
	char *argv[] = {command, option, folder->path, NULL};
	pid_t pid;

	assert_int_equal(fchdir(folder->before), 0);
	close(folder->before);
	pid = fork();
	if (!pid) {
		execvp(command, argv);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	yaml_end(&folder->yaml);
	free(folder);
	return 0;
}

static void write_file(struct folder *folder, const char *name, const char *text)
{
	yaml_write(&folder->yaml, ".", name, text);
}

static const char *loaded(struct folder *folder, const char *path)
{
	struct node *root = node_load(folder->yaml.arena, path, &folder->yaml.errs);

	assert_string_equal(yaml_said(&folder->yaml), "");
	assert_non_null(root);
	return yaml_flow(&folder->yaml, root);
}

static void refuses(struct folder *folder, const char *path, const char *said)
{
	assert_null(node_load(folder->yaml.arena, path, &folder->yaml.errs));
	assert_string_equal(yaml_said(&folder->yaml), said);
}

static void the_including_file_wins_and_mappings_merge_deeply(void **state)
{
	struct folder *folder = *state;

	write_file(folder, "base.yaml", "lab: {r1: {server: unbound, address: a}, list: [1, 2]}\nname: base\n");
	write_file(folder, "plan.yaml", "include: base.yaml\nname: mine\nlab: {r1: {server: bind}, list: [3]}\n");
	assert_string_equal(loaded(folder, "plan.yaml"),
			    "{name: mine, lab: {r1: {server: bind, address: a}, list: [3]}}");
}

/* own keys, then what is merged in (even if it has to wait for the matrix), then what was included */
static void a_merge_that_waits_for_the_matrix_wins_over_what_was_included(void **state)
{
	struct folder *folder = *state;
	struct node *root;
	struct node_binding binding = {"r", "bind", NULL};

	write_file(folder, "base.yaml", "r1: {server: unbound, address: a, options: x}\n");
	write_file(folder, "plan.yaml", "include: base.yaml\nr1: {options: mine, <<: \"${r}\"}\n");
	binding.value = yaml_load(&folder->yaml, "{server: bind, options: z}");
	root = node_load(folder->yaml.arena, "plan.yaml", &folder->yaml.errs);
	assert_non_null(root);
	root = node_substitute(folder->yaml.arena, root, &binding, 1, &folder->yaml.errs);
	assert_string_equal(yaml_said(&folder->yaml), "");
	assert_string_equal(yaml_flow(&folder->yaml, root), "{r1: {options: mine, server: bind, address: a}}");
}

static void of_a_list_of_includes_the_later_wins(void **state)
{
	struct folder *folder = *state;

	write_file(folder, "a.yaml", "x: a\ny: a\n");
	write_file(folder, "b.yaml", "x: b\nz: b\n");
	write_file(folder, "plan.yaml", "include: [a.yaml, b.yaml]\nz: mine\n");
	assert_string_equal(loaded(folder, "plan.yaml"), "{z: mine, x: b, y: a}");
}

static void paths_are_relative_to_the_file_that_says_them(void **state)
{
	struct folder *folder = *state;
	struct node *root;

	assert_int_equal(mkdir("labs", 0700), 0);
	write_file(folder, "labs/leaf.yaml", "zone: leaf.zone\n");
	write_file(folder, "labs/base.yaml", "include: leaf.yaml\nx: 1\n");
	write_file(folder, "plan.yaml", "include: labs/base.yaml\n");
	assert_string_equal(loaded(folder, "plan.yaml"), "{x: 1, zone: leaf.zone}");
	root = node_load(folder->yaml.arena, "plan.yaml", &folder->yaml.errs);
	/* So that the file a zone names is found beside the plan file that names it. */
	assert_string_equal(node_get(root, "zone")->loc.file, "labs/leaf.yaml");
}

static void a_circle_of_includes_is_shown_whole(void **state)
{
	struct folder *folder = *state;

	write_file(folder, "a.yaml", "include: b.yaml\n");
	write_file(folder, "b.yaml", "x: 1\ninclude: ./a.yaml\n");
	refuses(folder, "a.yaml",
		"b.yaml:2:10: error: the files include each other: ./a.yaml is included by b.yaml is included by "
		"a.yaml\n");
}

static void the_same_file_twice_without_a_circle_is_fine(void **state)
{
	struct folder *folder = *state;

	write_file(folder, "base.yaml", "x: 1\n");
	write_file(folder, "a.yaml", "include: base.yaml\n");
	write_file(folder, "plan.yaml", "include: [a.yaml, base.yaml]\n");
	assert_string_equal(loaded(folder, "plan.yaml"), "{x: 1}");
}

static void every_include_that_fails_is_named_where_it_is_asked_for(void **state)
{
	struct folder *folder = *state;

	write_file(folder, "bad.yaml", "a: 1\na: 2\n");
	write_file(folder, "list.yaml", "- a\n");
	write_file(folder, "empty.yaml", "---\n");
	write_file(folder, "plan.yaml", "include: [none.yaml, bad.yaml, list.yaml, empty.yaml, '', [x], \"${m}\"]\n");
	refuses(folder, "plan.yaml",
		"bad.yaml:2:1: error: key \"a\" stands twice in this mapping, first in line 1; remove one of them\n"
		"empty.yaml: error: the file is empty\n"
		"list.yaml:1:1: error: a plan is a mapping (plan: 1, lab: …, probes: …), not a list\n"
		"plan.yaml:1:11: error: cannot read the plan file none.yaml: No such file or directory\n"
		"plan.yaml:1:55: error: include: a path or a list of paths is expected, not \"\"\n"
		"plan.yaml:1:59: error: include: a path or a list of paths is expected, not a list\n"
		"plan.yaml:1:64: error: include: a path cannot hold ${…}: files are included before the matrix is "
		"known\n");
}

static void includes_go_sixteen_files_deep(void **state)
{
	struct folder *folder = *state;
	char name[32], text[64];

	for (int i = 0; i <= 17; i++) {
		snprintf(name, sizeof(name), "%d.yaml", i);
		snprintf(text, sizeof(text), i == 17 ? "x: 1\n" : "include: %d.yaml\n", i + 1);
		write_file(folder, name, text);
	}
	assert_string_equal(loaded(folder, "1.yaml"), "{x: 1}");
	refuses(folder, "0.yaml", "16.yaml:1:10: error: includes go more than 16 files deep\n");
}

static void includes_of_includes_cannot_grow_without_end(void **state)
{
	struct folder *folder = *state;
	char name[32], text[64];

	/* Without a limit these would be read 2^12 times. */
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "%d.yaml", i);
		snprintf(text, sizeof(text), "include: [%d.yaml, %d.yaml]\n", i + 1, i + 1);
		write_file(folder, name, text);
	}
	write_file(folder, "12.yaml", "x: 1\n");
	assert_null(node_load(folder->yaml.arena, "0.yaml", &folder->yaml.errs));
	assert_non_null(strstr(yaml_said(&folder->yaml), "error: more than 64 files are included\n"));
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
	struct folder *folder = *state;

	assert_int_equal(mkfifo("pipe", 0600), 0);
	alarm(20); /* opening a FIFO in the plain way would wait for ever */
	refuses(folder, "pipe",
		"pipe: error: pipe is not a regular file; name a plan file, or - to read standard input\n");
	alarm(0);
}

static void devices_are_refused(void **state)
{
	refuses(*state, "/dev/zero",
		"/dev/zero: error: /dev/zero is not a regular file; name a plan file, or - to read standard input\n");
}

static void a_folder_is_refused(void **state)
{
	refuses(*state, ".", ".: error: . is a directory; name a plan file in it\n");
}

static void a_missing_file_is_named(void **state)
{
	refuses(*state, "none.yaml",
		"none.yaml: error: cannot read the plan file none.yaml: No such file or directory\n");
}

static void an_unreadable_file_is_named(void **state)
{
	struct folder *folder = *state;

	bool is_root = !geteuid();

	write_file(folder, "secret.yaml", "a: 1\n");
	assert_int_equal(chmod("secret.yaml", 0), 0);
	if (is_root) { /* root reads everything: be somebody else for a moment */
		assert_int_equal(chmod(".", 0755), 0);
		if (seteuid(65534)) {
			print_message("root without a second user id\n");
			skip();
		}
	}
	assert_null(node_load(folder->yaml.arena, "secret.yaml", &folder->yaml.errs));
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	assert_string_equal(yaml_said(&folder->yaml),
			    "secret.yaml: error: cannot read the plan file secret.yaml: Permission denied\n");
}

static void a_hundred_megabytes_are_refused_unread(void **state)
{
	int fd = open("large.yaml", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, 100 << 20), 0);
	close(fd);
	refuses(*state, "large.yaml",
		"large.yaml: error: large.yaml is too large: a plan and what it includes hold at most 4 MiB\n");
}

static void all_files_together_hold_four_mebibytes(void **state)
{
	struct folder *folder = *state;
	size_t len = 3u << 20;
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, '#', len);
	text[len] = '\0';
	memcpy(text, "x: 1\n", 5);
	write_file(folder, "a.yaml", text);
	write_file(folder, "plan.yaml", "include: [a.yaml, a.yaml]\n");
	free(text);
	refuses(folder, "plan.yaml",
		"plan.yaml:1:11: error: a.yaml is too large: a plan and what it includes hold at most 4 MiB\n");
}

/* Loads "-" with standard input coming from fd, which is closed. */
static struct node *load_stdin(struct folder *folder, int fd)
{
	int saved = dup(STDIN_FILENO);
	struct node *root;

	assert_return_code(dup2(fd, STDIN_FILENO), errno);
	close(fd);
	root = node_load(folder->yaml.arena, "-", &folder->yaml.errs);
	if (saved >= 0) {
		dup2(saved, STDIN_FILENO);
		close(saved);
	}
	return root;
}

static void a_dash_is_standard_input(void **state)
{
	struct folder *folder = *state;
	struct node *root;
	int fds[2];

	write_file(folder, "base.yaml", "y: 2\n");
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x: 1\ninclude: base.yaml\n", 24), 24);
	close(fds[1]);
	root = load_stdin(folder, fds[0]);
	assert_string_equal(yaml_said(&folder->yaml), "");
	assert_string_equal(yaml_flow(&folder->yaml, root), "{x: 1, y: 2}");
	assert_string_equal(root->loc.file, "<stdin>");
}

static void endless_standard_input_is_cut_off(void **state)
{
	struct folder *folder = *state;

	assert_null(load_stdin(folder, open("/dev/zero", O_RDONLY | O_CLOEXEC)));
	assert_string_equal(yaml_said(&folder->yaml),
			    "<stdin>: error: - is too large: a plan and what it includes hold at most 4 MiB\n");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		CASE(the_including_file_wins_and_mappings_merge_deeply),
		CASE(a_merge_that_waits_for_the_matrix_wins_over_what_was_included),
		CASE(of_a_list_of_includes_the_later_wins),
		CASE(paths_are_relative_to_the_file_that_says_them),
		CASE(a_circle_of_includes_is_shown_whole),
		CASE(the_same_file_twice_without_a_circle_is_fine),
		CASE(every_include_that_fails_is_named_where_it_is_asked_for),
		CASE(includes_go_sixteen_files_deep),
		CASE(includes_of_includes_cannot_grow_without_end),
		CASE(what_is_no_regular_file_is_refused_without_waiting),
		CASE(devices_are_refused),
		CASE(a_folder_is_refused),
		CASE(a_missing_file_is_named),
		CASE(an_unreadable_file_is_named),
		CASE(a_hundred_megabytes_are_refused_unread),
		CASE(all_files_together_hold_four_mebibytes),
		CASE(a_dash_is_standard_input),
		CASE(endless_standard_input_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
