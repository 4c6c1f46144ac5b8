/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A DNS message as bytes (RFC 1035 section 4): a walk over header, question and records that never reads outside the message and never allocates.
 * Everything is borrowed from the message. Pure.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MSG_HEADER 12
#define MSG_MAX 65535
#define MSG_NAME_MAX 255 /* RFC 1035 section 2.3.4 */
#define MSG_LABEL_MAX 63

enum msg_flag { /* of the 16 bits after the ID */
		MSG_QR = 0x8000,
		MSG_AA = 0x0400,
		MSG_TC = 0x0200,
		MSG_RD = 0x0100,
		MSG_RA = 0x0080,
		MSG_AD = 0x0020,
		MSG_CD = 0x0010,
};
#define MSG_OPCODE_SHIFT 11

enum msg_type {
	MSG_A = 1,
	MSG_NS = 2,
	MSG_CNAME = 5,
	MSG_SOA = 6,
	MSG_TXT = 16,
	MSG_AAAA = 28,
	MSG_OPT = 41,
	MSG_RRSIG = 46,
	MSG_NSEC = 47,
	MSG_NSEC3 = 50,
};

enum msg_section { MSG_ANSWER, MSG_AUTHORITY, MSG_ADDITIONAL };
enum msg_count { MSG_QDCOUNT, MSG_ANCOUNT, MSG_NSCOUNT, MSG_ARCOUNT };

/* A name without compression, lower case (ASCII letters, RFC 4343), as bytes: length, label, …, 0. */
struct msg_name {
	uint8_t wire[MSG_NAME_MAX];
	size_t len;
};

/* Offsets into the message. */
struct msg_record {
	enum msg_section section;
	unsigned index; /* in its section */
	size_t owner, fixed /* type, class, TTL, RDLENGTH */, rdata, end;
	uint16_t type, klass, rdlen;
	uint32_t ttl;
};

struct msg {
	const uint8_t *bytes; /* borrowed */
	size_t len;
	uint16_t id, flags, counts[4];
	bool has_question;
	struct msg_name qname; /* of the first question */
	uint16_t qtype, qclass;
	size_t question_end; /* after the last question: where the first record begins */
};

uint16_t msg_u16(const uint8_t *at);
uint32_t msg_u32(const uint8_t *at);
void msg_put_u16(uint8_t *at, uint16_t value);
void msg_put_u32(uint8_t *at, uint32_t value);

/* Header and questions. 0, or -EBADMSG if they do not parse; records are not looked at. */
int msg_parse(struct msg *ret, const uint8_t *bytes, size_t len);

/* Steps to the next record; a zeroed record means before the first. 1: there is one, 0: that was the last, -EBADMSG: it does not parse. */
int msg_next(const struct msg *msg, struct msg_record *record);

/* Whether every record that the counts promise parses, names in record data that this module knows of included. Bytes after the last are allowed. */
bool msg_is_whole(const struct msg *msg);

/* The first OPT record of the additional section (RFC 6891). False if there is none, or if the records before it do not parse. */
bool msg_opt(const struct msg *msg, struct msg_record *ret);

/* The full RCODE: header and OPT (RFC 6891 section 6.1.3). */
unsigned msg_rcode(const struct msg *msg);

/*
 * Expands the name at offset `at`; compression pointers may only point backwards. ret_end (may be NULL): the offset after the name where it stands. ret (may be NULL) keeps the case
 * of the letters if keep_case. 0 or -EBADMSG.
 */
int msg_name_at(const struct msg *msg, size_t at, bool keep_case, struct msg_name *ret, size_t *ret_end);

/* How many names the data of such a record begins with, after *ret_prefix fixed bytes, that may be compressed or must be expanded when the record moves (RFC 1035 section 3.3,
 * RFC 3597 section 4). 0: none. */
unsigned msg_rdata_names(uint16_t type, size_t *ret_prefix);

/* From text ("www.example.com", with or without the last dot, \DDD and \X as in RFC 1035 section 5.1). 0 or -EINVAL. Lower case. */
int msg_name_from_text(struct msg_name *ret, const char *text);
/* Lower case, without the last dot; "." for the root. size: 1024 is always enough. */
void msg_name_to_text(const struct msg_name *name, char *ret, size_t size);

bool msg_name_is_equal(const struct msg_name *a, const struct msg_name *b);
/* Whether name is below parent; a name is not below itself. */
bool msg_name_is_below(const struct msg_name *name, const struct msg_name *parent);
