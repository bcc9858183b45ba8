// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * Each level has two descriptors, for source and dest, and everything in them is accessed
 * by name. If a tree is deeper than there are descriptors, the levels far above are
 * parked: they are closed, and opened again as ".." of the level below when the walk
 * comes back to them.
 *
 * INVARIANTS
 *  1. A directory is entered by a name that is not followed, and only if the directory
 *     that was opened is the one that was examined. That is so too when a parked level is
 *     opened again.
 *  2. A directory gets its times, owner and mode when everything below it is copied.
 */
#include "engine/tree/walk.h"

#include "engine/file/copy_run.h"
#include "engine/file/durable.h"
#include "engine/file/make_way.h"
#include "engine/file/preserve.h"
#include "engine/file/queue.h"
#include "engine/tree/leftover.h"
#include "engine/tree/names.h"
#include "sys/inode.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

static bool complain(struct lull_entry *e, enum lull_note_kind kind, int err,
		     const char *path)
{
	lull_run_note(e->tree, kind, err, path, NULL);
	return false;
}

/* ---- parked levels ---- */

static void park(struct lull_level *level)
{
	lull_dirref_drop(level->src);
	lull_dirref_drop(level->dst);
	level->src = level->dst = NULL;
}

static struct lull_dirref *open_parent(struct lull_dirref *child, uint64_t dev,
				       uint64_t inode)
{
	int fd = openat(child->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct lull_dirref *ref;
	struct stat st;

	if (fd < 0)
		fd = openat(child->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	/* The directory has been moved in the meantime. */
	if (fstat(fd, &st) < 0 || st.st_ino != inode || st.st_dev != dev) {
		(void)close(fd);
		errno = ESTALE;
		return NULL;
	}
	ref = lull_dirref_new(fd);
	if (!ref)
		(void)close(fd);
	return ref;
}

static bool unpark(struct lull_entry *e, struct lull_level *level,
		   const struct lull_level *child)
{
	if (!level || level->src)
		return true;
	level->src = open_parent(child->src, level->dev, level->inode);
	level->dst = level->src
			     ? open_parent(child->dst, level->dst_dev, level->dst_inode)
			     : NULL;
	if (level->dst)
		return true;
	complain(e, LULL_NOTE_ACCESS, errno, level->src ? e->dst_path : e->src_path);
	park(level);
	return false;
}

/* ---- what is set at the end ---- */

struct ending {
	struct lull_copy_run *tree;
	struct lull_preserve keep;
	struct stat src;
	struct lull_dirref *ref[4];
	char *text[4];
};

static void forget(struct ending *ending)
{
	for (size_t i = 0; i < ARRAY_SIZE(ending->ref); i++)
		lull_dirref_drop(ending->ref[i]);
	for (size_t i = 0; i < ARRAY_SIZE(ending->text); i++)
		free(ending->text[i]);
	free(ending);
}

static void end(void *ctx)
{
	struct ending *ending = ctx;

	if (!lull_preserve_attributes(&ending->keep))
		lull_run_ended(ending->tree, LULL_FAILED);
	forget(ending);
}

static bool end_later(struct lull_entry *e, struct lull_level *self,
		      const struct lull_preserve *keep)
{
	struct ending *ending = calloc(1, sizeof(*ending));

	if (!ending)
		return complain(e, LULL_NOTE_MEMORY, ENOMEM, e->dst_path);
	*ending = (struct ending){
		.tree = e->tree,
		.keep = *keep,
		.src = e->src,
		.ref = { lull_dirref_hold(self->src), lull_dirref_hold(self->dst),
			 lull_dirref_hold(e->src_dir), lull_dirref_hold(e->dst_dir) },
		.text = { strdup(e->src_name), strdup(e->dst_name), strdup(e->src_path),
			  strdup(e->dst_path) },
	};
	for (size_t i = 0; i < ARRAY_SIZE(ending->text); i++) {
		if (!ending->text[i]) {
			forget(ending);
			return complain(e, LULL_NOTE_MEMORY, ENOMEM, e->dst_path);
		}
	}
	ending->keep.src = &ending->src;
	ending->keep.from.name = ending->text[0];
	ending->keep.to.name = ending->text[1];
	ending->keep.from_path = ending->text[2];
	ending->keep.to_path = ending->text[3];
	ending->keep.observer = e->tree->observer;
	lull_queue_later(e->tree, end, ending);
	return true;
}

/* ---- a directory ---- */

static bool is_above(const struct lull_entry *e, const struct lull_level *level)
{
	for (; level; level = level->up) {
		if (level->inode == e->src.st_ino && level->dev == e->src.st_dev)
			return true;
	}
	return false;
}

/* Makes dest, or opens the existing one. Sets k->dst to its attributes. */
static bool make_dest(struct lull_entry *e, const struct lull_level *level,
		      mode_t omitted, struct lull_preserve *k, int *ret_fd)
{
	int dir = e->dst_dir->fd;
	mode_t mode = e->src.st_mode & 07777;
	struct stat st;

	if (e->fresh && mkdirat(dir, e->dst_name, mode & ~omitted) < 0)
		return complain(e, LULL_NOTE_MAKE_DIRECTORY, errno, e->dst_path);
	*ret_fd = openat(dir, e->dst_name,
			 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd < 0 && errno == EACCES)
		*ret_fd = openat(dir, e->dst_name,
				 O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd < 0 || fstat(*ret_fd, &st) < 0)
		return complain(e, LULL_NOTE_STAT, errno, e->dst_path);
	if (!e->fresh && !SAME_INODE(&st, &e->dst))
		return complain(e, LULL_NOTE_STAT, ESTALE, e->dst_path);
	k->dst = st;
	k->fresh = e->fresh;
	k->omitted = e->fresh ? omitted : 0;
	if (!e->fresh)
		return true;
	if ((st.st_mode & S_IRWXU) != S_IRWXU) {
		struct lull_file_at at = { .fd = *ret_fd,
					   .dir = dir,
					   .name = e->dst_name };
		int r = lull_metadata_chmod(&at, (st.st_mode & 07777) | S_IRWXU);

		k->restore_mode = true;
		if (r < 0)
			return complain(e, LULL_NOTE_SET_MODE, r, e->dst_path);
	}
	/* If dest is inside the source, the walk will meet it. It is enough to remember
	   the first directory of each branch, because all others are inside one. */
	if (!(level && level->made) &&
	    !lull_idmap_add(e->tree->links, st.st_dev, st.st_ino, e->dst_rel))
		return complain(e, LULL_NOTE_MEMORY, ENOMEM, e->dst_path);
	lull_durable_add_directory(e->tree, *ret_fd);
	if (e->tree->cp->verbose)
		lull_run_note(e->tree, LULL_NOTE_COPIED, 0, e->src_path, e->dst_path);
	return true;
}

static char *join(const char *path, const char *name)
{
	size_t len = strlen(path);

	/* "d//" and "f" make d/f. */
	while (len > 0 && path[len - 1] == '/')
		len--;
	return lull_text("%.*s/%s", (int)len, path, name);
}

static bool copy_child(struct lull_entry *e, struct lull_level *self, const char *name,
		       struct lull_operand *operand)
{
	_cleanup_free_ char *src_path = join(e->src_path, name);
	_cleanup_free_ char *dst_path = join(e->dst_path, name);
	struct lull_entry child = {
		.tree = e->tree,
		.src_dir = self->src,
		.src_name = name,
		.src_last = name,
		.src_path = src_path,
		.dst_dir = self->dst,
		.dst_name = name,
		.dst_last = name,
		.dst_head = ".",
		.dst_path = dst_path,
		.fresh = e->fresh,
	};

	if (!src_path || !dst_path)
		return complain(e, LULL_NOTE_MEMORY, ENOMEM, e->src_path);
	/* Other programs cannot use a longer path. This also stops a tree without end. */
	if (strlen(src_path) >= PATH_MAX)
		return complain(e, LULL_NOTE_STAT, ENAMETOOLONG, src_path);
	/* Trailing slashes of the operand are gone, but the beginning is the same. */
	child.dst_rel = dst_path + (e->dst_rel - e->dst_path);
	return operand->visit(&child, self, operand);
}

/* Counts a file of lullcp. They are reported at the end, in one line. */
static void leave_out(struct lull_entry *e, const char *name)
{
	if (e->tree->left_out++ == 0)
		e->tree->first_left_out = join(e->src_path, name);
}

static bool copy_children(struct lull_entry *e, struct lull_level *self,
			  struct lull_operand *operand)
{
	/* Do not open the directory again: a user who may read it may not be allowed to
	   search it. */
	int fd = fcntl(self->src->fd, F_DUPFD_CLOEXEC, 3);
	struct lull_names names;
	const char *name;
	bool done = true;
	int r = fd < 0 ? -errno : lull_names_open(&names, fd);

	if (r < 0)
		return complain(e, LULL_NOTE_ACCESS, r, e->src_path);
	while ((r = lull_names_next(&names, &name)) > 0) {
		/* The level was parked and cannot be opened again. */
		if (!self->src || lull_run_should_stop(e->tree)) {
			done = false;
			break;
		}
		if (lull_leftover_is(self->src->fd, name)) {
			leave_out(e, name);
			continue;
		}
		done = copy_child(e, self, name, operand) && done;
		/* The walk would meet what it makes, without end. */
		if (operand->into_itself)
			break;
	}
	lull_names_close(&names);
	return r < 0 ? complain(e, LULL_NOTE_ACCESS, r, e->src_path) : done;
}

/* Opens the source directory. how: O_RDONLY or O_PATH. Returns a descriptor or -errno. */
static int open_source(const struct lull_entry *e, int how)
{
	int flags = how | O_DIRECTORY | O_CLOEXEC | (e->follow ? 0 : O_NOFOLLOW);
	int fd = openat(e->src_dir->fd, e->src_name, flags);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !SAME_INODE(&st, &e->src)) {
		(void)close(fd);
		return -ESTALE;
	}
	return fd;
}

static bool fill(struct lull_entry *e, struct lull_level *level, struct lull_level *self,
		 struct lull_operand *operand)
{
	struct lull_level *far = self;

	if (e->tree->cp->one_file_system && level && level->dev != e->src.st_dev)
		return true;
	/* Never parks the operand's own level: its parent directories are not ".." of
	   ours. */
	for (unsigned int i = 0; far && i < e->tree->open_levels; i++)
		far = far->up;
	if (far && far->src)
		park(far);
	return copy_children(e, self, operand);
}

/* Opens the source and copies what is in it. If it cannot be read, its attributes are
   still set. */
static bool fill_from_source(struct lull_entry *e, struct lull_level *level,
			     struct lull_level *self, struct lull_operand *operand)
{
	int fd = open_source(e, O_RDONLY);
	bool done = true;

	if (fd < 0 && fd != -ESTALE) {
		done = complain(e, LULL_NOTE_ACCESS, fd, e->src_path);
		fd = open_source(e, O_PATH);
	}
	if (fd == -ESTALE)
		return complain(e, LULL_NOTE_REPLACED, 0, e->src_path);
	self->src = lull_dirref_new(fd < 0 ? -1 : fd);
	if (!self->src) {
		lull_close(&fd);
		return complain(e, LULL_NOTE_MEMORY, ENOMEM, e->dst_path);
	}
	return done && fill(e, level, self, operand);
}

/* Sets attributes and times like those of the source. */
static bool dress(struct lull_entry *e, struct lull_level *level, struct lull_level *self,
		  struct lull_preserve *keep)
{
	if (!unpark(e, level, self))
		return false;
	/* The directories above may have been opened again. */
	if (level) {
		e->src_dir = level->src;
		e->dst_dir = level->dst;
	}
	keep->src = &e->src;
	keep->from = (struct lull_file_at){ .fd = self->src->fd, .dir = e->src_dir->fd };
	keep->to = (struct lull_file_at){ .fd = self->dst->fd, .dir = e->dst_dir->fd };
	return end_later(e, self, keep);
}

bool lull_walk_directory(struct lull_entry *e, struct lull_level *level,
			 struct lull_operand *operand)
{
	mode_t omitted = e->src.st_mode & (e->tree->cp->keep_owner ? 077 : 022);
	struct lull_level self = {
		.up = level,
		.dev = e->src.st_dev,
		.inode = e->src.st_ino,
	};
	struct lull_preserve keep = {
		.cp = e->tree->cp,
		.umask = e->tree->options->umask,
		.is_link = false,
	};
	int dst_fd = -1;
	bool done = false;

	if (is_above(e, level)) {
		complain(e, LULL_NOTE_CYCLE, 0, e->src_path);
		lull_entry_undo(e);
		return false;
	}
	if (!make_dest(e, level, omitted, &keep, &dst_fd)) {
		lull_close(&dst_fd);
		lull_entry_undo(e);
		return false;
	}
	self.dst_dev = keep.dst.st_dev;
	self.dst_inode = keep.dst.st_ino;
	self.made = keep.fresh;
	self.dst = lull_dirref_new(dst_fd);
	if (!self.dst) {
		(void)close(dst_fd);
		return complain(e, LULL_NOTE_MEMORY, ENOMEM, e->dst_path);
	}
	done = fill_from_source(e, level, &self, operand);
	/* Do not set attributes if the source was replaced, or if the level stays
	   parked. */
	if (self.src)
		done = dress(e, level, &self, &keep) && done;
	lull_dirref_drop(self.src);
	lull_dirref_drop(self.dst);
	return done;
}
