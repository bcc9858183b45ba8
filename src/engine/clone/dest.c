// SPDX-License-Identifier: MIT
/* Names, lock and lifetime of the file that is written. */
#include "engine/clone/dest.h"

#include "engine/base/beside.h"
#include "engine/base/place.h"
#include "engine/clone/statehome.h"
#include "engine/clone/swap.h"
#include "store/checkpoint_file.h"
#include "sys/btrfs_commit.h"
#include "sys/ficlone.h"
#include "sys/inode.h"
#include "sys/opening.h"
#include "sys/rename_free.h"
#include "sys/renew.h"
#include "sys/trusted.h"
#include "util/path.h"
#include "util/text.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

/* How many times to check whether two paths lead to one file. */
#define LOOKS 5
/* Others may take the lock and publish between any two steps. Only a program that keeps
   renaming the file under us would do it this often. */
#define LOCK_TRIES 1000

void lull_dest_init(struct lull_dest *dest)
{
	*dest = (struct lull_dest){ .dir = -1,
				    .checkpoint_dir = -1,
				    .lock = -1,
				    .fd = -1,
				    .scratch = -1,
				    .snapshot_dir = -1,
				    .target = -1 };
	lull_statehome_init(&dest->home);
}

void lull_dest_done(struct lull_dest *dest)
{
	if (dest->fd != dest->lock)
		lull_close(&dest->fd);
	lull_close(&dest->scratch);
	lull_close(&dest->lock);
	lull_close(&dest->dir);
	lull_close(&dest->checkpoint_dir);
	lull_close(&dest->snapshot_dir);
	lull_close(&dest->target);
	free(dest->path);
	free(dest->temporary);
	free(dest->snapshot);
	free(dest->checkpoint_path);
	free(dest->checkpoint);
	lull_statehome_done(&dest->home);
	lull_dest_init(dest);
}

/* Returns the absolute form of a path whose last part need not exist, or NULL with errno
   set. */
static char *absolute(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	_cleanup_free_ char *head = NULL;
	_cleanup_free_ char *dir = NULL;
	char *made;

	if (*name == '\0' || lull_path_is_dots(name)) {
		errno = *path ? ENOTDIR : ENOENT;
		return NULL;
	}
	head = lull_path_head(path);
	dir = head ? realpath(head, NULL) : NULL;
	made = dir ? lull_text("%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name) : NULL;
	if (made && strlen(made) >= PATH_MAX) {
		free(made);
		errno = ENAMETOOLONG;
		return NULL;
	}
	return made;
}

/* Refuses a directory in which others could replace a state file: such a file would not
   be trusted. */
static int judge_checkpoint_dir(const struct lull_dest *dest, enum lull_cause *ret_cause)
{
	enum lull_trusted_kind kind;
	int r = lull_trusted_judge(dest->checkpoint_dir, &kind);

	if (r == 0 && kind == LULL_TRUSTED_OPEN) {
		*ret_cause = LULL_CAUSE_CHECKPOINT_DIRECTORY;
		r = -EPERM;
	}
	return r;
}

static int name_checkpoint(struct lull_dest *dest, const struct lull_state_wish *wish,
			   enum lull_cause *ret_cause)
{
	const struct lull_statehome *home = &dest->home;

	if (wish->checkpoint) {
		dest->checkpoint_path = absolute(wish->checkpoint);
		if (!dest->checkpoint_path)
			return -errno;
		dest->checkpoint = strdup(strrchr(dest->checkpoint_path, '/') + 1);
		if (!dest->checkpoint)
			return -ENOMEM;
		dest->checkpoint_dir = lull_open_parent(dest->checkpoint_path, O_RDONLY);
		return dest->checkpoint_dir < 0 ? dest->checkpoint_dir
						: judge_checkpoint_dir(dest, ret_cause);
	}
	dest->checkpoint = lull_statehome_name(home, dest->name, ".lullcp");
	dest->checkpoint_path = dest->checkpoint
					? lull_statehome_path(home, dest->checkpoint)
					: NULL;
	if (!dest->checkpoint || (home->path && !dest->checkpoint_path))
		return -ENOMEM;
	if (home->dir < 0)
		return 0;
	dest->checkpoint_dir = fcntl(home->dir, F_DUPFD_CLOEXEC, 3);
	return dest->checkpoint_dir < 0 ? -errno : 0;
}

/* Examines the file that has the name of DEST. Refuses a type that cannot be replaced. */
static int look(struct lull_dest *dest, enum lull_cause *ret_cause)
{
	dest->exists = lstat(dest->path, &dest->old) == 0;
	if (!dest->exists)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(dest->old.st_mode)) {
		*ret_cause = LULL_CAUSE_IS_DIRECTORY;
		return -EISDIR;
	}
	if (!S_ISREG(dest->old.st_mode)) {
		*ret_cause = LULL_CAUSE_NOT_REGULAR;
		return -EINVAL;
	}
	return 0;
}

void lull_dest_look_again(struct lull_dest *dest)
{
	struct stat st;
	bool exists = fstatat(dest->dir, dest->name, &st, AT_SYMLINK_NOFOLLOW) == 0;

	if (exists ? !S_ISREG(st.st_mode) || st.st_nlink > 1 : errno != ENOENT)
		return;
	dest->exists = exists;
	if (exists)
		dest->old = st;
}

/* Opens the directory and makes the names in it. dest->path and dest->name must be
   set. */
static int settle_names(struct lull_dest *dest, const struct lull_state_wish *wish,
			enum lull_stage *ret_stage, enum lull_cause *ret_cause)
{
	int r;

	*ret_stage = LULL_STAGE_OPEN_DIR;
	dest->dir = lull_open_parent(dest->path, O_RDONLY);
	if (dest->dir < 0)
		return dest->dir;
	r = lull_identity_fs(dest->dir, &dest->fs);
	if (r < 0)
		return r;
	dest->temporary = lull_beside_temporary(dest->name);
	dest->snapshot = lull_beside(dest->name, ".lullcp-snap");
	if (!dest->temporary || !dest->snapshot)
		return -ENOMEM;

	r = lull_statehome_open(dest, wish);
	if (r < 0)
		return r;
	*ret_stage = LULL_STAGE_CHECKPOINT;
	return name_checkpoint(dest, wish, ret_cause);
}

/*
 * Checks that path and the absolute path lead to the same place. All names are made and
 * looked up in the directory of the absolute path. path leads elsewhere if something has
 * been mounted over the working directory, or if path goes through another mount
 * namespace (/proc/PID/root).
 */
static int leads_back(const struct lull_dest *dest, const char *path,
		      enum lull_cause *ret_cause)
{
	_cleanup_free_ char *head = lull_path_head(path);
	struct stat meant, found;
	bool link, seen = false;

	if (!head)
		return -ENOMEM;
	link = lstat(path, &meant) == 0 && S_ISLNK(meant.st_mode);
	/* Another run may replace the target of the link between the two calls. */
	for (int i = 0; i < LOOKS; i++) {
		seen = link ? stat(path, &meant) == 0 && stat(dest->path, &found) == 0
			    : stat(head, &meant) == 0 && fstat(dest->dir, &found) == 0;
		if (seen && SAME_INODE(&meant, &found))
			return 0;
	}
	if (seen)
		*ret_cause = LULL_CAUSE_PATH_ELSEWHERE;
	return -ESTALE;
}

/* Returns -errno of absolute(). Finds out whether the file could be there, and only its
   absolute path is too long. */
static int no_path(const char *path, enum lull_cause *ret_cause)
{
	int r = -errno;
	struct stat st;

	if (r == -ENAMETOOLONG && (lstat(path, &st) == 0 || errno == ENOENT))
		*ret_cause = LULL_CAUSE_LONG_PATH;
	return r;
}

int lull_dest_resolve(struct lull_dest *dest, const char *path,
		      const struct lull_state_wish *wish, enum lull_stage *ret_stage,
		      enum lull_cause *ret_cause)
{
	struct stat st;
	int r;

	*ret_stage = LULL_STAGE_STAT_DEST;
	*ret_cause = LULL_CAUSE_ERRNO;
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
		dest->path = realpath(path, NULL);
		if (!dest->path && errno == ENOENT)
			*ret_cause = LULL_CAUSE_DANGLING_LINK;
	} else {
		*ret_stage = LULL_STAGE_CREATE;
		dest->path = absolute(path);
	}
	if (!dest->path)
		return no_path(path, ret_cause);
	dest->name = strrchr(dest->path, '/') + 1;

	*ret_stage = LULL_STAGE_STAT_DEST;
	r = look(dest, ret_cause);
	if (r < 0)
		return r;
	r = settle_names(dest, wish, ret_stage, ret_cause);
	return r < 0 ? r : leads_back(dest, path, ret_cause);
}

int lull_dest_resolve_name(struct lull_dest *dest, const char *path,
			   const struct lull_state_wish *wish, enum lull_stage *ret_stage,
			   enum lull_cause *ret_cause)
{
	int r;

	*ret_stage = LULL_STAGE_CREATE;
	*ret_cause = LULL_CAUSE_ERRNO;
	dest->path = absolute(path);
	if (!dest->path)
		return no_path(path, ret_cause);
	dest->name = strrchr(dest->path, '/') + 1;
	r = settle_names(dest, wish, ret_stage, ret_cause);
	return r < 0 ? r : leads_back(dest, path, ret_cause);
}

int lull_dest_call(struct lull_dest *dest, const char *name)
{
	enum lull_cause cause;
	char *path;

	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	path = lull_path_beside(dest->path, name);
	if (!path)
		return -ENOMEM;
	free(dest->path);
	dest->path = path;
	dest->name = strrchr(path, '/') + 1;
	return look(dest, &cause);
}

/* Returns true if fd is still the file with the name of the temporary file. */
static bool still_named(const struct lull_dest *dest, int fd)
{
	return lull_inode_is_named(fd, dest->dir, dest->temporary);
}

/* Returns true if there is a checkpoint, or a pointer to one. Another run may have put it
   beside dest, even if this run has its own elsewhere. */
static bool has_checkpoint(const struct lull_dest *dest)
{
	_cleanup_free_ char *name = lull_statehome_name(&dest->home, dest->name,
							".lullcp");

	return (name &&
		faccessat(dest->home.dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) ||
	       (dest->checkpoint && faccessat(dest->checkpoint_dir, dest->checkpoint,
					      F_OK, AT_SYMLINK_NOFOLLOW) == 0);
}

static bool is_locked(const struct lull_dest *dest, const char *name)
{
	_cleanup_close_ int fd = openat(dest->dir, name, O_RDONLY | LULL_OPEN_WARILY);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/*
 * Returns true if another run is about to finish. Its rename frees the name of the
 * temporary file, but it removes the checkpoint only a little later. Until then it holds
 * the lock on the file that has become DEST.
 */
static bool is_being_finished(const struct lull_dest *dest)
{
	/* There is no name if only the lock is wanted. */
	return dest->name && has_checkpoint(dest) && is_locked(dest, dest->name);
}

/* Returns true if an earlier run made the file, and in the end gave it the owner of
   DEST. */
static bool is_recorded(const struct lull_dest *dest, int fd, const struct stat *st)
{
	struct lull_checkpoint c = { 0 };
	bool is;

	if (dest->checkpoint_dir < 0 || !dest->checkpoint ||
	    lull_checkpoint_load(dest->checkpoint_dir, dest->checkpoint, &c) < 0)
		return false;
	is = c.temporary && c.dest_inode == st->st_ino &&
	     c.dest_generation == lull_inode_generation(fd) &&
	     strcmp(c.dest_fs, dest->fs.uuid) == 0;
	lull_checkpoint_done(&c);
	return is;
}

int lull_dest_lock(struct lull_dest *dest)
{
	const int flags = O_RDWR | LULL_OPEN_WARILY;

	for (int i = 0; i < LOCK_TRIES; i++) {
		_cleanup_close_ int fd = openat(dest->dir, dest->temporary,
						flags | O_CREAT | O_EXCL, 0600);
		struct stat st;

		dest->created = fd >= 0;
		if (fd < 0 && errno == EEXIST)
			fd = openat(dest->dir, dest->temporary, flags);
		if (fd < 0 && errno == ENOENT)
			continue; /* it has been removed since */
		if (fd < 0)
			return errno == ELOOP || errno == EISDIR || errno == ENXIO
				       ? -EEXIST
				       : -errno;
		if (fstat(fd, &st) < 0)
			return -errno;
		if (!S_ISREG(st.st_mode) || st.st_nlink > 1 ||
		    (st.st_uid != geteuid() && !is_recorded(dest, fd, &st)))
			return -EEXIST;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return -errno;

		/* The holder of the lock may have published or removed the file after it
		   was opened here. */
		if (!still_named(dest, fd))
			continue;
		if (is_being_finished(dest)) {
			if (dest->created)
				(void)unlinkat(dest->dir, dest->temporary, 0);
			return -EWOULDBLOCK;
		}
		/* Set the mode whatever the umask is. Do not change an existing file
		   before it is taken over: its ctime shows whether others have changed
		   it. */
		if (dest->created && fchmod(fd, 0600) < 0)
			return -errno;
		dest->lock_was_empty = st.st_size == 0;
		dest->lock = lull_steal_fd(&fd);
		return 0;
	}
	return -EWOULDBLOCK; /* other runs create and remove it all the time */
}

bool lull_dest_is_locked(const struct lull_dest *dest)
{
	return is_locked(dest, dest->temporary);
}

int lull_dest_open(struct lull_dest *dest)
{
	if (!dest->in_place) {
		dest->fd = dest->lock;
		return 0;
	}

	/* In a sticky directory, fs.protected_regular refuses O_CREAT on a file of
	   somebody else. */
	_cleanup_close_ int fd =
		lull_open_patiently(dest->dir, dest->name,
				    O_WRONLY | (dest->exists ? 0 : O_CREAT) |
					    LULL_OPEN_WARILY,
				    0600, NULL, NULL);

	if (fd < 0)
		return fd;
	/* Lock the file too: it may have two names, and then it has two temporary
	   files. */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	dest->fd = lull_steal_fd(&fd);
	return 0;
}

/*
 * Makes the first change on a Btrfs. After a mount, the first change waits until Btrfs
 * has reserved space for metadata, which took 80 to 170 ms. Here only the scratch file is
 * locked in the meantime. Errors do not matter: the first clone from the source will show
 * them.
 */
static void warm_up(int scratch, uint64_t block)
{
	_cleanup_free_ char *zeroes = calloc(1, block);

	if (zeroes && pwrite(scratch, zeroes, block, 0) == (ssize_t)block)
		(void)!lull_clone_own_block(scratch, block);
	(void)!ftruncate(scratch, 0);
}

int lull_dest_scratch(struct lull_dest *dest, int src)
{
	if (dest->scratch >= 0)
		return 0;

	_cleanup_close_ int fd = openat(dest->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
					0600);
	int r;

	if (fd < 0)
		return -errno;
	r = lull_inode_inherit(src, fd, 0);
	if (r < 0)
		return r;
	if (dest->fs.magic == BTRFS_SUPER_MAGIC)
		warm_up(fd, dest->fs.block);
	dest->scratch = lull_steal_fd(&fd);
	return 0;
}

/* Gives the file an owner, if the caller may. If not, clears the special bits in
   *mode. */
static int give_owner(struct lull_job *job, uid_t owner, gid_t group, mode_t *mode)
{
	struct stat now;

	if (fstat(job->dest.fd, &now) < 0)
		return -errno;
	if ((now.st_uid != owner || now.st_gid != group) &&
	    fchown(job->dest.fd, owner, group) < 0) {
		/* With the wrong owner, the special bits would give away that owner's
		   rights. */
		*mode &= 0777;
		lull_warn(job, LULL_WARNING_OWNER_LOST, errno, job->dest.path);
	}
	return 0;
}

/*
 * Sets mode and owner as cp would. A new file has the source's permissions less the
 * umask. A file that was there keeps its own mode, and its owner if the caller may set
 * it.
 */
static int set_mode(struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;
	const struct lull_checkpoint *c = &job->checkpoint;
	struct stat st;
	mode_t mode;
	int r = 0;

	if (dest->in_place && dest->exists)
		return 0;
	if (fstat(job->src, &st) < 0)
		return -errno;
	mode = st.st_mode & 0777 & ~job->options->umask;
	/* The file is the old DEST, which had the temporary name during the refresh. */
	if (c->refresh && c->replaces && !c->used_up) {
		mode = c->mode;
		r = give_owner(job, c->owner, c->group, &mode);
	} else if (dest->exists) {
		mode = dest->old.st_mode & 07777;
		r = give_owner(job, dest->old.st_uid, dest->old.st_gid, &mode);
	}
	return r == 0 && fchmod(dest->fd, mode) < 0 ? -errno : r;
}

/* Makes the file like a new one. It was another file before, or an earlier run left it,
   so it must keep none of its attributes. */
static int make_new(const struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;
	_cleanup_close_ int sample = openat(dest->dir, ".",
					    O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int r = sample >= 0 ? lull_inode_inherit(job->src, sample, 0) : 0;

	return r < 0 ? r : lull_renew(dest->fd, sample);
}

/* From this number of extents on, a commit costs less than to log each. */
#define MANY_EXTENTS 20000u

int lull_dest_sync(struct lull_job *job)
{
	uint64_t cloned = job->progress->extents_cloned;
	int r;

	lull_tell_call(job, LULL_CALL_FLUSH);
	if (job->dest.fs.magic == BTRFS_SUPER_MAGIC &&
	    cloned - job->synced_extents >= MANY_EXTENTS)
		lull_btrfs_commit(job->dest.fd);
	r = fdatasync(job->dest.fd) < 0 ? -errno : 0;
	lull_tell_call(job, LULL_CALL_NONE);
	job->synced_extents = cloned;
	return r;
}

int lull_dest_finish(struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	bool dressed = job->place && job->place->dress;
	/* DEST keeps its attributes, as if cp had written to it. */
	bool itself = c->refresh && !c->used_up;
	/* DEST exchanges its contents, and gets nothing else. */
	bool bare = job->dest.target >= 0;
	int r = !itself && !bare && !job->dest.in_place && !job->dest.created
			? make_new(job)
			: 0;

	if (r == 0 && !bare && (!dressed || itself))
		r = set_mode(job);
	if (r == 0 && !bare && dressed)
		r = job->place->dress(job->place->file, job->dest.fd, job->dest.dir,
				      itself);

	return r == 0 && !job->options->no_sync ? lull_dest_sync(job) : r;
}

/* Returns true if the rename must not replace a file. A generation replaces nothing, nor
   does cp -n. Also, a file may have appeared since the run began: the user was not asked
   about it, it has no backup, and it may be newer than the source. */
static bool must_be_free(const struct lull_job *job)
{
	const struct lull_cp *cp = &job->options->cp;
	bool depends = cp->backup != LULL_BACKUP_NONE ||
		       cp->overwrite == LULL_OVERWRITE_ASK ||
		       cp->update == LULL_UPDATE_OLDER;

	return job->rotation || cp->overwrite == LULL_OVERWRITE_NO ||
	       cp->update == LULL_UPDATE_NONE || cp->update == LULL_UPDATE_NONE_FAIL ||
	       (depends && !job->dest.exists);
}

static int give_name(const struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;

	if (must_be_free(job))
		return lull_rename_free(dest->dir, dest->temporary, dest->name);
	return renameat(dest->dir, dest->temporary, dest->dir, dest->name) < 0 ? -errno
									       : 0;
}

/* Warns if a program has the old DEST open, such as a guest its image: after the rename
   it writes to a file without a name. A DEST that is refreshed is open in no other
   program: see refresh.c. */
static void warn_of_users(struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;
	_cleanup_close_ int fd = -1;
	int old = job->place ? job->place->old : -1;
	enum lull_inode_use use;
	struct stat st;

	if (!dest->exists || job->rotation || job->options->refresh || job->options->base)
		return;
	/* DEST is the source of this job, which this run itself has open. */
	if (lull_place_alters(job->place) && fstat(job->src, &st) == 0 &&
	    SAME_INODE(&st, &dest->old))
		return;
	if (old < 0)
		old = fd = openat(dest->dir, dest->name, O_RDONLY | LULL_OPEN_WARILY);
	use = old < 0 ? LULL_INODE_UNKNOWN : lull_inode_use(old);
	if (use == LULL_INODE_READ || use == LULL_INODE_WRITTEN)
		lull_warn(job, LULL_WARNING_OPEN, 0, dest->path);
}

int lull_dest_rename(struct lull_job *job)
{
	struct lull_dest *dest = &job->dest;

	if (dest->target >= 0)
		return lull_swap_publish(job);
	if (!dest->in_place) {
		if (!still_named(dest, dest->lock))
			return -ESTALE;
		warn_of_users(job);
		int r = give_name(job);

		if (r < 0)
			return r;
		/* Another user with write permission to the directory may have renamed
		   something else there first. */
		if (!lull_inode_is_named(dest->lock, dest->dir, dest->name))
			return -ESTALE;
	} else if (!lull_dest_has_name(dest)) {
		return -ESTALE;
	}
	job->result->published = true;
	return 0;
}

int lull_dest_publish(struct lull_job *job)
{
	int r = lull_dest_rename(job);

	if (r == 0 && !job->options->no_sync && fsync(job->dest.dir) < 0)
		r = -errno;
	return r;
}

int lull_dest_may_rename(const struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;
	struct stat st;

	if (!still_named(dest, dest->fd))
		return -ESTALE;
	if (fstatat(dest->dir, dest->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(st.st_mode))
			return -EISDIR;
		if (lull_inode_is_immutable(dest->dir, dest->name))
			return -EPERM;
	}
	return faccessat(dest->dir, ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

bool lull_dest_has_name(const struct lull_dest *dest)
{
	return dest->fd >= 0 && lull_inode_is_named(dest->fd, dest->dir, dest->name);
}

bool lull_dest_is_there(const struct lull_dest *dest)
{
	return dest->lock >= 0 && still_named(dest, dest->lock);
}

int lull_dest_remove(struct lull_dest *dest)
{
	if (!lull_dest_is_there(dest))
		return 0;
	return unlinkat(dest->dir, dest->temporary, 0) < 0 && errno != ENOENT ? -errno
									      : 0;
}
