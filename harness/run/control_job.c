/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling a server something by its own control channel, from a job on its host.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "harness/api/control.h"
#include "harness/base/fd.h"

#define TALK_SECONDS 5 /* for the answer to a line */

const char *server_verb_name(enum server_verb verb)
{
	static const char *const names[SERVER_VERB_COUNT] = {
		[SERVER_RELOAD] = "read its configuration again",
		[SERVER_HOLD_ZONE] = "hold a zone while its file is replaced",
		[SERVER_RELOAD_ZONE] = "read a zone's file again",
		[SERVER_REFRESH_ZONE] = "transfer a zone now",
		[SERVER_FLUSH] = "empty its cache",
		[SERVER_STATUS] = "say how it is",
	};

	return names[verb];
}

static int talk(const struct server_control *control, struct job_report *report)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = TALK_SECONDS};
	CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t n;

	if (strlen(control->socket) >= sizeof(to.sun_path)) {
		job_say(report, "the path %s is too long for a socket", control->socket);
		return 1;
	}
	strcpy(to.sun_path, control->socket);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) ||
	    fd_write_all(fd, control->text, strlen(control->text))) {
		job_say(report, "cannot talk to %s: %s", control->socket, strerror(errno));
		return 1;
	}
	n = read(fd, report->text, sizeof(report->text) - 1);
	report->text[n > 0 ? n : 0] = '\0';
	if (n <= 0)
		job_say(report, "no answer from %s", control->socket);
	else if (report->text[strspn(report->text, "> \n")] == '\0') /* a prompt and nothing else */
		job_say(report, "done");
	return n <= 0;
}

static int send_signal(const struct server_process *server, int number, struct job_report *report)
{
	pid_t pid = server_process_pid(server);

	if (pid > 0 && !kill(pid, number)) {
		job_say(report, "sent %s", strsignal(number));
		return 0;
	}
	job_say(report, "%s does not run", server_process_software(server)->program);
	return 1;
}

static const struct server_zone *find_zone(const struct server_spec *spec, const char *name)
{
	for (size_t i = 0; name && i < spec->zone_count; i++) {
		if (!strcmp(spec->zones[i].name, name))
			return &spec->zones[i];
	}
	return NULL;
}

int control_verb(const struct server_process *server, enum server_verb verb, const char *zone,
		 struct job_report *report)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct server_control control = {0};
	struct err err = {0};
	int status;

	if (!server_process_software(server)->control || !(server_process_software(server)->verbs & 1u << verb)) {
		job_say(report, "%s cannot be told to %s", server_process_software(server)->name,
			server_verb_name(verb));
		return 1;
	}
	if (server_process_software(server)->control(server_process_spec(server), verb,
						     find_zone(server_process_spec(server), zone), arena, &control,
						     &err)) {
		job_say(report, "%s", err.text);
		return 1;
	}
	if (!control.argv[0])
		return control.signal   ? send_signal(server, control.signal, report)
		       : control.socket ? talk(&control, report)
					: 0;
	status = job_exec(control.argv, server_process_spec(server)->dir, report);
	if (status && !report->text[0])
		job_say(report, "%s ended with status %d", control.argv[0], status);
	return status;
}
