/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/signals.h"
#include <signal.h>
#include <stddef.h>

void signals_reset(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &action, NULL); /* refused for SIGKILL, SIGSTOP and libc's own, which is right */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
