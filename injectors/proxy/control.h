/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy's live view: a Unix socket that speaks JSON lines. A request is an object, a line; so is its answer.
 *
 *   {"command": "list"}                  → {"ok": true, "rules": [{"id": 1, "name": "…" or null, "place": "rules.yaml:3:3"}]}
 *   {"command": "count"}                 → the same with "seen", "matched", "done"
 *   {"command": "add", "rule": "YAML"}   → {"ok": true, "ids": [2], "warnings": […]}: a rule or a list of them, behind those there are
 *   {"command": "remove", "id": 2}       → {"ok": true}
 *   anything that cannot be done         → {"ok": false, "errors": ["…"]}
 */
#pragma once
#include "injectors/proxy/proxy.h"

/* Listens at path, readable and writable by this user alone. A socket that nobody listens at any more is replaced. Returns a descriptor or a negative errno. */
int control_listen(const char *path, struct err *err);

/*
 * Serves until the proxy has ended. listen_fd -1: no control socket. signal_fd: a signalfd; the first signal of any kind drains the proxy for at
 * most drain_ns, the second ends it. rules: those in force, of which it takes over a reference. 0 or a negative errno.
 */
int control_run(struct proxy *proxy, struct ruleset *rules, int listen_fd, int signal_fd, int64_t drain_ns,
		struct err *err);

/* One request to the socket at path: *ret_line, malloc'd, is the answer. 0 or a negative errno. */
int control_ask(const char *path, const char *request, char **ret_line, struct err *err);
