/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the proxy, which reads messages from anybody, can do no more once its sockets are open: it has no capability, and can get none; it can make sockets, threads and memory, and
 * no files, processes or anything else. For the whole process, before it has threads, which inherit it.
 */
#pragma once
#include "harness/base/err.h"
#include <stdbool.h>

/* may_unlink: files can be removed, as the socket of the live view must be. 0 or a negative errno. A build with AddressSanitizer, which needs more calls, keeps them. */
int confine(bool may_unlink, struct err *err);
/* At most so many bytes of memory of its own; beyond, allocating fails. */
int confine_memory(size_t bytes, struct err *err);
