/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a DNS message anew: header, questions, records in the order of the sections, names compressed against what was written before (the case of letters is kept). Only messages
 * that a fault changes in length come here. What does not fit sets failed, and later calls do nothing.
 */
#pragma once
#include "injectors/proxy/msg.h"

#define BUILD_NAMES_MAX 96

struct build {
	uint8_t *out; /* MSG_MAX bytes, borrowed */
	size_t len;
	uint16_t names[BUILD_NAMES_MAX]; /* where a name, or the rest of one, stands */
	unsigned name_count;
	bool failed;
};

/* Header of msg with all counts 0. */
void build_begin(struct build *build, uint8_t *out, const struct msg *msg);
/* The first question of msg, if it has one. */
void build_question(struct build *build, const struct msg *msg);
/* A record as it stands in msg. */
void build_record(struct build *build, const struct msg *msg, const struct msg_record *record);
/* The same with another owner. */
void build_record_as(struct build *build, const struct msg *msg, const struct msg_record *record,
		     const struct msg_name *owner);
/* A record with data that holds no compressed names. */
struct build_record {
	enum msg_section section;
	const struct msg_name *owner;
	uint16_t type, klass, rdlen;
	uint32_t ttl;
	const uint8_t *rdata;
};
void build_new_record(struct build *build, const struct build_record *record);
