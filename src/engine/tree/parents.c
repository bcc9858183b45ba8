// SPDX-License-Identifier: MIT
/* --parents: makes the directories above an operand: see parents.h. */
#include "engine/tree/parents.h"

#include "engine/base/events.h"
#include "engine/file/durable.h"
#include "engine/file/preserve.h"
#include "engine/file/queue.h"
#include "sys/inode.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct lull_parents {
	struct lull_parents *next;
	struct lull_copy_run *tree;
	struct lull_cp cp; /* with the attributes that a parent directory preserves */
	struct lull_preserve keep;
	struct stat src;
	struct lull_dirref *root;
	char *name; /* relative to root */
	char *src_path;
	char *dst_path;
	bool made;
	bool ends; /* there are attributes to set at the end */
};

static bool complain(struct lull_entry *e, enum lull_note_kind kind, int err,
		     const char *path)
{
	lull_run_note(e->tree, kind, err, path, NULL);
	return false;
}

static int open_directory(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 && errno == EACCES
		       ? openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC)
		       : fd;
}

static bool make_one(struct lull_entry *e, struct lull_parents *p)
{
	const struct lull_cp *cp = e->tree->cp;
	mode_t mode = (cp->default_mode ? 0777 : p->src.st_mode) & 07777;
	mode_t omitted = cp->keep_owner ? 077 : cp->keep_mode ? 022 : 0;

	if (mkdirat(e->dst_dir->fd, p->name, mode & ~omitted) < 0)
		return complain(e, LULL_NOTE_PARENT_MAKE, errno, p->dst_path);
	p->made = true;
	p->keep.omitted = mode & omitted;
	if (cp->verbose)
		lull_run_note(e->tree, LULL_NOTE_PARENT, 0, p->src_path, p->dst_path);
	return true;
}

/* Examines source and dest of one directory, for the attributes that are set at the end.
   Does not keep them open: a path may have more parts than there are descriptors. */
static bool look_at_one(struct lull_entry *e, struct lull_parents *p)
{
	_cleanup_close_ int src = open_directory(AT_FDCWD, p->src_path);
	_cleanup_close_ int dst = open_directory(p->root->fd, p->name);
	struct lull_preserve *k = &p->keep;
	struct lull_file_at to = { .fd = dst };
	int r;

	if (src < 0)
		return complain(e, LULL_NOTE_PARENT_ATTRIBUTES, errno, p->src_path);
	if (dst < 0 || fstat(dst, &k->dst) < 0)
		return complain(e, LULL_NOTE_PARENT_ATTRIBUTES, errno, p->dst_path);
	p->ends = true;
	k->fresh = p->made;
	if (!p->made)
		return true;
	lull_durable_add_directory(e->tree, dst);
	if ((k->dst.st_mode & S_IRWXU) == S_IRWXU)
		return true;
	r = lull_metadata_chmod(&to, (k->dst.st_mode & 07777) | S_IRWXU);
	k->restore_mode = true;
	return r == 0 || complain(e, LULL_NOTE_SET_MODE, r, p->dst_path);
}

/* Makes one directory: the first len bytes of path. The target has the same name for
   it. */
static bool do_one(struct lull_entry *e, const char *path, size_t len, const char *target,
		   bool *ret_fresh, struct lull_parents **ret_parents)
{
	const struct lull_cp *cp = e->tree->cp;
	bool keeps = cp->keep_mode || cp->keep_owner || cp->keep_times, missing;
	size_t slashes = strspn(path, "/");
	struct lull_parents *p = calloc(1, sizeof(*p));
	struct stat st;
	int err;

	if (!p)
		return complain(e, LULL_NOTE_MEMORY, ENOMEM, path);
	p->tree = e->tree;
	p->root = lull_dirref_hold(e->dst_dir);
	p->cp = *cp;
	p->cp.keep_xattrs = false;
	p->next = *ret_parents;
	*ret_parents = p;
	p->keep = (struct lull_preserve){
		.cp = &p->cp,
		.observer = e->tree->observer,
		.umask = e->tree->options->umask,
		.src = &p->src,
	};
	p->name = strndup(path + slashes, len - slashes);
	p->src_path = strndup(path, len);
	if (p->name)
		p->dst_path =
			lull_text("%s%s%s", target,
				  *target && target[strlen(target) - 1] == '/' ? "" : "/",
				  p->name);
	if (!p->src_path || !p->dst_path)
		return complain(e, LULL_NOTE_MEMORY, ENOMEM, path);
	p->keep.from_path = p->src_path;
	p->keep.to_path = p->dst_path;

	missing = fstatat(e->dst_dir->fd, p->name, &st, 0) < 0;
	if (missing || keeps) {
		err = stat(p->src_path, &p->src) < 0 ? errno
		      : S_ISDIR(p->src.st_mode)      ? 0
						     : ENOTDIR;
		if (err)
			return complain(e, LULL_NOTE_PARENT_ATTRIBUTES, err, p->src_path);
	}
	*ret_fresh = missing;
	if (!missing && !S_ISDIR(st.st_mode))
		return complain(e, LULL_NOTE_NOT_DIRECTORY, 0, p->dst_path);
	if (missing && !make_one(e, p))
		return false;
	return !(missing || keeps) || look_at_one(e, p);
}

bool lull_parents_make(struct lull_entry *e, const char *path, const char *target,
		       bool *ret_fresh, struct lull_parents **ret_parents)
{
	const char *last = lull_path_last(path);

	_cleanup_free_ char *above = strndup(path, (size_t)(last - path));
	struct stat st;

	*ret_parents = NULL;
	*ret_fresh = false;
	if (!above)
		return complain(e, LULL_NOTE_MEMORY, ENOMEM, path);
	/* If all directories exist, they have the right attributes. */
	if (fstatat(e->dst_dir->fd, *above ? above + strspn(above, "/") : ".", &st, 0) ==
		    0 &&
	    S_ISDIR(st.st_mode))
		return true;
	/* First set the attributes of what an earlier operand has made: a directory in it
	   inherits the setgid bit, as with cp. */
	lull_queue_drain(e->tree);
	for (const char *at = path + strspn(path, "/"); at < last;) {
		size_t len = strcspn(at, "/");

		if (!do_one(e, path, (size_t)(at - path) + len, target, ret_fresh,
			    ret_parents))
			return false;
		at += len;
		at += strspn(at, "/");
	}
	return true;
}

static bool is_still(int fd, const struct stat *st)
{
	struct stat now;

	if (fd >= 0 && fstat(fd, &now) == 0 && SAME_INODE(&now, st))
		return true;
	/* The directory has been moved in the meantime. */
	errno = fd < 0 ? errno : ESTALE;
	return false;
}

static bool end_one(struct lull_parents *p)
{
	_cleanup_close_ int src = open_directory(AT_FDCWD, p->src_path);
	_cleanup_close_ int dst = open_directory(p->root->fd, p->name);
	int err;

	if (is_still(src, &p->src) && is_still(dst, &p->keep.dst)) {
		p->keep.from = (struct lull_file_at){ .fd = src };
		p->keep.to = (struct lull_file_at){ .fd = dst };
		return lull_preserve_attributes(&p->keep);
	}
	err = errno;
	lull_events_say(p->keep.observer, .kind = LULL_NOTE_PARENT_ATTRIBUTES, .err = err,
			.path = is_still(src, &p->src) ? p->dst_path : p->src_path);
	return false;
}

static void end(void *ctx)
{
	struct lull_parents *p = ctx;

	while (p) {
		struct lull_parents *next = p->next;

		if (p->ends && !end_one(p))
			lull_run_ended(p->tree, LULL_FAILED);
		lull_dirref_drop(p->root);
		free(p->name);
		free(p->src_path);
		free(p->dst_path);
		free(p);
		p = next;
	}
}

void lull_parents_end(struct lull_copy_run *tree, struct lull_parents *parents)
{
	if (parents)
		lull_queue_later(tree, end, parents);
}
