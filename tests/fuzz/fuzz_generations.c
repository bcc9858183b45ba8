// SPDX-License-Identifier: MIT
/* Any bytes as a record of generations: refused, or one that is the same when written and
   read. */
#include "fuzz.h"

#include "store/generations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lull_generations first = { 0 }, second = { 0 };
	char *text = NULL, *again = NULL;
	int r = lull_generations_parse((const char *)data, size, &first);

	if (r < 0) {
		/* Nothing is handed out with an error. */
		if ((r != -EBADMSG && r != -EPROTONOSUPPORT) || first.item || first.n)
			abort();
		return 0;
	}
	for (size_t i = 0; i < first.n; i++) {
		if (!*first.item[i].name || strchr(first.item[i].name, '/'))
			abort();
	}
	if (lull_generations_format(&first, &text) < 0 ||
	    lull_generations_parse(text, strlen(text), &second) < 0 ||
	    lull_generations_format(&second, &again) < 0 || strcmp(text, again) != 0)
		abort();
	free(text);
	free(again);
	lull_generations_done(&first);
	lull_generations_done(&second);
	return 0;
}
