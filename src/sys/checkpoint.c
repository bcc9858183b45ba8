// SPDX-License-Identifier: MIT
/* Checkpoints on disk: see checkpoint.h for the rules. */
#include "sys/checkpoint.h"

#include "lullcp.h"
#include "sys/checkpoint_json.h"
#include "sys/state.h"

#include <errno.h>
#include <limits.h>
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
	*checkpoint = (struct lull_checkpoint){ 0 };
}

int lull_checkpoint_copy(const struct lull_checkpoint *checkpoint,
			 struct lull_checkpoint *ret_copy)
{
	struct lull_checkpoint copy = *checkpoint;
	char **text[] = { &copy.source, &copy.dest, &copy.temporary, &copy.snapshot, &copy.hook };
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

void lull_checkpoint_free(struct lull_checkpoint *of, unsigned int n)
{
	for (unsigned int i = 0; of && i < n; i++)
		lull_checkpoint_done(&of[i]);
	free(of);
}

int lull_checkpoint_load(int dir, const char *name,
			 struct lull_checkpoint *ret_checkpoint)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = lull_state_read(dir, name, LULL_CHECKPOINT_MAX_SIZE, &text, &len);

	return r < 0 ? r : lull_checkpoint_parse(text, len, ret_checkpoint);
}

int lull_checkpoint_load_set(int dir, const char *name, struct lull_checkpoint **ret_of,
			     unsigned int *ret_n)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = lull_state_read(dir, name, LULL_CHECKPOINT_MAX_SIZE, &text, &len);

	return r < 0 ? r : lull_checkpoint_parse_set(text, len, ret_of, ret_n);
}

/*
 * Btrfs keeps the bytes of a small file in the leaf of the tree that has its inode, which is
 * right behind the extents of the clone: each one that is inserted moves them, 5 % of a clone's
 * CPU time on 6.18. What is longer than a block never lies there, even if it is compressed.
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
	/* Before the last brace, so that a file that was cut off is still told by its end. */
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
	return lull_checkpoint_save_set(dir, name, checkpoint, 1);
}

int lull_checkpoint_save_set(int dir, const char *name, const struct lull_checkpoint *of,
			     unsigned int n)
{
	_cleanup_free_ char *text = NULL;
	int r = lull_checkpoint_format_set(of, n, &text);

	if (r == 0)
		r = lengthen(&text);
	return r < 0 ? r : lull_state_write(dir, name, text);
}

int lull_checkpoint_remove(int dir, const char *name, bool durable)
{
	return lull_state_remove(dir, name, durable);
}

int lull_checkpoint_point(int dir, const char *name, const char *path)
{
	char there[PATH_MAX];
	ssize_t n;

	if (symlinkat(path, dir, name) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	n = readlinkat(dir, name, there, sizeof(there));
	return n == (ssize_t)strlen(path) && memcmp(there, path, (size_t)n) == 0 ? 0 : -EEXIST;
}

int lull_checkpoint_pointed(int dir, const char *name, char **ret_path)
{
	char there[PATH_MAX];
	ssize_t n = readlinkat(dir, name, there, sizeof(there));

	if (n < 0)
		return errno == EINVAL ? -ENOENT : -errno;
	if (n == 0 || n == (ssize_t)sizeof(there) || there[0] != '/')
		return -EBADMSG;
	*ret_path = strndup(there, (size_t)n);
	return *ret_path ? 0 : -ENOMEM;
}
