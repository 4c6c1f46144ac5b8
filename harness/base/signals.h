/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals of processes that are forked.
 */
#pragma once

/* Every handler back to its default and nothing blocked: what a child must do before it becomes something else. */
void signals_reset(void);
