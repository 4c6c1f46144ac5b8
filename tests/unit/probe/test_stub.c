/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real lookups by glibc, in real processes, in namespaces of the test's own, with an /etc of their own.
 */
#include "harness/api/probe.h"
#include "tests/unit/probe/fake_dns.h"
#include "tests/unit/probe/sandbox.h"
#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

extern const struct probe_ops stub_ops;

#define PATIENT (60 * SEC)
enum { FRESH, KEPT };
enum { A = 1, AAAA = 28 };

/* As the plan would parse it into the stub's own struct: the common part, then `process`. */
struct stub_like {
	struct probe probe;
	int64_t process;
};

static struct text addresses[] = {{.value = "192.0.2.8"}, {.value = "192.0.2.80"}, {.value = "2001:DB8:0::80"}};

static struct stub_like www(int64_t process, uint16_t qtype)
{
	return (struct stub_like){.probe = {.ops = &stub_ops,
					    .name.value = "www",
					    .query.value = "www.example.com",
					    .qname = "www.example.com",
					    .qtype = qtype,
					    .every_ns = 100 * MSEC,
					    .timeout_ns = PATIENT,
					    .good = {.rcode.value = "NOERROR",
						     .answer = {.v = addresses, .count = qtype == A ? 2 : 3},
						     .answer_given = true,
						     .min_ttl = PARAM_UNSET,
						     .max_ttl = PARAM_UNSET}},
				  .process = process};
}

static void write_etc(const char *name, const char *text)
{
	assert_int_equal(fd_write_file(AT_FDCWD, name, text, strlen(text), 0644), 0);
}

static int enter(void **state)
{
	sandbox_enter(state);
	assert_int_equal(mount("tmpfs", "/etc", "tmpfs", 0, NULL), 0);
	write_etc("/etc/nsswitch.conf", "hosts: files dns\n");
	write_etc("/etc/hosts", "127.0.0.1 localhost\n");
	return 0;
}

/* Two fake servers, first and second in resolv.conf; a mode of -1: nobody there. */
struct rig {
	struct sandbox *box;
	struct fake_dns *fakes[2];
	struct stub_like probe;
	void *stub;
};

static struct rig *rig_new(struct stub_like probe, int first, int second, const char *more)
{
	static const char *const servers[] = {"127.0.0.1", "127.0.0.2"};
	const int modes[] = {first, second};
	struct rig *rig = calloc(1, sizeof(*rig));
	struct err err = {0};
	char conf[256];

	snprintf(conf, sizeof(conf), "nameserver 127.0.0.1\n%s%s\n", second == -2 ? "" : "nameserver 127.0.0.2\n",
		 more);
	write_etc("/etc/resolv.conf", conf);
	rig->probe = probe;
	rig->box = sandbox_new(NULL, 0);
	for (int i = 0; i < 2; i++) {
		if (modes[i] >= 0)
			rig->fakes[i] = fake_dns_new(rig->box->base, servers[i], 1, (enum fake_mode)modes[i]);
	}
	assert_int_equal(stub_ops.open(&rig->probe.probe, &rig->box->ctx, &rig->stub, &err), 0);
	return rig;
}
#define ONE_RESOLVER (-2)

static void rig_free(struct rig *rig)
{
	int status;

	stub_ops.close(rig->stub);
	assert_int_equal(waitpid(rig->box->host.child, &status, 0), rig->box->host.child); /* it ends by itself */
	for (int i = 0; i < 2; i++) {
		if (rig->fakes[i])
			fake_dns_free(rig->fakes[i]);
	}
	sandbox_free(rig->box);
	free(rig);
}

static struct seen rig_ask(struct rig *rig)
{
	size_t i = rig->box->count;

	stub_ops.ask(rig->stub, (int64_t)i, sandbox_now(rig->box));
	sandbox_await(rig->box, i + 1);
	return rig->box->seen[i];
}

static struct seen ask_once(struct stub_like probe, int mode)
{
	struct rig *rig = rig_new(probe, mode, ONE_RESOLVER, "options timeout:1 attempts:1");
	struct seen seen = rig_ask(rig);

	rig_free(rig);
	return seen;
}

static void a_lookup_gets_the_addresses_of_the_type_asked_for(void **state UNUSED)
{
	for (int process = FRESH; process <= KEPT; process++) {
		struct seen seen = ask_once(www(process, A), FAKE_ANSWER);

		assert_int_equal(seen.outcome, OUTCOME_OK);
		assert_string_equal(seen.answer, "192.0.2.8|192.0.2.80");
		assert_string_equal(seen.rcode, "NOERROR");
		assert_true(seen.sent_ns >= seen.due_ns);
		assert_true(seen.done_ns > seen.sent_ns);
	}
}

/* Once each: one socket type, though getaddrinfo knows three. */
static void without_a_type_both_families_are_asked_for(void **state UNUSED)
{
	for (int process = FRESH; process <= KEPT; process++) {
		struct seen seen = ask_once(www(process, 0), FAKE_ANSWER);

		assert_string_equal(seen.detail, "");
		assert_int_equal(seen.outcome, OUTCOME_OK);
		assert_string_equal(seen.answer, "192.0.2.8|192.0.2.80|2001:db8::80");
	}
}

static void what_glibc_says_of_bad_answers_becomes_the_outcome(void **state UNUSED)
{
	struct stub_like none = www(FRESH, A);
	struct seen nxdomain = ask_once(www(FRESH, A), FAKE_NXDOMAIN);
	struct seen nodata = ask_once(www(FRESH, 0), FAKE_NODATA);
	struct seen servfail = ask_once(www(FRESH, A), FAKE_SERVFAIL);
	struct seen refused = ask_once(www(FRESH, A), FAKE_REFUSED);

	assert_int_equal(nxdomain.outcome, OUTCOME_WRONG);
	assert_string_equal(nxdomain.rcode, "EAI_NONAME");
	assert_int_equal(nodata.outcome, OUTCOME_WRONG);
	assert_string_equal(nodata.rcode, "EAI_NODATA");
	assert_int_equal(servfail.outcome, OUTCOME_RCODE);
	assert_string_equal(servfail.detail, "EAI_AGAIN: SERVFAIL or refused");
	assert_int_equal(refused.outcome, OUTCOME_RCODE);
	none.probe.good.rcode.value = "NXDOMAIN";
	none.probe.good.answer_given = false;
	assert_int_equal(ask_once(none, FAKE_NXDOMAIN).outcome, OUTCOME_OK);
}

/* attempts:1, timeout:1, one resolver: the call gives up after one second, long before the sample's own timeout. */
static void silence_of_all_resolvers_is_a_timeout_when_glibc_gives_up(void **state UNUSED)
{
	struct seen seen = ask_once(www(FRESH, A), FAKE_SILENT);

	assert_int_equal(seen.outcome, OUTCOME_TIMEOUT);
	assert_string_equal(seen.detail, "EAI_AGAIN: no answer within the attempts of resolv.conf");
	assert_true(seen.done_ns - seen.sent_ns >= SEC);
	assert_true(seen.done_ns < seen.due_ns + PATIENT);
}

/* glibc does not tell a closed port from SERVFAIL, but it does not wait either: sooner than the 30 seconds a silent resolver would cost. */
static void nobody_on_the_resolvers_port_is_told_at_once(void **state UNUSED)
{
	struct rig *rig = rig_new(www(FRESH, A), -1, ONE_RESOLVER, "options timeout:30 attempts:1");
	struct seen seen = rig_ask(rig);

	assert_int_equal(seen.outcome, OUTCOME_RCODE);
	assert_string_equal(seen.rcode, "EAI_AGAIN");
	assert_string_equal(seen.detail, "EAI_AGAIN: SERVFAIL or refused");
	assert_true(seen.done_ns - seen.sent_ns < 30 * SEC);
	rig_free(rig);
}

/* resolv.conf(5): after `timeout` seconds without an answer the next server is tried. 2.00 s to the second server; 4 s would be a second silent one. */
static void a_silent_first_resolver_costs_each_fresh_lookup_its_timeout(void **state UNUSED)
{
	struct rig *rig = rig_new(www(FRESH, A), FAKE_SILENT, FAKE_ANSWER, "options timeout:2 attempts:2");

	for (int i = 0; i < 3; i++)
		stub_ops.ask(rig->stub, i, sandbox_now(rig->box));
	sandbox_await(rig->box, 3);
	for (int i = 0; i < 3; i++) {
		const struct seen *seen = &rig->box->seen[i];

		print_message("lookup past a silent resolver, timeout:2: %.4f s from due, %.4f s in the call\n",
			      (double)(seen->done_ns - seen->due_ns) / SEC,
			      (double)(seen->done_ns - seen->sent_ns) / SEC);
		assert_int_equal(seen->outcome, OUTCOME_OK);
		assert_true(seen->done_ns - seen->sent_ns >= 2 * SEC);
		assert_true(seen->done_ns - seen->sent_ns < 4 * SEC);
	}
	rig_free(rig);
}

static void many_kept_lookups_at_once_are_all_answered(void **state UNUSED)
{
	struct rig *rig = rig_new(www(KEPT, A), FAKE_SILENT, FAKE_ANSWER, "options timeout:1 attempts:2");

	for (int i = 0; i < 50; i++)
		stub_ops.ask(rig->stub, i, sandbox_now(rig->box));
	sandbox_await(rig->box, 50);
	for (int i = 0; i < 50; i++)
		assert_int_equal(rig->box->seen[i].outcome, OUTCOME_OK);
	rig_free(rig);
}

static void count_children(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct rig *rig = arg;
	char path[64], *text = NULL;
	size_t len = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", rig->box->host.child, rig->box->host.child);
	assert_int_equal(fd_read_file(AT_FDCWD, path, 4096, &text, &len), 0);
	if (len == 0)
		event_base_loopbreak(rig->box->base);
	free(text);
}

static void a_lookup_past_its_sample_s_timeout_is_given_up_and_its_process_killed(void **state UNUSED)
{
	struct stub_like probe = www(FRESH, A);
	struct rig *rig;
	struct seen seen;
	struct event *poll;

	probe.probe.timeout_ns = SEC;
	rig = rig_new(probe, FAKE_SILENT, ONE_RESOLVER, "options timeout:30 attempts:3");
	seen = rig_ask(rig);
	assert_int_equal(seen.outcome, OUTCOME_TIMEOUT);
	assert_int_equal(seen.done_ns, seen.due_ns + SEC);
	assert_string_equal(seen.detail, "no answer within 1s");
	poll = event_new(rig->box->base, -1, EV_PERSIST, count_children, rig);
	event_add(poll, &(struct timeval){.tv_usec = 5000});
	event_base_dispatch(rig->box->base); /* until the agent has no child: else the test hangs here */
	event_free(poll);
	assert_int_equal(rig->box->count, 1); /* and nothing more is said of it */
	rig_free(rig);
}

static void resolv_conf_s_search_list_applies_unless_the_name_ends_with_a_dot(void **state UNUSED)
{
	static const uint8_t searched[] = "\3www\7example\3com";
	static const uint8_t alone[] = "\3www";
	struct stub_like probe = www(FRESH, A);
	struct rig *rig;

	probe.probe.query.value = "www A";
	probe.probe.qname = "www";
	rig = rig_new(probe, FAKE_ANSWER, ONE_RESOLVER, "search example.com");
	assert_int_equal(rig_ask(rig).outcome, OUTCOME_OK);
	assert_memory_equal(rig->fakes[0]->last + 12, searched, sizeof(searched));
	rig_free(rig);
	probe.probe.query.value = "www. A";
	rig = rig_new(probe, FAKE_ANSWER, ONE_RESOLVER, "search example.com");
	assert_int_equal(rig_ask(rig).outcome, OUTCOME_OK);
	assert_memory_equal(rig->fakes[0]->last + 12, alone, sizeof(alone));
	rig_free(rig);
}

static void each_unique_lookup_asks_for_the_name_its_sample_bears(void **state UNUSED)
{
	struct stub_like probe = www(FRESH, A);
	struct rig *rig;
	struct seen first, second;

	probe.probe.unique = true;
	rig = rig_new(probe, FAKE_ANSWER, ONE_RESOLVER, "");
	first = rig_ask(rig);
	second = rig_ask(rig);
	assert_string_not_equal(first.name, second.name);
	assert_memory_equal(rig->fakes[0]->last + 13, second.name, 13);
	rig_free(rig);
}

static void an_agent_that_dies_is_the_harness_s_error_for_all_that_it_had(void **state UNUSED)
{
	struct rig *rig = rig_new(www(FRESH, A), FAKE_SILENT, ONE_RESOLVER, "");

	stub_ops.ask(rig->stub, 0, sandbox_now(rig->box));
	stub_ops.ask(rig->stub, 1, sandbox_now(rig->box));
	kill(rig->box->host.child, SIGKILL);
	sandbox_await(rig->box, 2);
	assert_int_equal(rig->box->seen[0].outcome, OUTCOME_ERROR);
	assert_int_equal(rig->box->seen[1].outcome, OUTCOME_ERROR);
	assert_int_equal(rig_ask(rig).outcome, OUTCOME_ERROR);
	rig_free(rig);
}

/* The agent is stopped, so that the lookups stay in flight without a thousand processes. */
static void more_than_a_thousand_lookups_in_flight_are_the_harness_s_error(void **state UNUSED)
{
	struct rig *rig = rig_new(www(FRESH, A), FAKE_ANSWER, ONE_RESOLVER, "");

	kill(rig->box->host.child, SIGSTOP);
	for (int i = 0; i < 1000; i++)
		stub_ops.ask(rig->stub, i, sandbox_now(rig->box));
	assert_int_equal(rig->box->count, 0);
	stub_ops.ask(rig->stub, 1000, sandbox_now(rig->box));
	assert_int_equal(rig->box->count, 1);
	assert_int_equal(rig->box->seen[0].i, 1000);
	assert_int_equal(rig->box->seen[0].outcome, OUTCOME_ERROR);
	assert_string_equal(rig->box->seen[0].detail, "could not ask: 1000 lookups are in flight: ask less often");
	kill(rig->box->host.child, SIGKILL);
	rig_free(rig);
}

/* Standard input, output and error are /dev/null (where the machine has one); then the pipe, the socket and, fresh, its signals. */
static void the_agent_holds_no_descriptor_of_its_maker(void **state UNUSED)
{
	for (int process = FRESH; process <= KEPT; process++) {
		struct rig *rig = rig_new(www(process, A), FAKE_ANSWER, ONE_RESOLVER, "");
		char path[64], target[64];
		int extra = 0;
		DIR *dir;

		rig_ask(rig); /* it has settled in, signals included */
		snprintf(path, sizeof(path), "/proc/%d/fd", rig->box->host.child);
		dir = opendir(path);
		assert_non_null(dir);
		for (struct dirent *entry; (entry = readdir(dir));) {
			ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

			target[n > 0 ? n : 0] = '\0';
			extra += n > 0 && strcmp(target, "/dev/null") != 0;
		}
		closedir(dir);
		assert_int_equal(extra, process == FRESH ? 3 : 2);
		rig_free(rig);
	}
}

static void closing_with_lookups_in_flight_ends_the_agent(void **state UNUSED)
{
	for (int process = FRESH; process <= KEPT; process++) {
		struct rig *rig = rig_new(www(process, A), FAKE_SILENT, ONE_RESOLVER, "options timeout:30");

		for (int i = 0; i < 10; i++)
			stub_ops.ask(rig->stub, i, sandbox_now(rig->box));
		event_base_loop(rig->box->base, EVLOOP_ONCE);
		assert_int_equal(rig->box->count, 0);
		rig_free(rig); /* waits for the agent, which waits for its children */
	}
}

static void rejects_what_getaddrinfo_does_not_tell(void **state UNUSED)
{
	struct text name = {.value = "mail.example.com."};
	struct stub_like probe = www(FRESH, A);
	struct errs errs = {0};

	stub_ops.validate(&probe.probe, &errs);
	assert_int_equal(errs.count, 0);
	probe.probe.qtype = 15;
	probe.probe.good.max_ttl = 60;
	probe.probe.good.ad = TRISTATE_TRUE;
	probe.probe.good.rcode.value = "REFUSED";
	probe.probe.good.answer = (struct texts){.v = &name, .count = 1};
	stub_ops.validate(&probe.probe, &errs);
	assert_int_equal(errs.count, 5); /* type, TTL, AD, rcode, answer: each by itself */
	errs_fini(&errs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lookup_gets_the_addresses_of_the_type_asked_for),
		cmocka_unit_test(without_a_type_both_families_are_asked_for),
		cmocka_unit_test(what_glibc_says_of_bad_answers_becomes_the_outcome),
		cmocka_unit_test(silence_of_all_resolvers_is_a_timeout_when_glibc_gives_up),
		cmocka_unit_test(nobody_on_the_resolvers_port_is_told_at_once),
		cmocka_unit_test(a_silent_first_resolver_costs_each_fresh_lookup_its_timeout),
		cmocka_unit_test(many_kept_lookups_at_once_are_all_answered),
		cmocka_unit_test(a_lookup_past_its_sample_s_timeout_is_given_up_and_its_process_killed),
		cmocka_unit_test(resolv_conf_s_search_list_applies_unless_the_name_ends_with_a_dot),
		cmocka_unit_test(each_unique_lookup_asks_for_the_name_its_sample_bears),
		cmocka_unit_test(an_agent_that_dies_is_the_harness_s_error_for_all_that_it_had),
		cmocka_unit_test(more_than_a_thousand_lookups_in_flight_are_the_harness_s_error),
		cmocka_unit_test(the_agent_holds_no_descriptor_of_its_maker),
		cmocka_unit_test(closing_with_lookups_in_flight_ends_the_agent),
		cmocka_unit_test(rejects_what_getaddrinfo_does_not_tell),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
