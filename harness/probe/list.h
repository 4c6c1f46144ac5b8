/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of probe, one line each: main.c includes this twice, to declare <name>_ops and to build the table.
 */
PROBE(dns)
PROBE(stub)
PROBE(serial)
PROBE(parity)
PROBE(validate)
