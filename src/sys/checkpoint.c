// SPDX-License-Identifier: MIT
/* Checkpoints on disk: see checkpoint.h for the rules. */
#include "sys/checkpoint.h"

#include "lullcp.h"
#include "sys/checkpoint_json.h"
#include "sys/state.h"

#include <stdlib.h>

void lull_checkpoint_done(struct lull_checkpoint *checkpoint)
{
	free(checkpoint->source);
	free(checkpoint->dest);
	free(checkpoint->temporary);
	free(checkpoint->snapshot);
	free(checkpoint->hook);
	*checkpoint = (struct lull_checkpoint){ 0 };
}

int lull_checkpoint_load(int dir, const char *name,
			 struct lull_checkpoint *ret_checkpoint)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = lull_state_read(dir, name, LULL_CHECKPOINT_MAX_SIZE, &text, &len);

	return r < 0 ? r : lull_checkpoint_parse(text, len, ret_checkpoint);
}

int lull_checkpoint_save(int dir, const char *name,
			 const struct lull_checkpoint *checkpoint)
{
	_cleanup_free_ char *text = NULL;
	int r = lull_checkpoint_format(checkpoint, &text);

	return r < 0 ? r : lull_state_write(dir, name, text);
}

int lull_checkpoint_remove(int dir, const char *name, bool durable)
{
	return lull_state_remove(dir, name, durable);
}
