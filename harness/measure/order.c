/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/measure/parts.h"

#include <errno.h>
#include <inttypes.h>

static int by_i(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	return (x->i > y->i) - (x->i < y->i);
}

static int order_probe(struct probe_record *probe, struct err *err)
{
	if (probe->unordered)
		qsort(probe->samples, probe->count, sizeof(*probe->samples), by_i);
	probe->unordered = false;
	for (size_t k = 1; k < probe->count; k++) {
		const struct sample *before = &probe->samples[k - 1], *now = &probe->samples[k];

		if (now->i == before->i)
			return err_set(err, -EINVAL, LOC_NONE, "probe \"%s\": sample %" PRId64 " is there twice",
				       probe->plan.probe, now->i);
		if (now->due_ns <= before->due_ns)
			return err_set(err, -EINVAL, LOC_NONE,
				       "probe \"%s\": sample %" PRId64 " was not due after sample %" PRId64,
				       probe->plan.probe, now->i, before->i);
	}
	if (probe->count)
		probe->missing = probe->samples[probe->count - 1].i + 1 - (int64_t)probe->count;
	return 0;
}

int order_run(struct run_record *run, struct err *err)
{
	for (size_t i = 0; i < run->probe_count; i++) {
		int r = order_probe(&run->probes[i], err);

		for (size_t k = 0; !r && k < run->probes[i].part_count; k++)
			r = order_probe(&run->probes[i].parts[k], err);
		if (r)
			return r;
	}
	for (size_t i = 0; i < run->fault_count; i++) {
		struct fault_record *fault = &run->faults[i];

		if (fault->applied && !fault->reverted)
			fault->reverted_ns = run->end_ns;
		if (fault->is_on)
			fault->spans[fault->span_count - 1].to_ns = run->end_ns;
	}
	changes_judge(run);
	return 0;
}
