// SPDX-License-Identifier: MIT
/* Reads and writes checkpoints: see checkpoint_file.h for the rules. */
#include "store/checkpoint_file.h"

#include "store/checkpoint_json.h"
#include "store/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int lull_checkpoint_load(int dir, const char *name,
			 struct lull_checkpoint *ret_checkpoint)
{
	struct lull_checkpoint *of;
	unsigned int n;
	int r = lull_checkpoint_load_set(dir, name, &of, &n);

	return r < 0 ? r : lull_checkpoint_take_only(of, n, ret_checkpoint);
}

int lull_checkpoint_load_set(int dir, const char *name, struct lull_checkpoint **ret_of,
			     unsigned int *ret_n)
{
	char self[LULL_STATE_SELF_SIZE];
	_cleanup_free_ char *text = NULL;
	struct lull_checkpoint *of = NULL;
	unsigned int n = 0;
	size_t len;
	int r = lull_state_read(dir, name, LULL_CHECKPOINT_MAX_SIZE, &text, &len, self);

	if (r < 0)
		return r;
	r = lull_checkpoint_parse_set(text, len, &of, &n);
	if (r < 0 && r != -ENOTUNIQ)
		return r;
	if (lull_state_is_itself(text, len, self) < 0)
		r = -ESTALE;
	if (r < 0) {
		lull_checkpoint_free(of, n);
		return r;
	}
	*ret_of = of;
	*ret_n = n;
	return 0;
}

/*
 * Makes the text longer than a block. Btrfs keeps the bytes of a small file in the tree
 * leaf that has its inode, which is next to the extents of the clone. Each inserted
 * extent then moves these bytes, which took 5 % of a clone's CPU time on 6.18. A file of
 * more than a block is never kept there, even if it is compressed.
 */
static int lengthen(char **text)
{
	size_t len = strlen(*text);
	char *longer;

	if (len >= LULL_CHECKPOINT_MIN_SIZE)
		return 0;
	longer = malloc(LULL_CHECKPOINT_MIN_SIZE + 1);
	if (!longer)
		return -ENOMEM;
	/* Insert before the last brace, so that a truncated file is still recognized by
	   its end. */
	memset(longer, ' ', LULL_CHECKPOINT_MIN_SIZE);
	memcpy(longer, *text, len - 1);
	longer[LULL_CHECKPOINT_MIN_SIZE - 1] = (*text)[len - 1];
	longer[LULL_CHECKPOINT_MIN_SIZE] = '\0';
	free(*text);
	*text = longer;
	return 0;
}

int lull_checkpoint_save(int dir, const char *name,
			 const struct lull_checkpoint *checkpoint)
{
	return lull_checkpoint_save_set(dir, name, checkpoint, 1, true);
}

int lull_checkpoint_save_set(int dir, const char *name, const struct lull_checkpoint *of,
			     unsigned int n, bool durable)
{
	_cleanup_free_ char *text = NULL;
	int r = lull_checkpoint_format_set(of, n, &text);

	if (r == 0)
		r = lengthen(&text);
	return r < 0 ? r : lull_state_write(dir, name, text, durable);
}

int lull_checkpoint_remove(int dir, const char *name, bool durable)
{
	return lull_state_remove(dir, name, durable);
}

int lull_checkpoint_point(int dir, const char *name, const char *path)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *there = NULL;
	int r = lull_checkpoint_pointed(dir, name, &there);

	if (r == 0)
		return strcmp(there, path) == 0 ? 0 : -EEXIST;
	/* A file that is not trusted, or is not a pointer, belongs to somebody else. */
	if (r != -ENOENT || faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return r == -ENOENT || r == -EBADMSG || lull_state_is_refusal(r) ? -EEXIST
										 : r;
	r = lull_checkpoint_format_pointer(path, &text);
	return r < 0 ? r : lull_state_write(dir, name, text, true);
}

int lull_checkpoint_pointed(int dir, const char *name, char **ret_path)
{
	char self[LULL_STATE_SELF_SIZE];
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *path = NULL;
	size_t len;
	int r = lull_state_read(dir, name, LULL_CHECKPOINT_MAX_SIZE, &text, &len, self);

	if (r == 0)
		r = lull_checkpoint_parse_pointer(text, len, &path);
	if (r == 0)
		r = lull_state_is_itself(text, len, self);
	if (r < 0)
		return r;
	*ret_path = lull_steal(&path);
	return 0;
}
