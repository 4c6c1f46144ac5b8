/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * getaddrinfo says less than a DNS message. What its codes mean was tried with glibc 2.36: SERVFAIL, REFUSED, a closed port and silence are all EAI_AGAIN,
 * with the same errno and h_errno. Time tells silence from the rest: a silent resolver costs resolv.conf's timeout at least, and a call that took less has met
 * none. An error answer and a closed port cannot be told apart.
 */
#include "harness/probe/stub.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

static const char *stub_address_text(const struct stub_address *address, struct arena *arena)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, text, sizeof(text));
	return arena_strdup(arena, text);
}

static int stub_compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct ev_strings stub_addresses(const struct stub_result *result, struct arena *arena)
{
	const char **texts = ARENA_ARRAY(arena, const char *, result->count + 1);

	for (uint32_t i = 0; i < result->count; i++)
		texts[i] = stub_address_text(&result->addresses[i], arena);
	qsort(texts, result->count, sizeof(*texts), stub_compare_texts);
	return (struct ev_strings){.v = texts, .count = result->count};
}

static void stub_judge_as(const struct good *good, const char *rcode, const char *words, struct arena *arena,
			  struct ev_sample *sample)
{
	struct answer answer = {.rcode = rcode,
				.rdata = sample->answer.v,
				.count = sample->answer.count,
				.min_ttl = PARAM_UNSET,
				.max_ttl = PARAM_UNSET};
	struct buf detail = {0};

	sample->outcome = judge_versions(good, &answer, &detail, &sample->fits);
	if (words && sample->outcome != OUTCOME_OK)
		sample->detail = words;
	else if (detail.len > 0)
		sample->detail = arena_strdup(arena, detail.data);
	buf_fini(&detail);
}

static void stub_no_answer(struct ev_sample *sample, const char *detail)
{
	sample->outcome = OUTCOME_TIMEOUT;
	sample->detail = detail;
}

static void stub_judge_again(const struct good *good, const struct stub_result *result, struct arena *arena,
			     struct ev_sample *sample)
{
	int64_t took_ns = result->end_ns - result->start_ns;

	if (took_ns >= result->retrans_s * SEC)
		stub_no_answer(sample, "EAI_AGAIN: no answer within the attempts of resolv.conf");
	else
		stub_judge_as(good, "SERVFAIL", "EAI_AGAIN: SERVFAIL or refused", arena, sample);
	sample->rcode = sample->outcome == OUTCOME_TIMEOUT ? NULL : "EAI_AGAIN";
}

static void stub_could_not(const struct stub_result *result, struct arena *arena, struct ev_sample *sample)
{
	const char *why = result->eai == EAI_SYSTEM ? strerrordesc_np(result->error) : gai_strerror(result->eai);

	sample->outcome = OUTCOME_ERROR;
	sample->detail = arena_printf(arena, "could not ask: getaddrinfo: %s", why ? why : "unknown error");
}

void stub_judge(const struct good *good, const struct stub_result *result, struct arena *arena,
		struct ev_sample *sample)
{
	switch (result->eai) {
	case 0:
		if (result->is_cut) {
			sample->outcome = OUTCOME_ERROR;
			sample->detail = "more addresses than the harness can compare";
			return;
		}
		sample->rcode = "NOERROR";
		sample->answer = stub_addresses(result, arena);
		stub_judge_as(good, "NOERROR", NULL, arena, sample);
		return;
	case EAI_NONAME:
		sample->rcode = "EAI_NONAME";
		stub_judge_as(good, "NXDOMAIN", "EAI_NONAME: NXDOMAIN or no data", arena, sample);
		return;
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		sample->rcode = "EAI_NODATA";
		stub_judge_as(good, "NOERROR", "EAI_NODATA: no address of the wanted family", arena, sample);
		return;
	case EAI_AGAIN:
		stub_judge_again(good, result, arena, sample);
		return;
	case EAI_FAIL:
		sample->rcode = "EAI_FAIL";
		stub_judge_as(good, "EAI_FAIL", "EAI_FAIL: an error answer that is not tried again", arena, sample);
		return;
	default: /* EAI_SYSTEM, EAI_MEMORY and what other libraries may add */
		stub_could_not(result, arena, sample);
		return;
	}
}
