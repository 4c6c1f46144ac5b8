/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step `update`: a dynamic update (RFC 2136), signed with the zone's key (RFC 8945), sent to its primaries: on their own hosts, or over the network from another one.
 */
#include <string.h>
#include <strings.h>

#include "harness/actions/update_send.h"
#include "harness/base/clock.h"
#include "harness/plan/names.h"
#include "harness/plan/topology.h"

#define LOOK_NS (200 * MSEC) /* at what it serves, before and after */
#define NO_ANSWER "none"

static const char *const transports[] = {"tcp", "udp", NULL}; /* enum update_transport */
static const char *const tsigs[] = {"right", "none", "wrong-secret", "unknown-key", NULL}; /* enum update_tsig */
static const char *const families[] = {"any", "ipv4", "ipv6", NULL};

struct update {
	struct action action;
	struct update_records records;
	struct text from, expect_rcode;
	int64_t transport, family, tsig, retries, request_timeout_ns;
	bool applied;
};

static const struct param update_params[] = {
	P_TEXTS(struct update, records.add, "add", "records to add, as in a master file: \"www 60 A 192.0.2.9\""),
	P_TEXTS(struct update, records.delete, "delete",
		"what to take away: a name and a type, with the data of one record or without for all of them"),
	P_INT(struct update, records.if_serial, "if_serial", 0, UINT32_MAX, PARAM_UNSET,
	      "a prerequisite: only if the zone's SOA is that of its version with this serial (compare and swap)"),
	P_TEXTS(struct update, records.if_present, "if_present",
		"prerequisites: a name, a name and a type, or the records that a set must have, all of them"),
	P_TEXTS(struct update, records.if_absent, "if_absent",
		"prerequisites: a name, or a name and a type, not there"),
	P_TEXT(struct update, from, "from",
	       "host that sends it, over the network, where faults meet it; by default the nameserver's own"),
	P_ENUM(struct update, transport, "transport", transports, UPDATE_TCP, "how it is sent"),
	P_ENUM(struct update, family, "family", families, 0, "to which of the nameserver's addresses"),
	P_ENUM(struct update, tsig, "tsig", tsigs, UPDATE_TSIG_RIGHT,
	       "its signature: with the zone's key, with another secret, with a key that nobody knows, or none"),
	P_INT(struct update, retries, "retries", 0, 100, 0,
	      "how often the same message is sent again if no answer comes"),
	P_DURATION(struct update, request_timeout_ns, "request_timeout", 10 * MSEC, 3600 * SEC, PARAM_UNSET,
		   "how long an answer is waited for each time; by default an equal part of the step's timeout"),
	P_TEXT_DEFAULT(struct update, expect_rcode, "expect_rcode", "NOERROR",
		       "the answer it must get in the end, or none; with any other than NOERROR the zone is expected "
		       "to stay as it is"),
	P_BOOL(struct update, applied, "applied", false,
	       "the zone is expected to change although expect_rcode says otherwise, or nothing"),
	PARAM_END,
};

/* ---- checks ---- */

static bool is_accepted(const struct update *update)
{
	return !strcasecmp(update->expect_rcode.value, "NOERROR");
}

static void check_answer(const struct update *update, struct errs *errs)
{
	const struct text *expected = &update->expect_rcode;

	if (strcmp(expected->value, NO_ANSWER) != 0 && !ldns_lookup_by_name(ldns_rcodes, expected->value))
		errs_add(errs, expected->loc,
			 "expect_rcode: '%.40s' is no response code; write such as NXRRSET, or none for no answer",
			 expected->value);
	if (update->applied && is_accepted(update))
		errs_add(errs, update->action.loc,
			 "applied: an update that is accepted always is; it goes with another expect_rcode");
}

static int family_of(const struct update *update)
{
	static const int values[] = {AF_UNSPEC, AF_INET, AF_INET6};

	return values[update->family];
}

static void check_servers(const struct update *update, const struct plan *plan, struct errs *errs)
{
	for (size_t i = 0; i < update->action.host_count; i++) {
		const struct topo_host *host = topology_host(plan->topology, update->action.hosts[i]);

		if (!host->server->takes_updates)
			errs_add(errs, update->action.loc,
				 "update: %s runs %s, which takes no updates; bind and knot do", host->name,
				 host->server->name);
		else if (!addresses_first(&host->addresses, family_of(update)))
			errs_add(errs, update->action.loc, "family: %s has no %s address", host->name,
				 families[update->family]);
	}
}

static void check_from(const struct update *update, const struct plan *plan, struct arena *arena, struct errs *errs)
{
	struct names known = {0};

	if (!update->from.value || topology_host(plan->topology, update->from.value))
		return;
	for (size_t i = 0; i < plan->topology->host_count; i++)
		names_add(&known, arena, plan->topology->hosts[i].name);
	names_unknown(&known, "host", update->from.value, update->from.loc, errs);
}

static void add_version(struct update *update, struct plan *plan, const struct zone_spec *spec, const struct zone *zone,
			struct arena *arena, struct errs *errs)
{
	struct action *action = &update->action;
	const struct zone *after = version_edit(plan, zone, version_serial(plan, spec) + 1, update->records.added,
						update->records.removed, "the update", action->loc, arena, errs);

	if (after && !update_records_change(&update->records, zone))
		errs_add(errs, action->loc,
			 "update: zone %s holds all of that at that time: servers would not even raise its serial",
			 spec->name.value);
	else if (after)
		action->version = version_add(plan, spec, after, action->loc, arena, errs);
}

static void update_resolve(struct action *action, struct plan *plan, struct arena *arena, struct errs *errs)
{
	struct update *update = (struct update *)action;
	const struct zone_spec *spec = version_zone(plan, &action->zone, arena, errs);
	const struct zone *zone = spec ? version_content(plan, spec) : NULL;
	size_t before = errs->count + errs->dropped;

	if (!zone)
		return; /* said already */
	if (version_refuse_signed(plan, spec, &action->zone,
				  "its servers, who have no keys, cannot sign what they are sent", errs))
		return;
	if (!spec->updates)
		errs_add(errs, action->zone.loc, "zone: %s takes no updates; give it updates: true in lab.zones",
			 spec->name.value);
	if (!update->records.add.count && !update->records.delete.count)
		errs_add(errs, action->loc, "update: nothing is changed; give add: or delete:");
	check_answer(update, errs);
	check_servers(update, plan, errs);
	check_from(update, plan, arena, errs);
	update_records_read(&update->records, zone, arena, errs);
	if (errs->count + errs->dropped == before && (is_accepted(update) || update->applied))
		add_version(update, plan, spec, zone, arena, errs);
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

/* A last look must still be possible by the deadline. */
static struct update_way way_of(const struct update *update, const struct action_place *place,
				const struct server_tsig *key)
{
	int64_t timeout_ns = update->action.timeout_ns, look_ns = LOOK_NS;
	const struct control *control = place->control;
	struct update_way way = {
		.from = update->from.value ? control->host(control->arg, update->from.value) : NULL,
		.own = place->at,
		.to = addresses_first(&server_process_spec(place->server)->listen, family_of(update)),
		.key = key,
		.transport = update->transport,
		.tsig = update->tsig,
		.retries = update->retries,
		.try_ns = update->request_timeout_ns,
	};

	if (look_ns > timeout_ns / 4)
		look_ns = timeout_ns / 4;
	if (way.try_ns == PARAM_UNSET)
		way.try_ns = (timeout_ns - look_ns) / (way.retries + 1) / MSEC * MSEC;
	way.until_ns = clock_now_ns() + timeout_ns - look_ns;
	return way;
}

static bool is_expected(const struct update *update, const struct update_answer *answer)
{
	const ldns_lookup_table *expected = ldns_lookup_by_name(ldns_rcodes, update->expect_rcode.value);

	if (!answer->came || !expected)
		return !answer->came && !expected;
	if (answer->rcode != (ldns_pkt_rcode)expected->id)
		return false;
	/* Whoever says that it was done must show who it is (RFC 8945 section 5.3). */
	return answer->is_verified || answer->rcode != LDNS_RCODE_NOERROR || update->tsig == UPDATE_TSIG_NONE;
}

/* What the zone has become, in words behind the answer's. 0, or 1 if that is not what it is to be. */
static int look_at_change(const struct update *update, const struct action_place *place, bool is_right,
			  int64_t deadline_ns, char *text, size_t size, struct job_report *report)
{
	int64_t look_ns = clock_now_ns() + LOOK_NS;
	bool is_told = is_right && is_accepted(update);
	int status = zone_job_wait(place->server, update->action.zone.value, &update->action.version->question,
				   is_right || deadline_ns < look_ns ? deadline_ns : look_ns, report);

	snprintf(text, size, "%s%.300s",
		 status    ? "its version does not show: "
		 : is_told ? ""
			   : "its version shows all the same: ",
		 report->text);
	return status;
}

static void look_at_rest(const struct update *update, const struct action_place *place, int64_t before, char *text,
			 size_t size, struct job_report *report)
{
	int64_t after = zone_job_serial(place->server, update->action.zone.value, clock_now_ns() + LOOK_NS, report);

	if (before < 0 || after < 0)
		snprintf(text, size, "%.300s", report->text);
	else if (before == after)
		snprintf(text, size, "serial %lld as before", (long long)after);
	else
		snprintf(text, size, "meanwhile its serial went from %lld to %lld", (long long)before,
			 (long long)after);
}

static int conclude(const struct update *update, const struct action_place *place, const struct update_answer *answer,
		    int64_t before, int64_t deadline_ns, struct job_report *report)
{
	bool is_right = is_expected(update, answer);
	char look[400];
	int status = 0;

	if (update->action.version)
		status = look_at_change(update, place, is_right, deadline_ns, look, sizeof(look), report);
	else
		look_at_rest(update, place, before, look, sizeof(look), report);
	job_say(report, "%s%s%s; %s", answer->text, is_right ? "" : ", expected ",
		is_right ? "" : update->expect_rcode.value, look);
	return is_right ? status : 1;
}

static int update_perform(const struct action *action, const struct action_place *place, struct job_report *report)
{
	const struct update *update = (const struct update *)action;
	const struct server_tsig *key = find_key(place, action->zone.value);
	int64_t deadline_ns = action_deadline(action), before;
	struct update_answer answer;
	struct update_way way;

	if (!key) {
		job_say(report, "it takes no updates");
		return 1;
	}
	way = way_of(update, place, key);
	before = zone_job_serial(place->server, action->zone.value, clock_now_ns() + action->timeout_ns / 4, report);
	if (update_send(action->zone.value, &update->records, &way, &answer)) {
		job_say(report, "%s", answer.text);
		return 1;
	}
	return conclude(update, place, &answer, before, deadline_ns, report);
}

/* ---- words ---- */

static void add_list(struct buf *out, const char *word, const struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		buf_printf(out, "%s%s", i ? "; " : word, texts->v[i].value);
}

static void update_sentence(const struct action *action, struct buf *out)
{
	const struct update *update = (const struct update *)action;

	buf_printf(out, "updates zone %s", action->zone.value);
	add_list(out, ", deletes ", &update->records.delete);
	add_list(out, ", adds ", &update->records.add);
	if (update->records.if_serial != PARAM_UNSET)
		buf_printf(out, ", only if its serial is %lld", (long long)update->records.if_serial);
	add_list(out, ", only if there is ", &update->records.if_present);
	add_list(out, ", only if there is no ", &update->records.if_absent);
	if (update->tsig != UPDATE_TSIG_RIGHT)
		buf_printf(out, ", TSIG: %s", tsigs[update->tsig]);
	buf_puts(out, ", at ");
	action_add_hosts(action, out);
	if (update->from.value)
		buf_printf(out, ", from %s over %s", update->from.value, transports[update->transport]);
}

static void update_commands(const struct action *action, struct buf *out)
{
	static const char *const keys[] = {" -k KEYFILE", "", " -k FILE-WITH-ANOTHER-SECRET",
					   " -k FILE-WITH-ANOTHER-KEY"};
	const struct update *update = (const struct update *)action;

	if (update->from.value)
		buf_printf(out, "# on %s:\n", update->from.value);
	buf_printf(out, "nsupdate%s%s", update->transport == UPDATE_TCP ? " -v" : "", keys[update->tsig]);
	if (update->transport == UPDATE_UDP)
		buf_printf(out, " -r %lld", (long long)update->retries);
	buf_printf(out, " <<'.'\nzone %s\n", action->zone.value);
	update_records_print(&update->records, out);
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
