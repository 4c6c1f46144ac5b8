#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: drills
"""The main drill against its own capture: what was measured, computed again from packets alone."""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import drill  # noqa: E402
import pcap  # noqa: E402

FAULT = "alpha dark"
RUN = {}


def the_run():
    """The drill runs once for all cases."""
    if not RUN:
        RUN["result"] = drill.drill(os.path.join(drill.SCENARIOS, "10-outage", "drop-provider.yaml"), "--seed", "1")
        RUN["packets"] = list(pcap.packets(RUN["result"].path("capture.pcap")))
    return RUN["result"], RUN["packets"]


def offset_of(result):
    """Capture time stamp minus event time."""
    return result.events("capture.start")[0]["wall_minus_t_ns"]


def host(result, name):
    return next(event for event in result.events("lab.host") if event["host"] == name)


def fault(result):
    return next(row for row in result.json()["faults"] if row["name"] == FAULT)


def plan_probe(result, name):
    return next(event for event in result.events("plan.probe") if event["probe"] == name)


class Asked:
    """One question of a client as the wire shows it."""

    def __init__(self, sent_ns):
        self.sent_ns, self.answer_ns, self.payload = sent_ns, None, None


def asked_on_the_wire(result, packets, client, server, is_ours):
    """Every query of a probe from client to server as it left the client, with its first answer as it reached the client."""
    offset, link = offset_of(result), host(result, client)["ifindex"]
    addresses = host(result, server)["addresses"]
    asked, order = {}, []
    for packet in packets:
        if packet.ifindex != link or packet.protocol != pcap.UDP or len(packet.payload) < 12:
            continue
        number, is_answer, _, _ = pcap.dns_header(packet.payload)
        if not packet.outgoing and packet.target in addresses and packet.target_port == 53 and not is_answer:
            if is_ours(packet.payload):
                asked[packet.source_port, number] = Asked(packet.wall_ns - offset)
                order.append(asked[packet.source_port, number])
        elif packet.outgoing and packet.source in addresses and is_answer:
            question = asked.get((packet.target_port, number))
            if question and question.answer_ns is None:
                question.answer_ns, question.payload = packet.wall_ns - offset, packet.payload
    return order


def is_good(question, probe, address):
    """Answered within the probe's time with NOERROR and that address."""
    if question.answer_ns is None or question.answer_ns - question.sent_ns > probe["timeout_ns"]:
        return False
    if pcap.dns_header(question.payload)[2] != 0:
        return False
    return [data for kind, data in pcap.answer_data(question.payload) if kind == 1] == [socket.inet_aton(address)]


def fresh_asked():
    result, packets = the_run()
    probe = plan_probe(result, "fresh")
    return result, probe, asked_on_the_wire(
        result, packets, "office", "r1", lambda payload: pcap.question_name(payload).endswith(".fresh.example.com"))


def fresh_questions():
    result, probe, order = fresh_asked()
    return result, probe, [(asked.sent_ns, is_good(asked, probe, "192.0.2.81")) for asked in order]


@drill.case
def every_sample_of_the_probe_is_a_question_in_the_capture():
    result, _, questions = fresh_questions()
    assert len(questions) == len(result.samples("fresh")), (len(questions), len(result.samples("fresh")))


@drill.case
def time_to_failover_agrees_with_the_capture():
    result, probe, _ = fresh_questions()
    applied, reverted = fault(result)["applied_ns"], fault(result)["reverted_ns"]
    stable = result.events("run.start")[0]["stable"]
    # An answer that came after the repair is no evidence of a failover.
    window = [(asked.sent_ns, is_good(asked, probe, "192.0.2.81") and asked.answer_ns < reverted)
              for asked in fresh_asked()[2] if applied <= asked.sent_ns < reverted]
    first_bad = next((i for i, (_, good) in enumerate(window) if not good), None)
    measured = result.measurement("fresh", FAULT)
    if first_bad is None:
        failover, censored = 0, False
    else:
        runs = [i for i in range(first_bad, len(window) - stable + 1) if all(good for _, good in window[i:i + stable])]
        censored = not runs
        failover = reverted - applied if censored else window[runs[0]][0] - applied
    assert measured["censored"] == censored, (measured, censored)
    assert abs(measured["time_to_failover_ns"] - failover) <= probe["every_ns"], (measured, failover)


@drill.case
def outage_agrees_with_the_capture():
    result, probe, questions = fresh_questions()
    applied, reverted = fault(result)["applied_ns"], fault(result)["reverted_ns"]
    outage, bad_since = 0, None
    for at, good in questions + [(questions[-1][0] + probe["every_ns"], True)]:
        if good and bad_since is not None:
            outage += max(0, min(at, reverted) - max(bad_since, applied))
            bad_since = None
        elif not good and bad_since is None:
            bad_since = at
    measured = result.measurement("fresh", FAULT)["outage_ns"]
    assert abs(measured - outage) <= probe["every_ns"], (measured, outage)


@drill.case
def during_the_blackhole_no_packet_reaches_or_leaves_the_provider_beyond_the_core():
    result, packets = the_run()
    offset, applied, reverted = offset_of(result), fault(result)["applied_ns"], fault(result)["reverted_ns"]
    alpha = [event for event in result.events("lab.host") if event["host"].startswith("alpha.")]
    links = {event["ifindex"] for event in alpha}
    addresses = {address for event in alpha for address in event["addresses"]}
    assert len(links) == 2 and len(addresses) >= 3
    stopped = passed = 0
    for packet in packets:
        if not applied <= packet.wall_ns - offset < reverted:
            continue
        ours = packet.source in addresses or packet.target in addresses
        if not ours:
            continue
        if packet.outgoing:
            passed += 1  # left the core: towards alpha, or from alpha towards somebody
        else:
            stopped += 1
    assert stopped > 0, "nobody even tried: the test would prove nothing"
    assert passed == 0, f"{passed} packets passed the blackhole"


@drill.case
def the_faults_counter_is_what_the_capture_saw_arriving():
    result, packets = the_run()
    offset, applied, reverted = offset_of(result), fault(result)["applied_ns"], fault(result)["reverted_ns"]
    alpha = {address for event in result.events("lab.host") if event["host"].startswith("alpha.")
             for address in event["addresses"]}
    arrived = sum(1 for packet in packets if not packet.outgoing and (packet.source in alpha or packet.target in alpha)
                  and applied <= packet.wall_ns - offset < reverted)
    counted = fault(result)["effect"]["packets"]
    assert abs(arrived - counted) <= 2, (arrived, counted)  # one may cross each of the two instants


drill.main()
