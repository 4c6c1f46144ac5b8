/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line per kind of fault: main.c includes this twice, to declare <name>_ops and to build the table.
 */
INJECTOR(blackhole)
INJECTOR(reject)
INJECTOR(latency)
INJECTOR(loss)
INJECTOR(reorder)
INJECTOR(duplicate)
INJECTOR(corrupt)
INJECTOR(rate)
INJECTOR(fragments)
INJECTOR(second_datagram)
INJECTOR(half_open)
INJECTOR(partition)
INJECTOR(dns_message)
INJECTOR(kill)
INJECTOR(stop)
INJECTOR(restart)
INJECTOR(clock)
INJECTOR(root_hints)
INJECTOR(trust_anchor)
INJECTOR(descriptors)
