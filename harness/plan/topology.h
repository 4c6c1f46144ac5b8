/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lab a plan describes, worked out but not built: every host with its addresses, role and software, which zones it serves and from whom it transfers.
 * Pure; in the plan's arena. Hosts are in the order of: root, TLDs, nameservers, resolvers, clients.
 */
#pragma once
#include "harness/api/server.h"
#include "harness/plan/plan.h"

enum host_role { HOST_ROOT, HOST_TLD, HOST_NAMESERVER, HOST_RESOLVER, HOST_CLIENT };
const char *host_role_name(enum host_role role); /* "root", "tld", "nameserver", "resolver", "client" */

struct topo_zone { /* a zone some host serves */
	const char *name; /* "." , "com", "example.com", "alpha-dns.net" */
	const struct zone_spec *spec; /* NULL: generated (root, TLD, a nameserver's own zone) */
	bool sign; /* zone_spec.sign, or a parent of a signed zone */
	const struct sign_spec *signing; /* how; of generated zones the defaults */
	bool has_signature; /* signed in its file already */
	struct topo_zone *parent; /* closest enclosing zone; NULL for the root */
	struct topo_host **primaries; /* hosts that load it from a file */
	size_t primary_count;
	struct topo_host **servers; /* all that serve it, primaries first */
	size_t server_count;
	struct topo_host **ns; /* hosts whose hostnames are its NS set, where it is generated (else from the file) */
	size_t ns_count;
};

struct topo_host {
	const char *name; /* "root", "tld.com", "alpha.ns1", "r1", "office": what targets and --on say */
	enum host_role role;
	struct addresses addresses;
	const struct server_ops *server; /* NULL for clients */
	int server_role; /* enum server_role */
	const char *hostname; /* DNS name of a nameserver, root or TLD server, without trailing dot */
	const char *options; /* raw configuration text, or NULL */
	struct loc loc; /* in the plan; of `server:` where there is one */
	const struct topo_host *primary; /* nameserver that transfers */
	bool transfers_over_tls; /* from its primary: RFC 9103 */
	bool has_catalog; /* it learns from a catalog of its primary which zones to transfer (plan/catalog.h) */
	const struct addresses *forward; /* NULL: iterates */
	const char *const *forward_names; /* as in struct server_spec */
	int encrypted; /* set of enum encrypted that it serves */
	const char *tls_name; /* in its certificate: hostname, or name; NULL for clients */
	const struct client_spec *client; /* HOST_CLIENT */
	struct probe_server
		*resolvers; /* HOST_CLIENT: in order, each at its first address of a family the client has */
	size_t resolver_count;
	const char *provider; /* HOST_NAMESERVER */
	int demands; /* enum injector_demand: of the plan's faults that hit its server; filled by plan/step_check.c */
};

struct topology {
	struct topo_host *hosts;
	size_t host_count;
	struct topo_zone *zones; /* root first, parents before children */
	size_t zone_count;
	bool is_signed; /* some zone is: root and TLDs are signed, resolvers get a trust anchor */
	bool has_tls; /* some host serves an encrypted transport: the lab needs a CA */
	uint64_t seed;
};

/* Builds it from plan->lab; adds errors (an address twice, an NS name nobody bears, unknown references, software that cannot play the role…). */
struct topology *topology_new(struct arena *arena, const struct plan *plan, const struct registry *registry,
			      struct errs *errs);

const struct topo_host *topology_host(const struct topology *topology, const char *name);
/* The host that bears the address, or NULL. */
const struct topo_host *topology_host_at(const struct topology *topology, const struct address *address);

/* Whether a fault of the plan demands that of any of its hosts. */
bool topology_demands(const struct topology *topology, enum injector_demand demand);

/* Whether a target name means the host: its own, its provider's, "tlds". */
bool topology_is_meant(const struct topo_host *host, const char *target);

/* Appends the addresses behind a target name: a host, a provider (all its nameservers), "root", "tld.com", "tlds". 0, or -ENOENT with the nearest known name in err. */
int topology_resolve(const struct topology *topology, struct text target, struct arena *arena, struct addresses *io,
		     struct err *err);
