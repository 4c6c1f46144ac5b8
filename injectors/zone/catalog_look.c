/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/zone/catalog_look.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/units.h"

#define LOG_READ_MAX (256 * 1024)

/* What a transfer brought: "transferred serial 2" (named), "zone updated, …, serial 1 -> 2" (knotd). */
static bool says_taken(const char *line, uint32_t wanted)
{
	static const char *const words[] = {"transferred serial ", " -> "};
	char serial[16];
	size_t len = (size_t)snprintf(serial, sizeof(serial), "%u", wanted);

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const char *at = strstr(line, words[i]);

		at = at ? at + strlen(words[i]) : "";
		if (!strncmp(at, serial, len) && !isdigit((unsigned char)at[len]))
			return true;
	}
	return false;
}

/* named transfers what it does not heed then; knotd throws it away. */
static bool says_refused(const char *line)
{
	return strstr(line, "is broken and will not be processed") ||
	       strstr(line, "failed to store changes (invalid zone file)");
}

/* Some answer nobody about a catalog, but those that read them log what they make of it. */
static enum catalog_reaction read_log(const struct catalog_look *look)
{
	enum catalog_reaction ret = CATALOG_NOT_SEEN;
	char *text = calloc(1, LOG_READ_MAX + 1), *rest = text, *line;

	if (text && pread(server_process_log_fd(look->process), text, LOG_READ_MAX, (off_t)look->log_from) < 0)
		text[0] = '\0';
	while (text && ret != CATALOG_REFUSED && (line = strsep(&rest, "\n"))) {
		if (!strstr(line, look->catalog->name))
			continue;
		if (says_refused(line))
			ret = CATALOG_REFUSED;
		else if (says_taken(line, look->serial))
			ret = CATALOG_TAKEN;
	}
	free(text);
	return ret;
}

static void say(const struct catalog_look *look, enum catalog_reaction reaction, const char *gone,
		struct job_report *report)
{
	static const char *const words[] = {"did not take it", "refused it as broken", "took it", "took it"};
	const struct catalog *catalog = look->catalog;

	if (gone)
		job_say(report, "%s and serves %s no more", words[reaction], gone);
	else
		job_say(report, "%s and serves %s as before", words[reaction],
			catalog->member_count == 1 ? catalog->members[0] : "every member");
}

int catalog_look(void *arg, struct job_report *report)
{
	const struct catalog_look *look = arg;
	enum catalog_reaction reaction;
	struct buf gone = {0};

	clock_sleep_ns(look->settle_ns);
	for (size_t i = 0; i < look->catalog->member_count; i++) {
		const char *member = look->catalog->members[i];

		if (zone_job_serial(look->process, member, clock_now_ns() + SEC, report) < 0)
			buf_printf(&gone, "%s%s", gone.len ? ", " : "", member);
	}
	reaction = read_log(look);
	if (reaction == CATALOG_TAKEN && gone.len)
		reaction = CATALOG_HEEDED;
	say(look, reaction, gone.data, report);
	report->serial = reaction;
	buf_fini(&gone);
	return 0;
}
