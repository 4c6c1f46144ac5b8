/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/api/core.h"
#include "harness/lab/internal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct core {
	struct nft_ctx *nft; /* its socket stays in the core's namespace */
};

void core_addresses_get(struct core_addresses *ret)
{
	address_parse("198.18.255.254", &ret->core4);
	address_parse("fd00:18:ff::fe", &ret->core6);
	address_parse("169.254.0.1", &ret->gateway4);
	address_parse("fe80::1", &ret->gateway6);
}

#define FORWARD4 "net/ipv4/ip_forward" /* comes first: changing it resets others */

/* ICMP errors are part of what a fault does, so none is held back:
 * the masks exempt every type from the limits (of ICMPv6 one must stay: 255 is reserved, RFC 4443 section 2.1). */
static const struct sysctl sysctls4[] = {
	{"net/ipv4/conf/all/rp_filter", "0"},      {"net/ipv4/conf/default/rp_filter", "0"},
	{"net/ipv4/conf/all/send_redirects", "0"}, {"net/ipv4/conf/default/send_redirects", "0"},
	{"net/ipv4/icmp_ratelimit", "0"},          {"net/ipv4/icmp_ratemask", "0"},
};
static const struct sysctl sysctls6[] = {
	{"net/ipv6/conf/all/disable_ipv6", "0"},
	{"net/ipv6/conf/default/disable_ipv6", "0"},
	{"net/ipv6/conf/all/forwarding", "1"},
	{"net/ipv6/conf/default/forwarding", "0"}, /* `all` decides; a link would only join the routers' group */
	{"net/ipv6/conf/default/accept_dad", "0"},
	{"net/ipv6/conf/default/dad_transmits", "0"},
	{"net/ipv6/conf/default/accept_ra", "0"},
	{"net/ipv6/conf/default/addr_gen_mode", "1"},
	{"net/ipv6/icmp/ratelimit", "0"},
	{"net/ipv6/icmp/ratemask", "255"},
};

int core_setup(struct hub *hub, struct err *err)
{
	struct core_addresses own;
	int lo, rc = sysctl_set(FORWARD4, "1", err);

	core_addresses_get(&own);
	if (!rc)
		rc = sysctl_try_all(sysctls4, ARRAY_LEN(sysctls4), err);
	hub->has_ipv6 = !access("/proc/sys/net/ipv6/conf", F_OK);
	if (!rc && hub->has_ipv6)
		rc = sysctl_try_all(sysctls6, ARRAY_LEN(sysctls6), err);
	if (!rc)
		rc = link_index(&hub->wire, "lo", &lo, err);
	if (!rc)
		rc = link_up(&hub->wire, "lo", err);
	if (!rc)
		rc = link_add_address(&hub->wire, lo, &own.core4, err);
	if (!rc && hub->has_ipv6)
		rc = link_add_address(&hub->wire, lo, &own.core6, err);
	if (!rc && hub->has_ipv6)
		rc = settle_addresses(&hub->wire, &(struct addresses){.v = &own.core6, .count = 1}, err);
	return rc;
}

/* libnftables leaves its socket open to programs that are started later, and with a buffer that an ordinary user's transaction of a thousand rules does not
 * fit: the kernel doubles what is asked for, up to net.core.wmem_max. */
static void tame_nft_socket(void)
{
	int size = 1 << 24;
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name), protocol = -1, domain = -1;
		socklen_t len = sizeof(int);

		if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) && domain == AF_NETLINK &&
		    !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) && protocol == NETLINK_NETFILTER) {
			fcntl(fd, F_SETFD, FD_CLOEXEC);
			setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		}
	}
	if (dir)
		closedir(dir);
}

struct core *core_open(struct err *err)
{
	struct core *core = calloc(1, sizeof(*core));

	if (core)
		core->nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!core || !core->nft || nft_ctx_buffer_output(core->nft) || nft_ctx_buffer_error(core->nft)) {
		err_set(err, -ENOMEM, LOC_NONE, "libnftables does not start");
		core_close(core);
		return NULL;
	}
	tame_nft_socket();
	if (core_nft(core, "add table " CORE_TABLE "\n", err)) {
		err_wrap(err, "making the table " CORE_TABLE);
		core_close(core);
		return NULL;
	}
	return core;
}

void core_close(struct core *core)
{
	if (core && core->nft) {
		nft_run_cmd_from_buffer(core->nft, "delete table " CORE_TABLE "\n");
		nft_ctx_free(core->nft);
	}
	free(core);
}

/* libnftables only says what went wrong in words. */
static int code_of(const char *text)
{
	static const int codes[] = {ENOENT, EEXIST, EPERM, EBUSY, EOPNOTSUPP, ENOMEM, ENOBUFS, EMSGSIZE};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (strstr(text, strerror(codes[i])))
			return -codes[i];
	}
	return -EINVAL;
}

int core_nft(struct core *core, const char *commands, struct err *err)
{
	int rc = nft_run_cmd_from_buffer(core->nft, commands);
	const char *text = nft_ctx_get_error_buffer(core->nft); /* reading empties it, and so does the next line */
	size_t len = text ? strlen(text) : 0;

	(void)nft_ctx_get_output_buffer(core->nft);
	if (!rc)
		return 0;
	while (len && text[len - 1] == '\n')
		len--;
	return err_set(err, len ? code_of(text) : -EIO, LOC_NONE, "nft: %.*s", len ? (int)len : 9,
		       len ? text : "no reason");
}

static void add_counter(json_t *item, const char *prefix, int64_t *io_packets, int64_t *io_bytes)
{
	json_t *counter = json_object_get(item, "counter");
	const char *name = json_string_value(json_object_get(counter, "name"));

	if (!name || strncmp(name, prefix, strlen(prefix)))
		return;
	*io_packets += json_integer_value(json_object_get(counter, "packets"));
	*io_bytes += json_integer_value(json_object_get(counter, "bytes"));
}

int core_counters(struct core *core, const char *prefix, int64_t *ret_packets, int64_t *ret_bytes, struct err *err)
{
	int64_t packets = 0, bytes = 0;
	json_t *root, *item;
	size_t i;
	int rc;

	nft_ctx_output_set_flags(core->nft, NFT_CTX_OUTPUT_JSON);
	rc = nft_run_cmd_from_buffer(core->nft, "list counters table " CORE_TABLE "\n");
	nft_ctx_output_set_flags(core->nft, 0);
	root = rc ? NULL : json_loads(nft_ctx_get_output_buffer(core->nft), 0, NULL);
	if (!root)
		return err_set(err, -EIO, LOC_NONE, "reading the counters: %s", nft_ctx_get_error_buffer(core->nft));
	json_array_foreach(json_object_get(root, "nftables"), i, item) add_counter(item, prefix, &packets, &bytes);
	json_decref(root);
	if (ret_packets)
		*ret_packets = packets;
	if (ret_bytes)
		*ret_bytes = bytes;
	return 0;
}
