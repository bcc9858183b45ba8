// SPDX-License-Identifier: MIT
/*
 * Runs a fuzz target without a fuzzer: over the files of a corpus, and then over random
 * changes of them. LULL_TEST_SEED repeats a run; the input at work when a run aborts is
 * in the file that LULL_FUZZ_LAST names.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MUTATIONS  20000
#define MOST_FILES 256
#define ROOM       (64u << 10)

struct input {
	uint8_t *data;
	size_t size;
};

static uint64_t state;

static uint64_t below(uint64_t n)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31)) % n;
}

/* In a block of just its size, so that ASan sees each byte read beyond it. */
static void try(const uint8_t *data, size_t size)
{
	const char *last = getenv("LULL_FUZZ_LAST");
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	if (last) {
		FILE *out = fopen(last, "wb");

		if (!out || fwrite(copy, 1, size, out) != size || fclose(out) != 0)
			abort();
	}
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static size_t load(const char *dir, struct input *input)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, NULL, alphasort);
	size_t count = 0;

	for (int i = 0; i < n; i++) {
		char path[4096];
		FILE *in;

		(void)snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		in = entries[i]->d_name[0] == '.' ? NULL : fopen(path, "rb");
		if (in && count < MOST_FILES) {
			input[count].data = malloc(ROOM);
			if (!input[count].data)
				abort();
			input[count].size = fread(input[count].data, 1, ROOM, in);
			count++;
		}
		if (in)
			(void)fclose(in);
		free(entries[i]);
	}
	free(entries);
	return count;
}

/* One change: a bit, a byte, a digit, a piece taken out, doubled, or from another file.
 */
static size_t change(uint8_t *data, size_t size, const struct input *other)
{
	static const char sharp[] = "\"\\{}[]:,0123456789.-eE\xff\xc3\0 nulltrue";
	size_t at = size ? below(size) : 0;
	size_t len = size ? 1 + below(size - at < 64 ? size - at : 64) : 0;

	switch (below(7)) {
	case 0:
		if (size)
			data[at] ^= (uint8_t)(1u << below(8));
		return size;
	case 1:
		if (size)
			data[at] = (uint8_t)below(256);
		return size;
	case 2:
		if (size)
			data[at] = (uint8_t)sharp[below(sizeof(sharp) - 1)];
		return size;
	case 3:
		memmove(data + at, data + at + len, size - at - len);
		return size - len;
	case 4:
		if (size + len > ROOM)
			return size;
		memmove(data + at + len, data + at, size - at);
		return size + len;
	case 5:
		return at;
	default:
		if (!other->size)
			return size;
		len = 1 + below(other->size);
		if (at + len > ROOM)
			return size;
		memcpy(data + at, other->data + below(other->size - len + 1), len);
		return at + len > size ? at + len : size;
	}
}

int main(int argc, char **argv)
{
	static struct input input[MOST_FILES];
	static uint8_t data[ROOM];
	const char *given = getenv("LULL_TEST_SEED");
	struct timespec now = { 0 };
	size_t count = argc == 2 ? load(argv[1], input) : 0;

	if (count == 0) {
		(void)fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
		return 1;
	}
	(void)clock_gettime(CLOCK_REALTIME, &now);
	state = given ? strtoull(given, NULL, 0)
		      : ((uint64_t)now.tv_sec << 20) ^ (uint64_t)now.tv_nsec;
	(void)printf("%zu files, %d mutations, LULL_TEST_SEED=%llu\n", count, MUTATIONS,
		     (unsigned long long)state);
	(void)fflush(stdout);

	for (size_t i = 0; i < count; i++)
		try(input[i].data, input[i].size);
	for (unsigned int i = 0; i < MUTATIONS; i++) {
		const struct input *from = &input[below(count)];
		size_t size = from->size;

		memcpy(data, from->data, size);
		for (uint64_t n = 1 + below(4); n > 0; n--)
			size = change(data, size, &input[below(count)]);
		try(data, size);
	}
	for (size_t i = 0; i < count; i++)
		free(input[i].data);
	return 0;
}
