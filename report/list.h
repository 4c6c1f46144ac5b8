/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every report, one line each. Include it twice, with REPORT(id) defined: once to declare (`extern const struct report_ops
 * report_##id;`), once to build the table (`&report_##id,`). A new report is one file and one line here.
 */
REPORT(json)
REPORT(junit)
REPORT(html)
REPORT(markdown)
REPORT(crosstab)
