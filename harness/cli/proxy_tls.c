/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/cli/proxy_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness/api/ca.h"
#include "injectors/proxy/tls.h"

static int fail(struct err *err)
{
	err_wrap(err, "proxy");
	err_print(err, stderr);
	return EXIT_USAGE;
}

static bool serves_tls(const struct proxy_options *options)
{
	for (unsigned i = 0; i < options->listen_count; i++) {
		if (options->listen[i].service != PROXY_PLAIN)
			return true;
	}
	return false;
}

static int check(const struct proxy_tls_cli *chosen, const struct proxy_options *options)
{
	bool asks_tls = options->upstream_dot.len || options->upstream_doh.len;

	if (!chosen->cert != !chosen->key)
		cli_complain("proxy: --tls-cert and --tls-key go together");
	else if (serves_tls(options) && !chosen->cert && !chosen->self_made)
		cli_complain(
			"proxy: --listen-dot and --listen-doh need a certificate: --tls-cert FILE --tls-key FILE, or "
			"--tls-self-made DIR");
	else if (!serves_tls(options) && (chosen->cert || chosen->self_made))
		cli_complain("proxy: a certificate is for --listen-dot or --listen-doh");
	else if (chosen->name && !chosen->self_made)
		cli_complain("proxy: --tls-name goes with --tls-self-made");
	else if (!asks_tls && (chosen->ca || chosen->hostname || chosen->no_verify))
		cli_complain("proxy: --tls-ca, --tls-hostname and --tls-no-verify are about --upstream-dot and "
			     "--upstream-doh");
	else if (chosen->no_verify && chosen->ca)
		cli_complain("proxy: --tls-no-verify and --tls-ca exclude each other");
	else
		return 0;
	return EXIT_USAGE;
}

/* name, if it is an address, and those listened on; for a wildcard, the loopback's. */
static void collect_addresses(const struct proxy_options *options, const char *name, struct proxy_tls_parts *parts)
{
	if (!address_parse(name, &parts->addresses[0]))
		parts->list.count = 1;
	for (unsigned i = 0; i < options->listen_count; i++) {
		const void *at = &options->listen[i].at;
		const struct sockaddr_in6 *in6 = at;
		const struct sockaddr_in *in = at;
		int family = options->listen[i].at.ss_family;
		char text[INET6_ADDRSTRLEN];

		if (options->listen[i].service == PROXY_PLAIN)
			continue;
		inet_ntop(family, family == AF_INET ? (const void *)&in->sin_addr : &in6->sin6_addr, text,
			  sizeof(text));
		if (!strcmp(text, "0.0.0.0") || !strcmp(text, "::"))
			snprintf(text, sizeof(text), "%s", family == AF_INET ? "127.0.0.1" : "::1");
		address_parse(text, &parts->addresses[parts->list.count++]);
	}
	parts->list.v = parts->addresses;
}

static int make_own(const struct proxy_tls_cli *chosen, const struct proxy_options *options,
		    struct proxy_tls_parts *parts, struct ca_identity identities[CA_FLAW_COUNT], struct err *err)
{
	const char *name = chosen->name ? chosen->name : "localhost";
	struct address address;
	char cwd[PATH_MAX] = "", dir[PATH_MAX * 2];
	int r;

	if (strpbrk(name, "/,"))
		return err_set(err, -EINVAL, LOC_NONE, "--tls-name %s: a name is expected", name);
	if (*chosen->self_made != '/' && !getcwd(cwd, sizeof(cwd)))
		return err_set(err, -errno, LOC_NONE, "--tls-self-made %s: %s", chosen->self_made, strerror(errno));
	snprintf(dir, sizeof(dir), "%s%s%s", cwd, *cwd ? "/" : "", chosen->self_made);
	collect_addresses(options, name, parts);
	if (!address_parse(name, &address))
		name = "localhost";
	parts->ca = ca_new(dir, time(NULL), err);
	if (!parts->ca)
		return err->code;
	r = ca_add_host(parts->ca, name, NULL, &parts->list, err);
	for (int i = 0; !r && i < CA_FLAW_COUNT; i++)
		r = ca_issue(parts->ca, name, (enum ca_flaw)i, &identities[i], err);
	return r;
}

static int prepare_service(const struct proxy_tls_cli *chosen, const struct proxy_options *options,
			   struct proxy_tls_parts *parts, struct err *err)
{
	struct ca_identity identities[CA_FLAW_COUNT] = {0};
	int r = chosen->self_made ? make_own(chosen, options, parts, identities, err) : 0;

	if (r)
		return r;
	if (chosen->cert)
		return tls_service_from_files(chosen->cert, chosen->key, identities, &parts->service, err);
	return tls_service_new(identities, &parts->service, err);
}

int proxy_tls_prepare(const struct proxy_tls_cli *chosen, struct proxy_options *options, struct proxy_tls_parts *ret)
{
	struct err err = {0};
	int r = check(chosen, options);

	*ret = (struct proxy_tls_parts){0};
	if (r)
		return r;
	if (serves_tls(options) && prepare_service(chosen, options, ret, &err))
		return fail(&err);
	if ((options->upstream_dot.len || options->upstream_doh.len) &&
	    tls_trust_new(chosen->ca, chosen->hostname, !chosen->no_verify, &ret->trust, &err))
		return fail(&err);
	if (chosen->no_verify)
		fprintf(stderr, "dnsdrill: proxy: the upstream's certificate is not looked at\n");
	options->tls.service = ret->service;
	options->tls.trust = ret->trust;
	return 0;
}

void proxy_tls_fini(struct proxy_tls_parts *parts)
{
	tls_service_free(parts->service);
	tls_trust_free(parts->trust);
	ca_free(parts->ca);
}
