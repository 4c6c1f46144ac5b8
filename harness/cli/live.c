/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/cli/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/text.h"

#define BAR_CELLS 24
#define CLEAR_LINE "\r\033[K"

void live_init(struct live *live, const struct plan *plan, bool quiet)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	*live = (struct live){
		.plan = plan,
		.on = !quiet && isatty(STDERR_FILENO) && !(term && !strcmp(term, "dumb")),
		.colour = !(no_color && *no_color),
		.stage = "building the lab",
	};
}

static void add_bar(const struct live *live, int64_t done_ns, struct buf *out)
{
	int64_t end_ns = live->plan->end_ns;
	int cells = end_ns ? (int)(done_ns * BAR_CELLS / end_ns) : 0;

	for (int i = 0; i < BAR_CELLS; i++)
		buf_puts(out, i < cells ? "█" : "░");
	buf_printf(out, " %5.1f / %.0f s", (double)done_ns / 1e9, (double)end_ns / 1e9);
}

static void add_faults(const struct live *live, struct buf *out)
{
	for (size_t i = 0; i < LIVE_FAULTS_MAX; i++) {
		if (!live->standing[i])
			continue;
		buf_puts(out, live->colour ? "  \033[1;31m" : "  ");
		text_add_printable(out, live->plan->faults[live->standing[i] - 1]->name.value);
		buf_puts(out, live->colour ? "\033[0m" : "");
	}
}

static void draw(const struct live *live)
{
	struct buf line = {0};
	int64_t done_ns = live->now_ns - live->zero_ns;

	if (live->plan->case_label) {
		text_add_printable(&line, live->plan->case_label);
		buf_puts(&line, "  ");
	}
	if (!live->zero_ns) {
		buf_puts(&line, live->stage);
	} else {
		add_bar(live, done_ns < 0 ? 0 : done_ns > live->plan->end_ns ? live->plan->end_ns : done_ns, &line);
		buf_printf(&line, "  good %" PRId64 "  bad %" PRId64, live->good, live->bad);
		add_faults(live, &line);
	}
	fprintf(stderr, CLEAR_LINE "%s", line.data ? line.data : "");
	fflush(stderr);
	buf_fini(&line);
}

static void note_fault(struct live *live, int64_t id, bool stands)
{
	for (size_t i = 0; i < LIVE_FAULTS_MAX; i++) {
		if (live->standing[i] != (stands ? 0 : id))
			continue;
		live->standing[i] = stands ? id : 0;
		return;
	}
}

static void note_event(struct live *live, const struct ev *ev)
{
	if (ev->kind == EV_TIMELINE_START)
		live->zero_ns = ev->t_ns;
	else if (ev->kind == EV_CAPTURE_START)
		live->stage = "starting the servers";
	else if (ev->kind == EV_FAULT_APPLIED)
		note_fault(live, ev->fault_applied.id, true);
	else if (ev->kind == EV_FAULT_REVERTED)
		note_fault(live, ev->fault_reverted.id, false);
	else if (ev->kind == EV_FAULT_SWITCHED)
		note_fault(live, ev->fault_switched.id, ev->fault_switched.on);
	else if (ev->kind == EV_SAMPLE && ev->sample.outcome == OUTCOME_OK)
		live->good++;
	else if (ev->kind == EV_SAMPLE)
		live->bad++;
	live->now_ns = ev->t_ns;
	live->tick_ns = clock_now_ns();
}

void live_take(void *arg, const struct ev *ev)
{
	struct live *live = arg;

	if (!live->on)
		return;
	if (ev) {
		note_event(live, ev);
		return;
	}
	if (live->tick_ns) { /* between events time goes on */
		int64_t now_ns = clock_now_ns();

		live->now_ns += now_ns - live->tick_ns;
		live->tick_ns = now_ns;
	}
	draw(live);
}

void live_fini(struct live *live)
{
	if (live->on)
		fputs(CLEAR_LINE, stderr);
}
