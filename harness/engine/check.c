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

static int try_all(void *arg)
{
	const int *fd = arg;
	struct err err = {0};
	int rc = try_links(&err);

	if (!rc)
		rc = try_sysctl(&err);
	if (!rc)
		rc = try_nft(&err);
	return fd_write_all(*fd, &err, sizeof(err)) ? 1 : 0;
}

static int take_result(int fd, const struct engine_proc *proc, struct err *err)
{
	struct err result;
	ssize_t n;

	do
		n = read(fd, &result, sizeof(result)); /* smaller than PIPE_BUF: it comes whole */
	while (n < 0 && errno == EINTR);
	while (waitpid(proc->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != (ssize_t)sizeof(result))
		return err_set(err, -ECHILD, LOC_NONE, "the process that tries out a lab died");
	if (result.code)
		*err = result;
	return result.code;
}

int engine_netns_check(enum engine_way *ret_way, struct err *err)
{
	struct engine_proc proc;
	enum engine_way way;
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC))
		return err_set(err, -errno, LOC_NONE, "making a pipe: %s", strerror(errno));
	rc = engine_start_any(try_all, &fds[1], false, &proc, &way, err);
	close(fds[1]);
	if (!rc) {
		rc = take_result(fds[0], &proc, err);
		close(proc.alive_fd);
	}
	close(fds[0]);
	if (rc)
		return rc;
	if (ret_way)
		*ret_way = way;
	return 0;
}
