/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The typed plan. plan_load → use → plan_set_free. Everything in a plan lives in one arena owned by the set; nothing in it changes after loading.
 */
#pragma once
#include "harness/api/registry.h"
#include "harness/plan/node.h"
#include "harness/plan/zone.h"

struct topology;
struct zone_version;
struct zone_alias;
struct zone_cache_entry;

/* How a zone is signed when the lab starts. */
struct sign_spec {
	struct loc loc;
	bool is_given;
	int64_t by; /* enum sign_by */
	int64_t algorithm; /* index; sign_algorithm() */
	int64_t keys; /* enum sign_keys */
	int64_t nsec; /* enum sign_nsec */
	int64_t iterations;
	struct text salt; /* hexadecimal, or "-" */
	int64_t validity_ns, inception_ns; /* after and before the lab's start */
	int64_t dnskey_ttl_ns, ds_ttl_ns; /* whole seconds */
	bool zonemd;
};
enum sign_by { SIGN_BY_LDNS, SIGN_BY_SERVER, SIGN_BY_PROVIDERS };
enum sign_keys { SIGN_KSK_ZSK, SIGN_CSK };
enum sign_nsec { SIGN_NSEC, SIGN_NSEC3 };
/* IANA's number. */
unsigned sign_algorithm(const struct sign_spec *sign);
/* What `sign: true` means; also how generated zones are signed. */
extern const struct sign_spec sign_defaults;

struct zone_spec {
	struct loc loc;
	struct text name;
	struct text file; /* relative to the plan file that says it */
	int64_t apex_ns; /* enum apex_ns */
	struct sign_spec sign;
	bool updates; /* its primaries take dynamic updates, signed with a key of the lab's making */
	bool api; /* its primaries hold it where their HTTP API can change it */
	struct texts providers; /* that serve it; empty: those with a nameserver in the apex NS set */
	struct text delegation; /* records in zone file syntax for the parent instead of the generated ones */
	struct zone *zone; /* loaded and checked */
};
enum apex_ns { APEX_NS_FROM_FILE, APEX_NS_FROM_LAB };

struct provider_spec {
	struct loc loc;
	struct text name;
	struct items nameservers; /* of struct nameserver_spec */
};

struct nameserver_spec {
	struct loc loc;
	struct text name; /* label in its provider: "ns1" */
	struct text hostname; /* default <label>.<provider>.lab */
	struct addresses address;
	struct text server;
	struct text primary; /* "alpha.ns1": transfers every zone it serves from there, with TSIG */
	int64_t primary_transport; /* enum primary_transport */
	bool catalog; /* learns which from a catalog zone of its primary */
	int64_t encrypted; /* set of enum encrypted */
	struct text options;
};

enum primary_transport { PRIMARY_TCP, PRIMARY_TLS };

struct resolver_spec {
	struct loc loc;
	struct text name;
	struct addresses address;
	struct text server;
	struct texts forward; /* resolvers (or nameservers) to forward to */
	int64_t forward_transport; /* enum forward_transport */
	int64_t encrypted; /* set of enum encrypted */
	struct text options;
};

enum forward_transport { FORWARD_PLAIN, FORWARD_DOT };

struct client_spec {
	struct loc loc;
	struct text name;
	struct addresses address; /* default: generated */
	struct texts resolvers; /* in the order of resolv.conf; at most 3 */
	int64_t timeout_ns; /* whole seconds; resolv.conf timeout:, default 5 s */
	int64_t attempts; /* resolv.conf attempts:, default 2 */
	struct text options; /* further lines of resolv.conf */
};

struct infra_spec { /* root, or one TLD */
	struct loc loc;
	struct text name; /* of a TLD */
	struct addresses address; /* default: generated */
	struct text server;
	struct text options;
};

struct lab_spec {
	struct loc loc;
	struct items zones; /* struct zone_spec */
	struct items providers; /* struct provider_spec */
	struct items resolvers; /* struct resolver_spec */
	struct items clients; /* struct client_spec */
	struct infra_spec root;
	struct items tlds; /* struct infra_spec */
};

struct expect_spec { /* one bound: an item of `expect:` with several metrics becomes several */
	struct loc loc;
	const char *text; /* as a person reads it */
	const struct probe *probe;
	const char *during; /* a fault's name, "baseline", "recovery", or NULL */
	int metric; /* enum metric */
	const char *op; /* "<=", "<", ">=", ">", "=", "never" */
	int64_t bound; /* ns or ppm */
};

struct plan {
	struct loc loc;
	const char *file; /* as given on the command line */
	const char *case_label; /* "resolver=unbound", or NULL */
	int64_t version;
	struct text name, description;
	int64_t seed; /* of the plan, or --seed, or drawn once for the whole set */
	int64_t clock_s; /* what clocks show at the start, seconds since 1970; PARAM_UNSET: the engine's own */
	struct loc clock_loc;
	int64_t recovery_ns, duration_ns; /* duration PARAM_UNSET: last step's end + recovery */
	int64_t baseline_ppm, stable;
	struct lab_spec lab;
	struct probe **probes; /* each of its own kind's struct */
	size_t probe_count;
	struct probe_server **probe_servers; /* for probes[i]: where its questions go, and how many */
	size_t *probe_server_counts;
	struct injector **faults; /* in the order of the plan; id = index + 1 */
	size_t fault_count;
	struct action **actions; /* `do:`, in the order of the plan; id = index + 1 */
	size_t action_count;
	const struct zone_version *
		*versions; /* of zones that actions change, in the order of time; id = index + 1 (plan/versions.h) */
	size_t version_count;
	struct zone_alias *aliases; /* plan/versions.h */
	struct zone_cache_entry **zone_cache; /* the set's */
	struct expect_spec *expects;
	size_t expect_count;
	int64_t end_ns; /* of the timeline, recovery included */
	const struct topology *topology;
	const struct node *source; /* as resolved: includes, --set and matrix applied */
};

/* A plan file: as many plans as its matrix has combinations, in the order of the file; one without a matrix. */
struct plan_set {
	struct arena *arena;
	struct plan **plans;
	size_t count;
	const char **
		files; /* every file that was read, and every other regular one a value of it names: what the plan needs elsewhere */
	size_t file_count;
};

struct plan_options {
	const char *const *set; /* --set path=value */
	size_t set_count;
	int64_t seed; /* --seed, or PARAM_UNSET */
};

/* Reads, expands, types and checks a plan, its zones included; touches nothing else. NULL exactly if errs got an error. */
struct plan_set *plan_load(const char *path, const struct plan_options *options, const struct registry *registry,
			   struct errs *errs);
void plan_set_free(struct plan_set *set);
DEFINE_CLEANUP(struct plan_set *, plan_set_free);

/* The tables of the whole language, for list, schema and docs. */
extern const struct table plan_table, lab_table, zone_table, provider_table, nameserver_table, resolver_table,
	client_table, root_table, tld_table, good_table, sign_table;
extern const struct param step_params[], probe_params[], expect_params[]; /* common rows of steps and probes */
extern const struct param step_target_params[], step_groups_params[],
	step_servers_params[]; /* of steps, by what the kind hits */
extern const struct table flap_table;
extern const char *const encrypted_choices[]; /* of rows that hold a set of enum encrypted: their names */

/* The rows that say whom such a kind hits. */
const struct param *step_hits_params(enum injector_hits hits);

/* Every row list of a kind of fault, its own included. Returns how many. */
#define STEP_ROWS_MAX 3
size_t step_rows(const struct injector_ops *ops, const struct param *ret[STEP_ROWS_MAX]);

/* The same of a kind of action (`do:`). */
extern const struct param action_params[], action_zone_params[], action_target_params[];
#define ACTION_ROWS_MAX 3
bool action_is_on_zone(const struct action_ops *ops);
size_t action_rows(const struct action_ops *ops, const struct param *ret[ACTION_ROWS_MAX]);
