/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside report.html: the pieces of the page, each appending to a buffer. Only html*.c include this.
 */
#pragma once
#include "harness/measure/results.h"
#include "report/svg.h"

/* Marks and table rows are rationed, so that the page stays under 5 MiB whatever the record holds. */
#define HTML_MARKS 16000 /* of all lanes together */
#define HTML_LANE_MARKS 3000 /* of one lane; more samples are drawn in columns */
#define HTML_EVIDENCE_ROWS 3000 /* bad samples in tables, all probes together */
#define HTML_EVIDENCE 50 /* bad samples in the table of one probe */
#define HTML_TEXT_BYTES (1024 * 1024) /* answers and details in tooltips, all together */

/* What all timelines of a page share, so that runs can be compared by eye. */
struct html_view {
	int64_t from_ns, to_ns; /* the axis of time, against t = 0 */
	int64_t fastest_ns, slowest_ns; /* the axis of latency */
	size_t lane_marks, evidence; /* rations of one lane */
	size_t text_left; /* of HTML_TEXT_BYTES */
};
void html_view_init(struct html_view *view, const struct record *record);

/* One probe's lane in a timeline that is being drawn. */
struct html_lane {
	struct html_view *view;
	const struct run_results *run;
	const struct probe_record *probe;
	struct svg_scale scale;
	struct svg_log log;
	int64_t zero_ns;
	int y; /* of the marks */
	int64_t most; /* samples that the fullest mark stands for */
};
/* Appends lane with its top at *y and moves *y below it. */
void html_lane_draw(struct buf *out, struct html_lane *lane, int *y);
/* Appends the marks of all samples, one each, or by html_columns_draw() where they are too many. Sets lane->most. */
void html_marks_draw(struct buf *out, struct html_lane *lane);
/* One mark for all samples that share a narrow column. */
void html_columns_draw(struct buf *out, struct html_lane *lane);

/* From the least to the most harm to a user. The harness's own trouble says nothing about DNS, and comes before it only over ok. */
extern const enum outcome html_by_harm[OUTCOME_COUNT];
/* How far above the good samples those of an outcome stand (tenths), so that they do not hide each other. */
extern const int html_raised[OUTCOME_COUNT];
/* From due to done. A sample that could not be asked has none: -1. */
int64_t html_sample_latency(const struct sample *s);

void html_style_write(struct buf *out);
void html_timeline_write(struct buf *out, struct html_view *view, const struct run_results *run, size_t index);

/* The faults of a timeline: html_faults_row's rows one below the other, then the bands behind the lanes. */
#define HTML_TIMELINE_RIGHT 11480 /* tenths, as all sizes */
#define HTML_FAULT_HEIGHT 320
void html_faults_row(struct buf *out, const struct run_record *run, const struct fault_record *fault,
		     const struct svg_scale *scale, int y);
void html_faults_bands(struct buf *out, const struct run_record *run, const struct svg_scale *scale, int top,
		       int bottom);

/* The steps that change something: rows as of faults, then lines through the lanes. */
void html_steps_row(struct buf *out, const struct run_record *run, const struct step_record *step,
		    const struct svg_scale *scale, int y);
void html_steps_lines(struct buf *out, const struct run_record *run, const struct svg_scale *scale, int top,
		      int bottom);

/* What run's own marks mean, too: of steps, and of stale answers. */
void html_legend_write(struct buf *out, const struct run_record *run);
/* most: samples that the fullest mark of the timeline stands for. */
void html_caption_write(struct buf *out, const struct html_view *view, int64_t most);
void html_timeline_words(struct buf *out, const struct run_results *run); /* in place of the picture */

/* Headings: level 2 in a page of one run, 3 where each run has a heading of its own. */
struct html_section {
	size_t index; /* of the run: part of ids */
	int level;
};
void html_heading(struct buf *out, struct html_section section, const char *id, const char *text);

void html_matrix_write(struct buf *out, const struct results *results);
void html_expectations_write(struct buf *out, struct html_section section, const struct run_results *run);
void html_faults_write(struct buf *out, struct html_section section, const struct run_results *run);
void html_steps_write(struct buf *out, struct html_section section, const struct run_results *run);
void html_measurements_write(struct buf *out, struct html_section section, const struct run_results *run);
void html_hosts_write(struct buf *out, struct html_section section, const struct run_record *run);
void html_evidence_write(struct buf *out, struct html_section section, const struct run_record *run, size_t rows,
			 bool open);
void html_notes_write(struct buf *out, struct html_section section, const struct run_record *run);
void html_about_write(struct buf *out, struct html_section section, const struct run_record *run);

/* Tables. A cell takes the text of scratch, escaped, and clears it; cls may be NULL. */
void html_table_open(struct buf *out, const char *caption, const char *const *columns, size_t count);
void html_table_close(struct buf *out);
void html_cell(struct buf *out, const char *cls, struct buf *scratch);
void html_cell_text(struct buf *out, const char *cls, const char *text);
void html_cell_cut(struct buf *out, const char *cls, const char *text); /* at most 500 bytes of it */
void html_row_heading(struct buf *out, const char *text);
void html_verdict_cell(struct buf *out, enum verdict verdict);
