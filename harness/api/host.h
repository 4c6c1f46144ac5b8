/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host of a lab, as probes and injectors may use it. Implemented in lab/host.c; owned by the lab, valid until it is closed.
 */
#pragma once
#include "harness/base/address.h"
#include "harness/base/err.h"
#include <sys/types.h>

struct host;

const char *host_name(const struct host *host);
const struct addresses *host_addresses(const struct host *host);
/* The host's own directory as every process of the lab sees it. */
const char *host_dir(const struct host *host);

/* For hosts of which a fault demanded a disk (INJECTOR_DEMANDS_DISK): host_dir is a file system of its own. Leaves spare_bytes free of it; negative: all that there was. */
int host_disk_limit(struct host *host, int64_t spare_bytes, struct err *err);
/* What the host's processes open below host_dir by its path can only be read; files they have open, and their working directory, stay as they are. Off twice is fine. */
int host_disk_read_only(struct host *host, bool on, struct err *err);

/* Takes one of the host's own addresses from its link, or gives it back, with the way out that went with the last one. Either twice is fine. */
int host_address_set(struct host *host, const struct address *address, bool present, struct err *err);

/* Connections of its own processes to one of its own TCP ports are refused (reset), as if nobody listened there; off twice is fine. Needs ABILITY_NFT_REJECT. */
int host_port_refuse(struct host *host, int port, bool on, struct err *err);

/* A socket that lives in the host's network namespace, close-on-exec and non-blocking. A descriptor, or a negative errno. */
int host_socket(struct host *host, int domain, int type, int protocol);
/* The same for a job (api/job.h), whose own host is `own`: there it is afterwards, too. */
int host_socket_from_job(struct host *host, const struct host *own, int domain, int type, int protocol);

/* fork(2) with the child in the host's network and mount namespaces, in a session of its own, killed with the lab. Returns as fork does: in the parent the
 * pid or a negative errno, in the child 0. The child keeps every descriptor and must end with _exit or exec; where its namespaces cannot
 * be entered it has already _exit'ed with 125. */
pid_t host_fork(struct host *host);
