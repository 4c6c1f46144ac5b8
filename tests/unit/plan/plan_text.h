/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans and zones from text, for tests: files in a directory of the test's own, everything that is really plugged in, errors as one text.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four headers it needs */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/plan/plan.h"
#include "harness/plan/topology.h"

#define INJECTOR(name) extern const struct injector_ops name##_ops;
#include "injectors/list.h"
#undef INJECTOR
#define PROBE(name) extern const struct probe_ops name##_ops;
#include "harness/probe/list.h"
#undef PROBE
#define SERVER(name) extern const struct server_ops server_##name;
#include "harness/servers/list.h"
#undef SERVER

#define INJECTOR(name) &name##_ops,
#define PROBE(name) &name##_ops,
#define SERVER(name) &server_##name,
static const struct injector_ops *const plan_text_injectors[] = {
#include "injectors/list.h"
	NULL,
};
static const struct probe_ops *const plan_text_probes[] = {
#include "harness/probe/list.h"
	NULL,
};
static const struct server_ops *const plan_text_servers[] = {
#include "harness/servers/list.h"
	NULL,
};
#undef INJECTOR
#undef PROBE
#undef SERVER
#define ACTION(name) extern const struct action_ops name##_ops;
#include "harness/actions/list.h"
#undef ACTION
#define ACTION(name) &name##_ops,
static const struct action_ops *const plan_text_actions[] = {
#include "harness/actions/list.h"
	NULL};
#undef ACTION
static const struct registry plan_text_registry = {plan_text_injectors, plan_text_probes, plan_text_servers, NULL,
						   plan_text_actions};

static char plan_text_dir[] = "/tmp/dnsdrill-test-XXXXXX";

static inline int plan_text_setup(void **state)
{
	(void)state;
	return mkdtemp(plan_text_dir) && !chdir(plan_text_dir) ? 0 : -1;
}

static inline int plan_text_teardown(void **state)
{
	const char *const files[] = {"plan.yaml", "example.com.zone", "other.zone"};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(files[i]);
	return chdir("/") || rmdir(plan_text_dir);
}

static inline void write_bytes(const char *name, const void *data, size_t len)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline void write_text(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

/* All errors as they are printed; caller frees. */
static inline char *errors_text(struct errs *errs)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	errs_print(errs, out);
	fclose(out);
	errs_fini(errs);
	return text;
}

#define ZONE_HEAD                                              \
	"$TTL 60\n"                                            \
	"@ SOA ns1.alpha-dns.net. hostmaster 1 60 10 3600 5\n" \
	"@ NS ns1.alpha-dns.net.\n"                            \
	"@ NS ns1.beta-dns.org.\n"

/* A lab that is right; tests add to it. */
#define PLAN_HEAD                                                                                              \
	"plan: 1\n"                                                                                            \
	"lab:\n"                                                                                               \
	"  zones:\n"                                                                                           \
	"    example.com: {file: example.com.zone}\n"                                                          \
	"  providers:\n"                                                                                       \
	"    alpha:\n"                                                                                         \
	"      nameservers:\n"                                                                                 \
	"        ns1: {hostname: ns1.alpha-dns.net, address: [192.0.2.1, '2001:db8:1::1'], server: bind}\n"    \
	"    beta:\n"                                                                                          \
	"      nameservers:\n"                                                                                 \
	"        ns1: {hostname: ns1.beta-dns.org, address: 198.51.100.1, server: knot, primary: alpha.ns1}\n" \
	"  resolvers:\n"                                                                                       \
	"    r1: {address: [203.0.113.53, '2001:db8:53::53'], server: unbound}\n"                              \
	"  clients:\n"                                                                                         \
	"    office: {resolvers: r1}\n"

#define PLAN_ZONE ZONE_HEAD "www A 192.0.2.80\nwww AAAA 2001:DB8::80\nalias CNAME www\n*.fresh A 192.0.2.81\n"

static inline struct plan_set *load_with(const char *text, const struct plan_options *options, char **ret_errors)
{
	struct errs errs = {0};
	struct plan_set *set;

	write_text("plan.yaml", text);
	set = plan_load("plan.yaml", options, &plan_text_registry, &errs);
	*ret_errors = errors_text(&errs);
	return set;
}

/* Fails the test if the plan is refused. */
static inline struct plan_set *load_good(const char *text)
{
	struct plan_options options = {.seed = PARAM_UNSET};
	char *errors;
	struct plan_set *set = load_with(text, &options, &errors);

	assert_string_equal(errors, "");
	free(errors);
	assert_non_null(set);
	return set;
}

/* Fails the test unless the plan is refused with a text that holds part. */
static inline void assert_refused(const char *text, const char *part)
{
	struct plan_options options = {.seed = PARAM_UNSET};
	char *errors;
	struct plan_set *set = load_with(text, &options, &errors);

	assert_null(set);
	if (!strstr(errors, part))
		fail_msg("expected \"%s\" in:\n%s", part, errors);
	free(errors);
}
