/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel can do beyond what every lab needs: tried for real by the engine (engine/abilities.c), asked by injectors, shown by `dnsdrill doctor`.
 * One line each: name, what it is, what is lost without it, how to get it.
 */
#pragma once
#include "harness/base/err.h"
#include <stdbool.h>

#define ABILITIES(X)                                                                                                   \
	X(NETEM, "netem", "the kernel's network emulator, a qdisc",                                                    \
	  "backend: netem; shaping faults use dnsdrill's own relay instead",                                           \
	  "a kernel with CONFIG_NET_SCH_NETEM (sudo modprobe sch_netem; Fedora: the package kernel-modules-extra)")    \
	X(TBF, "tbf", "the kernel's token bucket, a qdisc",                                                            \
	  "rate faults with backend: netem; the others use dnsdrill's own relay",                                      \
	  "a kernel with CONFIG_NET_SCH_TBF (sudo modprobe sch_tbf)")                                                  \
	X(PACKET_SOCKET, "packet-socket", "AF_PACKET sockets in a lab", "the relay behind shaping faults",             \
	  "a kernel with CONFIG_PACKET (sudo modprobe af_packet)")                                                     \
	X(CAPTURE, "capture", "libpcap on every link of a lab at once",                                                \
	  "dnsdrill run: capture.pcap backs its numbers", "a kernel with CONFIG_PACKET (sudo modprobe af_packet)")     \
	X(RELAY, "relay", "a network namespace within the lab, links into it, packet sockets on them",                 \
	  "shaping faults on kernels without netem; faults in messages: dns",                                          \
	  "a kernel with CONFIG_NET_NS, CONFIG_VETH and CONFIG_PACKET")                                                \
	X(POLICY_ROUTING, "policy-routing", "routing by packet mark, both families",                                   \
	  "every fault that shapes: latency, loss, reorder, duplicate, corrupt, rate in bits; faults in messages: "    \
	  "dns",                                                                                                       \
	  "a kernel with CONFIG_IP_MULTIPLE_TABLES and CONFIG_IPV6_MULTIPLE_TABLES")                                   \
	X(NFT_REJECT, "nft-reject", "nftables' reject, both families", "the fault reject",                             \
	  "a kernel with CONFIG_NFT_REJECT_INET (sudo modprobe nft_reject_inet)")                                      \
	X(NFT_LIMIT, "nft-limit", "nftables' limit", "rate faults in packets",                                         \
	  "a kernel with CONFIG_NFT_LIMIT (sudo modprobe nft_limit)")                                                  \
	X(NFT_CT, "nft-ct", "nftables' connection tracking", "faults that know connections",                           \
	  "a kernel with CONFIG_NFT_CT and CONFIG_NF_CONNTRACK (sudo modprobe nft_ct)")                                \
	X(CPU_QUOTA, "cpu-quota", "a cgroup with a quota of the processor's time (cpu.max)",                           \
	  "backend: cgroup of the fault cpu; without that it stops and continues the server's processes",              \
	  "start dnsdrill as root, or in a cgroup of your own: systemd-run --user --scope -p Delegate=yes dnsdrill …") \
	X(NFT_NUMGEN, "nft-numgen", "nftables' random numbers", "random choices made by nftables",                     \
	  "a kernel with CONFIG_NFT_NUMGEN (sudo modprobe nft_numgen)")

#define ABILITY_ENUM(upper, name, what, lost, how) ABILITY_##upper,
enum ability { ABILITIES(ABILITY_ENUM) ABILITY_COUNT };
#undef ABILITY_ENUM

struct ability_info {
	const char *name, *what, *lost, *how;
};
extern const struct ability_info ability_infos[ABILITY_COUNT];

struct abilities {
	bool has[ABILITY_COUNT];
	char why[ABILITY_COUNT][160]; /* what the kernel said where it has not */
};

/* abilities NULL: none. */
bool ability_has(const struct abilities *abilities, enum ability ability);

/* 0, or -EOPNOTSUPP at loc: "<who> needs <name> (<what>), which this kernel has not: <why>. Ways out: <how>; <otherwise>". otherwise, what else the plan could say,
 * may be NULL. */
int ability_demand(const struct abilities *abilities, enum ability ability, struct loc loc, const char *who,
		   const char *otherwise, struct err *err);
