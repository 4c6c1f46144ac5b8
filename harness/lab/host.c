/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/api/injector.h"
#include "harness/base/fd.h"
#include "harness/base/signals.h"
#include "harness/lab/etc.h"
#include "harness/lab/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define CHILD_LOST_STATUS 125
#define HOST_DISK_SIZE "64m"

static const struct sysctl host_sysctls4[] = {
	{"net/ipv4/conf/all/rp_filter", "0"},
	{"net/ipv4/conf/default/rp_filter", "0"},
};

/* Nothing is sent that nobody asked for: no detection of duplicates, no solicitation of routers, no link-local address. */
static const struct sysctl host_sysctls6[] = {
	{"net/ipv6/conf/all/disable_ipv6", "0"},      {"net/ipv6/conf/default/disable_ipv6", "0"},
	{"net/ipv6/conf/default/accept_dad", "0"},    {"net/ipv6/conf/default/dad_transmits", "0"},
	{"net/ipv6/conf/default/accept_ra", "0"},     {"net/ipv6/conf/default/router_solicitations", "0"},
	{"net/ipv6/conf/default/addr_gen_mode", "1"}, /* none */
};

/* In the host's network namespace. */
static int furnish_net(bool has_ipv6, struct wire *ret_wire, struct err *err)
{
	struct wire wire;
	int rc = sysctl_try_all(host_sysctls4, ARRAY_LEN(host_sysctls4), err);

	if (!rc && has_ipv6)
		rc = sysctl_try_all(host_sysctls6, ARRAY_LEN(host_sysctls6), err);
	if (!rc)
		rc = wire_open(&wire, err);
	if (rc)
		return rc;
	rc = link_up(&wire, "lo", err);
	if (rc) {
		wire_close(&wire);
		return rc;
	}
	*ret_wire = wire;
	return 0;
}

static int make_net(struct host *host, const struct hub *hub, struct wire *ret_wire, struct err *err)
{
	int rc = netns_new(&host->net_fd, err);

	if (!rc)
		rc = furnish_net(hub->has_ipv6, ret_wire, err);
	home_return_net(&hub->home);
	return rc;
}

static int make_mnt(struct host *host, const struct topology *topology, const struct hub *hub, struct err *err)
{
	CLEANUP_FREE char *etc = NULL;
	CLEANUP_CLOSE int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc = cwd < 0 ? err_set(err, -errno, LOC_NONE, "opening the working directory: %s", strerror(errno))
			 : etc_make(topology, host->topo, &etc, err);

	if (rc)
		return rc;
	rc = mntns_new(&host->mnt_fd, err);
	if (!rc && mount(etc, "/etc", NULL, MS_BIND, NULL))
		rc = err_set(err, -errno, LOC_NONE, "binding %s over /etc: %s", etc, strerror(errno));
	home_return_mnt(&hub->home, cwd);
	return rc;
}

static bool has_family(const struct host *host, int family)
{
	return addresses_first(&host->topo->addresses, family) != NULL;
}

/* The host's side: its gateway, through which everything goes, and its addresses. */
static int join_from_host(const struct host *host, const struct wire *wire, size_t index,
			  const struct core_addresses *core, struct err *err)
{
	const struct address *gateways[] = {&core->gateway4, &core->gateway6};
	const struct addresses *addresses = &host->topo->addresses;
	int eth0, rc = link_index(wire, "eth0", &eth0, err);

	if (!rc)
		rc = link_plain(wire, "eth0", err);
	for (size_t i = 0; !rc && i < addresses->count; i++)
		rc = link_add_address(wire, eth0, &addresses->v[i], err);
	for (size_t i = 0; i < ARRAY_LEN(gateways); i++) {
		if (rc || !has_family(host, gateways[i]->family))
			continue;
		rc = link_add_neighbour(wire, eth0, gateways[i], link_mac_core(index), err);
		if (!rc)
			rc = link_add_route(wire, eth0, NULL, gateways[i], NULL, err);
	}
	return rc;
}

/* The core's side: the gateway's addresses and a route and a neighbour for each of the host's. */
static int join_from_core(const struct host *host, const struct hub *hub, size_t index,
			  const struct core_addresses *core, struct err *err)
{
	const struct addresses *addresses = &host->topo->addresses;
	int rc = link_plain(&hub->wire, host->ifname, err);

	if (!rc)
		rc = link_add_address(&hub->wire, host->ifindex, &core->gateway4, err);
	if (!rc && hub->has_ipv6)
		rc = link_add_address(&hub->wire, host->ifindex, &core->gateway6, err);
	for (size_t i = 0; !rc && i < addresses->count; i++) {
		const struct address *address = &addresses->v[i];
		const struct address *from = address->family == AF_INET ? &core->core4 : &core->core6;

		rc = link_add_neighbour(&hub->wire, host->ifindex, address, link_mac_host(index), err);
		if (!rc)
			rc = link_add_route(&hub->wire, host->ifindex, address, NULL, from, err);
	}
	return rc;
}

static int join(struct host *host, const struct hub *hub, size_t index, const struct wire *wire, struct err *err)
{
	struct core_addresses core;
	int rc;

	core_addresses_get(&core);
	rc = link_make(&hub->wire, host->ifname, host->net_fd, index, err);
	if (!rc)
		rc = link_up(wire, "eth0", err);
	if (!rc)
		rc = link_index(&hub->wire, host->ifname, &host->ifindex, err);
	if (!rc)
		rc = join_from_core(host, hub, index, &core, err);
	if (!rc)
		rc = join_from_host(host, wire, index, &core, err);
	return rc ? rc : settle_addresses(wire, &host->topo->addresses, err);
}

/* Addresses the lab itself lives by, or of a family this kernel lacks. */
static int check_addresses(const struct topo_host *topo, bool has_ipv6, struct err *err)
{
	struct core_addresses core;
	const struct address *taken[] = {&core.core4, &core.core6, &core.gateway4, &core.gateway6};

	core_addresses_get(&core);
	for (size_t i = 0; i < topo->addresses.count; i++) {
		const struct address *address = &topo->addresses.v[i];

		if (address->family == AF_INET6 && !has_ipv6)
			return err_set(err, -EAFNOSUPPORT, address->loc,
				       "this kernel has no IPv6, which %s needs; boot it without ipv6.disable=1",
				       address->text);
		for (size_t j = 0; j < ARRAY_LEN(taken); j++) {
			if (address_is_equal(address, taken[j]))
				return err_set(err, -EADDRINUSE, address->loc,
					       "%s is the lab router's own address; give the host another",
					       address->text);
		}
	}
	return 0;
}

/* A fault of the plan takes its room away: a file system of its own, before anybody copies the mount namespace. */
static int mount_disk(const struct host *host, struct err *err)
{
	if (!(host->topo->demands & INJECTOR_DEMANDS_DISK) ||
	    !mount("dnsdrill-disk", host->dir, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=" HOST_DISK_SIZE))
		return 0;
	return err_set(err, -errno, LOC_NONE, "mounting a file system at %s: %s", host->dir, strerror(errno));
}

static int build(struct host *host, const struct topology *topology, size_t index, const struct hub *hub,
		 struct err *err)
{
	struct wire wire;
	int rc = check_addresses(host->topo, hub->has_ipv6, err);

	if (!rc && mkdir(host->dir, 0755))
		rc = err_set(err, -errno, LOC_NONE, "making the directory %s: %s", host->dir, strerror(errno));
	if (!rc)
		rc = mount_disk(host, err);
	if (!rc)
		rc = make_mnt(host, topology, hub, err);
	if (!rc)
		rc = make_net(host, hub, &wire, err);
	if (rc)
		return rc;
	rc = join(host, hub, index, &wire, err);
	wire_close(&wire);
	return rc;
}

int host_init(struct host *host, const struct topology *topology, size_t index, const struct hub *hub, struct err *err)
{
	const struct topo_host *topo = &topology->hosts[index];

	*host = (struct host){.topo = topo, .home = &hub->home, .net_fd = -1, .mnt_fd = -1, .index = index};
	snprintf(host->ifname, sizeof(host->ifname), "h%zu", index);
	if (!topo->name[0] || topo->name[0] == '.' || strchr(topo->name, '/') ||
	    snprintf(host->dir, sizeof(host->dir), LAB_DIR "/%s", topo->name) >= (int)sizeof(host->dir))
		return err_set(err, -EINVAL, topo->loc, "'%s' cannot be the name of a host", topo->name);
	return build(host, topology, index, hub, err) ? err_wrap(err, "host %s", topo->name) : 0;
}

void host_fini(struct host *host)
{
	if (host->net_fd >= 0)
		close(host->net_fd);
	if (host->mnt_fd >= 0)
		close(host->mnt_fd);
	host->net_fd = host->mnt_fd = -1;
}

const char *host_name(const struct host *host)
{
	return host->topo->name;
}

const struct addresses *host_addresses(const struct host *host)
{
	return &host->topo->addresses;
}

const char *host_dir(const struct host *host)
{
	return host->dir;
}

const char *host_ifname(const struct host *host)
{
	return host->ifname;
}

int host_ifindex(const struct host *host)
{
	return host->ifindex;
}

static int make_socket(const struct host *host, int domain, int type, int protocol)
{
	int fd;

	if (setns(host->net_fd, CLONE_NEWNET))
		return -errno;
	fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	return fd < 0 ? -errno : fd;
}

int host_socket(struct host *host, int domain, int type, int protocol)
{
	int fd = make_socket(host, domain, type, protocol);

	home_return_net(host->home);
	return fd;
}

int host_socket_from_job(struct host *host, const struct host *own, int domain, int type, int protocol)
{
	int fd = make_socket(host, domain, type, protocol);

	if (setns(own->net_fd, CLONE_NEWNET))
		abort(); /* in another host it would say the wrong thing */
	return fd;
}

int host_enter(const struct host *host, struct err *err)
{
	char cwd[PATH_MAX];
	bool has_cwd = getcwd(cwd, sizeof(cwd)) != NULL;

	if (setns(host->mnt_fd, CLONE_NEWNS) || setns(host->net_fd, CLONE_NEWNET))
		return err_set(err, -errno, LOC_NONE, "entering host %s: %s", host->topo->name, strerror(errno));
	/* Joining a mount namespace leaves one in its root. The same directory has the same path there, unless it is gone. */
	if (has_cwd && chdir(cwd))
		(void)!chdir("/");
	return 0;
}

int host_disk_limit(struct host *host, int64_t spare_bytes, struct err *err)
{
	char size[64] = "size=" HOST_DISK_SIZE;
	struct statvfs st;
	int tries = 10; /* it may grow between the look and the limit */

	do {
		if (statvfs(host->dir, &st))
			break;
		if (spare_bytes >= 0)
			snprintf(size, sizeof(size), "size=%llu",
				 (unsigned long long)(st.f_blocks - st.f_bfree) * st.f_frsize +
					 (unsigned long long)spare_bytes);
		if (!mount(NULL, host->dir, NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV, size))
			return 0;
	} while (errno == EINVAL && --tries);
	return err_set(err, -errno, LOC_NONE, "changing the room of %s: %s", host->dir, strerror(errno));
}

/* In the host's mount namespace. What it is undone by works as often as one likes. */
static int change_read_only(const struct host *host, bool on)
{
	if (!on)
		return umount2(host->dir, MNT_DETACH) && errno != EINVAL ? -errno : 0;
	if (mount(host->dir, host->dir, NULL, MS_BIND, NULL))
		return -errno;
	if (!mount(NULL, host->dir, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL))
		return 0;
	return -errno;
}

int host_disk_read_only(struct host *host, bool on, struct err *err)
{
	CLEANUP_CLOSE int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (cwd < 0 || setns(host->mnt_fd, CLONE_NEWNS))
		return err_set(err, -errno, LOC_NONE, "entering host %s: %s", host->topo->name, strerror(errno));
	r = change_read_only(host, on);
	home_return_mnt(host->home, cwd);
	return r ? err_set(err, r, LOC_NONE, "making %s %s: %s", host->dir, on ? "read-only" : "writable", strerror(-r))
		 : 0;
}

/* The kernel takes neighbours and routes of a family away with its last address (IPv4). */
static int give_address(const struct host *host, const struct wire *wire, int eth0, const struct address *address,
			struct err *err)
{
	struct core_addresses core;
	const struct address *gateway;
	int r = link_add_address(wire, eth0, address, err);

	if (r == -EEXIST)
		return 0;
	if (r)
		return r;
	core_addresses_get(&core);
	gateway = address->family == AF_INET ? &core.gateway4 : &core.gateway6;
	r = link_add_neighbour(wire, eth0, gateway, link_mac_core(host->index), err);
	if (!r || r == -EEXIST)
		r = link_add_route(wire, eth0, NULL, gateway, NULL, err);
	return r == -EEXIST ? 0 : r;
}

int host_address_set(struct host *host, const struct address *address, bool present, struct err *err)
{
	struct wire wire;
	int eth0, r;

	if (setns(host->net_fd, CLONE_NEWNET))
		return err_set(err, -errno, LOC_NONE, "entering host %s: %s", host->topo->name, strerror(errno));
	r = wire_open(&wire, err); /* it stays there */
	home_return_net(host->home);
	if (r)
		return r;
	r = link_index(&wire, "eth0", &eth0, err);
	if (!r)
		r = present ? give_address(host, &wire, eth0, address, err)
			    : link_delete_address(&wire, eth0, address, err);
	wire_close(&wire);
	return r ? err_wrap(err, "host %s", host->topo->name) : 0;
}

pid_t host_fork(struct host *host)
{
	struct err err;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid > 0)
		return pid;
	if (host_enter(host, &err))
		_exit(CHILD_LOST_STATUS);
	setsid();
	signals_reset();
	return 0;
}
