/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/rule_keys.h"

#define GIVEN(n) ((n) != PARAM_UNSET)

struct key {
	const char *name;
	bool is_given;
};

static unsigned count_keys(const struct key *keys, size_t count, struct buf *ret_names)
{
	unsigned given = 0;

	for (size_t i = 0; i < count; i++) {
		if (keys[i].is_given)
			buf_printf(ret_names, "%s%s", given++ || ret_names->len ? ", " : "", keys[i].name);
	}
	return given;
}

unsigned rule_keys_whole(const struct rule_do *todo, struct buf *ret_names)
{
	const struct key keys[] = {
		{"rcode", GIVEN(todo->rcode_value)},
		{"nodata", GIVEN(todo->nodata)},
		{"nxdomain", GIVEN(todo->nxdomain)},
		{"empty", todo->empty},
		{"lame", GIVEN(todo->lame)},
		{"bad_name", GIVEN(todo->bad_name)},
		{"edns", todo->edns == RULE_EDNS_FORMERR || todo->edns == RULE_EDNS_BADVERS},
		{"cookie: badcookie", todo->cookie == RULE_COOKIE_BAD},
		{"garbage", todo->garbage},
	};

	return count_keys(keys, ARRAY_LEN(keys), ret_names);
}

unsigned rule_keys_records(const struct rule_do *todo, struct buf *ret_names)
{
	const struct key keys[] = {
		{"ttl", GIVEN(todo->ttl_ns)},
		{"ttl_cap", GIVEN(todo->ttl_cap_ns)},
		{"ttl_jitter", GIVEN(todo->ttl_jitter_ns)},
		{"remove", todo->remove.count > 0},
		{"spoof", todo->spoof.count > 0},
		{"replace", todo->replace.count > 0},
		{"shuffle", todo->shuffle},
		{"cname_chain", GIVEN(todo->cname_chain)},
		{"cname_loop", GIVEN(todo->cname_loop)},
		{"huge", GIVEN(todo->huge_bytes)},
		{"glue", GIVEN(todo->glue)},
		{"signatures", GIVEN(todo->signatures)},
		{"denial", GIVEN(todo->denial)},
	};

	return count_keys(keys, ARRAY_LEN(keys), ret_names);
}

unsigned rule_keys_other(const struct rule_do *todo, struct buf *ret_names)
{
	const struct key keys[] = {
		{"add", todo->add.count > 0},
		{"add_authority", todo->add_authority.count > 0},
		{"add_additional", todo->add_additional.count > 0},
		{"ede_strip", todo->ede_strip},
		{"qr", GIVEN(todo->qr)},
		{"aa", GIVEN(todo->aa)},
		{"tc", GIVEN(todo->tc)},
		{"ra", GIVEN(todo->ra)},
		{"ad", GIVEN(todo->ad)},
		{"cd", GIVEN(todo->cd)},
		{"opcode", GIVEN(todo->opcode)},
		{"qdcount", GIVEN(todo->qdcount)},
		{"ancount", GIVEN(todo->ancount)},
		{"nscount", GIVEN(todo->nscount)},
		{"arcount", GIVEN(todo->arcount)},
		{"transfer", todo->transfer.is_given},
		{"wrong_id", todo->wrong_id},
		{"question", GIVEN(todo->question)},
		{"truncate", GIVEN(todo->truncate_bytes)},
		{"append", GIVEN(todo->append_bytes)},
		{"flip_bits", GIVEN(todo->flip_bits)},
		{"edns: strip", todo->edns == RULE_EDNS_STRIP},
	};

	return count_keys(keys, ARRAY_LEN(keys), ret_names) + rule_keys_options(todo, ret_names);
}

unsigned rule_keys_options(const struct rule_do *todo, struct buf *ret_names)
{
	const struct key keys[] = {
		{"ede", GIVEN(todo->ede)},
		{"edns_echo", todo->edns_echo},
		{"cookie", GIVEN(todo->cookie) && todo->cookie != RULE_COOKIE_BAD},
		{"subnet", GIVEN(todo->subnet)},
		{"subnet_scope", GIVEN(todo->subnet_scope)},
		{"nsid", GIVEN(todo->nsid)},
	};

	return count_keys(keys, ARRAY_LEN(keys), ret_names);
}

unsigned rule_keys_time(const struct rule_do *todo, struct buf *ret_names)
{
	const struct key keys[] = {
		{"delay", GIVEN(todo->delay_ns)}, {"twice", todo->twice}, {"again", GIVEN(todo->again_ns)}};

	return count_keys(keys, ARRAY_LEN(keys), ret_names);
}

unsigned rule_keys_query(const struct rule_do *todo, struct buf *ret_names)
{
	const struct key keys[] = {{"edns_size", GIVEN(todo->edns_size_bytes)}, {"ignore_do", todo->ignore_do}};

	return count_keys(keys, ARRAY_LEN(keys), ret_names);
}

unsigned rule_keys_udp(const struct rule_do *todo, struct buf *ret_names)
{
	const struct key keys[] = {{"source", todo->source.count > 0},
				   {"source_port", GIVEN(todo->source_port)},
				   {"slip", GIVEN(todo->slip)}};

	return count_keys(keys, ARRAY_LEN(keys), ret_names);
}

unsigned rule_keys_tcp(const struct rule_do *todo, struct buf *ret_names)
{
	const struct key keys[] = {{"tcp_cut", GIVEN(todo->tcp_cut_bytes)},
				   {"tcp_length", GIVEN(todo->tcp_length)},
				   {"tcp_pieces", GIVEN(todo->tcp_piece_bytes)}};

	return count_keys(keys, ARRAY_LEN(keys), ret_names);
}
