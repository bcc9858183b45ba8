// SPDX-License-Identifier: MIT
/* Any bytes as a checkpoint: refused, or one that is the same when written and read. */
#include "fuzz.h"

#include "store/checkpoint.h"
#include "store/checkpoint_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void judge(const struct lull_checkpoint *c)
{
	if (!c->source || !c->dest || c->offset > c->dest_size ||
	    (c->frozen && !c->hook) || (c->temporary && strchr(c->temporary, '/')))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lull_checkpoint *first = NULL, *second = NULL, alone = { 0 };
	unsigned int n = 0, m = 0;
	char *text = NULL, *again = NULL;
	int r = lull_checkpoint_parse_set((const char *)data, size, &first, &n);
	int s = lull_checkpoint_parse((const char *)data, size, &alone);

	if (r < 0) {
		/* Nothing is handed out with an error. */
		if ((r != -EBADMSG && r != -EPROTONOSUPPORT) || s != r || first ||
		    alone.source || alone.hook)
			abort();
		return 0;
	}
	if (n == 0 || n > LULL_CHECKPOINT_MOST || s != (n == 1 ? 0 : -ENOTUNIQ))
		abort();
	for (unsigned int i = 0; i < n; i++)
		judge(&first[i]);
	if (lull_checkpoint_format_set(first, n, &text) < 0 ||
	    lull_checkpoint_parse_set(text, strlen(text), &second, &m) < 0 || m != n ||
	    lull_checkpoint_format_set(second, m, &again) < 0 || strcmp(text, again) != 0)
		abort();
	free(text);
	free(again);
	lull_checkpoint_free(first, n);
	lull_checkpoint_free(second, m);
	lull_checkpoint_done(&alone);
	return 0;
}
