/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step `update`: a dynamic update (RFC 2136), signed with the zone's key (RFC 8945), sent to its primaries on their own hosts.
 */
#include <errno.h>
#include <ldns/ldns.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/actions/common.h"
#include "harness/base/clock.h"
#include "harness/plan/topology.h"

#define TTL_DEFAULT 3600
#define TSIG_FUDGE_S 300

struct update {
	struct action action;
	struct texts add, delete;
	int64_t if_serial;
	struct text expect_rcode;
	ldns_rr_list *prerequisites, *changes; /* as they go into the message; owned by the plan's arena */
};

static const struct param update_params[] = {
	P_TEXTS(struct update, add, "add", "records to add, as in a master file: \"www 60 A 192.0.2.9\""),
	P_TEXTS(struct update, delete, "delete",
		"what to take away: a name and a type, with the data of one record or without for all of them"),
	P_INT(struct update, if_serial, "if_serial", 0, UINT32_MAX, PARAM_UNSET,
	      "a prerequisite: only if the zone's SOA is that of its version with this serial (compare and swap)"),
	P_TEXT_DEFAULT(struct update, expect_rcode, "expect_rcode", "NOERROR",
		       "the answer it must get; with any other than NOERROR the zone is expected to stay as it is"),
	PARAM_END,
};

/* ---- from the plan's words to records ---- */

static ldns_rr *parse_rr(const struct text *text, const ldns_rdf *origin, struct errs *errs)
{
	ldns_rr *rr = NULL;
	ldns_status status = ldns_rr_new_frm_str(&rr, text->value, TTL_DEFAULT, origin, NULL);

	if (status == LDNS_STATUS_OK)
		return rr;
	errs_add(errs, text->loc, "'%.80s' is not a record: %s; write such as \"www 60 A 192.0.2.9\"", text->value,
		 ldns_get_errorstr_by_id(status));
	return NULL;
}

/* "www A": all of a set. */
static ldns_rr *parse_set(const struct text *text, const ldns_rdf *origin, struct arena *arena)
{
	char *copy = arena_strdup(arena, text->value), *save = NULL;
	const char *name = strtok_r(copy, " \t", &save), *type = strtok_r(NULL, " \t", &save);
	ldns_rdf *owner;
	ldns_rr *rr;

	if (!name || !type || strtok_r(NULL, " \t", &save) || !ldns_get_rr_type_by_name(type))
		return NULL;
	owner = strcmp(name, "@") ? ldns_dname_new_frm_str(name) : ldns_rdf_clone(origin);
	rr = ldns_rr_new();
	if (!owner || !rr)
		return NULL;
	if (strcmp(name, "@") != 0 && name[strlen(name) - 1] != '.')
		ldns_dname_cat(owner, origin);
	ldns_rr_set_owner(rr, owner);
	ldns_rr_set_type(rr, ldns_get_rr_type_by_name(type));
	ldns_rr_set_class(rr, LDNS_RR_CLASS_ANY);
	ldns_rr_set_ttl(rr, 0);
	return rr;
}

static void take_additions(struct update *update, const ldns_rdf *origin, ldns_rr_list *added, struct errs *errs)
{
	for (size_t i = 0; i < update->add.count; i++) {
		ldns_rr *rr = parse_rr(&update->add.v[i], origin, errs);

		if (!rr)
			continue;
		ldns_rr_list_push_rr(added, rr);
		ldns_rr_list_push_rr(update->changes, ldns_rr_clone(rr));
	}
}

static void remove_set(const struct zone *zone, const ldns_rr *set, ldns_rr_list *removed)
{
	for (size_t i = 1; i < ldns_rr_list_rr_count(zone->rrs); i++) {
		ldns_rr *rr = ldns_rr_list_rr(zone->rrs, i);

		if (ldns_rr_get_type(rr) == ldns_rr_get_type(set) &&
		    !ldns_dname_compare(ldns_rr_owner(rr), ldns_rr_owner(set)))
			ldns_rr_list_push_rr(removed, ldns_rr_clone(rr));
	}
}

/* RFC 2136 section 2.5: class ANY takes away a set, class NONE one record. Deletions go before additions. */
static void take_deletions(struct update *update, const struct zone *zone, const ldns_rdf *origin,
			   ldns_rr_list *removed, struct arena *arena, struct errs *errs)
{
	for (size_t i = 0; i < update->delete.count; i++) {
		ldns_rr *set = parse_set(&update->delete.v[i], origin, arena), *rr;

		if (set) {
			remove_set(zone, set, removed);
			ldns_rr_list_push_rr(update->changes, set);
			continue;
		}
		rr = parse_rr(&update->delete.v[i], origin, errs);
		if (!rr)
			continue;
		ldns_rr_list_push_rr(removed, ldns_rr_clone(rr));
		ldns_rr_set_class(rr, LDNS_RR_CLASS_NONE);
		ldns_rr_set_ttl(rr, 0);
		ldns_rr_list_push_rr(update->changes, rr);
	}
}

/* RFC 2136 section 2.4.2: the set exists with exactly this data. */
static void take_prerequisite(struct update *update, const struct zone *zone)
{
	ldns_rr *soa;

	if (update->if_serial == PARAM_UNSET)
		return;
	soa = ldns_rr_clone(ldns_rr_list_rr(zone->rrs, 0));
	ldns_rdf_deep_free(
		ldns_rr_set_rdf(soa, ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, (uint32_t)update->if_serial), 2));
	ldns_rr_set_ttl(soa, 0);
	ldns_rr_list_push_rr(update->prerequisites, soa);
}

static void check_rcode(const struct update *update, struct errs *errs)
{
	if (!ldns_lookup_by_name(ldns_rcodes, update->expect_rcode.value))
		errs_add(errs, update->expect_rcode.loc,
			 "expect_rcode: '%.40s' is no response code; write such as NXRRSET",
			 update->expect_rcode.value);
}

static void check_servers(const struct update *update, const struct plan *plan, struct errs *errs)
{
	for (size_t i = 0; i < update->action.host_count; i++) {
		const struct topo_host *host = topology_host(plan->topology, update->action.hosts[i]);

		if (!host->server->takes_updates)
			errs_add(errs, update->action.loc,
				 "update: %s runs %s, which takes no updates; bind and knot do", host->name,
				 host->server->name);
	}
}

static bool is_in(const ldns_rr_list *list, const ldns_rr *rr)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		if (!ldns_rr_compare(ldns_rr_list_rr(list, i), rr))
			return true;
	}
	return false;
}

static bool changes_anything(const struct zone *zone, const ldns_rr_list *added, const ldns_rr_list *removed)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(removed); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(removed, i);

		if (is_in(zone->rrs, rr) && !is_in(added, rr))
			return true;
	}
	for (size_t i = 0; i < ldns_rr_list_rr_count(added); i++) {
		if (!is_in(zone->rrs, ldns_rr_list_rr(added, i)))
			return true;
	}
	return false;
}

static void free_list(void *list)
{
	ldns_rr_list_deep_free(list);
}

/* Lives as long as the plan. */
static ldns_rr_list *list_in(struct arena *arena)
{
	ldns_rr_list *list = ldns_rr_list_new();

	arena_defer(arena, free_list, list);
	return list;
}

static void update_resolve(struct action *action, struct plan *plan, struct arena *arena, struct errs *errs)
{
	struct update *update = (struct update *)action;
	const struct zone_spec *spec = version_zone(plan, &action->zone, arena, errs);
	const struct zone *zone = spec ? version_content(plan, spec) : NULL, *after;
	ldns_rr_list *added = list_in(arena), *removed = list_in(arena);
	ldns_rdf *origin;
	size_t before = errs->count + errs->dropped;

	if (!zone || !added || !removed)
		return; /* said already */
	if (!spec->updates)
		errs_add(errs, action->zone.loc, "zone: %s takes no updates; give it updates: true in lab.zones",
			 spec->name.value);
	if (!update->add.count && !update->delete.count)
		errs_add(errs, action->loc, "update: nothing is changed; give add: or delete:");
	check_rcode(update, errs);
	check_servers(update, plan, errs);
	origin = ldns_dname_new_frm_str(spec->name.value);
	update->changes = list_in(arena);
	update->prerequisites = list_in(arena);
	take_deletions(update, zone, origin, removed, arena, errs);
	take_additions(update, origin, added, errs);
	take_prerequisite(update, zone);
	if (errs->count + errs->dropped == before && !strcasecmp(update->expect_rcode.value, "NOERROR")) {
		after = version_edit(plan, zone, version_serial(plan, spec) + 1, added, removed, "the update",
				     action->loc, arena, errs);
		if (after && !changes_anything(zone, added, removed))
			errs_add(errs, action->loc,
				 "update: zone %s holds all of that at that time: servers would not even raise "
				 "its serial",
				 spec->name.value);
		else if (after)
			action->version = version_add(plan, spec, after, action->loc, arena, errs);
	}
	ldns_rdf_deep_free(origin);
}

/* ---- sending ---- */

static const struct server_tsig *find_key(const struct action_place *place, const char *zone)
{
	const struct server_spec *spec = place->server ? server_process_spec(place->server) : NULL;

	for (size_t i = 0; spec && i < spec->zone_count; i++) {
		if (!strcmp(spec->zones[i].name, zone))
			return spec->zones[i].update;
	}
	return NULL;
}

static ldns_pkt *make_message(const struct update *update, const struct server_tsig *key)
{
	ldns_rdf *zone = ldns_dname_new_frm_str(update->action.zone.value);
	ldns_pkt *message = ldns_update_pkt_new(zone, LDNS_RR_CLASS_IN, update->prerequisites, update->changes, NULL);
	const char *algorithm = "hmac-sha256.";

	if (!message)
		return NULL;
	ldns_pkt_set_id(message, (uint16_t)(clock_now_ns() >> 8));
	if (ldns_pkt_tsig_sign(message, key->name, key->secret, TSIG_FUDGE_S, algorithm, NULL) != LDNS_STATUS_OK) {
		ldns_pkt_free(message);
		return NULL;
	}
	return message;
}

/* Over TCP: it is asked once, and either answered or not. NULL: report says why. */
static ldns_pkt *exchange(const struct action_place *place, const ldns_pkt *message, int64_t timeout_ns,
			  struct job_report *report)
{
	const struct address *address = &server_process_spec(place->server)->listen.v[0];
	const struct timeval timeout = {.tv_sec = timeout_ns / SEC, .tv_usec = timeout_ns % SEC / NSEC_PER_USEC};
	struct sockaddr_storage to;
	socklen_t len = address_to_sockaddr(address, 53, &to);
	uint8_t *answer = NULL;
	size_t answer_len = 0;
	ldns_pkt *ret = NULL;
	ldns_buffer *buffer = ldns_buffer_new(LDNS_MAX_PACKETLEN);

	if (!buffer || ldns_pkt2buffer_wire(buffer, message) != LDNS_STATUS_OK ||
	    ldns_tcp_send(&answer, buffer, &to, len, timeout, &answer_len) != LDNS_STATUS_OK)
		job_say(report, "no answer from %s", address->text);
	else if (ldns_wire2pkt(&ret, answer, answer_len) != LDNS_STATUS_OK)
		job_say(report, "an answer that cannot be read");
	ldns_buffer_free(buffer);
	free(answer);
	return ret;
}

static int judge_answer(const struct update *update, const struct action_place *place, const ldns_pkt *answer,
			int64_t deadline_ns, struct job_report *report)
{
	char *rcode = ldns_pkt_rcode2str(ldns_pkt_get_rcode(answer));
	bool is_right = rcode && !strcasecmp(rcode, update->expect_rcode.value);

	job_say(report, "the answer was %s%s%s", rcode ? rcode : "none", is_right ? "" : ", expected ",
		is_right ? "" : update->expect_rcode.value);
	free(rcode);
	if (!is_right)
		return 1;
	if (!update->action.version)
		return 0;
	return zone_job_wait(place->server, update->action.zone.value, &update->action.version->question, deadline_ns,
			     report);
}

static int update_perform(const struct action *action, const struct action_place *place, struct job_report *report)
{
	const struct update *update = (const struct update *)action;
	const struct server_tsig *key = find_key(place, action->zone.value);
	int64_t deadline_ns = action_deadline(action);
	ldns_pkt *message, *answer;
	int status = 1;

	if (!key) {
		job_say(report, "it takes no updates");
		return 1;
	}
	message = make_message(update, key);
	answer = message ? exchange(place, message, action->timeout_ns, report) : NULL;
	if (!message)
		job_say(report, "the update cannot be written as a message");
	if (answer)
		status = judge_answer(update, place, answer, deadline_ns, report);
	ldns_pkt_free(answer);
	return status;
}

static void add_list(struct buf *out, const char *word, const struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		buf_printf(out, "%s%s", i ? "; " : word, texts->v[i].value);
}

static void update_sentence(const struct action *action, struct buf *out)
{
	const struct update *update = (const struct update *)action;

	buf_printf(out, "updates zone %s", action->zone.value);
	add_list(out, ", deletes ", &update->delete);
	add_list(out, ", adds ", &update->add);
	if (update->if_serial != PARAM_UNSET)
		buf_printf(out, ", only if its serial is %lld", (long long)update->if_serial);
	buf_puts(out, ", at ");
	action_add_hosts(action, out);
}

/* In nsupdate's words. It takes a name without a dot at its end to be relative to the root, so each is written out. */
static void add_command(struct buf *out, const char *words, const ldns_rr *rr, bool has_ttl)
{
	char *owner = ldns_rdf2str(ldns_rr_owner(rr)), *type = ldns_rr_type2str(ldns_rr_get_type(rr));

	buf_printf(out, "%s %s", words, owner ? owner : "");
	if (has_ttl)
		buf_printf(out, " %u", ldns_rr_ttl(rr));
	buf_printf(out, " %s", type ? type : "");
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		char *data = ldns_rdf2str(ldns_rr_rdf(rr, i));

		buf_printf(out, " %s", data ? data : "");
		free(data);
	}
	buf_puts(out, "\n");
	free(owner);
	free(type);
}

static void update_commands(const struct action *action, struct buf *out)
{
	const struct update *update = (const struct update *)action;

	buf_printf(out, "nsupdate -k KEYFILE <<'.'\nzone %s\n", action->zone.value);
	for (size_t i = 0; update->prerequisites && i < ldns_rr_list_rr_count(update->prerequisites); i++)
		add_command(out, "prereq yxrrset", ldns_rr_list_rr(update->prerequisites, i), false);
	for (size_t i = 0; update->changes && i < ldns_rr_list_rr_count(update->changes); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(update->changes, i);
		bool is_new = ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN;

		add_command(out, is_new ? "update add" : "update delete", rr, is_new);
	}
	buf_puts(out, "send\n.\n");
}

extern const struct action_ops update_ops;
const struct action_ops update_ops = {
	.kind = "update",
	.summary = "sends a dynamic update (RFC 2136), signed with the zone's key, to its primaries",
	.on = ACTION_ON_ZONE,
	.params = update_params,
	.size = sizeof(struct update),
	.resolve = update_resolve,
	.perform = update_perform,
	.sentence = update_sentence,
	.commands = update_commands,
};
