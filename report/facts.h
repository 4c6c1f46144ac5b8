/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every report says first, taken from the results once: the worst failover, the verdict in words, the columns of a matrix.
 * Everything returned is borrowed from the results or is a literal.
 */
#pragma once
#include "harness/measure/results.h"

/* The measurement with the longest time to failover of all runs: one that was not reached is longer than any that was. NULL: no fault
 * was measured. *ret_run is the run it belongs to. */
const struct measurement *facts_worst_failover(const struct results *results, const struct run_results **ret_run);

/* The change of all runs that took longest to show; one that did not is longer than any that did. NULL: nothing changed. */
const struct change *facts_longest_change(const struct results *results);

/* One sentence for the whole record: the reason of its only run, or how many cases passed and why the worst did not. */
void facts_sentence(const struct results *results, struct buf *out);

/* Name of a run among several: "resolver=unbound"; "run 2" where the matrix gave none. */
void facts_case(const struct results *results, size_t run, struct buf *out);

/* The measurement of probe (by name) in a window of a run; fault by name for WINDOW_FAULT, else NULL. NULL if there is none. */
const struct measurement *facts_find(const struct run_results *run, const char *probe, enum window_kind window,
				     const char *fault);

/* True if both are NULL or equal. */
bool facts_same(const char *a, const char *b);

/* The verdict in capitals: "PASS". */
const char *facts_verdict_word(enum verdict verdict);

/* The measurement of that probe in that run whose failover took longest, over all faults. NULL if none was measured. */
const struct measurement *facts_worst_of_probe(const struct run_results *run, const char *probe);

/* The names of all probes of all runs, each once, in the order of their first appearance. The array is the caller's to free, the names
 * are borrowed. NULL and 0 without probes or memory. */
const char **facts_probe_names(const struct results *results, size_t *ret_count);

/* Sums that stop at the ends of their type: a record may come from anywhere. */
int64_t facts_add(int64_t a, int64_t b);
int64_t facts_sub(int64_t a, int64_t b);

/* The instant that is t = 0 in reports: the first applied fault's; without faults that of the first step; else the first planned fault's; else the start of
 * the timeline. */
int64_t facts_zero_ns(const struct run_record *run);
