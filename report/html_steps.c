/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of a timeline that change something: a row for each above the lanes, a line through them when the change was accepted; and the tables of what came of each, and who showed it when. */
#include <string.h>

#include "report/escape.h"
#include "report/facts.h"
#include "report/format.h"
#include "report/html.h"

#define LABEL_BYTES 40 /* of the name and of the target in a step's label */

static int64_t began_ns(const struct run_record *run, const struct step_record *step)
{
	return step->started ? step->started_ns : facts_add(run->timeline_ns, step->plan.at_ns);
}

static void step_label(struct buf *out, const struct step_record *step)
{
	const struct ev_plan_step *plan = &step->plan;
	const char *kind = plan->kind ? plan->kind : "";

	escape_cut(out, plan->name, LABEL_BYTES);
	if (!plan->name ||
	    strncmp(plan->name, kind, strlen(kind))) { /* one without a name of its own is called by these */
		buf_printf(out, ": %s ", kind);
		escape_cut(out, plan->zone ? plan->zone : plan->target, LABEL_BYTES);
	}
	if (!step->started)
		buf_puts(out, ", not begun");
	else if (!step->ended)
		buf_puts(out, ", not ended");
	else if (!step->ok)
		buf_puts(out, ", FAILED");
}

static void diamond(struct buf *out, int x, int y)
{
	const int points[][2] = {{x - 55, y}, {x, y - 55}, {x + 55, y}, {x, y + 55}};

	svg_area(out, "class=\"step\" fill=\"#7a4fb5\"", points, ARRAY_LEN(points));
}

/* From its beginning, a diamond, to its end; a short stroke for each server that was seen to serve the change. */
void html_steps_row(struct buf *out, const struct run_record *run, const struct step_record *step,
		    const struct svg_scale *scale, int y)
{
	int from = svg_x(scale, began_ns(run, step)), middle = y + 225;
	struct buf text = {0};

	step_label(&text, step);
	if (text.data && from + (int)text.len * 72 < HTML_TIMELINE_RIGHT)
		svg_text(out, "name", 12, SVG_START, from, y + 130, text.data);
	else if (text.data)
		svg_text(out, "name", 12, SVG_END, HTML_TIMELINE_RIGHT, y + 130, text.data);
	if (step->ended)
		svg_line(out, "class=\"taking\" stroke=\"#7a4fb5\" stroke-width=\"2\"", from, middle,
			 svg_x(scale, step->ended_ns), middle);
	diamond(out, from, middle);
	for (size_t i = 0; i < step->host_count; i++) {
		int x = svg_x(scale, step->hosts[i].shown_ns);

		if (step->hosts[i].shown_ns)
			svg_line(out, "class=\"taking\" stroke=\"#7a4fb5\" stroke-width=\"2\"", x, middle - 50, x,
				 middle + 50);
	}
	out->failed |= text.failed;
	buf_fini(&text);
}

void html_steps_lines(struct buf *out, const struct run_record *run, const struct svg_scale *scale, int top, int bottom)
{
	for (size_t i = 0; i < run->step_count; i++) {
		const struct step_record *step = &run->steps[i];
		int x = svg_x(scale, step->accepted_ns ? step->accepted_ns : began_ns(run, step));

		svg_line(out, "class=\"change\" stroke=\"#7a4fb5\" stroke-width=\"1.2\" stroke-dasharray=\"5 3\"", x,
			 top, x, bottom);
	}
}

/* What came of it on each host; why not. */
static void outcome_cell(struct buf *out, const struct step_record *step)
{
	struct buf cell = {0};

	for (size_t i = 0; i < step->host_count; i++) {
		const struct ev_step_host *host = &step->hosts[i];

		buf_printf(&cell, "%s%s: %s", i ? "; " : "", host->host,
			   host->text ? host->text
			   : host->ok ? "done"
				      : "failed");
	}
	if (!step->started)
		buf_puts(&cell, "not begun");
	else if (step->text &&
		 !(cell.data && strstr(cell.data, step->text))) /* of hosts that failed, the first one's */
		buf_printf(&cell, "%s%s", cell.len ? "; " : "", step->text);
	html_cell(out, step->ok ? "prose" : "prose alarm", &cell);
	buf_fini(&cell);
}

static void step_row(struct buf *out, const struct run_record *run, const struct step_record *step)
{
	struct buf cell = {0};

	buf_puts(out, "<tr>");
	html_row_heading(out, step->plan.name);
	html_cell_cut(out, "prose", step->plan.sentence);
	format_moment(&cell, facts_sub(began_ns(run, step), facts_zero_ns(run)));
	html_cell(out, "num", &cell);
	if (step->accepted_ns)
		format_moment(&cell, facts_sub(step->accepted_ns, facts_zero_ns(run)));
	else
		buf_puts(&cell, FORMAT_NONE);
	html_cell(out, "num", &cell);
	outcome_cell(out, step);
	buf_puts(out, "</tr>\n");
	buf_fini(&cell);
}

static void change_row(struct buf *out, const struct change *change)
{
	struct buf cell = {0};

	buf_puts(out, "<tr>");
	html_row_heading(out, change->step->plan.name);
	buf_puts(&cell, change->probe->plan.probe);
	if (change->probe->host)
		buf_printf(&cell, ": %s %s", change->probe->host, change->probe->address);
	html_cell(out, NULL, &cell);
	format_duration(&cell, change->propagation_ns, change->censored);
	html_cell(out, change->censored ? "num censored" : "num", &cell);
	buf_puts(out, "</tr>\n");
	buf_fini(&cell);
}

void html_steps_write(struct buf *out, struct html_section section, const struct run_results *run)
{
	static const char *const steps[] = {"Step", "What it does", ">Begun", ">First served", "What came of it"};
	static const char *const changes[] = {"Change", "Who shows it", ">Propagation"};

	if (!run->run->step_count)
		return;
	html_heading(out, section, "steps", "Steps");
	html_table_open(out, "Steps", steps, ARRAY_LEN(steps));
	for (size_t i = 0; i < run->run->step_count; i++)
		step_row(out, run->run, &run->run->steps[i]);
	html_table_close(out);
	if (!run->change_count)
		return;
	html_heading(out, section, "changes", "Who showed which change when");
	html_table_open(out, "Changes", changes, ARRAY_LEN(changes));
	for (size_t i = 0; i < run->change_count; i++)
		change_row(out, &run->changes[i]);
	html_table_close(out);
	buf_puts(out,
		 "<p class=\"note\">Propagation counts from the moment the first server was seen to serve the change "
		 "until the probe, or the server it asked, showed it for good.</p>\n");
}
