/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/probe/walk.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ZONES_MAX 24
#define SERVERS_MAX 32
#define NAMES_MAX 16
#define DEPTH_MAX 8
#define NOTES_MAX 8
#define ASKED_MAX 200 /* questions of one walk: referrals that lead in a circle end there */

struct served { /* a zone, and who serves it */
	ldns_rdf *name;
	ldns_rdf *ns[NAMES_MAX]; /* whose addresses are yet to be looked up */
	size_t ns_count, looked_up; /* of ns: names × families done or begun */
	struct address servers[SERVERS_MAX];
	size_t server_count;
};

struct frame { /* a question, or the look-up of a nameserver's address on its behalf */
	ldns_rdf *name;
	ldns_rr_type type;
	struct served *at; /* who is asked */
	struct served *on_behalf; /* NULL: it is the question */
	size_t tried; /* servers of at */
};

struct walk {
	struct served zones[ZONES_MAX];
	struct frame frames[DEPTH_MAX];
	struct walk_note notes[NOTES_MAX];
	size_t zone_count, depth, note_count, asked;
	int families, rcode;
	int64_t turn;
	struct address current; /* who is being asked */
	struct address silent[SERVERS_MAX]; /* who did not answer: time is dear, they are not asked again */
	size_t silent_count;
	ldns_pkt *answer;
};

static void add_note(struct walk *walk, const struct address *address, const char *text)
{
	struct walk_note *note = &walk->notes[walk->note_count];

	if (walk->note_count == NOTES_MAX)
		return;
	*note = (struct walk_note){0};
	if (address)
		note->address = *address;
	snprintf(note->text, sizeof(note->text), "%s", text);
	walk->note_count++;
}

static void name_to_text(const ldns_rdf *name, char *buf, size_t size)
{
	char *text = ldns_rdf2str(name);

	snprintf(buf, size, "%s", text ? text : ".");
	free(text);
}

/* ---- who serves what ---- */

static struct served *add_zone(struct walk *walk, const ldns_rdf *name)
{
	struct served *zone;

	if (walk->zone_count == ZONES_MAX)
		return NULL;
	zone = &walk->zones[walk->zone_count++];
	*zone = (struct served){.name = ldns_rdf_clone(name)};
	return zone;
}

static bool is_at_or_below(const ldns_rdf *name, const ldns_rdf *zone)
{
	return ldns_dname_compare(name, zone) == 0 || ldns_dname_is_subdomain(name, zone);
}

/* A DS stands in the zone above the name it is of (RFC 4035 section 3.1.4.1). */
static bool may_answer(const ldns_rdf *zone, const ldns_rdf *name, ldns_rr_type type)
{
	if (type == LDNS_RR_TYPE_DS && ldns_dname_label_count(name) > 0)
		return ldns_dname_is_subdomain(name, zone);
	return is_at_or_below(name, zone);
}

static struct served *closest(struct walk *walk, const ldns_rdf *name, ldns_rr_type type)
{
	struct served *best = &walk->zones[0];

	for (size_t i = 1; i < walk->zone_count; i++)
		if (may_answer(walk->zones[i].name, name, type) &&
		    ldns_dname_label_count(walk->zones[i].name) > ldns_dname_label_count(best->name))
			best = &walk->zones[i];
	return best;
}

static void add_server(const struct walk *walk, struct served *zone, const ldns_rr *rr)
{
	bool is_ipv4 = ldns_rr_get_type(rr) == LDNS_RR_TYPE_A;
	const ldns_rdf *rdf = ldns_rr_rd_count(rr) == 1 ? ldns_rr_rdf(rr, 0) : NULL;
	struct address address = {.family = is_ipv4 ? AF_INET : AF_INET6};
	char *text = rdf ? ldns_rdf2str(rdf) : NULL;
	bool is_known = !text || address_parse(text, &address) < 0;

	for (size_t i = 0; !is_known && i < zone->server_count; i++)
		is_known = address_is_equal(&zone->servers[i], &address);
	if (!is_known && zone->server_count < SERVERS_MAX && (walk->families & (is_ipv4 ? WALK_IPV4 : WALK_IPV6)))
		zone->servers[zone->server_count++] = address;
	free(text);
}

/* Adds the addresses of name that a section holds. Whether there were any. */
static bool add_addresses(const struct walk *walk, struct served *zone, const ldns_rdf *name,
			  const ldns_rr_list *section)
{
	bool has_some = false;

	for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(section, i);

		if ((ldns_rr_get_type(rr) != LDNS_RR_TYPE_A && ldns_rr_get_type(rr) != LDNS_RR_TYPE_AAAA) ||
		    ldns_dname_compare(ldns_rr_owner(rr), name) != 0)
			continue;
		add_server(walk, zone, rr);
		has_some = true;
	}
	return has_some;
}

/* ---- frames ---- */

static struct frame *top_of(struct walk *walk)
{
	return &walk->frames[walk->depth - 1];
}

static bool push(struct walk *walk, const ldns_rdf *name, ldns_rr_type type, struct served *on_behalf)
{
	if (walk->depth == DEPTH_MAX)
		return false;
	walk->frames[walk->depth++] = (struct frame){
		.name = ldns_rdf_clone(name), .type = type, .at = closest(walk, name, type), .on_behalf = on_behalf};
	return true;
}

static void pop(struct walk *walk)
{
	ldns_rdf_deep_free(walk->frames[--walk->depth].name);
}

struct walk *walk_new(const struct address *roots, size_t count, int families, int64_t turn)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	ldns_rdf *root = ldns_dname_new_frm_str(".");
	struct served *zone = walk && root ? add_zone(walk, root) : NULL;

	ldns_rdf_deep_free(root);
	if (!zone) {
		free(walk);
		return NULL;
	}
	walk->families = families;
	walk->turn = turn;
	walk->rcode = -1;
	for (size_t i = 0; i < count && i < SERVERS_MAX; i++)
		zone->servers[zone->server_count++] = roots[i];
	return walk;
}

void walk_free(struct walk *walk)
{
	if (!walk)
		return;
	while (walk->depth)
		pop(walk);
	for (size_t i = 0; i < walk->zone_count; i++) {
		struct served *zone = &walk->zones[i];

		ldns_rdf_deep_free(zone->name);
		for (size_t k = 0; k < zone->ns_count; k++)
			ldns_rdf_deep_free(zone->ns[k]);
	}
	ldns_pkt_free(walk->answer);
	free(walk);
}

int walk_begin(struct walk *walk, const char *name, uint16_t type)
{
	ldns_rdf *rdf = ldns_dname_new_frm_str(name);

	if (!rdf)
		return -EINVAL;
	while (walk->depth)
		pop(walk);
	ldns_pkt_free(walk->answer);
	walk->answer = NULL;
	walk->rcode = -1;
	push(walk, rdf, (ldns_rr_type)type, NULL);
	ldns_rdf_deep_free(rdf);
	return 0;
}

/* ---- whom to ask ---- */

/* The next name and family of a nameserver without glue. False: all have been looked up, or are being. */
static bool look_up_server(struct walk *walk, struct served *zone)
{
	while (zone->looked_up < 2 * zone->ns_count) {
		size_t i = zone->looked_up++;
		bool is_ipv4 = i % 2 == 0;

		if ((walk->families & (is_ipv4 ? WALK_IPV4 : WALK_IPV6)) &&
		    push(walk, zone->ns[i / 2], is_ipv4 ? LDNS_RR_TYPE_A : LDNS_RR_TYPE_AAAA, zone))
			return true;
	}
	return false;
}

static void give_up(struct walk *walk)
{
	struct frame *top = top_of(walk);
	char zone[LDNS_MAX_DOMAINLEN * 4 + 1], text[160];

	if (!top->at->server_count) {
		name_to_text(top->at->name, zone, sizeof(zone));
		snprintf(text, sizeof(text), "no nameserver of %.120s has an address", zone);
		add_note(walk, NULL, text);
	}
	pop(walk);
}

/* Chooses whose turn it is. False: everybody had theirs. */
static bool choose(struct walk *walk)
{
	struct frame *top = top_of(walk);
	int64_t count = (int64_t)top->at->server_count;
	int64_t turn = count && top->type == LDNS_RR_TYPE_DNSKEY ? walk->turn / count : walk->turn;

	for (; (int64_t)top->tried < count; top->tried++) {
		bool is_silent = false;

		walk->current = top->at->servers[(turn + (int64_t)top->tried) % count];
		for (size_t i = 0; i < walk->silent_count && !is_silent; i++)
			is_silent = address_is_equal(&walk->silent[i], &walk->current);
		if (!is_silent)
			return true;
	}
	return false;
}

static void set_question(struct walk *walk, struct walk_question *ret)
{
	const struct frame *top = top_of(walk);

	ret->address = walk->current;
	ret->type = (uint16_t)top->type;
	name_to_text(top->name, ret->name, sizeof(ret->name));
}

enum walk_status walk_next(struct walk *walk, struct walk_question *ret)
{
	while (walk->depth) {
		struct frame *top = top_of(walk);

		if (look_up_server(walk, top->at))
			continue;
		if (walk->asked < ASKED_MAX && choose(walk)) {
			set_question(walk, ret);
			return WALK_ASK;
		}
		give_up(walk);
	}
	return walk->answer ? WALK_DONE : WALK_FAILED;
}

/* ---- what came of it ---- */

static void try_next(struct walk *walk, const char *why)
{
	char name[LDNS_MAX_DOMAINLEN * 4 + 1], text[160], *type = ldns_rr_type2str(top_of(walk)->type);

	name_to_text(top_of(walk)->name, name, sizeof(name));
	name[strlen(name) > 1 ? strlen(name) - 1 : 1] = '\0';
	snprintf(text, sizeof(text), "%.70s %s: %.70s", name, type ? type : "", why);
	free(type);
	add_note(walk, &walk->current, text);
	top_of(walk)->tried++;
	walk->asked++;
}

void walk_no_answer(struct walk *walk, const char *why)
{
	if (walk->silent_count < SERVERS_MAX)
		walk->silent[walk->silent_count++] = walk->current;
	try_next(walk, why);
}

/* The zone below that the answer points to, or NULL. */
static const ldns_rdf *referral_of(const struct frame *top, const ldns_pkt *answer)
{
	const ldns_rr_list *authority = ldns_pkt_authority(answer);

	if (ldns_pkt_get_rcode(answer) != LDNS_RCODE_NOERROR || ldns_pkt_ancount(answer) || ldns_pkt_aa(answer))
		return NULL;
	for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(authority, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_NS && ldns_rr_rd_count(rr) == 1 &&
		    ldns_dname_is_subdomain(ldns_rr_owner(rr), top->at->name) &&
		    may_answer(ldns_rr_owner(rr), top->name, top->type))
			return ldns_rr_owner(rr);
	}
	return NULL;
}

/* Glue is taken for what it is: the addresses that whoever begins at the parent goes to. */
static void follow(struct walk *walk, const ldns_rdf *below, const ldns_pkt *answer)
{
	const ldns_rr_list *authority = ldns_pkt_authority(answer);
	struct served *zone = add_zone(walk, below);

	walk->asked++;
	if (!zone) {
		try_next(walk, "too many zones");
		return;
	}
	for (size_t i = 0; i < ldns_rr_list_rr_count(authority) && zone->ns_count < NAMES_MAX; i++) {
		const ldns_rr *rr = ldns_rr_list_rr(authority, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_NS && ldns_dname_compare(ldns_rr_owner(rr), below) == 0 &&
		    !add_addresses(walk, zone, ldns_rr_rdf(rr, 0), ldns_pkt_additional(answer)))
			zone->ns[zone->ns_count++] = ldns_rdf_clone(ldns_rr_rdf(rr, 0));
	}
	top_of(walk)->at = zone;
	top_of(walk)->tried = 0;
}

static void accept_answer(struct walk *walk, ldns_pkt *answer)
{
	struct frame *top = top_of(walk);
	struct sockaddr_storage storage;

	walk->asked++;
	if (top->on_behalf) {
		add_addresses(walk, top->on_behalf, top->name, ldns_pkt_answer(answer));
		ldns_pkt_free(answer);
	} else {
		address_to_sockaddr(&walk->current, 53, &storage);
		ldns_rdf_deep_free(ldns_pkt_answerfrom(answer));
		ldns_pkt_set_answerfrom(answer, ldns_sockaddr_storage2rdf(&storage, NULL));
		walk->answer = answer;
	}
	pop(walk);
}

void walk_answer(struct walk *walk, ldns_pkt *answer)
{
	const ldns_rdf *below = referral_of(top_of(walk), answer);
	ldns_pkt_rcode rcode = ldns_pkt_get_rcode(answer);
	char *text;

	if (below) {
		follow(walk, below, answer);
	} else if (rcode != LDNS_RCODE_NOERROR && rcode != LDNS_RCODE_NXDOMAIN) {
		text = ldns_pkt_rcode2str(rcode);
		if (!top_of(walk)->on_behalf)
			walk->rcode = (int)rcode;
		try_next(walk, text ? text : "an error");
		free(text);
	} else if (!ldns_pkt_aa(answer)) {
		try_next(walk, "an answer without authority (AA), and no referral to a zone below");
	} else {
		accept_answer(walk, answer);
		return;
	}
	ldns_pkt_free(answer);
}

ldns_pkt *walk_take(struct walk *walk)
{
	ldns_pkt *answer = walk->answer;

	walk->answer = NULL;
	return answer;
}

const struct walk_note *walk_notes(const struct walk *walk, size_t *ret_count)
{
	*ret_count = walk->note_count;
	return walk->notes;
}

int walk_rcode(const struct walk *walk)
{
	return walk->rcode;
}
