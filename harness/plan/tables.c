/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of the lab and of the plan's top mapping. Those of probes, steps and expectations stand with the code that checks them.
 */
#include "harness/plan/internal.h"

#define P_ADDRESSES_REQUIRED(T, f, k, text)                                                                        \
	{                                                                                                          \
		.key = (k), .type = PARAM_ADDRESSES, .offset = PARAM_AT(T, f, struct addresses), .required = true, \
		.doc = (text)                                                                                      \
	}

#define LAB_NAME_DOC "the key is its name, as targets and --on say it"

const char *const encrypted_choices[] = {"dot", "doh", NULL};
static const char *const forward_choices[] = {"udp", "dot", NULL};
static const char *const primary_choices[] = {"tcp", "tls", NULL};
static const char *const apex_ns_choices[] = {"from-file", "from-lab", NULL};

static const struct param zone_params[] = {
	P_TEXT_REQUIRED(
		struct zone_spec, file, "file",
		"master file (RFC 1035 section 5) with the zone's records, relative to the plan file that says it"),
	P_ENUM(struct zone_spec, apex_ns, "apex_ns", apex_ns_choices, APEX_NS_FROM_FILE,
	       "where the zone's own NS set comes from: its file, or the lab's nameservers that serve it"),
	P_TABLE(struct zone_spec, sign, "sign", struct sign_spec, &sign_table,
		"sign the zone with fresh keys made at lab start, and put its DS into the parent; true: with the "
		"defaults"),
	P_BOOL(struct zone_spec, updates, "updates", false,
	       "its primaries take dynamic updates (RFC 2136), signed with a key of the lab's making"),
	P_BOOL(struct zone_spec, api, "api", false,
	       "primaries that have an HTTP API (powerdns) hold it in a database that the API changes, with a key of "
	       "the lab's making"),
	P_TEXTS(struct zone_spec, providers, "providers",
		"providers whose nameservers serve the zone; by default those with a nameserver in its NS set"),
	P_TEXT(struct zone_spec, delegation, "delegation",
	       "records in master file syntax, names relative to the parent zone, that the parent holds instead of the "
	       "delegation "
	       "the lab would make"),
	PARAM_END,
};

const struct table zone_table = {
	.name = "zone",
	.doc = "a zone that the lab's nameservers serve; the key is its name",
	.params = zone_params,
	.size = sizeof(struct zone_spec),
	.loc_offset = offsetof(struct zone_spec, loc),
	.name_offset = offsetof(struct zone_spec, name),
};

static const struct param nameserver_params[] = {
	P_TEXT(struct nameserver_spec, hostname, "hostname",
	       "its name in NS records; by default <label>.<provider>.lab"),
	P_ADDRESSES_REQUIRED(struct nameserver_spec, address, "address",
			     "its IP addresses, of both families if you like"),
	P_TEXT_DEFAULT(struct nameserver_spec, server, "server", "bind",
		       "authoritative server software it runs (see `dnsdrill list servers`)"),
	P_TEXT(struct nameserver_spec, primary, "primary",
	       "nameserver, as provider.label, from which it transfers every zone of the plan it serves, with TSIG"),
	P_ENUM(struct nameserver_spec, primary_transport, "primary_transport", primary_choices, PRIMARY_TCP,
	       "how it transfers: over TCP, or over TLS (RFC 9103), its primary's name verified"),
	P_BOOL(struct nameserver_spec, catalog, "catalog", false,
	       "it learns which zones to transfer from a catalog zone (RFC 9432) that the lab makes and its primary "
	       "serves, as catalog.<label>.<provider>.lab of the primary"),
	P_ENUMS(struct nameserver_spec, encrypted, "encrypted", encrypted_choices,
		"encrypted transports it answers on besides UDP and TCP: DNS over TLS on port 853, DNS over HTTPS on "
		"port "
		"443 at /dns-query; certificates are from the lab's own authority"),
	P_TEXT(struct nameserver_spec, options, "options",
	       "configuration text in the server's own language, passed through"),
	PARAM_END,
};

const struct table nameserver_table = {
	.name = "nameserver",
	.doc = "one authoritative server of a provider; the key is its label, so that targets call it provider.label",
	.params = nameserver_params,
	.size = sizeof(struct nameserver_spec),
	.loc_offset = offsetof(struct nameserver_spec, loc),
	.name_offset = offsetof(struct nameserver_spec, name),
};

static const struct param provider_params[] = {
	P_MAP(struct provider_spec, nameservers, "nameservers", &nameserver_table, "its authoritative servers"),
	PARAM_END,
};

const struct table provider_table = {
	.name = "provider",
	.doc = "a named group of nameservers run together: losing a provider is losing all of it",
	.params = provider_params,
	.size = sizeof(struct provider_spec),
	.loc_offset = offsetof(struct provider_spec, loc),
	.name_offset = offsetof(struct provider_spec, name),
};

static const struct param resolver_params[] = {
	P_ADDRESSES(struct resolver_spec, address, "address",
		    "its IP addresses; by default one of each family is made up"),
	P_TEXT_DEFAULT(struct resolver_spec, server, "server", "unbound",
		       "resolver software it runs (see `dnsdrill list servers`)"),
	P_TEXTS(struct resolver_spec, forward, "forward",
		"resolvers or nameservers it passes questions on to, instead of asking from the root down"),
	P_ENUM(struct resolver_spec, forward_transport, "forward_transport", forward_choices, FORWARD_PLAIN,
	       "how it forwards: over UDP (and TCP after a truncated answer), or over TLS, the other's name verified"),
	P_ENUMS(struct resolver_spec, encrypted, "encrypted", encrypted_choices,
		"encrypted transports it answers on besides UDP and TCP: DNS over TLS on port 853, DNS over HTTPS on "
		"port "
		"443 at /dns-query; certificates are from the lab's own authority"),
	P_TEXT(struct resolver_spec, options, "options",
	       "configuration text in the server's own language, passed through"),
	PARAM_END,
};

const struct table resolver_table = {
	.name = "resolver",
	.doc = "a caching resolver (or forwarder) that clients ask; " LAB_NAME_DOC,
	.params = resolver_params,
	.size = sizeof(struct resolver_spec),
	.loc_offset = offsetof(struct resolver_spec, loc),
	.name_offset = offsetof(struct resolver_spec, name),
};

static const struct param client_params[] = {
	P_ADDRESSES(struct client_spec, address, "address",
		    "its IP addresses; by default one of each family is made up"),
	P_TEXTS(struct client_spec, resolvers, "resolvers",
		"resolvers in the order of its resolv.conf, at most 3; each stands there with its first address of a "
		"family the client has"),
	P_DURATION(struct client_spec, timeout_ns, "timeout", SEC, 30 * SEC, 5 * SEC,
		   "how long its stub resolver waits for one answer, in whole seconds (resolv.conf timeout:)"),
	P_INT(struct client_spec, attempts, "attempts", 1, 5, 2,
	      "how often its stub resolver goes through the list before it gives up (resolv.conf attempts:)"),
	P_TEXT(struct client_spec, options, "options", "further lines of its resolv.conf"),
	PARAM_END,
};

const struct table client_table = {
	.name = "client",
	.doc = "a host that asks as users' machines do, by its own resolv.conf; " LAB_NAME_DOC,
	.params = client_params,
	.size = sizeof(struct client_spec),
	.loc_offset = offsetof(struct client_spec, loc),
	.name_offset = offsetof(struct client_spec, name),
};

/* Root and TLD servers are said in the same way. */
static const struct param infra_params[] = {
	P_ADDRESSES(struct infra_spec, address, "address", "its IP addresses; by default one of each family is chosen"),
	P_TEXT_DEFAULT(struct infra_spec, server, "server", "knot",
		       "authoritative server software it runs (see `dnsdrill list servers`)"),
	P_TEXT(struct infra_spec, options, "options",
	       "configuration text in the server's own language, passed through"),
	PARAM_END,
};

const struct table root_table = {
	.name = "root",
	.doc = "the lab's one root server; targets call it root",
	.params = infra_params,
	.size = sizeof(struct infra_spec),
	.loc_offset = offsetof(struct infra_spec, loc),
	.name_offset = PARAM_NO_NAME,
};

const struct table tld_table = {
	.name = "TLD",
	.doc = "the server of one top-level domain; the key is the TLD, and targets call it tld.<key>, all of them "
	       "tlds",
	.params = infra_params,
	.size = sizeof(struct infra_spec),
	.loc_offset = offsetof(struct infra_spec, loc),
	.name_offset = offsetof(struct infra_spec, name),
};

static const struct param lab_params[] = {
	P_MAP(struct lab_spec, zones, "zones", &zone_table, "zones the nameservers serve"),
	P_MAP(struct lab_spec, providers, "providers", &provider_table, "who runs the nameservers"),
	P_MAP(struct lab_spec, resolvers, "resolvers", &resolver_table, "resolvers between clients and nameservers"),
	P_MAP(struct lab_spec, clients, "clients", &client_table, "hosts that ask"),
	P_TABLE(struct lab_spec, root, "root", struct infra_spec, &root_table,
		"the root server, where it shall differ from what the lab makes"),
	P_MAP(struct lab_spec, tlds, "tlds", &tld_table,
	      "TLD servers that shall differ from those the lab makes for every zone and nameserver name"),
	PARAM_END,
};

const struct table lab_table = {
	.name = "lab",
	.doc = "hosts with real server software, each in namespaces of its own, joined by one router",
	.params = lab_params,
	.size = sizeof(struct lab_spec),
	.loc_offset = offsetof(struct lab_spec, loc),
	.name_offset = PARAM_NO_NAME,
};

static const struct param plan_params[] = {
	{.key = "plan",
	 .type = PARAM_INT,
	 .offset = PARAM_AT(struct plan_doc, version, int64_t),
	 .min = 1,
	 .max = 1,
	 .def = PARAM_UNSET,
	 .required = true,
	 .doc = "version of the plan language"},
	P_TEXT(struct plan_doc, name, "name", "what the plan is called in reports; by default its file's name"),
	P_TEXT(struct plan_doc, description, "description", "what it rehearses, in a sentence or more"),
	P_NODE(struct plan_doc, include, "include",
	       "plan file, or list of them, whose content this one extends; what this file says wins"),
	P_INT(struct plan_doc, seed, "seed", 0, INT64_MAX, PARAM_UNSET,
	      "fixes every random choice of the harness; by default drawn anew and printed with the verdict"),
	P_TEXT(struct plan_doc, clock, "clock",
	       "what the hosts' clocks show when the machine starts, as 2026-11-21T00:00Z; with --engine vm alone "
	       "(there "
	       "2026-01-01 by default)"),
	P_NODE(struct plan_doc, matrix, "matrix",
	       "runs the plan once for each combination: key to a list of texts, or key to a mapping of label to "
	       "value; "
	       "${key} stands for the value"),
	P_DURATION(struct plan_doc, recovery_ns, "recovery", 0, PLAN_LENGTH_MAX, 10 * SEC,
		   "how long probes go on after the last step has ended"),
	P_DURATION(struct plan_doc, duration_ns, "duration", MSEC, PLAN_LENGTH_MAX, PARAM_UNSET,
		   "length of the run; by default until the last step has ended, and recovery"),
	P_SHARE(struct plan_doc, baseline_ppm, "baseline", 0, PPM_ONE, PPM_ONE,
		"availability every probe must have before the first fault, else the run is inconclusive"),
	P_INT(struct plan_doc, stable, "stable", 1, 1000, 5,
	      "how many good samples in a row count as failed over, or as recovered"),
	{.key = "lab",
	 .type = PARAM_TABLE,
	 .offset = PARAM_AT(struct plan_doc, lab, struct lab_spec),
	 .sub = &lab_table,
	 .required = true,
	 .doc = "the setup that is built, broken and measured"},
	P_NODE(struct plan_doc, probes, "probes", "questions asked all the while; the key is the probe's name"),
	P_NODE(struct plan_doc, timeline, "timeline", "list of what is broken, and when"),
	P_NODE(struct plan_doc, expect, "expect", "list of bounds on what is measured"),
	PARAM_END,
};

const struct table plan_table = {
	.name = "plan",
	.doc = "one rehearsal: a lab, probes that ask it, a timeline that breaks it, and what is expected",
	.params = plan_params,
	.size = sizeof(struct plan_doc),
	.loc_offset = offsetof(struct plan_doc, loc),
	.name_offset = PARAM_NO_NAME,
};
