/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages are put together with libnl, for libnl-route knows neither Gilbert-Elliott nor delays finer than a microsecond.
 */
#include "injectors/netem.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <math.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/tc.h>

#include "harness/base/macro.h"
#include "harness/base/units.h"

#define NETEM_LIMIT 200000 /* packets; netem's default of 1,000 would lose some where delays are long */
#define TABLE_SIZE 4096 /* of a distribution; two octets each */
#define MESSAGE_BYTES (4 * TABLE_SIZE) /* with room for the rest */
#define TBF_UNLIMITED INT64_C(12500000000) /* bytes per second, for a rate that has not begun to shrink */

bool netem_can(const struct shape *shape)
{
	return !shape->loss_every && !shape->correlation_ppm;
}

/* A share as netem has it: of 2^32 - 1. */
static uint32_t chance(int64_t share_ppm)
{
	return (uint32_t)((uint64_t)share_ppm * UINT32_MAX / (uint64_t)PPM_ONE);
}

/* The normal score with that share of draws below it, by halving. */
static double score(double share)
{
	double low = -10, high = 10;

	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;

		if (erfc(-middle / M_SQRT2) / 2 < share)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The distribution by its quantiles; the kernel draws one of them. */
static int put_distribution(struct nl_msg *msg, enum shape_distribution distribution)
{
	int16_t table[TABLE_SIZE];

	for (size_t i = 0; i < TABLE_SIZE; i++) {
		double value = shape_spread(distribution, score(((double)i + 0.5) / TABLE_SIZE)) * NETEM_DIST_SCALE;

		table[i] = (int16_t)fmin(INT16_MAX, rint(value));
	}
	return nla_put(msg, TCA_NETEM_DELAY_DIST, sizeof(table), table);
}

static int put_loss(struct nl_msg *msg, const struct shape *shape)
{
	struct shape_bursts chain = shape_chain(shape);
	struct tc_netem_gemodel model = {
		.p = chance(chain.enter_ppm),
		.r = chance(chain.leave_ppm),
		.h = UINT32_MAX - chance(chain.loss_bad_ppm), /* passes, in the bad state */
		.k1 = chance(chain.loss_good_ppm),
	};
	struct nlattr *nest = nla_nest_start(msg, TCA_NETEM_LOSS);

	if (!nest || nla_put(msg, NETEM_LOSS_GE, sizeof(model), &model))
		return -NLE_NOMEM;
	return nla_nest_end(msg, nest);
}

/* Independent losses need no model. */
static bool is_plain_loss(const struct shape *shape)
{
	return !shape->bursts.enter_ppm && !shape->bursts.loss_good_ppm && !shape->loss_correlation_ppm;
}

/* The options begin with a struct, and attributes follow in the same one. */
static int put_netem(struct nl_msg *msg, const struct shape *shape)
{
	struct tc_netem_qopt base = {
		.limit = NETEM_LIMIT,
		.loss = is_plain_loss(shape) ? chance(shape->loss_ppm) : 0,
		.duplicate = chance(shape->duplicate_ppm),
		.gap = shape->reorder_ppm ? (uint32_t)shape->reorder_gap : 0,
	};
	struct tc_netem_reorder reorder = {.probability = chance(shape->reorder_ppm)};
	struct tc_netem_corrupt corrupt = {.probability = chance(shape->corrupt_ppm)};
	int rc = nlmsg_append(msg, &base, sizeof(base), NLA_ALIGNTO);

	if (!rc)
		rc = nla_put(msg, TCA_NETEM_LATENCY64, sizeof(int64_t), &shape->delay_ns);
	if (!rc)
		rc = nla_put(msg, TCA_NETEM_JITTER64, sizeof(int64_t), &shape->jitter_ns);
	if (!rc)
		rc = nla_put(msg, TCA_NETEM_REORDER, sizeof(reorder), &reorder);
	if (!rc)
		rc = nla_put(msg, TCA_NETEM_CORRUPT, sizeof(corrupt), &corrupt);
	if (!rc && shape->jitter_ns && shape->distribution != SHAPE_UNIFORM)
		rc = put_distribution(msg, (enum shape_distribution)shape->distribution);
	if (!rc && !is_plain_loss(shape))
		rc = put_loss(msg, shape);
	return rc;
}

static int put_tbf(struct nl_msg *msg, const struct shape *shape)
{
	uint64_t rate = (uint64_t)(shape->rate_bits ? (shape->rate_bits + 7) / 8 : TBF_UNLIMITED);
	uint32_t burst = (uint32_t)shape->burst_bytes;
	struct tc_tbf_qopt base = {
		.rate = {.linklayer = TC_LINKLAYER_ETHERNET, .rate = rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX},
		.limit = (uint32_t)shape->limit_bytes,
	};
	int rc = nla_put(msg, TCA_TBF_PARMS, sizeof(base), &base);

	if (!rc)
		rc = nla_put(msg, TCA_TBF_BURST, sizeof(burst), &burst);
	if (!rc && rate >= UINT32_MAX)
		rc = nla_put(msg, TCA_TBF_RATE64, sizeof(rate), &rate);
	return rc;
}

static bool is_rate(const struct shape *shape)
{
	return shape->burst_bytes > 0;
}

static int fill(struct nl_msg *msg, int ifindex, const struct shape *shape)
{
	struct tcmsg head = {.tcm_family = AF_UNSPEC, .tcm_ifindex = ifindex, .tcm_parent = TC_H_ROOT};
	struct nlattr *options;
	int rc = nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO);

	if (!rc)
		rc = nla_put_string(msg, TCA_KIND, is_rate(shape) ? "tbf" : "netem");
	options = rc ? NULL : nla_nest_start(msg, TCA_OPTIONS);
	if (!options)
		return -NLE_NOMEM;
	rc = is_rate(shape) ? put_tbf(msg, shape) : put_netem(msg, shape);
	return rc ? rc : nla_nest_end(msg, options);
}

static int failed(int rc, const char *what, const char *ifname, struct err *err)
{
	bool is_unknown = rc == -NLE_OBJ_NOTFOUND;

	return err_set(err, is_unknown ? -EOPNOTSUPP : -EIO, LOC_NONE, "%s at the link %s: %s", what, ifname,
		       is_unknown ? "this kernel does not have it" : nl_geterror(rc));
}

static int connect_sock(struct nl_sock **ret)
{
	struct nl_sock *sock = nl_socket_alloc();
	int rc = sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;

	if (rc)
		nl_socket_free(sock);
	else
		*ret = sock;
	return rc;
}

static int send_msg(struct nl_msg *msg)
{
	struct nl_sock *sock;
	int rc = connect_sock(&sock);

	if (rc)
		return rc;
	rc = nl_send_auto(sock, msg);
	if (rc >= 0)
		rc = nl_wait_for_ack(sock);
	nl_socket_free(sock);
	return rc;
}

int netem_set(const char *ifname, const struct shape *shape, struct err *err)
{
	const char *what = is_rate(shape) ? "putting the qdisc tbf" : "putting the qdisc netem";
	int ifindex = (int)if_nametoindex(ifname), rc = -NLE_NOMEM;
	struct nl_msg *msg;

	if (!ifindex)
		return err_set(err, -errno, LOC_NONE, "%s at the link %s: there is no such link", what, ifname);
	msg = nlmsg_alloc_size(MESSAGE_BYTES);
	if (msg && nlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, RTM_NEWQDISC, 0, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK))
		rc = fill(msg, ifindex, shape);
	if (!rc)
		rc = send_msg(msg);
	nlmsg_free(msg); /* takes NULL */
	return rc ? failed(rc, what, ifname, err) : 0;
}

static struct netem_counters stats_of(struct rtnl_qdisc *qdisc)
{
	struct rtnl_tc *tc = TC_CAST(qdisc);

	return (struct netem_counters){
		.sent_packets = (int64_t)rtnl_tc_get_stat(tc, RTNL_TC_PACKETS),
		.sent_bytes = (int64_t)rtnl_tc_get_stat(tc, RTNL_TC_BYTES),
		.waiting = (int64_t)rtnl_tc_get_stat(tc, RTNL_TC_QLEN),
		.dropped = (int64_t)rtnl_tc_get_stat(tc, RTNL_TC_DROPS),
		.requeued = (int64_t)rtnl_tc_get_stat(tc, RTNL_TC_REQUEUES),
		.overlimits = (int64_t)rtnl_tc_get_stat(tc, RTNL_TC_OVERLIMITS),
	};
}

int netem_counters(const char *ifname, struct netem_counters *ret, struct err *err)
{
	struct nl_cache *cache = NULL;
	struct rtnl_qdisc *qdisc;
	struct nl_sock *sock;
	int rc = connect_sock(&sock);

	if (rc)
		return failed(rc, "reading the qdisc", ifname, err);
	rc = rtnl_qdisc_alloc_cache(sock, &cache);
	nl_socket_free(sock);
	if (rc)
		return failed(rc, "reading the qdisc", ifname, err);
	qdisc = rtnl_qdisc_get_by_parent(cache, (int)if_nametoindex(ifname), TC_H_ROOT);
	if (qdisc) {
		*ret = stats_of(qdisc);
		rtnl_qdisc_put(qdisc);
	}
	nl_cache_free(cache);
	return qdisc ? 0 : err_set(err, -ENOENT, LOC_NONE, "the qdisc at the link %s is gone", ifname);
}

struct netem_counters netem_since(const struct netem_counters *now, const struct netem_counters *before)
{
	return (struct netem_counters){
		.sent_packets = now->sent_packets - before->sent_packets,
		.sent_bytes = now->sent_bytes - before->sent_bytes,
		.waiting = now->waiting,
		.dropped = now->dropped - before->dropped,
		.requeued = now->requeued - before->requeued,
		.overlimits = now->overlimits - before->overlimits,
	};
}

static void add_time(struct buf *out, int64_t ns)
{
	if (ns % MSEC == 0)
		buf_printf(out, " %" PRId64 "ms", ns / MSEC);
	else
		buf_printf(out, " %" PRId64 "us", ns / NSEC_PER_USEC);
}

static void add_share(struct buf *out, const char *word, int64_t share_ppm)
{
	char text[32];

	buf_printf(out, " %s%s", word, units_format_share(share_ppm, text, sizeof(text)));
}

static void add_delay(struct buf *out, const struct shape *shape)
{
	static const char *const names[] = {"uniform", "normal", "pareto", "paretonormal"};

	buf_puts(out, " delay");
	add_time(out, shape->delay_ns);
	if (!shape->jitter_ns)
		return;
	add_time(out, shape->jitter_ns);
	if (shape->correlation_ppm)
		add_share(out, "", shape->correlation_ppm);
	if (shape->distribution != SHAPE_UNIFORM)
		buf_printf(out, " distribution %s", names[shape->distribution]);
}

static void add_loss(struct buf *out, const struct shape *shape)
{
	struct shape_bursts chain = shape_chain(shape);

	if (is_plain_loss(shape)) {
		add_share(out, "loss random ", shape->loss_ppm);
		return;
	}
	add_share(out, "loss gemodel ", chain.enter_ppm);
	add_share(out, "", chain.leave_ppm);
	add_share(out, "", chain.loss_bad_ppm);
	add_share(out, "", chain.loss_good_ppm);
}

void netem_command(const char *ifname, const struct shape *shape, struct buf *out)
{
	buf_printf(out, "tc qdisc replace dev %s root ", ifname);
	if (is_rate(shape)) {
		buf_printf(out, "tbf rate %" PRId64 "bit burst %" PRId64 "b limit %" PRId64 "b\n", shape->rate_bits,
			   shape->burst_bytes, shape->limit_bytes);
		return;
	}
	buf_printf(out, "netem limit %d", NETEM_LIMIT);
	if (shape->delay_ns)
		add_delay(out, shape);
	if (shape->loss_ppm || !is_plain_loss(shape))
		add_loss(out, shape);
	if (shape->duplicate_ppm)
		add_share(out, "duplicate ", shape->duplicate_ppm);
	if (shape->corrupt_ppm)
		add_share(out, "corrupt ", shape->corrupt_ppm);
	if (shape->reorder_ppm) {
		add_share(out, "reorder ", shape->reorder_ppm);
		buf_printf(out, " gap %" PRId64, shape->reorder_gap);
	}
	buf_puts(out, "\n");
}
