/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What shaping does to packets, and the deciding of it: parameters, random state, the moment and the packet's size in; which copies go out when, and
 * which of their bits is flipped, out. Pure: no clock, no socket. The relay does what is decided here; the kernel's netem and tbf do the same from
 * the same parameters (injectors/netem.h).
 *
 * Where netem's own numbers are not what they seem, what the plan says wins:
 * - Correlated loss keeps its share: it is a chain of two states that holds its last outcome with the chance `correlation` and else draws anew.
 *   netem takes that chain as its gemodel.
 * - Correlated delays keep their distribution: their normal scores follow each other (a Gaussian copula). netem has nothing like it.
 * - A flipped bit lies behind the IP header, so that it is the payload's checksums that catch it, or do not. netem flips any bit, headers included.
 */
#pragma once
#include "harness/base/rng.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How jitter spreads around the delay. Uniform: jitter is the half width. Else it is the scale (of the normal, the standard deviation), and all are cut at four
 * times it, like iproute2's tables. */
enum shape_distribution { SHAPE_UNIFORM, SHAPE_NORMAL, SHAPE_PARETO, SHAPE_PARETONORMAL };

/* Gilbert-Elliott: the chances per packet of going from the good state to the bad and back, and of losing a packet in each. */
struct shape_bursts {
	int64_t enter_ppm, leave_ppm, loss_good_ppm, loss_bad_ppm;
};

/* Only int64_t, so that it can be handed over word by word while the relay runs. All zeroes: packets pass. */
struct shape {
	int64_t delay_ns, jitter_ns, distribution, correlation_ppm;
	int64_t loss_ppm, loss_correlation_ppm; /* random loss */
	int64_t loss_every; /* every Nth; 0: not */
	struct shape_bursts bursts; /* all zero: none */
	int64_t duplicate_ppm, corrupt_ppm;
	int64_t reorder_ppm,
		reorder_gap; /* of every gap-th packet, that share goes at once, the others after the delay */
	int64_t rate_bits; /* per second, of whole frames; 0: no limit */
	int64_t burst_bytes, limit_bytes; /* of the token bucket; of what waits for tokens */
};

/* The shape at progress_ppm of its magnitude: delays, shares and the rate of bursts grow by straight lines, a limit of the rate comes down from infinity as 1/progress. */
struct shape shape_scaled(const struct shape *full, int64_t progress_ppm);

/* The chain that random loss and bursts both are. */
struct shape_bursts shape_chain(const struct shape *shape);

/* The distribution at the normal score z, in units of the jitter: of a standard normal z, a draw from it. */
double shape_spread(enum shape_distribution distribution, double z);

struct shape_state {
	struct rng rng;
	bool is_bad; /* of the chain */
	int64_t kept; /* packets since every Nth was lost */
	int64_t waited; /* packets since one was let go at once */
	double z; /* the last delay's normal score */
	bool has_z;
	int64_t bucket_ns; /* the bucket was empty then, and has filled since */
	int64_t departure_ns; /* of the last packet that took tokens */
};

struct shape_state shape_begin(uint64_t seed);

struct shape_copy {
	int64_t send_ns; /* not before now */
	int64_t flip_bit; /* of the payload; -1: none */
};

enum { SHAPE_COPIES_MAX = 2 };

struct shape_fate {
	size_t count; /* 0: lost, or the queue was full */
	struct shape_copy copies[SHAPE_COPIES_MAX];
	bool is_lost, is_reordered;
	size_t overflowed; /* copies that the queue had no room for */
};

/* len: of the frame, with its Ethernet header, as tbf counts. payload_len: octets behind the IP header. */
void shape_decide(const struct shape *shape, struct shape_state *state, int64_t now_ns, size_t len, size_t payload_len,
		  struct shape_fate *ret);

/* Where what is behind the IP header begins in an Ethernet frame; len if there is nothing, or no IP. IPv6 extension headers count as payload. */
size_t shape_payload(const unsigned char *frame, size_t len);
