/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is plugged in. Filled by main.c, the only place that sees every list.h; borrowed by everybody else. Arrays end with NULL.
 */
#pragma once
#include "harness/api/action.h"
#include "harness/api/injector.h"
#include "harness/api/probe.h"
#include "harness/api/server.h"
#include "harness/api/sink.h"

struct registry {
	const struct injector_ops *const *injectors;
	const struct probe_ops *const *probes;
	const struct server_ops *const *servers;
	const struct report_ops *const *reports;
	const struct action_ops *const *actions;
};

/* By kind or name; NULL if there is none. */
const struct injector_ops *registry_injector(const struct registry *registry, const char *kind);
const struct probe_ops *registry_probe(const struct registry *registry, const char *kind);
const struct server_ops *registry_server(const struct registry *registry, const char *name);
const struct action_ops *registry_action(const struct registry *registry, const char *kind);
const struct report_ops *registry_report(const struct registry *registry, const char *name);
