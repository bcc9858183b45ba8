// SPDX-License-Identifier: MIT
/*
 * Examines one entry and makes its copy. The checks are in the order of cp, which decides
 * which of several errors a user gets.
 */
#include "engine/tree/entry.h"

#include "engine/base/events.h"
#include "engine/file/backup.h"
#include "engine/file/copy_run.h"
#include "engine/file/file.h"
#include "engine/file/make_way.h"
#include "engine/file/queue.h"
#include "engine/set/set.h"
#include "engine/tree/clash.h"
#include "engine/tree/node.h"
#include "engine/tree/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static bool complain(struct lull_entry *e, enum lull_note_kind kind, int err,
		     const char *path, const char *path2)
{
	lull_run_note(e->tree, kind, err, path, path2);
	return false;
}

/* Returns true for a file that was an operand before. */
static bool is_named_twice(struct lull_entry *e)
{
	struct lull_idmap *operands = e->tree->operands;
	struct lull_named *seen = NULL;

	if (!operands || !e->operand)
		return false;
	if (!S_ISDIR(e->src.st_mode) && e->tree->cp->backup == LULL_BACKUP_NONE) {
		while ((seen = lull_idmap_find(operands, e->src.st_dev, e->src.st_ino,
					       seen))) {
			if (lull_entry_is_same(AT_FDCWD, seen->name, AT_FDCWD,
					       e->src_path))
				return true;
		}
	}
	if (!lull_idmap_add(operands, e->src.st_dev, e->src.st_ino, e->src_path))
		complain(e, LULL_NOTE_MEMORY, ENOMEM, e->src_path, NULL);
	return false;
}

/* Like stat_source(), for dest: waits for what is queued if that will change dest.
   Returns false with errno set. */
static bool stat_dest(struct lull_entry *e)
{
	int dir = e->dst_dir->fd, flags = e->dst_is_itself ? AT_SYMLINK_NOFOLLOW : 0;
	struct stat link;
	bool found, wait;

	found = fstatat(dir, e->dst_name, &e->dst, flags) == 0;
	wait = found ? !S_ISDIR(e->dst.st_mode) && lull_queue_replaces(e->tree, &e->dst)
		     : errno == ENOENT && flags == 0 &&
			       fstatat(dir, e->dst_name, &link, AT_SYMLINK_NOFOLLOW) == 0;
	e->absent = !found && !wait && errno == ENOENT;
	if (wait) {
		lull_queue_drain(e->tree);
		return fstatat(dir, e->dst_name, &e->dst, flags) == 0;
	}
	return found;
}

/* Examines what has the name of dest. Returns false after an error message. */
static bool find_dest(struct lull_entry *e)
{
	const struct lull_cp *cp = e->tree->cp;
	mode_t type = e->src.st_mode;
	bool itself = (!S_ISREG(type) &&
		       (!cp->special_as_regular || S_ISDIR(type) || S_ISLNK(type))) ||
		      cp->symbolic_link || cp->hard_link ||
		      cp->backup != LULL_BACKUP_NONE || cp->remove_destination;

	if (e->fresh)
		return true;
	e->dst_is_itself = itself;
	if (stat_dest(e))
		return true;
	if (errno == ENOENT) {
		e->fresh = true;
		return true;
	}
	/* This link leads in a circle. Opening it will fail, and then it is removed. */
	if (errno == ELOOP && cp->force) {
		e->dst = (struct stat){ .st_mode = S_IFREG, .st_nlink = 1 };
		e->dst_is_itself = true;
		return true;
	}
	return complain(e, LULL_NOTE_STAT, errno, e->dst_path, NULL);
}

/* Returns true for the second operand of "cp a/link b/link d": it would write to the file
   to which the first one links. */
static bool is_through_created(struct lull_entry *e)
{
	struct stat st;

	if (!e->operand || !e->tree->made || e->absent ||
	    e->tree->cp->backup != LULL_BACKUP_NONE)
		return false;
	if (e->dst_is_itself && !e->fresh)
		st = e->dst;
	else if (fstatat(e->dst_dir->fd, e->dst_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return S_ISLNK(st.st_mode) && lull_clash_was_made(e, &st);
}

/*
 * Finds an earlier copy of this inode. If there is none (*ret_earlier is NULL), notes
 * that it is being copied now, if that is needed. Returns false without memory.
 */
static bool look_earlier(struct lull_entry *e, struct lull_named **ret_earlier)
{
	const struct lull_cp *cp = e->tree->cp;
	struct lull_idmap *links = e->tree->links;
	bool note;

	*ret_earlier = NULL;
	if (S_ISDIR(e->src.st_mode))
		note = e->operand;
	else if (cp->keep_links && !cp->hard_link &&
		 (e->src.st_nlink > 1 || cp->follow == LULL_FOLLOW_ALWAYS ||
		  (e->operand && cp->follow == LULL_FOLLOW_OPERANDS)))
		note = true;
	else
		return true;
	*ret_earlier = lull_idmap_find(links, e->src.st_dev, e->src.st_ino, NULL);
	if (*ret_earlier || !note)
		return true;
	e->named = lull_idmap_add(links, e->src.st_dev, e->src.st_ino, e->dst_rel);
	return e->named || complain(e, LULL_NOTE_MEMORY, ENOMEM, e->src_path, NULL);
}

/* Handles a directory that is met again. Returns 1 to continue, 0 if nothing is to be
   done, -1 on failure. */
static int meet_directory_again(struct lull_entry *e, const struct lull_named *earlier,
				struct lull_operand *operand)
{
	struct lull_copy_run *tree = e->tree;
	int root = tree->dest_root->fd;
	_cleanup_free_ char *made = NULL;

	if (lull_entry_is_same(AT_FDCWD, e->src_path, root, earlier->name)) {
		operand->into_itself = true;
		complain(e, LULL_NOTE_INTO_ITSELF, 0, operand->src_path,
			 operand->dst_path);
		return -1;
	}
	if (lull_entry_is_same(e->dst_dir->fd, e->dst_name, root, earlier->name)) {
		lull_run_note(tree, LULL_NOTE_TWICE_DIRECTORY, 0, operand->src_path,
			      NULL);
		return 0;
	}
	if (tree->cp->follow == LULL_FOLLOW_ALWAYS ||
	    (e->operand && tree->cp->follow == LULL_FOLLOW_OPERANDS))
		return 1;
	complain(e, LULL_NOTE_DIRECTORY_LINK, 0, e->dst_path,
		 lull_node_path(e, earlier->name, &made));
	return -1;
}

/* Links dest to an earlier copy. Returns 1, 0 if there is none, or -1 on failure. */
static int link_to_earlier(struct lull_entry *e)
{
	struct lull_named *earlier;
	int r;

	if (!look_earlier(e, &earlier))
		return -1;
	if (!earlier)
		return 0;
	r = lull_entry_back_up(e);
	if (r < 0)
		complain(e, LULL_NOTE_BACKUP, r, e->dst_path, NULL);
	else if (lull_node_link_earlier(e, earlier))
		return 1;
	lull_entry_undo(e);
	return -1;
}

/* Makes dest a link, or a copy if the copy to which it should be linked has failed. */
static void link_file(struct lull_file *f)
{
	int r = link_to_earlier(&f->entry);

	f->link = false;
	if (r == 0 && lull_entry_becomes_regular(&f->entry)) {
		lull_file_copy(f);
		return;
	}
	if (r == 0 && !lull_node_make(&f->entry)) {
		lull_entry_undo(&f->entry);
		r = -1;
	}
	f->linked = true;
	f->outcome = r < 0 ? LULL_FAILED : LULL_OK;
}

const struct lull_work lull_entry_work = {
	.copy = lull_file_copy,
	.link = link_file,
	.name = lull_file_name,
	.finish = lull_file_finish,
};

/* Queues the entry's file. link: a copy exists or is queued. */
static bool queue(struct lull_entry *e, bool link)
{
	struct lull_file file = {
		.entry = *e,
		.observer = e->tree->observer,
		.mode = e->src.st_mode & 0777,
		.omitted = e->tree->cp->keep_owner ? e->src.st_mode & 077 : 0,
		.link = link,
		.name_dir = -1,
		.done_fd = -1,
		.src_fd = -1,
		.old_fd = -1,
	};

	bool done = e->tree->set ? lull_set_add(e->tree->set, &file)
				 : lull_queue_file(&file);

	/* The backup may have another number now. A task has its own copy. */
	e->backup = file.entry.backup;
	return done;
}

struct made {
	struct lull_copy_run *tree;
	struct lull_dirref *dir;
	char *name;
	char rel[];
};

static void remember_made(void *ctx)
{
	struct made *made = ctx;
	struct stat st;

	if (fstatat(made->dir->fd, made->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !lull_idmap_add(made->tree->made, st.st_dev, st.st_ino, made->rel))
		lull_run_note(made->tree, LULL_NOTE_MEMORY, ENOMEM, made->rel, NULL);
	lull_dirref_drop(made->dir);
	free(made->name);
	free(made);
}

/* Remembers what an operand made: another operand of the same name must not undo that. */
static void note_made(struct lull_entry *e)
{
	size_t size = strlen(e->dst_rel) + 1;
	struct made *made;

	if (!e->operand || !e->tree->made)
		return;
	made = malloc(sizeof(*made) + size);
	if (!made)
		return;
	*made = (struct made){
		.tree = e->tree,
		.dir = lull_dirref_hold(e->dst_dir),
		.name = strdup(e->dst_name),
	};
	memcpy(made->rel, e->dst_rel, size);
	if (made->name) {
		lull_queue_later(e->tree, remember_made, made);
	} else {
		lull_dirref_drop(made->dir);
		free(made);
	}
}

static bool make(struct lull_entry *e, struct lull_level *level,
		 struct lull_operand *operand)
{
	struct lull_named *earlier;
	bool done;

	if (!look_earlier(e, &earlier))
		return false;
	/* The copy has failed, but a queued link to it has not found that out yet. */
	if (e->named && lull_queue_links(e->tree, &e->src)) {
		lull_idmap_remove(e->tree->links, e->named);
		e->named = NULL;
		lull_queue_drain(e->tree);
		if (!look_earlier(e, &earlier))
			return false;
	}
	if (earlier && S_ISDIR(e->src.st_mode)) {
		int r = meet_directory_again(e, earlier, operand);

		if (r <= 0)
			return r == 0;
	} else if (earlier && e->tree->set) {
		_cleanup_free_ char *path = NULL;

		return complain(e, LULL_NOTE_LINK_IN_SET, 0, e->dst_path,
				lull_node_path(e, earlier->name, &path));
	}
	if (S_ISDIR(e->src.st_mode))
		done = lull_walk_directory(e, level, operand);
	else if (earlier || lull_entry_becomes_regular(e))
		/* this calls lull_entry_undo() itself */
		done = queue(e, earlier != NULL);
	else if (!(done = lull_node_make(e)))
		lull_entry_undo(e);
	note_made(e);
	return done;
}

static bool follows(const struct lull_entry *e)
{
	enum lull_follow follow = e->tree->cp->follow;

	return follow == LULL_FOLLOW_ALWAYS ||
	       (follow == LULL_FOLLOW_OPERANDS && e->operand);
}

/* Examines the source. Waits for what is queued if that will make, replace or fill the
   source: it may be the target, or be reached by a link into it. Returns false with errno
   set. */
static bool stat_source(struct lull_entry *e)
{
	int flags = e->follow ? 0 : AT_SYMLINK_NOFOLLOW;
	bool found = fstatat(e->src_dir->fd, e->src_name, &e->src, flags) == 0;

	if (found ? lull_queue_replaces(e->tree, &e->src) : errno == ENOENT) {
		lull_queue_drain(e->tree);
		found = fstatat(e->src_dir->fd, e->src_name, &e->src, flags) == 0;
	}
	return found;
}

bool lull_entry_copy(struct lull_entry *e, struct lull_level *level,
		     struct lull_operand *operand)
{
	const struct lull_cp *cp = e->tree->cp;
	enum lull_clash clash = LULL_CLASH_GO;
	bool done = false, takes_backup_name;

	e->follow = follows(e);
	if (!stat_source(e))
		return complain(e, LULL_NOTE_STAT, errno, e->src_path, NULL);
	if (S_ISDIR(e->src.st_mode) && !cp->recursive)
		return complain(e, LULL_NOTE_OMITTED_DIRECTORY, 0, e->src_path, NULL);
	/* Without a common freeze, each file would show another point in time. */
	if (!S_ISREG(e->src.st_mode) &&
	    (S_ISDIR(e->src.st_mode) ? e->tree->options->hook != NULL
				     : e->tree->set != NULL))
		return complain(e, LULL_NOTE_CANNOT_FREEZE, 0, e->src_path, NULL);
	if (is_named_twice(e)) {
		lull_run_note(e->tree, LULL_NOTE_TWICE_FILE, 0, e->src_path, NULL);
		return true;
	}
	takes_backup_name = !e->fresh && cp->backup != LULL_BACKUP_NONE &&
			    lull_backup_is_name(e->dst_last, cp->suffix);
	/* Keep the reports of the files before and after this one in order. */
	if (takes_backup_name)
		lull_queue_drain(e->tree);
	if (!find_dest(e))
		return false;
	if (!e->fresh)
		clash = lull_clash_settle(e);
	if (clash == LULL_CLASH_GO && is_through_created(e)) {
		complain(e, LULL_NOTE_THROUGH_CREATED, 0, e->src_path, e->dst_path);
		clash = LULL_CLASH_FAIL;
	}
	if (clash == LULL_CLASH_GO) {
		if (cp->verbose && !S_ISDIR(e->src.st_mode) && !e->tree->dated)
			lull_events_say(&e->tree->walk, .kind = LULL_NOTE_COPIED,
					.path = e->src_path, .path2 = e->dst_path,
					.path3 = e->backup_path);
		done = make(e, level, operand);
		if (takes_backup_name)
			lull_queue_drain(e->tree);
	}
	free(e->backup);
	free(e->backup_path);
	e->backup = e->backup_path = NULL;
	return clash == LULL_CLASH_SKIP || done;
}
