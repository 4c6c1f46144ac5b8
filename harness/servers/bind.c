/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ISC BIND 9 named, as nameserver, as resolver and as forwarder. The plan's options go inside `options { }`.
 */
#include "harness/servers/signing.h"
#include <errno.h>
#include <ldns/ldns.h>
#include <string.h>

#include "harness/base/rr.h"

#define CONTROL_PORT "953"
#define CONTROL_PORT_NUMBER 953
#define CONTROL_KEY "rndc"

/* The channel listens on the host's own loopback, which nobody else of the lab can reach: the key keeps out nobody. */
static void add_control_key(struct buf *out)
{
	buf_puts(out, "key \"" CONTROL_KEY "\" { algorithm hmac-sha256; secret "
		      "\"ZG5zZHJpbGwgbGFiIGNvbnRyb2wga2V5LCBub3QgYSBzZWNyZXQ=\"; };\n");
}

/* how: between the statement and the addresses, "port 53". */
static void add_listeners(const struct server_spec *spec, struct buf *out, const char *how)
{
	static const struct {
		int family;
		const char *statement;
	} kinds[] = {{AF_INET, "listen-on"}, {AF_INET6, "listen-on-v6"}};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		buf_printf(out, "\t%s %s {", kinds[i].statement, how);
		server_addresses(out, &spec->listen, kinds[i].family, " ", ";");
		buf_puts(out, server_has_family(&spec->listen, kinds[i].family) ? " };\n" : " none; };\n");
	}
}

static void add_listen(const struct server_spec *spec, struct buf *out)
{
	add_listeners(spec, out, "port 53");
	if (spec->tls.serves & ENCRYPTED_DOT)
		add_listeners(spec, out, "port 853 tls lab");
	if (spec->tls.serves & ENCRYPTED_DOH)
		add_listeners(spec, out, "port 443 tls lab http lab");
}

/* How the server's one primary is met over TLS: RFC 9103 section 7.3.1. */
static void add_primary_tls(const struct server_spec *spec, struct buf *out)
{
	for (size_t i = 0; i < spec->zone_count; i++) {
		const struct server_zone *zone = &spec->zones[i];

		if (!zone->primary_count || !zone->primaries[0].tls_name)
			continue;
		buf_printf(out, "tls primary { ca-file \"%s\"; remote-hostname \"%s\"; };\n", spec->tls.ca,
			   zone->primaries[0].tls_name);
		return;
	}
}

static void add_tls(const struct server_spec *spec, struct buf *out)
{
	add_primary_tls(spec, out);
	if (!spec->tls.serves)
		return;
	buf_printf(out, "tls lab { cert-file \"%s\"; key-file \"%s\"; };\n", spec->tls.certificate, spec->tls.key);
	if (spec->tls.serves & ENCRYPTED_DOH)
		buf_puts(out, "http lab { endpoints { \"" DOH_PATH "\"; }; };\n");
}

static void add_resolver_options(const struct server_spec *spec, struct buf *out)
{
	server_default(spec, out, "recursion", "\trecursion yes;");
	server_default(spec, out, "allow-query", "\tallow-query { any; };");
	server_default(spec, out, "allow-query-cache", "\tallow-query-cache { any; };");
	server_default(spec, out, "allow-recursion", "\tallow-recursion { any; };");
	/* The built-in ones hide the lab's own reverse zones of private and documentation addresses. */
	server_default(spec, out, "empty-zones-enable", "\tempty-zones-enable no;");
	server_default(spec, out, "dnssec-validation", "\tdnssec-validation %s;", spec->trust_anchor ? "yes" : "no");
	if (spec->forward) {
		buf_puts(out, "\tforwarders {");
		server_addresses(out, spec->forward, AF_UNSPEC, " ", ";");
		buf_puts(out, " };\n");
		server_default(spec, out, "forward", "\tforward only;");
	}
}

static void add_peer(struct buf *out, const struct server_peer *peer)
{
	for (size_t i = 0; i < peer->addresses.count; i++) {
		buf_printf(out, " %s", peer->addresses.v[i].text);
		if (peer->tsig)
			buf_printf(out, " key \"%s\"", peer->tsig->name);
		if (peer->tls_name)
			buf_puts(out, " tls primary");
		buf_putc(out, ';');
	}
}

static void add_peers(struct buf *out, const char *statement, const struct server_peer *peers, size_t count)
{
	if (!count)
		return;
	buf_printf(out, "\t%s {", statement);
	for (size_t i = 0; i < count; i++)
		add_peer(out, &peers[i]);
	buf_puts(out, " };\n");
}

/* Told of zones by its primary (RFC 9432). */
static void add_catalogs(const struct server_spec *spec, struct buf *out)
{
	for (size_t i = 0; i < spec->zone_count; i++) {
		const struct server_zone *zone = &spec->zones[i];

		if (zone->catalog != SERVER_CATALOG)
			continue;
		buf_printf(out, "\tcatalog-zones {\n\tzone \"%s\" zone-directory \"%s\"", zone->name, spec->dir);
		add_peers(out, " default-primaries", zone->primaries, zone->primary_count);
		buf_puts(out, "\t};\n");
	}
}

static void add_options(const struct server_spec *spec, struct buf *out)
{
	buf_printf(out, "options {\n\tdirectory \"%s\";\n", spec->dir);
	add_listen(spec, out);
	buf_printf(out, "\tpid-file none;\n\tlock-file none;\n\tsession-keyfile \"%s/session.key\";\n", spec->dir);
	if (spec->role == SERVER_AUTHORITATIVE) {
		server_default(spec, out, "recursion", "\trecursion no;");
		server_default(spec, out, "allow-transfer", "\tallow-transfer { none; };");
		server_default(spec, out, "notify", "\tnotify explicit;");
		server_default(spec, out, "dnssec-validation", "\tdnssec-validation no;");
	} else {
		add_resolver_options(spec, out);
	}
	add_catalogs(spec, out);
	server_options(spec, out);
	buf_puts(out, "};\n");
	add_control_key(out);
	buf_printf(out, "controls { inet 127.0.0.1 port %s allow { 127.0.0.1; } keys { \"" CONTROL_KEY "\"; }; };\n",
		   CONTROL_PORT);
}

/* named reads trust anchors in a syntax of its own, not as resource records. */
static int add_trust_anchors(const struct server_spec *spec, struct buf *out, struct err *err)
{
	FILE *in = fopen(spec->trust_anchor, "re");
	char line[4096];

	if (!in)
		return err_set(err, -errno, LOC_NONE, "cannot read %s: %s", spec->trust_anchor, strerror(errno));
	buf_puts(out, "trust-anchors {\n");
	while (fgets(line, sizeof(line), in)) {
		ldns_rr *rr = NULL;

		line[strcspn(line, "\n")] = '\0';
		if (rr_from_text(&rr, line, 0, NULL) == LDNS_STATUS_OK && ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNSKEY) {
			char *key = ldns_rdf2str(ldns_rr_dnskey_key(rr));

			buf_printf(out, "\t. static-key %u 3 %u \"%s\";\n",
				   ldns_rdf2native_int16(ldns_rr_dnskey_flags(rr)),
				   ldns_rdf2native_int8(ldns_rr_dnskey_algorithm(rr)), key);
			free(key);
		}
		ldns_rr_free(rr);
	}
	fclose(in);
	buf_puts(out, "};\n");
	return 0;
}

static void add_zone(struct buf *out, const struct server_spec *spec, size_t index)
{
	const struct server_zone *zone = &spec->zones[index];

	buf_printf(out, "zone \"%s\" {\n\ttype %s;\n\tfile \"%s\";\n", zone->name,
		   server_is_secondary(zone) ? "secondary" : "primary", zone->file);
	add_peers(out, "primaries", zone->primaries, zone->primary_count);
	add_peers(out, "also-notify", zone->secondaries, zone->secondary_count);
	bind_add_signing(spec, index, out);
	if (zone->update)
		buf_printf(out, "\tallow-update { key \"%s\"; };\n", zone->update->name);
	if (zone->secondary_count) {
		buf_puts(out, "\tallow-transfer {");
		for (size_t i = 0; i < zone->secondary_count; i++) {
			const struct server_peer *peer = &zone->secondaries[i];

			if (peer->tsig)
				buf_printf(out, " key \"%s\";", peer->tsig->name);
			else
				server_addresses(out, &peer->addresses, AF_UNSPEC, " ", ";");
		}
		buf_puts(out, " };\n");
	}
	buf_puts(out, "};\n");
}

static int bind_configure(const struct server_spec *spec, struct arena *arena, struct server_command *ret,
			  struct err *err)
{
	struct buf out = {0}, rndc = {0};
	const char *path;
	int r;

	add_tls(spec, &out);
	add_options(spec, &out);
	for (size_t i = 0; i < spec->tsig_count; i++)
		buf_printf(&out, "key \"%s\" { algorithm %s; secret \"%s\"; };\n", spec->tsigs[i]->name,
			   spec->tsigs[i]->algorithm, spec->tsigs[i]->secret);
	if (spec->role != SERVER_AUTHORITATIVE && spec->root_hints)
		buf_printf(&out, "zone \".\" { type hint; file \"%s\"; };\n", spec->root_hints);
	for (size_t i = 0; i < spec->zone_count; i++) {
		if (spec->zones[i].catalog != SERVER_MEMBER)
			add_zone(&out, spec, i);
	}
	r = bind_add_policies(spec, arena, &out, err);
	if (r == 0 && spec->role != SERVER_AUTHORITATIVE && spec->trust_anchor)
		r = add_trust_anchors(spec, &out, err);
	if (r < 0) {
		buf_fini(&out);
		return r;
	}
	r = server_write(spec, "named.conf", &out, arena, &path, err);
	if (r < 0)
		return r;
	add_control_key(&rndc);
	buf_puts(&rndc, "options { default-key \"" CONTROL_KEY
			"\"; default-server 127.0.0.1; default-port " CONTROL_PORT "; };\n");
	r = server_write(spec, "rndc.conf", &rndc, arena, NULL, err);
	if (r < 0)
		return r;
	/* One worker and one UDP listener: a lab has many servers and few cores. */
	return server_command(&server_bind, arena, ret, err, "-g", "-n", "1", "-U", "1", "-c", path, NULL);
}

/* A zone that takes updates is frozen while its file is replaced: named writes it, too. */
static int bind_control(const struct server_spec *spec, enum server_verb verb, const struct server_zone *zone,
			struct arena *arena, struct server_control *ret, struct err *err)
{
	const char *conf = arena_printf(arena, "%s/rndc.conf", spec->dir), *name = zone ? zone->name : NULL;
	const char *word = NULL;

	switch (verb) {
	case SERVER_RELOAD:
		word = "reload";
		name = NULL;
		break;
	case SERVER_HOLD_ZONE:
		if (!zone || !zone->update)
			return 0;
		word = "freeze";
		break;
	case SERVER_RELOAD_ZONE:
		word = zone && zone->update ? "thaw" : "reload";
		break;
	case SERVER_REFRESH_ZONE:
		word = "refresh";
		break;
	case SERVER_FLUSH:
		word = "flush";
		name = NULL;
		break;
	case SERVER_STATUS:
		word = "status";
		name = NULL;
		break;
	case SERVER_VERB_COUNT:
		break;
	}
	return server_control_command(&server_bind, "rndc", arena, ret, err, "-c", conf, word, name, NULL);
}

static const char *const needs[] = {"rndc", "/usr/lib/*/bind/*.so", NULL};

const struct server_ops server_bind = {
	.name = "bind",
	.summary = "ISC BIND 9 named; options go inside its `options { }`",
	.program = "named",
	.package = "bind9",
	.unit = "named",
	.config = "named.conf",
	.roles = SERVER_AUTHORITATIVE | SERVER_RESOLVER | SERVER_FORWARDER,
	.encrypted = ENCRYPTED_DOT | ENCRYPTED_DOH,
	.version_arg = "-v",
	.can_sign = true,
	.needs = needs,
	.configure = bind_configure,
	.takes_updates = true,
	.transfers_over_tls = true,
	.reads_catalogs = true,
	.verbs = SERVER_CAN(RELOAD) | SERVER_CAN(HOLD_ZONE) | SERVER_CAN(RELOAD_ZONE) | SERVER_CAN(REFRESH_ZONE) |
		 SERVER_CAN(FLUSH) | SERVER_CAN(STATUS),
	.control_port = CONTROL_PORT_NUMBER,
	.control = bind_control,
};
