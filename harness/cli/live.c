/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/cli/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/text.h"
#include "harness/base/units.h"

#define BAR_CELLS 24
#define LONG_NS (600 * SEC) /* from here on seconds are no use */
#define CLEAR_LINE "\r\033[K"
#define NO_WRAP "\033[?7l" /* what does not fit is cut, not broken: a second line would never be cleared */
#define WRAP "\033[?7h"

void live_init(struct live *live, const struct plan *plan, bool is_virtual, bool quiet)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	*live = (struct live){
		.plan = plan,
		.on = !quiet && isatty(STDERR_FILENO) && !(term && !strcmp(term, "dumb")),
		.colour = !(no_color && *no_color),
		.is_virtual = is_virtual,
		.stage = is_virtual ? "starting the virtual machine" : "building the lab",
	};
}

static int64_t done_ns(const struct live *live)
{
	int64_t ns = live->now_ns - live->zero_ns;

	return ns < 0 ? 0 : ns > live->plan->end_ns ? live->plan->end_ns : ns;
}

static void add_bar(const struct live *live, struct buf *out)
{
	int64_t end_ns = live->plan->end_ns;
	int cells = end_ns ? (int)(done_ns(live) * BAR_CELLS / end_ns) : 0;

	for (int i = 0; i < BAR_CELLS; i++)
		buf_puts(out, i < cells ? "█" : "░");
	buf_puts(out, " ");
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

/* How much faster than the clock on the wall: what is left may be guessed from that. */
static void add_time(const struct live *live, struct buf *out)
{
	int64_t real_ns = clock_now_ns() - live->began_ns;
	char done[32], end[32];

	if (live->plan->end_ns < LONG_NS)
		buf_printf(out, "%5.1f / %.0f s", (double)done_ns(live) / 1e9, (double)live->plan->end_ns / 1e9);
	else
		buf_printf(out, "%s / %s", units_human_duration(done_ns(live), done, sizeof(done)),
			   units_human_duration(live->plan->end_ns, end, sizeof(end)));
	if (live->is_virtual && real_ns > SEC)
		buf_printf(out, "  %.3g×", (double)done_ns(live) / (double)real_ns);
}

/* The line with all but the first `less` of: bar, case, faults, counts. */
static void compose(const struct live *live, int less, struct buf *out)
{
	if (live->plan->case_label && less < 2) {
		text_add_printable(out, live->plan->case_label);
		buf_puts(out, "  ");
	}
	if (!live->zero_ns) {
		buf_puts(out, live->stage);
		return;
	}
	if (less < 1)
		add_bar(live, out);
	add_time(live, out);
	if (less < 4)
		buf_printf(out, "  good %" PRId64 "  bad %" PRId64, live->good, live->bad);
	if (less < 3)
		add_faults(live, out);
}

/* Columns it takes on a terminal: characters, colours not counted. */
static unsigned width(const struct buf *line)
{
	unsigned n = 0;

	for (size_t i = 0; i < line->len; i++) {
		if (line->data[i] == '\033')
			i += strcspn(line->data + i, "m");
		else
			n += ((unsigned char)line->data[i] & 0xc0) != 0x80;
	}
	return n;
}

/* Whole pieces are left out of a line that is too wide: a number cut in two would be a wrong one. */
static void compose_to_fit(const struct live *live, struct buf *out)
{
	struct winsize size = {0};
	bool known = !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col;

	for (int less = 0; less <= 4; less++) {
		buf_clear(out);
		compose(live, less, out);
		if (!known || width(out) <= size.ws_col)
			return;
	}
}

static void draw(const struct live *live)
{
	struct buf line = {0};

	compose_to_fit(live, &line);
	fprintf(stderr, CLEAR_LINE NO_WRAP "%s" WRAP, line.data ? line.data : "");
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
	if (ev->kind == EV_TIMELINE_START) {
		live->zero_ns = ev->t_ns;
		live->began_ns = clock_now_ns();
	}
	if (ev->kind == EV_CAPTURE_START)
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
	if (live->tick_ns && !live->is_virtual) { /* between events time goes on */
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
