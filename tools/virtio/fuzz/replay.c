// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay FILE...: runs each input once, where there is no libFuzzer to do so. The
 * input that fails is the one that was named last.
 */
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	static uint8_t data[1 << 16];
	size_t size;
	FILE *file;
	int i;

	for (i = 1; i < argc; i++) {
		fprintf(stderr, "%s\n", argv[i]);
		file = fopen(argv[i], "rb");
		if (!file)
			return 1;
		size = fread(data, 1, sizeof(data), file);
		fclose(file);
		LLVMFuzzerTestOneInput(data, size);
	}
	return 0;
}
