/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/lab/lab.h"
#include "harness/lab/etc.h"
#include "harness/lab/internal.h"
#include <errno.h>
#include <string.h>
#include <time.h>

struct lab {
	struct hub hub;
	struct core *core;
	struct ca *ca; /* NULL: nobody serves TLS */
	struct host *hosts;
	size_t host_count; /* of those begun */
};

static int open_hub(struct hub *hub, struct err *err)
{
	int rc;

	*hub = (struct hub){.home = {-1, -1}, .wire = {.ctl_fd = -1}};
	rc = home_open(&hub->home, err);
	if (!rc)
		rc = wire_open(&hub->wire, err);
	return rc ? rc : core_setup(hub, err);
}

static int wait_for_links(struct lab *lab, struct err *err)
{
	CLEANUP_FREE int *ifindexes = calloc(lab->host_count + 1, sizeof(*ifindexes));

	if (!ifindexes)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	for (size_t i = 0; i < lab->host_count; i++)
		ifindexes[i] = lab->hosts[i].ifindex;
	return settle_links(&lab->hub.wire, ifindexes, lab->host_count, err);
}

static int make_ca(struct lab *lab, const struct topology *topology, struct err *err)
{
	int rc = 0;

	lab->ca = ca_new(LAB_CA_DIR, time(NULL), err);
	if (!lab->ca)
		return err->code;
	for (size_t i = 0; !rc && i < topology->host_count; i++) {
		const struct topo_host *host = &topology->hosts[i];

		if (host->encrypted)
			rc = ca_add_host(lab->ca, host->name, host->hostname, &host->addresses, err);
	}
	return rc;
}

static int build(struct lab *lab, const struct topology *topology, struct err *err)
{
	int rc = open_hub(&lab->hub, err);

	if (!rc)
		rc = etc_prepare(err);
	if (!rc)
		lab->core = core_open(err);
	if (rc || !lab->core)
		return err->code;
	for (size_t i = 0; !rc && i < topology->host_count; i++)
		rc = host_init(&lab->hosts[lab->host_count++], topology, i, &lab->hub, err);
	if (!rc)
		rc = wait_for_links(lab, err);
	if (!rc && topology->has_tls)
		rc = make_ca(lab, topology, err);
	wire_close(&lab->hub.wire); /* else what it is told of would pile up */
	return rc;
}

struct lab *lab_open(const struct topology *topology, struct err *err)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	if (lab)
		lab->hosts = calloc(topology->host_count + 1, sizeof(*lab->hosts)); /* + 1: none is fine */
	if (!lab || !lab->hosts) {
		free(lab);
		err_set(err, -ENOMEM, LOC_NONE, "out of memory");
		return NULL;
	}
	if (build(lab, topology, err)) {
		lab_close(lab);
		return NULL;
	}
	return lab;
}

void lab_close(struct lab *lab)
{
	if (!lab)
		return;
	for (size_t i = 0; i < lab->host_count; i++)
		host_fini(&lab->hosts[i]);
	core_close(lab->core);
	ca_free(lab->ca);
	wire_close(&lab->hub.wire);
	home_close(&lab->hub.home);
	free(lab->hosts);
	free(lab);
}

struct core *lab_core(struct lab *lab)
{
	return lab->core;
}

struct ca *lab_ca(struct lab *lab)
{
	return lab->ca;
}

size_t lab_host_count(const struct lab *lab)
{
	return lab->host_count;
}

struct host *lab_host(struct lab *lab, size_t i)
{
	return &lab->hosts[i];
}

struct host *lab_host_named(struct lab *lab, const char *name)
{
	for (size_t i = 0; i < lab->host_count; i++) {
		if (!strcmp(host_name(&lab->hosts[i]), name))
			return &lab->hosts[i];
	}
	return NULL;
}
