/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/run/control.h"

static struct host *find_host(void *arg, const char *name)
{
	struct control_lab *lab = arg;

	return lab_host_named(lab->lab, name);
}

struct server_process *control_find_server(void *arg, const char *host)
{
	struct control_lab *lab = arg;

	return lab->bringup ? bringup_process(lab->bringup, host) : NULL;
}

struct control control_of(struct control_lab *lab, struct jobs *jobs)
{
	return (struct control){.jobs = jobs, .arg = lab, .host = find_host, .server = control_find_server};
}
