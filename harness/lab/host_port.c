/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/lab/internal.h"
#include <errno.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <string.h>

/* In the host's network namespace. A table for each port: taking it away needs no look at what is there. */
static int change_table(int port, bool on, struct err *err)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	char rules[320], name[32];
	int r = 0;

	snprintf(name, sizeof(name), "inet dnsdrill_%d", port);
	if (on)
		snprintf(rules, sizeof(rules),
			 "add table %s\ndelete table %s\nadd table %s\n"
			 "add chain %s c { type filter hook input priority 0; }\n"
			 "add rule %s c iif lo tcp dport %d reject with tcp reset\n",
			 name, name, name, name, name, port);
	else
		snprintf(rules, sizeof(rules), "add table %s\ndelete table %s\n", name, name);
	if (!nft || nft_ctx_buffer_error(nft) || nft_ctx_buffer_output(nft))
		r = err_set(err, -ENOMEM, LOC_NONE, "libnftables does not start");
	else if (nft_run_cmd_from_buffer(nft, rules))
		r = err_set(err, -EIO, LOC_NONE, "nft: %s", nft_ctx_get_error_buffer(nft));
	if (nft)
		nft_ctx_free(nft);
	return r;
}

int host_port_refuse(struct host *host, int port, bool on, struct err *err)
{
	int r;

	if (setns(host->net_fd, CLONE_NEWNET))
		return err_set(err, -errno, LOC_NONE, "entering host %s: %s", host->topo->name, strerror(errno));
	r = change_table(port, on, err);
	home_return_net(host->home);
	return r;
}
