// SPDX-License-Identifier: MIT
/* Any bytes as a checkpoint: refused, or one that is the same when written and read. */
#include "fuzz.h"

#include "sys/checkpoint.h"
#include "sys/checkpoint_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lull_checkpoint first = { 0 }, second = { 0 };
	char *text = NULL, *again = NULL;
	int r = lull_checkpoint_parse((const char *)data, size, &first);

	if (r < 0) {
		/* Nothing is handed out with an error. */
		if ((r != -EBADMSG && r != -EPROTONOSUPPORT) || first.source ||
		    first.hook)
			abort();
		return 0;
	}
	if (!first.source || !first.dest || first.offset > first.dest_size ||
	    (first.frozen && !first.hook) ||
	    (first.temporary && strchr(first.temporary, '/')))
		abort();
	if (lull_checkpoint_format(&first, &text) < 0 ||
	    lull_checkpoint_parse(text, strlen(text), &second) < 0 ||
	    lull_checkpoint_format(&second, &again) < 0 || strcmp(text, again) != 0)
		abort();
	free(text);
	free(again);
	lull_checkpoint_done(&first);
	lull_checkpoint_done(&second);
	return 0;
}
