/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether two runs are the same: their event streams, byte by byte.
 */
#pragma once
#include "harness/base/err.h"

/* 0: the same. 1: they part at *ret_line of both, whose texts (cut where they are long) are in a and b; the end of a stream is "". Else a negative errno. */
#define REPEAT_TEXT_SIZE 400
struct repeat_parting {
	size_t line;
	char a[REPEAT_TEXT_SIZE], b[REPEAT_TEXT_SIZE];
};
int repeat_compare(const char *a_path, const char *b_path, struct repeat_parting *ret, struct err *err);
