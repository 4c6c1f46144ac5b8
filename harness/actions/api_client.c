/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/actions/api_client.h"

#include <curl/curl.h>
#include <errno.h>

#include "harness/base/clock.h"

#define BODY_MAX ((size_t)64 << 20)
#define SAID_MAX 120 /* of an error's body, in the log */

struct answer {
	long status; /* 0: none came */
	int64_t retry_after_s; /* 0: it did not say */
	CURLcode code;
	char type[40]; /* of its content; empty: it did not say */
};

static size_t take(char *data, size_t size, size_t count, void *arg)
{
	struct buf *body = arg;

	if (body->len + size * count > BODY_MAX)
		return 0;
	buf_add(body, data, size * count);
	return body->failed ? 0 : size * count;
}

static struct curl_slist *make_headers(const struct api_client *client, struct arena *arena)
{
	struct curl_slist *headers = curl_slist_append(NULL, arena_printf(arena, "X-API-Key: %s", client->key));

	return curl_slist_append(headers, "Content-Type: application/json");
}

static int64_t time_left_ms(const struct api_client *client)
{
	int64_t left = client->deadline_ns - clock_now_ns();

	if (left > client->options->request_timeout_ns)
		left = client->options->request_timeout_ns;
	return left > NSEC_PER_MSEC ? left / NSEC_PER_MSEC : 1;
}

static struct answer ask(struct api_client *client, const char *method, const char *path, const char *body)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct curl_slist *headers = make_headers(client, arena);
	struct answer ret = {.code = CURLE_FAILED_INIT};
	CURL *curl = curl_easy_init();
	curl_off_t wait_s = 0;
	const char *type = NULL;

	buf_clear(&client->body);
	if (curl && headers) {
		curl_easy_setopt(curl, CURLOPT_URL, arena_printf(arena, "%s%s", client->url, path));
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		if (body)
			curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)time_left_ms(client));
		curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
		curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
		curl_easy_setopt(curl, CURLOPT_WRITEDATA, &client->body);
		ret.code = curl_easy_perform(curl);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &ret.status);
		curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait_s);
		curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
		snprintf(ret.type, sizeof(ret.type), "%s", type ? type : "");
		ret.retry_after_s = wait_s;
	}
	if (ret.code != CURLE_OK)
		ret.status = 0;
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return ret;
}

static bool is_success(const struct answer *answer)
{
	return answer->status >= 200 && answer->status < 300;
}

/* What may be otherwise next time. */
static bool is_passing(const struct answer *answer)
{
	return !answer->status || answer->status == 429 || answer->status >= 500;
}

static bool is_json(const struct answer *answer)
{
	static const char json[] = "application/json";

	return !strncasecmp(answer->type, json, sizeof(json) - 1);
}

static void log_answer(struct api_client *client, const char *method, const struct answer *answer)
{
	int len = (int)(client->body.len > SAID_MAX ? SAID_MAX : client->body.len);

	buf_printf(&client->log, "%s%s ", client->log.len ? ", " : "", method);
	if (!answer->status) {
		buf_printf(&client->log, "no answer (%s)", curl_easy_strerror(answer->code));
		return;
	}
	buf_printf(&client->log, "%ld", answer->status);
	if (answer->retry_after_s)
		buf_printf(&client->log, " (Retry-After %lld s)", (long long)answer->retry_after_s);
	if (is_success(answer) && !is_json(answer) && len)
		buf_printf(&client->log, " (%s)", *answer->type ? answer->type : "of no type");
	if ((!is_success(answer) || !is_json(answer)) && len)
		buf_printf(&client->log, " %.*s", len, client->body.data);
}

/* False: the step's time is over by then. */
static bool wait_before_retry(const struct api_client *client, const struct answer *answer, int64_t retry)
{
	int64_t wait_ns = client->options->backoff_ns << (retry < 20 ? retry : 20);

	if (answer->retry_after_s)
		wait_ns = answer->retry_after_s * SEC;
	if (clock_now_ns() + wait_ns >= client->deadline_ns)
		return false;
	clock_sleep_ns(wait_ns);
	return true;
}

int api_request(struct api_client *client, const char *method, const char *path, const char *body)
{
	for (int64_t retry = 0;; retry++) {
		struct answer answer = ask(client, method, path, body);

		log_answer(client, method, &answer);
		if (is_success(&answer))
			return 0;
		if (!is_passing(&answer))
			return 1;
		if (retry == client->options->retries) {
			buf_printf(&client->log, ", gave up after %lld retries", (long long)retry);
			return 1;
		}
		if (!wait_before_retry(client, &answer, retry)) {
			buf_puts(&client->log, ", gave up: the step's time is over before the next retry");
			return 1;
		}
	}
}

void api_client_fini(struct api_client *client)
{
	buf_fini(&client->log);
	buf_fini(&client->body);
}
