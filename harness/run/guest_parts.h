/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of this machine a guest needs to run a plan: exactly the servers it uses, with what they load, and the plan's files.
 */
#pragma once
#include "harness/engine/vm/pack.h"
#include "harness/plan/plan.h"

/* Everything but ret->args, in arena; files borrowed from set. */
void guest_parts(const struct plan_set *set, struct arena *arena, struct pack *ret);
