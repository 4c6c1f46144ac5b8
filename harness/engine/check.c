/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/fd.h"
#include "harness/engine/start.h"
#include <errno.h>
#include <fcntl.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/wait.h>

static int try_veth(struct nl_sock *sock, struct err *err)
{
	struct rtnl_link *link = rtnl_link_veth_alloc();
	int rc;

	if (!link)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	rtnl_link_set_name(link, "try0");
	rtnl_link_set_name(rtnl_link_veth_get_peer(link), "try1");
	rc = rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_veth_release(link);
	if (rc)
		return err_set(err, -EOPNOTSUPP, LOC_NONE,
			       "making a veth pair: %s\n  The kernel needs CONFIG_VETH (sudo modprobe veth)",
			       nl_geterror(rc));
	return 0;
}

static int try_links(struct err *err)
{
	struct nl_sock *sock = nl_socket_alloc();
	int rc;

	if (!sock || nl_connect(sock, NETLINK_ROUTE))
		rc = err_set(err, -EPROTONOSUPPORT, LOC_NONE, "no netlink in the new network namespace");
	else
		rc = try_veth(sock, err);
	nl_socket_free(sock);
	return rc;
}

/* With a chain and a rule, so that a kernel with half of nftables is found out here. */
static int try_nft(struct err *err)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	int rc = 0;

	if (!nft || nft_ctx_buffer_error(nft) || nft_ctx_buffer_output(nft))
		rc = err_set(err, -ENOMEM, LOC_NONE, "libnftables does not start");
	else if (nft_run_cmd_from_buffer(nft, "add table inet dnsdrill\n"
					      "add chain inet dnsdrill try { type filter hook forward priority 0; }\n"
					      "add rule inet dnsdrill try ip daddr 192.0.2.1 counter drop\n"))
		rc = err_set(err, -EOPNOTSUPP, LOC_NONE,
			     "making nftables rules: %s\n  The kernel needs CONFIG_NF_TABLES and NF_TABLES_INET "
			     "(sudo modprobe nf_tables)",
			     nft_ctx_get_error_buffer(nft));
	if (nft)
		nft_ctx_free(nft);
	return rc;
}

static int try_sysctl(struct err *err)
{
	static const char path[] = "/proc/sys/net/ipv4/ip_forward";
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) < 0)
		return err_set(err, -errno, LOC_NONE,
			       "writing %s: %s\n  A container that mounts /proc/sys read-only "
			       "needs --privileged or --security-opt systempaths=unconfined",
			       path, strerror(errno));
	return 0;
}

struct trial {
	int fd; /* where the outcome goes */
	bool wants_abilities;
};

struct outcome {
	struct err err;
	struct abilities abilities;
};

static int try_all(void *arg)
{
	const struct trial *trial = arg;
	struct outcome outcome = {0};
	int rc = try_links(&outcome.err);

	if (!rc)
		rc = try_sysctl(&outcome.err);
	if (!rc)
		rc = try_nft(&outcome.err);
	if (!rc && trial->wants_abilities)
		abilities_try(&outcome.abilities);
	return fd_write_all(trial->fd, &outcome, sizeof(outcome)) ? 1 : 0;
}

static int take_outcome(int fd, const struct engine_proc *proc, struct outcome *ret, struct err *err)
{
	struct outcome outcome = {0};
	size_t got = 0;
	ssize_t n = 1;

	while (got < sizeof(outcome) && n) {
		n = read(fd, (char *)&outcome + got, sizeof(outcome) - got);
		if (n < 0 && errno != EINTR)
			break;
		got += n > 0 ? (size_t)n : 0;
	}
	while (waitpid(proc->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (got != sizeof(outcome))
		return err_set(err, -ECHILD, LOC_NONE, "the process that tries out a lab died");
	if (outcome.err.code)
		*err = outcome.err;
	else
		*ret = outcome;
	return outcome.err.code;
}

static int try_out(bool wants_abilities, struct outcome *ret, enum engine_way *ret_way, struct err *err)
{
	struct trial trial = {.wants_abilities = wants_abilities};
	struct engine_proc proc;
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC))
		return err_set(err, -errno, LOC_NONE, "making a pipe: %s", strerror(errno));
	trial.fd = fds[1];
	rc = engine_start_any(try_all, &trial, false, &proc, ret_way, err);
	close(fds[1]);
	if (!rc) {
		rc = take_outcome(fds[0], &proc, ret, err);
		close(proc.alive_fd);
	}
	close(fds[0]);
	return rc;
}

int engine_netns_check(enum engine_way *ret_way, struct err *err)
{
	struct outcome outcome;
	enum engine_way way;
	int rc = try_out(false, &outcome, &way, err);

	if (!rc && ret_way)
		*ret_way = way;
	return rc;
}

int engine_netns_abilities(struct abilities *ret, struct err *err)
{
	struct outcome outcome;
	int rc = try_out(true, &outcome, NULL, err);

	if (!rc)
		*ret = outcome.abilities;
	return rc;
}
