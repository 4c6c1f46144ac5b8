/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "harness/cli/cli.h"

/* `dnsdrill proxy ctl PATH COMMAND …`; operands begin with "ctl". Returns the exit status. */
int proxy_ctl(const struct cli_list *operands);
