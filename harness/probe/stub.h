/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What getaddrinfo(3) said, as an outcome. Pure; shared by stub.c and its tests.
 */
#pragma once
#include "harness/base/arena.h"
#include "harness/probe/judge.h"
#include "harness/probe/stub_agent.h"

/* Fills outcome, rcode, detail and answer of sample (strings in arena or static) from an answered lookup. good's answers are addresses in canonical text. */
void stub_judge(const struct good *good, const struct stub_result *result, struct arena *arena,
		struct ev_sample *sample);
