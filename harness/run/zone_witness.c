/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/zone_witness.h"
#include "harness/base/clock.h"
#include "harness/plan/zone.h"
#include <poll.h>
#include <string.h>
#include <time.h>

#define ASK_AGAIN_MS 20
#define TOLD_MAX 4 /* records in words; "and N more" */

/* ---- records in words ---- */

static void add_moment(uint32_t seconds, struct buf *out)
{
	time_t at = seconds;
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
	buf_puts(out, text);
}

/* "signed by key 23637, ran out at 2026-11-18T09:56:34Z"; without the moment it is what is compared. Times wrap in 2106 (RFC 4034 section 3.1.5). */
static void add_signature(const ldns_rr *rr, bool with_moment, struct buf *out)
{
	uint32_t now = (uint32_t)time(NULL), from = ldns_rdf2native_int32(ldns_rr_rrsig_inception(rr));
	uint32_t until = ldns_rdf2native_int32(ldns_rr_rrsig_expiration(rr));
	bool is_over = (int32_t)(now - until) > 0, is_early = (int32_t)(from - now) > 0;

	buf_printf(out, "signed by key %u, %s", ldns_rdf2native_int16(ldns_rr_rrsig_keytag(rr)),
		   is_over    ? "ran out at"
		   : is_early ? "not valid before"
			      : "valid until");
	buf_puts(out, with_moment ? " " : "");
	if (with_moment)
		add_moment(is_early && !is_over ? from : until, out);
}

static void add_record(const ldns_rr *rr, bool is_for_people, struct arena *arena, struct buf *out)
{
	if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG)
		add_signature(rr, is_for_people, out);
	else if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNSKEY && is_for_people)
		buf_printf(out, "key %u", ldns_calc_keytag(rr));
	else
		buf_printf(out, is_for_people ? "%.60s" : "%s", zone_rdata_text(rr, arena));
}

/* ---- which records ---- */

static bool is_meant(const ldns_rr *rr, const ldns_rdf *owner, uint16_t type)
{
	ldns_rr_type own = ldns_rr_get_type(rr);

	if (ldns_rr_rd_count(rr) == 0 || ldns_dname_compare(ldns_rr_owner(rr), owner) != 0)
		return false;
	if (own == LDNS_RR_TYPE_RRSIG)
		return ldns_rr_rd_count(rr) == 9 &&
		       ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)) == (ldns_rr_type)type;
	return own == (ldns_rr_type)type;
}

struct records {
	const char **texts; /* sorted, each once; in arena */
	size_t count;
	struct buf told;
};

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void collect(const struct zone_witness *witness, const ldns_rr_list *rrs, struct arena *arena,
		    struct records *ret)
{
	ldns_rdf *owner = ldns_dname_new_frm_str(witness->record);
	size_t all = ldns_rr_list_rr_count(rrs), kept = 0;

	*ret = (struct records){.texts = ARENA_ARRAY(arena, const char *, all + 1)};
	for (size_t i = 0; owner && i < all; i++) {
		const ldns_rr *rr = ldns_rr_list_rr(rrs, i);
		struct buf text = {0};

		if (!is_meant(rr, owner, witness->record_type))
			continue;
		add_record(rr, false, arena, &text);
		ret->texts[ret->count++] = arena_strndup(arena, text.data ? text.data : "", text.len);
		buf_fini(&text);
		if (ret->count <= TOLD_MAX) {
			buf_puts(&ret->told, ret->count > 1 ? ", " : "");
			add_record(rr, true, arena, &ret->told);
		}
	}
	if (ret->count > TOLD_MAX)
		buf_printf(&ret->told, " and %zu more", ret->count - TOLD_MAX);
	qsort(ret->texts, ret->count, sizeof(*ret->texts), compare_texts);
	for (size_t i = 0; i < ret->count; i++)
		if (!kept || strcmp(ret->texts[kept - 1], ret->texts[i]) != 0)
			ret->texts[kept++] = ret->texts[i];
	ret->count = kept;
	ldns_rdf_deep_free(owner);
}

static bool are_same(const struct records *a, const struct records *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->texts[i], b->texts[i]) != 0)
			return false;
	return true;
}

/* ---- asking ---- */

static ldns_resolver *open_resolver(const struct server_process *server)
{
	ldns_resolver *resolver = ldns_resolver_new();
	const struct address *address = &server_process_spec(server)->listen.v[0];
	ldns_rdf *rdf =
		ldns_rdf_new_frm_str(address->family == AF_INET ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA, address->text);

	if (resolver && rdf) {
		ldns_resolver_push_nameserver(resolver, rdf);
		ldns_resolver_set_usevc(resolver, true);
		ldns_resolver_set_recursive(resolver, false);
		ldns_resolver_set_dnssec(resolver, true);
		ldns_resolver_set_timeout(resolver, (struct timeval){1, 0});
		ldns_resolver_set_retry(resolver, 1);
	}
	ldns_rdf_deep_free(rdf);
	return resolver;
}

/* Every record of the answer, whatever its section: what a parent says of a child stands in the authority section, glue in the additional one. The caller's. NULL: no
 * answer. */
static ldns_rr_list *ask(ldns_resolver *resolver, const struct zone_witness *witness)
{
	ldns_rr_list *all = NULL;
	ldns_pkt *packet = NULL;
	ldns_rdf *name = ldns_dname_new_frm_str(witness->name);
	ldns_status status = name ? ldns_resolver_query_status(&packet, resolver, name, (ldns_rr_type)witness->type,
							       LDNS_RR_CLASS_IN, 0)
				  : LDNS_STATUS_MEM_ERR;

	ldns_rdf_deep_free(name);
	if (status == LDNS_STATUS_OK && packet)
		all = ldns_pkt_all_noquestion(packet);
	ldns_pkt_free(packet);
	return all;
}

static void say(const struct zone_witness *witness, const struct records *records, bool is_same,
		struct job_report *report)
{
	char *type = ldns_rr_type2str((ldns_rr_type)witness->record_type);
	size_t len = strlen(witness->record);

	job_say(report, "%s%.*s %s: %s", is_same ? "" : "it shows the serial, and yet not what was put there, but ",
		(int)(len > 1 && witness->record[len - 1] == '.' ? len - 1 : len), witness->record, type ? type : "",
		records->told.data ? records->told.data : "none");
	free(type);
}

static bool look_once(ldns_resolver *resolver, const struct zone_witness *witness, const struct records *wanted,
		      struct job_report *report)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct records records = {0};
	ldns_rr_list *all = ask(resolver, witness);
	bool is_same = false;

	if (all) {
		collect(witness, all, arena, &records);
		is_same = are_same(wanted, &records);
		say(witness, &records, is_same, report);
	} else {
		job_say(report, "it does not say what it has of %s", witness->record);
	}
	buf_fini(&records.told);
	ldns_rr_list_deep_free(all);
	return is_same;
}

int zone_witness_look(const struct server_process *server, const struct zone_witness *witness, const ldns_rr_list *rrs,
		      int64_t until_ns, struct job_report *report)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ldns_resolver *resolver = open_resolver(server);
	struct records wanted;
	bool is_same = false;

	collect(witness, rrs, arena, &wanted);
	while (resolver) {
		is_same = look_once(resolver, witness, &wanted, report);
		if (is_same || clock_now_ns() >= until_ns)
			break;
		poll(NULL, 0, ASK_AGAIN_MS);
	}
	buf_fini(&wanted.told);
	ldns_resolver_deep_free(resolver);
	return is_same ? 0 : 1;
}
