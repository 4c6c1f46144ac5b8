/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for libFuzzer: feeds every file named on the command line to the fuzzer linked with it. Built with sanitizers by
 * `make test`, so that what a fuzzer once found stays found.
 */
#include "harness/base/fd.h"
#include <fcntl.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (16u << 20)

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		CLEANUP_FREE char *data = NULL;
		size_t len = 0;
		int r = fd_read_file(AT_FDCWD, argv[i], INPUT_MAX, &data, &len);

		if (r != 0) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(-r));
			return 2;
		}
		/* said before, so that a crash has a name */
		printf("%s\n", argv[i]);
		fflush(stdout);
		/* a copy of exactly its size: a read past its end must be seen, the terminating NUL would hide it */
		CLEANUP_FREE uint8_t *exact = malloc(len);
		if (!exact)
			return 2;
		memcpy(exact, data, len);
		LLVMFuzzerTestOneInput(exact, len);
	}
	return 0;
}
