// SPDX-License-Identifier: MIT
/* The edit distance of two words. Exchanging neighbouring letters is one change. */
#include "suggest.h"

#include <string.h>

#define LONGEST 31u

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

bool suggest_near(const char *text, size_t len, const char *word,
		  unsigned int *ret_changes)
{
	/* The rows for the last letter but one, the last letter, and this one. */
	unsigned int rows[3][LONGEST + 1] = { { 0 } };
	size_t n = strlen(word);

	if (len > LONGEST || n > LONGEST)
		return false;
	for (size_t j = 0; j <= n; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= len; i++) {
		unsigned int *row = rows[i % 3];
		const unsigned int *above = rows[(i - 1) % 3];
		const unsigned int *before = rows[(i + 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= n; j++) {
			bool differs = text[i - 1] != word[j - 1];

			row[j] = least(least(above[j], row[j - 1]) + 1,
				       above[j - 1] + differs);
			if (i > 1 && j > 1 && text[i - 1] == word[j - 2] &&
			    text[i - 2] == word[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	*ret_changes = rows[len % 3][n];
	return *ret_changes <= least((unsigned int)len, (unsigned int)n) / 3;
}
