/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a secondary made of a version of its catalog zone: whether it transferred it and heeded it, by its log, and which of the members it still answers for, by asking it. A job on its host.
 */
#pragma once
#include "harness/api/zone_job.h"
#include "harness/plan/catalog.h"

enum catalog_reaction {
	CATALOG_NOT_SEEN, /* nothing in its log says that it got it */
	CATALOG_REFUSED, /* as broken */
	CATALOG_TAKEN,
	CATALOG_HEEDED, /* and some members are gone */
};

struct catalog_look {
	const struct server_process *process;
	const struct catalog *catalog;
	uint32_t serial; /* of the version */
	int64_t log_from; /* size of its log before */
	int64_t settle_ns; /* after what time it is looked at */
};

/* Of struct catalog_look: the run of a struct host_job. report->serial is the enum catalog_reaction, report->text "took it and serves example.com no more". */
int catalog_look(void *look, struct job_report *report);
