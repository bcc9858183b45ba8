// SPDX-License-Identifier: MIT
/* Makes special files and symbolic links, and the links of -l and -s. */
#include "engine/tree/node.h"

#include "engine/file/copy_run.h"
#include "engine/file/preserve.h"
#include "engine/file/temporary.h"
#include "sys/inode.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

/* No symbolic link is longer than this. */
#define LONGEST_LINK (1u << 20)

static bool complain(struct lull_entry *e, enum lull_note_kind kind, int err,
		     const char *path, const char *path2)
{
	lull_run_note(e->tree, kind, err, path, path2);
	return false;
}

/* ---- symbolic links ---- */

static int make_symlink(int dir, const char *name, const void *text)
{
	return symlinkat(text, dir, name) < 0 ? -errno : 0;
}

static int force_symlink(const struct lull_entry *e, const char *text, bool replace)
{
	int dir = e->dst_dir->fd, r = make_symlink(dir, e->dst_name, text);

	return r == -EEXIST && replace
		       ? lull_temporary_replace(dir, e->dst_name, make_symlink, text)
		       : r;
}

/* Reads a symbolic link. The caller frees the text. NULL with errno set on failure. */
static char *read_link(const struct lull_entry *e)
{
	size_t room = MAX((size_t)e->src.st_size + 1, (size_t)128);

	for (; room <= LONGEST_LINK; room *= 2) {
		char *text = malloc(room);
		ssize_t n;

		if (!text)
			return NULL;
		n = readlinkat(e->src_dir->fd, e->src_name, text, room);
		if (n >= 0 && (size_t)n < room) {
			text[n] = '\0';
			return text;
		}

		int number = errno;

		free(text);
		errno = number;
		if (n < 0)
			return NULL;
	}
	errno = ENAMETOOLONG;
	return NULL;
}

static bool keep(struct lull_entry *e, mode_t omitted)
{
	bool link = S_ISLNK(e->src.st_mode) || e->tree->cp->symbolic_link;
	_cleanup_close_ int fd = openat(e->dst_dir->fd, e->dst_name,
					O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct lull_preserve k = {
		.cp = e->tree->cp,
		.observer = e->tree->observer,
		.umask = e->tree->options->umask,
		.from = { .fd = -1, .dir = e->src_dir->fd, .name = e->src_name },
		.to = { .fd = link ? -1 : fd,
			.dir = e->dst_dir->fd,
			.name = e->dst_name },
		.from_path = e->src_path,
		.to_path = e->dst_path,
		.src = &e->src,
		.fresh = true,
		.is_link = link,
		.omitted = omitted,
	};

	if (fd < 0 || fstat(fd, &k.dst) < 0)
		return complain(e, LULL_NOTE_STAT, errno, e->dst_path, NULL);
	if (!lull_preserve_attributes(&k)) {
		lull_run_ended(e->tree, LULL_FAILED);
		return false;
	}
	return true;
}

static bool copy_link(struct lull_entry *e)
{
	_cleanup_free_ char *text = read_link(e);
	int r;

	if (!text)
		return complain(e, LULL_NOTE_READ_LINK, errno, e->src_path, NULL);
	r = force_symlink(e, text, e->tree->cp->force);
	if (r < 0)
		return complain(e, LULL_NOTE_SYMLINK_ITSELF, r, e->dst_path, NULL);
	return keep(e, 0);
}

/* Returns true if a relative link at dest would lead to the source: dest must be in the
   working directory. */
static bool is_here(const struct lull_entry *e)
{
	_cleanup_free_ char *head = lull_path_head(e->dst_path);
	struct stat here, there;

	return head && (stat(".", &here) < 0 || stat(head, &there) < 0 ||
			SAME_INODE(&here, &there));
}

static bool link_instead(struct lull_entry *e)
{
	int r;

	if (*e->src_path != '/' && !is_here(e))
		return complain(e, LULL_NOTE_RELATIVE_LINK, 0, e->dst_path, NULL);
	r = force_symlink(e, e->src_path, e->tree->cp->force);
	if (r < 0)
		return complain(e, LULL_NOTE_SYMLINK, r, e->dst_path, e->src_path);
	return keep(e, 0);
}

/* ---- hard links ---- */

struct target {
	int dir;
	const char *name;
	int flags;
	uint64_t dev, inode; /* what the target must be; 0: anything */
};

static int make_hard_link(int dir, const char *name, const void *ctx)
{
	const struct target *target = ctx;
	struct stat st;
	int r;

	if (linkat(target->dir, target->name, dir, name, target->flags) < 0)
		return -errno;
	/* The target may have been replaced in the meantime: do not link to another
	   file. */
	if (target->inode == 0)
		return 0;
	r = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
	if (r == 0 && (st.st_ino != target->inode || st.st_dev != target->dev))
		r = -ESTALE;
	if (r < 0)
		(void)unlinkat(dir, name, 0);
	return r;
}

/* Returns 1 if something was replaced, 0 if not, or -errno. */
static int force_hard_link(const struct lull_entry *e, const struct target *target,
			   bool replace)
{
	int dir = e->dst_dir->fd, r = make_hard_link(dir, e->dst_name, target);

	if (r != -EEXIST || !replace)
		return r;
	r = lull_temporary_replace(dir, e->dst_name, make_hard_link, target);
	return r < 0 ? r : 1;
}

/* Makes a hard link. told: reports that something was replaced, as cp does for the names
   of one file, but not for -l. */
static bool hard_link(struct lull_entry *e, const struct target *target, bool replace,
		      bool told, const char *target_path)
{
	int r = force_hard_link(e, target, replace);

	if (r > 0 && told && e->tree->cp->verbose && !e->backup && !e->removal_due)
		lull_run_note(e->tree, LULL_NOTE_REMOVED, 0, e->dst_path, NULL);
	return r >= 0 || complain(e, LULL_NOTE_HARD_LINK, r, e->dst_path, target_path);
}

const char *lull_node_path(const struct lull_entry *e, const char *name, char **ret_made)
{
	size_t prefix = strlen(e->dst_path) - strlen(e->dst_rel);

	*ret_made = lull_text("%.*s%s", (int)prefix, e->dst_path, name);
	return *ret_made ? *ret_made : name;
}

bool lull_node_link_earlier(struct lull_entry *e, const struct lull_named *earlier)
{
	_cleanup_free_ char *made = NULL;
	struct target target = {
		.dir = e->tree->dest_root->fd,
		.name = earlier->name,
		/* Follow a link only to a file that is known: somebody may have put
		   another link there. */
		.flags = e->follow && earlier->other_inode ? AT_SYMLINK_FOLLOW : 0,
		.dev = earlier->other_dev,
		.inode = earlier->other_inode,
	};

	return hard_link(e, &target, true, true, lull_node_path(e, earlier->name, &made));
}

static bool hard_link_source(struct lull_entry *e)
{
	const struct lull_cp *cp = e->tree->cp;
	struct target target = {
		.dir = e->src_dir->fd,
		.name = e->src_name,
		.flags = e->follow ? AT_SYMLINK_FOLLOW : 0,
	};

	return hard_link(e, &target, cp->force || cp->overwrite == LULL_OVERWRITE_ASK,
			 false, e->src_path);
}

/* ---- special files ---- */

static bool make_node(struct lull_entry *e)
{
	mode_t mode = e->src.st_mode;
	mode_t omitted = e->tree->cp->keep_owner ? mode & 077 : 0;
	bool fifo = S_ISFIFO(mode);

	if (mknodat(e->dst_dir->fd, e->dst_name, mode & ~omitted,
		    fifo ? 0 : e->src.st_rdev) < 0)
		return complain(e, fifo ? LULL_NOTE_FIFO : LULL_NOTE_SPECIAL, errno,
				e->dst_path, NULL);
	return keep(e, omitted);
}

bool lull_node_make(struct lull_entry *e)
{
	const struct lull_cp *cp = e->tree->cp;

	if (cp->symbolic_link)
		return link_instead(e);
	if (cp->hard_link)
		return hard_link_source(e);
	switch (e->src.st_mode & S_IFMT) {
	case S_IFLNK:
		return copy_link(e);
	case S_IFIFO:
	case S_IFSOCK:
	case S_IFCHR:
	case S_IFBLK:
		return make_node(e);
	default:
		return complain(e, LULL_NOTE_UNKNOWN_TYPE, 0, e->src_path, NULL);
	}
}
