/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to PowerDNS's HTTP API as tools that push zones make them: a refusal is final, a busy or broken server is asked again. Of use inside actions/, in a job:
 * it blocks.
 */
#pragma once
#include "harness/actions/common.h"
#include "harness/base/buf.h"

enum api_expect { API_APPLIED, API_REFUSED /* by if_serial */ };

struct api_options {
	int64_t batch; /* record sets in one PATCH */
	int64_t retries; /* of one request */
	int64_t backoff_ns; /* before the first of them; doubled each time. Retry-After goes before it */
	int64_t request_timeout_ns;
	int64_t if_serial; /* the zone must have it when it is read; PARAM_UNSET: any */
	int64_t expect; /* enum api_expect */
	bool verify; /* afterwards it is read once more, and must hold what was pushed and nothing else */
};

struct api_client {
	const struct api_options *options;
	int64_t deadline_ns; /* CLOCK_MONOTONIC: nothing goes on after it */
	const char *url; /* of the zone */
	const char *key;
	struct buf log; /* what was asked and answered: "GET 200, PATCH 429 (Retry-After 1 s), PATCH 204" */
	struct buf body; /* of the last answer */
};

/* 0 once it was answered with success; 1: it was not, and the log says what became of it. path: behind the zone's URL; body NULL: none. */
int api_request(struct api_client *client, const char *method, const char *path, const char *body);
void api_client_fini(struct api_client *client);
