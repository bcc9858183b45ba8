// SPDX-License-Identifier: MIT
/* The contents of a checkpoint: see checkpoint.h. */
#include "store/checkpoint.h"

#include "lullcp.h"
#include "util/text.h"

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
	free(checkpoint->hook_files);
	*checkpoint = (struct lull_checkpoint){ 0 };
}

/* Replaces each text by a copy. Returns false without memory; then texts without a copy
   are NULL. */
static bool copy_texts(char **const *text, size_t n)
{
	bool copied = true;

	for (size_t i = 0; i < n; i++) {
		if (!*text[i])
			continue;
		*text[i] = strdup(*text[i]);
		copied = copied && *text[i];
	}
	return copied;
}

int lull_checkpoint_copy(const struct lull_checkpoint *checkpoint,
			 struct lull_checkpoint *ret_copy)
{
	struct lull_checkpoint copy = *checkpoint;
	char **text[] = { &copy.source,    &copy.dest, &copy.temporary,
			  &copy.snapshot,  &copy.hook, &copy.hook_directory,
			  &copy.hook_files };

	if (!copy_texts(text, ARRAY_SIZE(text))) {
		lull_checkpoint_done(&copy);
		return -ENOMEM;
	}
	*ret_copy = copy;
	return 0;
}

void lull_checkpoint_move_freeze(struct lull_checkpoint *from, struct lull_checkpoint *to)
{
	free(to->hook);
	free(to->hook_directory);
	free(to->hook_files);
	to->hook = from->hook;
	to->hook_directory = from->hook_directory;
	to->hook_files = from->hook_files;
	from->hook = from->hook_directory = from->hook_files = NULL;
	to->hook_timeout_ns = from->hook_timeout_ns;
	to->frozen = from->frozen;
	to->kept_frozen = from->kept_frozen;
	to->frozen_since = from->frozen_since;
	memcpy(to->machine, from->machine, sizeof(to->machine));
}

int lull_checkpoint_copy_freeze(const struct lull_checkpoint *from,
				struct lull_checkpoint *to)
{
	struct lull_checkpoint copy = *from;
	char **text[] = { &copy.hook, &copy.hook_directory, &copy.hook_files };
	int r = copy_texts(text, ARRAY_SIZE(text)) ? 0 : -ENOMEM;

	if (r == 0)
		lull_checkpoint_move_freeze(&copy, to);
	for (size_t i = 0; i < ARRAY_SIZE(text); i++)
		free(*text[i]);
	return r;
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
