/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Server drivers: how one piece of real DNS server software is configured and started on a host of a lab.
 *
 * A driver is one file: an ops struct whose configure() writes the configuration and says the command. Starting, logs, waiting until it answers and
 * stopping are common (run/bringup.c). The server runs in the foreground, unprivileged uid 0 of a user namespace with one id: no user switch,
 * no chroot, everything it writes under spec->dir.
 */
#pragma once
#include "harness/api/param.h"
#include "harness/api/transport.h"
#include "harness/base/arena.h"
#include "harness/base/buf.h"

enum server_role {
	SERVER_AUTHORITATIVE = 1, /* serves zones */
	SERVER_RESOLVER = 2, /* iterates from root hints */
	SERVER_FORWARDER = 4, /* passes questions on to spec->forward */
};

struct server_tsig {
	const char *name; /* absolute, without trailing dot */
	const char *algorithm; /* "hmac-sha256" */
	const char *secret; /* base64 */
};

/* One end of a zone transfer. */
struct server_peer {
	struct addresses addresses; /* of the other server, all families */
	const struct server_tsig *tsig; /* NULL: unsigned */
	const char *host; /* its name in the lab */
	const char *
		tls_name; /* transferred from over TLS (RFC 9103), at DOT_PORT, and of this name its certificate must be; NULL: over TCP */
};

/* How a zone is signed, and with what. */
struct server_signing {
	const char *key_dir; /* keys as files in the format of BIND's tools; not to be written to */
	bool is_by_server; /* the server signs what it loads, and keeps it signed */
	unsigned algorithm; /* IANA's number */
	bool is_csk, is_nsec3;
	unsigned iterations;
	const char *salt; /* hexadecimal; "-": none */
	int64_t validity_s, inception_s; /* from, and before, the moment of signing */
	uint32_t dnskey_ttl, ds_ttl;
	bool has_zonemd;
};

/* What a zone has to do with a catalog zone (RFC 9432) at this server. */
enum server_catalog {
	SERVER_NO_CATALOG, /* nothing; or a primary serves the catalog, to which that is a zone like others */
	SERVER_CATALOG, /* a secondary that is told by it which zones to transfer */
	SERVER_MEMBER, /* one that it is so told of: not to be configured */
};

struct server_zone {
	const char *name; /* "example.com", "." for the root */
	const char *file; /* primary: absolute path of a master file, readable; secondary: where to keep it */
	const char *shared_file; /* primary: where file leads to at first; NULL: file is the file itself */
	const struct server_peer *primaries; /* not empty: this server is a secondary and transfers from these */
	size_t primary_count;
	const struct server_peer *secondaries; /* may transfer, and are sent NOTIFY */
	size_t secondary_count;
	bool is_signed; /* with DNSSEC: it holds RRSIG and NSEC records, or will (signing) */
	const struct server_signing *signing; /* NULL: unsigned, or signed by its owner */
	const struct server_tsig
		*update; /* primary: takes dynamic updates signed with this key (RFC 2136); NULL: takes none */
	bool has_api; /* primary: the server's HTTP API can change it */
	int catalog; /* enum server_catalog. Catalog and members have the same primaries */
};

/* What a server needs for TLS. PEM files, absolute paths. */
struct server_tls {
	int serves; /* set of enum encrypted: DOT_PORT, and DOH_PORT at DOH_PATH, of every address; 0: none */
	const char *certificate, *key; /* its own; NULL if it serves none */
	const char *ca; /* what it trusts; NULL if the lab has no TLS at all */
};

/* Where an HTTP API is served, at the server's first address. */
#define API_PORT 8081

struct server_spec {
	const char *host; /* name in the lab, "alpha.ns1" */
	const char *dir; /* absolute, exists, empty, the server's own */
	int role; /* one of enum server_role: what the plan uses it for */
	struct addresses listen; /* port 53, UDP and TCP; never a wildcard */
	const struct server_zone *zones;
	size_t zone_count;
	const struct server_tsig *const *tsigs; /* every key of zones, each once */
	size_t tsig_count;
	const char *root_hints; /* resolver: absolute path of a master file with the root's NS and addresses */
	const char *
		trust_anchor; /* resolver: path of a file with the root's DNSKEY (one RR per line); NULL: do not validate */
	const struct addresses *forward; /* forwarder, or resolver told to forward: where; NULL: iterate */
	/* Not NULL: forwards over TLS to DOT_PORT; forward_names[i] is the name the certificate of forward->v[i] must have. */
	const char *const *forward_names;
	struct server_tls tls;
	const char *api_key; /* NULL: no zone has an API. What requests must carry */
	bool api_is_fronted; /* the API is served at 127.0.0.1 alone: a fault's proxy stands before it, at the first address */
	const char *
		options; /* raw configuration text of the plan, passed through at the end (or where the format needs it); NULL: none */
};

struct server_command {
	const char *argv[16]; /* argv[0] is ops->program's path; ends with NULL; strings live in the arena */
};

/* What can be demanded of a server that runs, by its own control channel. */
enum server_verb {
	SERVER_RELOAD, /* configuration and zone files are read again */
	SERVER_HOLD_ZONE, /* before a zone's file is replaced */
	SERVER_RELOAD_ZONE, /* the zone's file is read again, and its secondaries are told */
	SERVER_REFRESH_ZONE, /* a secondary asks its primary now */
	SERVER_FLUSH, /* a resolver forgets every record */
	SERVER_STATUS, /* it says how it is: that it can be told anything */
	SERVER_VERB_COUNT
};
#define SERVER_CAN(verb) (1u << SERVER_##verb)
const char *server_verb_name(enum server_verb verb); /* "reload a zone's file" */

/* How one verb is done; the first that is set. None is: there is nothing to do. Strings live in the arena. */
struct server_control {
	const char *argv[16]; /* a command line, run on the server's host to its end; argv[0] NULL: none */
	int signal; /* sent to the server's process */
	const char *socket, *text; /* a line sent to a Unix socket that answers with a line */
};

struct server_ops {
	const char *name; /* as plans say it: "bind" */
	const char *summary; /* "ISC BIND 9 named" */
	const char *program; /* "named", looked up in PATH and the sbin directories */
	const char *package; /* Debian package that brings it */
	const char *unit; /* the systemd unit that runs it there */
	const char *config; /* the file in spec->dir that it reads again when told to reload; NULL: none */
	int roles; /* set of enum server_role */
	int encrypted; /* set of enum encrypted that it can serve */
	bool forwards_dot; /* as resolver or forwarder it can forward over TLS */
	const char *version_arg; /* "-v": argument that prints the version */
	bool can_sign; /* does what server_signing.is_by_server says */
	/* What it needs beside its program and the libraries that names, for a guest to have it too: further programs by name, and absolute paths or glob(7)
	 * patterns of what it loads while it runs. Ends with NULL; NULL: nothing. */
	const char *const *needs;
	int guest_mib; /* memory it takes in a guest beyond what any server does: files that it fills when it starts */
	/* Writes configuration under spec->dir and fills ret. */
	int (*configure)(const struct server_spec *spec, struct arena *arena, struct server_command *ret,
			 struct err *err);
	bool takes_updates; /* of RFC 2136, for zones that say so (server_zone.update) */
	bool has_api; /* PowerDNS's HTTP API, for zones that say so (server_zone.has_api) */
	bool transfers_over_tls; /* as a secondary it heeds server_peer.tls_name */
	bool reads_catalogs; /* heeds server_zone.catalog */
	unsigned verbs; /* set of SERVER_CAN(): what control can be asked for */
	/* Where it listens for that: a Unix socket of this name in spec->dir, or this port of 127.0.0.1. NULL and 0: it is told by signals, or not at all. */
	const char *control_socket;
	int control_port;
	/* How a server that configure() wrote for is told. zone: of its spec; NULL for verbs that name none. */
	int (*control)(const struct server_spec *spec, enum server_verb verb, const struct server_zone *zone,
		       struct arena *arena, struct server_control *ret, struct err *err);
};
