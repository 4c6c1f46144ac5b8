/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the report of a guest: what is written stays in the directory of the logs.
 */
#include "harness/base/fd.h"
#include "harness/engine/vm/report.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Empties the directory; its parent must hold nothing else. */
static void sweep(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
		else if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			abort();
	}
	if (dir)
		closedir(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char top[] = "/tmp/fuzz-report-XXXXXX", logs[64];
	CLEANUP_CLOSE int port = memfd_create("port", MFD_CLOEXEC), dir = -1;
	struct err err = {0};
	int status;

	if (!mkdtemp(top) || fd_write_all(port, data, size))
		abort();
	snprintf(logs, sizeof(logs), "%s/logs", top);
	mkdir(logs, 0755);
	dir = open(logs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (report_read(port, dir, &status, &err) != err.code)
		abort();
	sweep(logs);
	if (rmdir(logs) || rmdir(top))
		abort();
	return 0;
}
