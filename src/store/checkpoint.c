// SPDX-License-Identifier: MIT
/* What a checkpoint says: see checkpoint.h. */
#include "store/checkpoint.h"

#include "lullcp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void lull_checkpoint_done(struct lull_checkpoint *checkpoint)
{
	free(checkpoint->source);
	free(checkpoint->dest);
	free(checkpoint->temporary);
	free(checkpoint->snapshot);
	free(checkpoint->hook);
	free(checkpoint->hook_directory);
	*checkpoint = (struct lull_checkpoint){ 0 };
}

int lull_checkpoint_copy(const struct lull_checkpoint *checkpoint,
			 struct lull_checkpoint *ret_copy)
{
	struct lull_checkpoint copy = *checkpoint;
	char **text[] = { &copy.source,   &copy.dest, &copy.temporary,
			  &copy.snapshot, &copy.hook, &copy.hook_directory };
	bool failed = false;

	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		if (!*text[i])
			continue;
		*text[i] = strdup(*text[i]);
		failed |= !*text[i];
	}
	if (failed) {
		lull_checkpoint_done(&copy);
		return -ENOMEM;
	}
	*ret_copy = copy;
	return 0;
}

int lull_checkpoint_take_only(struct lull_checkpoint *of, unsigned int n,
			      struct lull_checkpoint *ret_only)
{
	if (n > 1) {
		lull_checkpoint_free(of, n);
		return -ENOTUNIQ;
	}
	*ret_only = of[0];
	free(of);
	return 0;
}

void lull_checkpoint_free(struct lull_checkpoint *of, unsigned int n)
{
	for (unsigned int i = 0; of && i < n; i++)
		lull_checkpoint_done(&of[i]);
	free(of);
}
