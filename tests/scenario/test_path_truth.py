#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What shaping faults really do to packets, from capture.pcap alone: each as it came in from its sender before the damage, and as it came out behind it.

Statistics. Bounds are where a fault that does what it says lands with all but one in a million seeds for each number compared (two-sided z test, 4.9
standard deviations; none of the 20 numbers or so then fails for more than one seed in 50,000), and the seed is fixed, so that the test does not
flicker. Deviations: of a share p of n packets sqrt(p (1 - p) / n); of a mean σ / sqrt(n); of a normal's standard deviation σ / sqrt(2 n); of a mean
length of bursts that end with the chance r, sqrt(1 - r) / r / sqrt(bursts). To times, what the machine may add is granted besides:
LATE_MS to means, and to spreads what it adds when some packets are late.
"""
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import pcap  # noqa: E402

SIGMAS = 4.9
PACKETS = 2000  # at least
LATE_MS = 2.0  # on a busy machine; an idle one adds 0.03
SEED = "1"

ZONE = """\
$ORIGIN example.com.
$TTL 5
@        IN SOA ns1.alpha-dns.net. hostmaster.example.com. 1 3600 600 86400 5
@        IN NS  ns1.alpha-dns.net.
*.fresh  IN A   192.0.2.81
"""

# Probes ask the nameserver straight, each question with a name of its own: that is how a packet is known again.
PLAN = """\
plan: 1
name: Truth
seed: {seed}
lab:
  zones:
    example.com: {{file: example.com.zone}}
  providers:
    alpha:
      nameservers:
        ns1: {{hostname: ns1.alpha-dns.net, address: [192.0.2.1, "2001:db8:1::1"], server: knot}}
  resolvers:
    r1: {{address: 203.0.113.53, server: unbound}}
  clients:
    office: {{resolvers: [r1]}}
recovery: 500ms
baseline: 0%
probes:
{probes}
timeline:
{faults}
"""
PROBE = "  {name}: {{from: office, via: alpha.ns1, query: fresh.example.com A, unique: true, every: {every}, timeout: 1s}}"
FAULT = "  - {{at: 200ms, for: {seconds}s, target: alpha.ns1, protocol: udp, direction: to, name: {name}, {what}}}"


class Sent:
    """One question: when it came to the core, and each time it left the damage."""

    def __init__(self, packet):
        self.before, self.after = packet, []


class Truth:
    """A drill, its packets to the nameserver's port 53 while the faults stood, by question; in the order in which they came."""

    def __init__(self, faults, seconds=5, probes=1, every="2ms"):
        text = PLAN.format(seed=SEED,
                           probes="\n".join(PROBE.format(name=f"p{i}", every=every) for i in range(probes)),
                           faults="\n".join(FAULT.format(seconds=seconds, name=f"f{i}", what=what)
                                            for i, what in enumerate(faults)))
        self.result = drill.drill(drill.write_plan(text, **{"example.com.zone": ZONE}))
        self.faults = self.result.json()["faults"]
        self.offset = self.result.events("capture.start")[0]["wall_minus_t_ns"]
        self.office = self.link("office")
        self.server = self.link("alpha.ns1")
        self.sent, self.arrivals, self.broken = self.read()

    def link(self, name):
        return next(event["ifindex"] for event in self.result.events("lab.host") if event["host"] == name)

    def read(self):
        """Questions by when they were sent; every packet behind the last damage, in order; those of them that no question matches."""
        begin = max(fault["applied_ns"] for fault in self.faults) + self.offset
        end = min(fault["reverted_ns"] for fault in self.faults) + self.offset - 500 * 10**6  # what comes later may not be out yet
        sent, arrivals, broken = {}, [], []
        for packet in pcap.packets(self.result.path("capture.pcap")):
            if packet.protocol != pcap.UDP or packet.target != "192.0.2.1":
                continue
            if packet.ifindex == self.office and not packet.outgoing and begin <= packet.wall_ns <= end:
                sent[packet.source_port, packet.payload] = Sent(packet)
            elif packet.ifindex == self.server and packet.outgoing:
                question = sent.get((packet.source_port, packet.payload))
                if question:
                    question.after.append(packet)
                    arrivals.append((packet, question))
                elif packet.wall_ns >= begin:
                    broken.append(packet)
        return list(sent.values()), arrivals, broken

    def delays_ms(self):
        return [(packet.wall_ns - question.before.wall_ns) / 1e6 for question in self.sent for packet in question.after]


def share_near(hits, count, share):
    assert count >= PACKETS, f"only {count} packets"
    bound = SIGMAS * math.sqrt(share * (1 - share) / count)
    assert abs(hits / count - share) <= bound, f"{hits} of {count} is not {share:.1%} ± {bound:.1%}"


def moments(values):
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def proves_itself(truth, packets=0, least=0):
    """The fault says it took effect, and by how many packets: those the capture shows, and those of the end that read() leaves out, a tenth of them all."""
    for fault in truth.faults:
        effect = fault["effect"]
        assert effect["took_effect"] and effect["packets"] >= max(packets, least), (fault, packets, least)
        assert not packets or effect["packets"] <= packets * 1.4, (fault, packets)


@drill.case
def delay_of_100_ms_and_20_normal_is_that():
    truth = Truth(["fault: latency, delay: 100ms, jitter: 20ms, distribution: normal"])
    delays = truth.delays_ms()
    assert len(delays) >= PACKETS and len(delays) == len(truth.sent), (len(delays), len(truth.sent))
    mean, spread = moments(delays)
    bound = SIGMAS * 20 / math.sqrt(len(delays))
    assert 100 - bound <= mean <= 100 + bound + LATE_MS, f"mean {mean:.3f} ms is not 100 ± {bound:.3f}"
    bound = SIGMAS * 20 / math.sqrt(2 * len(delays))
    assert abs(spread - 20) <= bound + LATE_MS / 4, f"spread {spread:.3f} ms is not 20 ± {bound:.3f}"
    for sigmas, share in ((1, 0.6827), (2, 0.9545)):  # a normal's, not another's of that spread
        share_near(sum(abs(delay - mean) <= 20 * sigmas for delay in delays), len(delays), share)


@drill.case
def delay_without_jitter_is_the_same_for_all():
    truth = Truth(["fault: latency, delay: 50ms"])
    delays = sorted(truth.delays_ms())
    assert len(delays) >= PACKETS and len(delays) == len(truth.sent)
    assert delays[0] >= 49.99, delays[0]  # the captures' stamps are not the relay's
    assert delays[len(delays) // 2] <= 50 + LATE_MS, delays[len(delays) // 2]
    assert [question for _, question in truth.arrivals] == truth.sent, "order is not kept"


@drill.case
def loss_of_30_percent_is_that():
    truth = Truth(["fault: loss, share: 30%"])
    lost = sum(not question.after for question in truth.sent)
    share_near(lost, len(truth.sent), 0.3)
    proves_itself(truth, packets=lost)


@drill.case
def correlated_loss_is_as_much_in_runs():
    truth = Truth(["fault: loss, share: 30%, correlation: 50%"])
    lost = [not question.after for question in truth.sent]
    share, fewer = sum(lost) / len(lost), (1 + 0.5) / (1 - 0.5)  # draws that follow each other count for fewer
    bound = SIGMAS * math.sqrt(0.3 * 0.7 * fewer / len(lost))
    assert len(lost) >= PACKETS and abs(share - 0.3) <= bound, (share, bound)
    burst_length_near(lost, 0.7 * 0.5)


def burst_length_near(lost, leave):
    bursts = sum(is_lost and (i == 0 or not lost[i - 1]) for i, is_lost in enumerate(lost))
    mean = sum(lost) / bursts
    bound = SIGMAS * math.sqrt(1 - leave) / leave / math.sqrt(bursts)
    assert abs(mean - 1 / leave) <= bound, f"bursts of {mean:.2f} are not {1 / leave:.2f} ± {bound:.2f}"


@drill.case
def bursts_of_loss_are_as_long_and_as_many_as_asked():
    enter, leave = 0.02, 0.25
    truth = Truth(["fault: loss, bursts: {enter: 2%, leave: 25%}"])
    lost = [not question.after for question in truth.sent]
    share, rho = enter / (enter + leave), 1 - enter - leave
    bound = SIGMAS * math.sqrt(share * (1 - share) * (1 + rho) / (1 - rho) / len(lost))
    assert len(lost) >= PACKETS and abs(sum(lost) / len(lost) - share) <= bound, (sum(lost), len(lost), share, bound)
    burst_length_near(lost, leave)


@drill.case
def every_10th_is_every_10th():
    truth = Truth(["fault: loss, every: 10"])
    lost = [i for i, question in enumerate(truth.sent) if not question.after]
    assert len(truth.sent) >= PACKETS and len(lost) >= len(truth.sent) // 10 - 1, len(lost)
    assert all(b - a == 10 for a, b in zip(lost, lost[1:])), lost


@drill.case
def duplicates_of_5_percent_are_that():
    truth = Truth(["fault: duplicate, share: 5%"])
    twice = sum(len(question.after) == 2 for question in truth.sent)
    assert all(1 <= len(question.after) <= 2 for question in truth.sent)
    share_near(twice, len(truth.sent), 0.05)
    proves_itself(truth, packets=twice)


@drill.case
def reordering_of_25_percent_is_that():
    truth = Truth(["fault: reorder, share: 25%, delay: 50ms"])
    delays = truth.delays_ms()
    assert len(delays) == len(truth.sent), (len(delays), len(truth.sent))
    ahead = sum(delay < 49.9 for delay in delays)  # who waits is never early; who goes ahead may be late on a busy machine
    share_near(ahead, len(delays), 0.25)
    position = {id(question): i for i, question in enumerate(truth.sent)}
    order = [position[id(question)] for _, question in truth.arrivals]
    overtaken = sum(b < a for a, b in zip(order, order[1:]))
    assert overtaken > PACKETS * 0.25 * 0.5, overtaken  # after most that went ahead comes one that was sent before
    proves_itself(truth, packets=ahead)


@drill.case
def corruption_of_10_percent_is_one_flipped_bit():
    truth = Truth(["fault: corrupt, share: 10%"])
    whole = {packet.behind_ip for packet, _ in truth.arrivals} | {packet.behind_ip for packet in truth.broken}
    spoilt = [question for question in truth.sent if question.before.behind_ip not in whole]
    share_near(len(spoilt), len(truth.sent), 0.1)
    intact = {question.before.behind_ip for question in truth.sent}
    changed = [packet for packet in [packet for packet, _ in truth.arrivals] + truth.broken
               if packet.behind_ip not in intact]
    for question in spoilt:  # each has come out, one bit of what is behind the IP header changed
        assert any(bits_between(packet, question.before) == 1 for packet in changed), question.before
    proves_itself(truth, packets=len(spoilt))


def bits_between(one, other):
    if len(one.behind_ip) != len(other.behind_ip):
        return -1
    return bin(int.from_bytes(one.behind_ip, "big") ^ int.from_bytes(other.behind_ip, "big")).count("1")


@drill.case
def rate_of_1_mbit_is_that():
    # Four probes at a thousand questions a second each: three times what gets through.
    truth = Truth(["fault: rate, bits: 1Mbit/s"], seconds=4, probes=4, every="1ms")
    packets = [packet for packet, _ in truth.arrivals]
    assert len(packets) >= PACKETS, len(packets)
    # Frames as they are on the link: Ethernet 14, IPv4 20, UDP 8. The first burst aside, which is let through at once.
    begin, end = packets[0].wall_ns + 5 * 10**8, packets[-1].wall_ns
    bits = sum(8 * (42 + len(packet.payload)) for packet in packets if begin < packet.wall_ns <= end)
    measured = bits / ((end - begin) / 1e9)
    assert abs(measured / 1e6 - 1) <= 0.01, f"{measured:.0f} bit/s"  # one packet is 0.03 % of it; the rest is granted to the clock
    assert any(not question.after for question in truth.sent), "nothing was lost"
    proves_itself(truth, least=PACKETS)


@drill.case
def stacked_delay_and_loss_show_both():
    truth = Truth(["fault: latency, delay: 40ms", "fault: loss, share: 30%"])
    delays = sorted(truth.delays_ms())
    share_near(sum(not question.after for question in truth.sent), len(truth.sent), 0.3)
    assert delays[0] >= 39.99 and delays[len(delays) // 2] <= 40 + LATE_MS, (delays[0], delays[len(delays) // 2])
    proves_itself(truth, least=PACKETS * 0.25)


if __name__ == "__main__":
    drill.main()
