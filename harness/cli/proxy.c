/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsdrill proxy: the fault proxy by itself, and `proxy ctl`, which talks to one that runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "harness/base/fd.h"
#include "harness/base/units.h"
#include "harness/cli/cli.h"
#include "harness/cli/proxy_ctl.h"
#include "harness/cli/proxy_tls.h"
#include "injectors/proxy/confine.h"
#include "injectors/proxy/control.h"

#define RULES_MAX_BYTES (4u << 20)

struct proxy_cli {
	const char *listen, *listen_dot, *listen_doh, *upstream, *upstream_dot, *upstream_doh;
	const char *rules, *control, *on_failure, *timeout, *threads, *seed;
	struct proxy_tls_cli tls;
};

static const struct cli_option options[] = {
	C_TEXT(struct proxy_cli, listen, "listen", "ADDR:PORT",
	       "where to take queries, UDP and TCP ([ADDR]:PORT for IPv6)"),
	C_TEXT(struct proxy_cli, listen_dot, "listen-dot", "ADDR:PORT", "where to take queries over TLS besides"),
	C_TEXT(struct proxy_cli, listen_doh, "listen-doh", "ADDR:PORT",
	       "where to take queries over HTTPS (HTTP/2) besides, on any path"),
	C_TEXT(struct proxy_cli, upstream, "upstream", "ADDR:PORT", "the server that answers them"),
	C_TEXT(struct proxy_cli, upstream_dot, "upstream-dot", "ADDR:PORT",
	       "the server that answers, over TLS, what came over TLS (--upstream, over TCP)"),
	C_TEXT(struct proxy_cli, upstream_doh, "upstream-doh", "ADDR:PORT",
	       "the server that answers, over HTTPS, what came over HTTPS (--upstream, over TCP)"),
	C_TEXT(struct proxy_cli, rules, "rules", "FILE", "a YAML list of rules; without it everything passes"),
	C_TEXT(struct proxy_cli, control, "control", "PATH", "a Unix socket for dnsdrill proxy ctl"),
	C_TEXT(struct proxy_cli, on_failure, "on-upstream-failure", "servfail|silence",
	       "what a client gets when the upstream does not answer (servfail)"),
	C_TEXT(struct proxy_cli, timeout, "upstream-timeout", "TIME", "how long to wait for the upstream (4s)"),
	C_TEXT(struct proxy_cli, threads, "threads", "N", "workers (one per core)"),
	C_TEXT(struct proxy_cli, seed, "seed", "N", "fixes what chance decides (0)"),
	PROXY_TLS_OPTIONS(struct proxy_cli, tls),
	CLI_END,
};

static int run(const struct registry *registry, int argc, char **argv);

const struct command proxy_command = {
	.name = "proxy",
	.args = "[ctl PATH COMMAND]",
	.summary = "the fault proxy by itself, between clients and one DNS server",
	.doc = "Passes DNS on between clients and the upstream and does to messages what the rules say. SIGTERM ends "
	       "it once what is "
	       "in flight has been answered. Rules of a proxy started with --control PATH are shown and changed while "
	       "it "
	       "runs: dnsdrill proxy ctl PATH list, count, add RULE (YAML; - reads standard input), remove ID.",
	.options = options,
	.run = run,
};

/* "192.0.2.1:53", "[2001:db8::1]:53" */
static int parse_endpoint(const char *option, const char *text, struct proxy_endpoint *ret)
{
	const char *colon = text ? strrchr(text, ':') : NULL;
	struct address address = {0};
	char host[64], *end = NULL;
	unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool bracketed = len > 2 && text[0] == '[' && text[len - 1] == ']';

	if (!text) {
		cli_complain("proxy: --%s ADDR:PORT is needed", option);
		return -EINVAL;
	}
	snprintf(host, sizeof(host), "%.*s", (int)(bracketed ? len - 2 : len), text + (bracketed ? 1 : 0));
	if (!colon || *end || strspn(colon + 1, "0123456789") == 0 || !port || port > 65535 ||
	    address_parse(host, &address) || (address.family == AF_INET6) != bracketed) {
		cli_complain("proxy: --%s %s: an address and a port are needed, as in 127.0.0.1:53 or [::1]:53", option,
			     text);
		return -EINVAL;
	}
	ret->len = address_to_sockaddr(&address, (uint16_t)port, &ret->at);
	return 0;
}

static int parse_listen(const char *option, const char *text, enum proxy_service service, struct proxy_options *ret)
{
	struct proxy_endpoint *endpoint = &ret->listen[ret->listen_count++];

	endpoint->service = service;
	return parse_endpoint(option, text, endpoint);
}

static int parse_numbers(const struct proxy_cli *chosen, struct proxy_options *ret)
{
	int64_t number = 0;

	ret->timeout_ns = 4 * SEC;
	if (chosen->timeout && (units_parse_duration(chosen->timeout, &ret->timeout_ns) || ret->timeout_ns < MSEC)) {
		cli_complain("proxy: --upstream-timeout %s: a duration of at least 1ms is needed, as in 2s or 500ms",
			     chosen->timeout);
		return -EINVAL;
	}
	if (chosen->seed && cli_parse_seed(chosen->seed, &number))
		return -EINVAL;
	ret->seed = (uint64_t)number;
	if (chosen->threads) {
		ret->workers = (unsigned)strtoul(chosen->threads, NULL, 10);
		if (strspn(chosen->threads, "0123456789") != strlen(chosen->threads) || ret->workers < 1 ||
		    ret->workers > 256) {
			cli_complain("proxy: --threads %s: a number from 1 to 256 is needed", chosen->threads);
			return -EINVAL;
		}
	}
	return 0;
}

static int parse_options(const struct proxy_cli *chosen, struct proxy_options *ret)
{
	int r = parse_listen("listen", chosen->listen, PROXY_PLAIN, ret);

	if (!r && chosen->listen_dot)
		r = parse_listen("listen-dot", chosen->listen_dot, PROXY_DOT, ret);
	if (!r && chosen->listen_doh)
		r = parse_listen("listen-doh", chosen->listen_doh, PROXY_DOH, ret);
	if (!r)
		r = parse_endpoint("upstream", chosen->upstream, &ret->upstream);
	if (!r && chosen->upstream_dot)
		r = parse_endpoint("upstream-dot", chosen->upstream_dot, &ret->upstream_dot);
	if (!r && chosen->upstream_doh)
		r = parse_endpoint("upstream-doh", chosen->upstream_doh, &ret->upstream_doh);
	if (!r)
		r = parse_numbers(chosen, ret);
	if (r)
		return r;
	if (!strcmp(chosen->listen, chosen->upstream)) {
		cli_complain("proxy: --upstream %s is where the proxy itself listens", chosen->upstream);
		return -EINVAL;
	}
	if (chosen->on_failure && !strcmp(chosen->on_failure, "silence")) {
		ret->on_failure = PROXY_SILENCE;
	} else if (chosen->on_failure && strcmp(chosen->on_failure, "servfail") != 0) {
		cli_complain("proxy: --on-upstream-failure %s: it is servfail or silence", chosen->on_failure);
		return -EINVAL;
	}
	return 0;
}

/* Prints what is wrong. NULL exactly then. */
static struct ruleset *load_rules(const char *path)
{
	struct errs errs = {0}, warnings = {0};
	struct ruleset *none = ruleset_new(), *set = NULL;
	CLEANUP_FREE char *text = NULL;
	size_t len;
	int r;

	if (!path || !none)
		return none;
	r = fd_read_file(AT_FDCWD, path, RULES_MAX_BYTES, &text, &len);
	if (r)
		cli_complain("proxy: --rules %s: %s", path, strerror(-r));
	else
		ruleset_with(none, path, text, len, &set, &errs, &warnings);
	errs_print(&errs, stderr);
	for (size_t i = 0; i < warnings.count; i++)
		fprintf(stderr, "%s:%u:%u: warning: %s\n", warnings.v[i].loc.file, warnings.v[i].loc.line,
			warnings.v[i].loc.col, warnings.v[i].text);
	errs_fini(&errs);
	errs_fini(&warnings);
	ruleset_drop(none);
	return set;
}

/* SIGTERM and SIGINT are read, not delivered. */
static int open_signals(void)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	return signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int serve(const struct proxy_cli *chosen, const struct proxy_options *wanted, struct ruleset *rules,
		 struct err *err)
{
	CLEANUP_CLOSE int signal_fd = open_signals();
	CLEANUP_CLOSE int listen_fd = -1;
	struct proxy *proxy = NULL;
	int r;

	if (signal_fd < 0)
		return err_set(err, -errno, LOC_NONE, "signalfd: %s", strerror(errno));
	r = proxy_start(wanted, ruleset_take(rules), &proxy, err);
	if (r) {
		ruleset_drop(rules);
		return r;
	}
	if (chosen->control) {
		listen_fd = control_listen(chosen->control, err);
		r = listen_fd < 0 ? listen_fd : 0;
	}
	if (!r)
		r = confine(chosen->control != NULL, err);
	if (!r)
		r = proxy_run(proxy, err);
	if (!r) {
		fprintf(stderr, "dnsdrill: proxy: %s, upstream %s, rules: %zu\n", chosen->listen, chosen->upstream,
			rules->rules.count);
		r = control_run(proxy, ruleset_take(rules), listen_fd, signal_fd, wanted->timeout_ns + SEC, err);
	}
	proxy_stop(proxy);
	if (listen_fd >= 0)
		unlink(chosen->control);
	return r;
}

static int run(const struct registry *registry, int argc, char **argv)
{
	struct proxy_options wanted = {0};
	struct proxy_cli chosen = {0};
	struct cli_list operands = {0};
	struct proxy_tls_parts parts = {0};
	struct ruleset *rules;
	struct err err = {0};
	int r = cli_parse(&proxy_command, argc, argv, &chosen, &operands, NULL);

	(void)registry;
	if (r)
		return r > 0 ? EXIT_PASS : EXIT_USAGE;
	if (operands.count && !strcmp(operands.v[0], "ctl"))
		return proxy_ctl(&operands);
	if (operands.count) {
		cli_complain("proxy: unknown operand '%s'; there is only ctl", operands.v[0]);
		return EXIT_USAGE;
	}
	if (parse_options(&chosen, &wanted))
		return EXIT_USAGE;
	rules = load_rules(chosen.rules);
	r = rules ? proxy_tls_prepare(&chosen.tls, &wanted, &parts) : EXIT_USAGE;
	if (r) {
		ruleset_drop(rules);
		proxy_tls_fini(&parts);
		return r;
	}
	fd_raise_limit();
	r = serve(&chosen, &wanted, rules, &err);
	ruleset_drop(rules);
	proxy_tls_fini(&parts);
	if (r)
		err_print(&err, stderr);
	return r ? EXIT_TROUBLE : EXIT_PASS;
}
