/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples arrive as they end and are read as they were due. Of use inside measure/.
 */
#pragma once
#include "harness/measure/record.h"

/* See record_finish(). */
int order_run(struct run_record *run, struct err *err);
