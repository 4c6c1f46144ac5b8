/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tries out what the kernel can do beyond what every lab needs: each by doing it, in a namespace that is thrown away. Version numbers and lists of modules lie.
 */
#include "harness/base/cgroup.h"
#include "harness/base/fd.h"
#include "harness/engine/start.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if_ether.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/netem.h>
#include <netlink/route/qdisc/tbf.h>
#include <netlink/route/rule.h>
#include <netlink/route/tc.h>
#include <nftables/libnftables.h>
#include <pcap/pcap.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define LINK "try0" /* the check before has made it */
#define TRY_MARK 0x2342

/* Each of these returns NULL if it works, else why not, valid until the next one. */

static const char *try_qdisc(struct nl_sock *sock, struct rtnl_qdisc *qdisc, const char *kind)
{
	struct rtnl_link *link = NULL;
	const char *why = NULL;
	int rc = rtnl_link_get_kernel(sock, 0, LINK, &link);

	if (rc)
		return nl_geterror(rc);
	rtnl_tc_set_link(TC_CAST(qdisc), link);
	rtnl_tc_set_parent(TC_CAST(qdisc), TC_H_ROOT);
	rc = rtnl_tc_set_kind(TC_CAST(qdisc), kind);
	if (!rc && !strcmp(kind, "netem")) {
		rtnl_netem_set_limit(qdisc, 1000);
		rtnl_netem_set_delay(qdisc, 1000);
	} else if (!rc) {
		rtnl_qdisc_tbf_set_rate(qdisc, 125000, 10000, 0);
		rtnl_qdisc_tbf_set_limit(qdisc, 100000);
	}
	if (!rc)
		rc = rtnl_qdisc_add(sock, qdisc, NLM_F_CREATE | NLM_F_EXCL);
	if (rc)
		why = rc == -NLE_OBJ_NOTFOUND ? "it does not know this qdisc" : nl_geterror(rc);
	else
		rtnl_qdisc_delete(sock, qdisc);
	rtnl_link_put(link);
	return why;
}

static const char *try_qdisc_kind(struct nl_sock *sock, const char *kind)
{
	struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();
	const char *why = qdisc ? try_qdisc(sock, qdisc, kind) : "out of memory";

	rtnl_qdisc_put(qdisc);
	return why;
}

static const char *try_packet_socket(void)
{
	CLEANUP_CLOSE int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	return fd < 0 ? strerror(errno) : NULL;
}

static const char *try_capture(char *buf, size_t size)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_create("any", text);
	const char *why = NULL;

	if (!pcap || pcap_activate(pcap) < 0) {
		snprintf(buf, size, "%s", pcap ? pcap_geterr(pcap) : text);
		why = buf;
	}
	if (pcap)
		pcap_close(pcap);
	return why;
}

static const char *try_rule(struct nl_sock *sock, int family)
{
	struct rtnl_rule *rule = rtnl_rule_alloc();
	int rc = rule ? 0 : -NLE_NOMEM;

	if (!rc) {
		rtnl_rule_set_family(rule, family);
		rtnl_rule_set_action(rule, FR_ACT_TO_TBL);
		rtnl_rule_set_mark(rule, TRY_MARK);
		rtnl_rule_set_table(rule, TRY_MARK);
		rc = rtnl_rule_add(sock, rule, NLM_F_CREATE | NLM_F_EXCL);
	}
	rtnl_rule_put(rule);
	return rc ? nl_geterror(rc) : NULL;
}

static const char *try_rules(struct nl_sock *sock)
{
	const char *why = try_rule(sock, AF_INET);

	return why ? why : try_rule(sock, AF_INET6);
}

/* The first line of what nft says, which is the kernel's reason. */
static const char *try_nft(const char *rules, char *buf, size_t size)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	const char *why = NULL;

	if (!nft || nft_ctx_buffer_error(nft) || nft_ctx_buffer_output(nft)) {
		why = "libnftables does not start";
	} else if (nft_run_cmd_from_buffer(nft,
					   "add table inet try\n"
					   "add chain inet try c { type filter hook prerouting priority -600; }\n") ||
		   nft_run_cmd_from_buffer(nft, rules)) {
		const char *said = nft_ctx_get_error_buffer(nft);

		snprintf(buf, size, "%.*s", (int)strcspn(said, "\n"), said);
		why = buf;
	}
	if (nft)
		nft_ctx_free(nft);
	return why;
}

/* A process of our own is limited, and ended. */
static const char *try_quota(char *buf, size_t size)
{
	struct cgroup_tree tree;
	struct cgroup_leaf leaf = {.dirfd = -1};
	struct err err = {0};
	pid_t pid;
	int r = cgroup_tree_make(&tree, &err);

	if (!r) {
		r = cgroup_leaf_make(&tree, "try", &leaf, &err);
		pid = r ? -1 : fork();
		if (!pid)
			_exit(cgroup_leaf_enter(&leaf) || cgroup_leaf_limit(&leaf, MSEC, 100 * MSEC));
		if (!r && (pid < 0 || waitpid(pid, &r, 0) < 0 || r))
			err_set(&err, -EPERM, LOC_NONE, "a process cannot be given a quota");
		cgroup_leaf_close(&leaf);
		(void)cgroup_tree_remove(&tree);
		cgroup_tree_close(&tree);
	}
	snprintf(buf, size, "%.100s", err.text);
	return err.code ? buf : NULL;
}

/* A link from a namespace of its own into the lab's, and a packet socket on it. Leaves the process there: comes last. */
static const char *try_relay(void)
{
	CLEANUP_CLOSE int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct rtnl_link *link, *peer;
	struct nl_sock *sock;
	int rc;

	if (home < 0 || unshare(CLONE_NEWNET))
		return strerror(errno);
	sock = nl_socket_alloc();
	link = rtnl_link_veth_alloc();
	rc = sock && link ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;
	if (!rc) {
		peer = rtnl_link_veth_get_peer(link);
		rtnl_link_set_name(link, "x1");
		rtnl_link_set_name(peer, "d1");
		rtnl_link_set_ns_fd(peer, home);
		rtnl_link_put(peer);
		rc = rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL);
	}
	rtnl_link_put(link);
	nl_socket_free(sock);
	return rc ? nl_geterror(rc) : try_packet_socket();
}

static const char *try_one(struct nl_sock *sock, enum ability ability, char *buf, size_t size)
{
	switch (ability) {
	case ABILITY_NETEM:
		return try_qdisc_kind(sock, "netem");
	case ABILITY_TBF:
		return try_qdisc_kind(sock, "tbf");
	case ABILITY_PACKET_SOCKET:
		return try_packet_socket();
	case ABILITY_CAPTURE:
		return try_capture(buf, size);
	case ABILITY_POLICY_ROUTING:
		return try_rules(sock);
	case ABILITY_NFT_REJECT:
		return try_nft("add rule inet try c udp dport 53 reject with icmpx type port-unreachable\n"
			       "add rule inet try c meta l4proto tcp reject with tcp reset\n",
			       buf, size);
	case ABILITY_NFT_LIMIT:
		return try_nft("add rule inet try c limit rate over 10/second burst 5 packets drop\n", buf, size);
	case ABILITY_NFT_CT:
		return try_nft("add rule inet try c ct state established accept\n", buf, size);
	case ABILITY_NFT_NUMGEN:
		return try_nft("add rule inet try c numgen random mod 100 < 10 drop\n", buf, size);
	case ABILITY_CPU_QUOTA:
		return try_quota(buf, size);
	case ABILITY_RELAY:
		return try_relay();
	case ABILITY_COUNT:
		break;
	}
	return "nobody knows how to try it";
}

void abilities_try(struct abilities *ret)
{
	struct nl_sock *sock = nl_socket_alloc();
	char buf[sizeof(ret->why[0])];

	*ret = (struct abilities){0};
	if (!sock || nl_connect(sock, NETLINK_ROUTE)) {
		nl_socket_free(sock);
		return;
	}
	for (int pass = 0; pass < 2; pass++) {
		for (enum ability i = 0; i < ABILITY_COUNT; i++) {
			const char *why;

			if ((i == ABILITY_RELAY) != (pass == 1))
				continue;
			why = try_one(sock, i, buf, sizeof(buf));
			ret->has[i] = !why;
			snprintf(ret->why[i], sizeof(ret->why[i]), "%s", why ? why : "");
		}
	}
	nl_socket_free(sock);
}
