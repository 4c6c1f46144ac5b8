/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys below transfer: of a rule.
 */
#include <string.h>

#include "harness/plan/parse.h"
#include "injectors/proxy/rule_check.h"
#include "injectors/proxy/rule_words.h"

static const char *const tsigs[] = {"broken", "resigned", "missing", "wrong-key", "wrong-time", NULL};

static const struct param rule_transfer_params[] = {
	P_TEXT(struct rule_transfer, record, "record",
	       "records, by name and type (\"www.example.com A\"), that are left out, or get other data; of an IXFR "
	       "among "
	       "those it adds"),
	P_TEXT(struct rule_transfer, data, "data", "the data they get, as in a zone file"),
	P_BOOL(struct rule_transfer, no_end, "no_end", false,
	       "the SOA record that ends it is missing; the connection stays"),
	P_BOOL(struct rule_transfer, other_start, "other_start", false,
	       "an IXFR begins at a serial that the client does not have"),
	P_SIZE(struct rule_transfer, cut_bytes, "cut", 0, INT64_C(1) << 40, PARAM_UNSET,
	       "the connection is closed after so many bytes of all messages together, each length of two octets among "
	       "them"),
	P_ENUM(struct rule_transfer, tsig, "tsig", tsigs, RULE_TSIG_LEFT,
	       "the TSIG of every message (RFC 8945): as the server made it, so broken once something is changed; made "
	       "anew with the lab's key, so right; missing; of another key; of an hour ago. All but broken and missing "
	       "in "
	       "labs only"),
	PARAM_END,
};

const struct table rule_transfer_table = {.name = "transfer",
					  .doc = "what becomes of a zone transfer",
					  .params = rule_transfer_params,
					  .size = sizeof(struct rule_transfer),
					  .loc_offset = offsetof(struct rule_transfer, loc),
					  .name_offset = PARAM_NO_NAME};

static void prepare_record(struct rule_transfer *transfer, struct arena *arena, struct errs *errs)
{
	const char *type = strchr(transfer->record.value, ' ');
	struct rule_record *record = ARENA_NEW(arena, struct rule_record);
	char why[128] = "";
	char *name;

	type = type ? type + strspn(type, " ") : NULL;
	if (!type || rule_word_type(type, &record->type)) {
		errs_add(errs, transfer->record.loc, "record: '%.60s' is no name and type; write \"www.example.com A\"",
			 transfer->record.value);
		return;
	}
	name = arena_strndup(arena, transfer->record.value, strcspn(transfer->record.value, " "));
	if (transfer->data.value &&
	    rule_word_record(arena_printf(arena, "%s%s 300 IN %s %s", name, name[strlen(name) - 1] == '.' ? "" : ".",
					  type, transfer->data.value),
			     arena, record, why, sizeof(why)))
		errs_add(errs, transfer->data.loc, "data: '%.60s' is no data of such a record (%s)",
			 transfer->data.value, why);
	if (msg_name_from_text(&record->owner, name))
		errs_add(errs, transfer->record.loc, "record: '%.60s' is no domain name", name);
	transfer->altered = record;
}

void rule_prepare_transfer(struct rule_transfer *transfer, struct arena *arena, struct errs *errs)
{
	transfer->is_given = param_is_given(rule_transfer_params, transfer);
	if (transfer->record.value)
		prepare_record(transfer, arena, errs);
	else if (transfer->data.value)
		errs_add(errs, transfer->data.loc, "transfer: data goes with record: whose data it is");
}
