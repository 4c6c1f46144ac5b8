/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan's steps as commands: for people (explain.c) and as one script (explain_script.c).
 */
#pragma once
#include "harness/base/buf.h"
#include "harness/plan/plan.h"

/* Appends a POSIX shell script that builds the plan's faults on a Linux router without dnsdrill. */
void explain_script(const struct plan *plan, struct buf *out);

/* A person's text as part of a comment or a message: without line breaks and control characters. */
void explain_add_text(const char *text, struct buf *out);

/* What its shape does beyond standing there: ", growing over 10s, on for 2s and off for 3s"; nothing if it has none. */
void explain_add_shape(const struct injector *fault, struct buf *out);
