// SPDX-License-Identifier: MIT
/*
 * INVARIANT of lull_snapshot_take(): from before the snapshot call starts until the
 * snapshot exists, a clone call is running with the exclusive locks of src, including the
 * one for stores through mmap. When the clone call changes the times of scratch
 * (generic_remap_file_range_prep()), it has waited for direct I/O and has written out
 * dirty pages. It has not ended as long as scratch is shorter than src.
 *
 * The snapshot exists before the snapshot call returns, because that waits until the
 * whole transaction is on disk. A new transaction begins only after the snapshot was
 * created in the old one. The clone needs a transaction for each extent, so it begins the
 * new one at once. So when the file system's generation is higher than that of the
 * snapshot, the locks can be released.
 *
 * Until then, the commit processes what all have added to the transaction, and the clone
 * should not add more: each extent needs another reference. So scratch already has a
 * clone of the beginning of src. When that is cloned again, each extent loses a reference
 * and gets the same one, and the two cancel out before they reach a tree.
 */
#include "sys/snapshot.h"

#include "sys/child.h"
#include "sys/clock.h"
#include "sys/ficlone.h"
#include "sys/private.h"
#include "sys/subvolume.h"
#include "sys/thread.h"

#include <btrfsutil.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The name of the snapshot in the directory that is made for it. */
#define NAME "snapshot"
/* A clone call starts within microseconds, unless it waits for I/O or for the lock. */
#define LOOK_AGAIN_NS (50 * NSEC_PER_USEC)

static int from_util(enum btrfs_util_error err)
{
	if (err == BTRFS_UTIL_OK)
		return 0;
	return errno ? -errno : -EIO;
}

/* Starts the process that holds the lock. SIGKILL ends it, because a clone call checks
   for that between two extents. A thread could not be ended, and would hold the lock
   until the clone is complete. */
static pid_t start_holder(int src, int scratch, uint64_t len)
{
	const int keep[] = { src, scratch };
	pid_t parent = getpid();
	pid_t pid = lull_child_fork(keep, ARRAY_SIZE(keep));

	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(getppid() == parent ? -lull_clone_range(src, scratch, 0, len) & 0xff
				  : EINTR);
}

/* A clone does not set the times of a file to this. */
static const struct timespec untouched = { .tv_sec = 1 };

static bool has_begun(int scratch)
{
	struct stat st;

	return fstat(scratch, &st) == 0 && (st.st_mtim.tv_sec != untouched.tv_sec ||
					    st.st_mtim.tv_nsec != untouched.tv_nsec);
}

/* Returns true if a clone of len bytes into scratch, which has begun, has not ended. */
static bool is_at_work(int scratch, uint64_t len)
{
	struct stat st;

	return fstat(scratch, &st) == 0 && (uint64_t)st.st_size < len;
}

/* Waits until the clone call has the locks (returns true), or the process has ended. */
static bool wait_for_holder(pid_t pid, int scratch)
{
	siginfo_t info;

	for (;;) {
		if (has_begun(scratch))
			return true;
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    info.si_pid != 0)
			return false;
		lull_clock_sleep(LOOK_AGAIN_NS);
	}
}

/* Ends the process. Returns the -errno of its call, or 0 if it was killed before. */
static int end_holder(pid_t pid)
{
	int status = 0;

	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : 0;
}

/* Returns the number of the running transaction, or of the last; 0 before Linux 5.10. */
static uint64_t running_transaction(int dir)
{
	struct btrfs_ioctl_fs_info_args info = { .flags = BTRFS_FS_INFO_FLAG_GENERATION };

	if (ioctl(dir, BTRFS_IOC_FS_INFO, &info) < 0 ||
	    !(info.flags & BTRFS_FS_INFO_FLAG_GENERATION))
		return 0;
	return info.generation;
}

struct watch {
	int dir;
	int scratch;
	uint64_t len;
	uint64_t transaction; /* in which the snapshot should be created */
	pid_t holder;
	atomic_bool over; /* the snapshot call has returned */
	/* the holder was still cloning when that transaction was over, and has been
	   ended */
	bool let_go;
};

/* Ends the holder as soon as the transaction of the snapshot is over. */
static void *watch_transaction(void *arg)
{
	struct watch *w = arg;

	while (!atomic_load(&w->over)) {
		if (running_transaction(w->dir) > w->transaction) {
			w->let_go = is_at_work(w->scratch, w->len);
			(void)kill(w->holder, SIGKILL);
			break;
		}
		lull_clock_sleep(LOOK_AGAIN_NS);
	}
	return NULL;
}

/* Returns 1 if the snapshot was created in that transaction, 0 if not, or -errno. */
static int created_in(int dir, uint64_t transaction)
{
	_cleanup_close_ int fd = openat(dir, NAME,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct btrfs_ioctl_get_subvol_info_args info = { 0 };
	struct btrfs_util_subvolume_info older;
	int r;

	if (fd < 0)
		return -errno;
	/* The library assumes that user 0 may search the trees, which is not so in a user
	   namespace or without CAP_SYS_ADMIN. Everybody may make this call. It sometimes
	   returns 1 for success (seen on 6.18), the result of its last search in a
	   tree. */
	if (ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, &info) >= 0)
		return info.otransid == transaction;
	if (errno != ENOTTY) /* before Linux 4.18 */
		return -errno;
	errno = 0;
	r = from_util(btrfs_util_subvolume_info_fd(fd, 0, &older));
	return r < 0 ? r : older.otransid == transaction;
}

/* Takes the snapshot while the holder clones. *ret_proven: the holder was cloning for as
   long as it had to. */
static int create_under(struct watch *w, int root, bool *ret_proven)
{
	pthread_t thread;
	int r;

	w->transaction = running_transaction(w->dir);
	r = w->transaction ? lull_thread_start(&thread, watch_transaction, w) : -1;
	bool watched = r == 0;

	errno = 0;
	r = from_util(btrfs_util_create_snapshot_fd2(root, w->dir, NAME,
						     BTRFS_UTIL_CREATE_SNAPSHOT_READ_ONLY,
						     NULL, NULL));
	*ret_proven = is_at_work(w->scratch, w->len);
	atomic_store(&w->over, true);
	if (watched)
		(void)pthread_join(thread, NULL);
	if (r == 0 && w->let_go) {
		r = created_in(w->dir, w->transaction);
		*ret_proven = r > 0;
		r = MIN(r, 0);
	}
	return r;
}

/*
 * Returns true if fd is a snapshot of the subvolume of source. Before Linux 4.18 that is
 * not known, and is assumed. The top level of a file system made before btrfs-progs 4.16
 * has no UUID, and a subvolume that is not a snapshot has no parent UUID. So there, fd
 * must also be read-only, as take() makes it.
 */
static bool is_snapshot_of(int fd, int source)
{
	static const __u8 none[BTRFS_UUID_SIZE];
	struct btrfs_ioctl_get_subvol_info_args ours = { 0 }, theirs = { 0 };

	if (ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, &ours) < 0 ||
	    ioctl(source, BTRFS_IOC_GET_SUBVOL_INFO, &theirs) < 0)
		return errno == ENOTTY;
	if (memcmp(theirs.uuid, none, sizeof(none)) == 0 &&
	    !(ours.flags & BTRFS_ROOT_SUBVOL_RDONLY))
		return false;
	return memcmp(ours.parent_uuid, theirs.uuid, sizeof(theirs.uuid)) == 0;
}

/* Deletes the subvolume name in dir, if it is a snapshot of that of source, or if source
   is -1. */
static int delete (int dir, const char *name, int source)
{
	_cleanup_close_ int fd = openat(dir, name,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!lull_subvolume_is_root(fd))
		return -ENOTTY;
	if (source >= 0 && !is_snapshot_of(fd, source))
		return -EEXIST;
	errno = 0;
	r = from_util(btrfs_util_delete_subvolume_fd(dir, name, 0));
	/* Without privileges, a read-only subvolume cannot be deleted, but it can be made
	   writable. */
	if (r == -EROFS || r == -EPERM || r == -EACCES) {
		errno = 0;
		r = from_util(btrfs_util_set_subvolume_read_only_fd(fd, false));
		if (r == 0) {
			errno = 0;
			r = from_util(btrfs_util_delete_subvolume_fd(dir, name, 0));
		}
	}
	return r;
}

int lull_snapshot_take(int root, int dir, int src, int scratch, uint64_t len,
		       uint64_t *ret_held_ns)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, untouched };
	struct watch w = { .dir = dir, .scratch = scratch, .len = len };
	uint64_t before;
	bool proven = false;
	int r = 0, undone, held;

	if (futimens(scratch, times) < 0)
		return -errno;
	/* A commit now leaves less for the commit that the snapshot makes under the
	   lock. */
	if (syncfs(dir) < 0)
		return -errno;
	/* scratch is as long as src, or longer, so the end of the clone could not be
	   seen. */
	if (!is_at_work(scratch, len))
		return -EAGAIN;
	before = lull_clock_now();
	w.holder = start_holder(src, scratch, len);
	if (w.holder < 0)
		return w.holder;
	if (wait_for_holder(w.holder, scratch))
		r = create_under(&w, root, &proven);
	held = end_holder(w.holder);
	*ret_held_ns = lull_clock_now() - before;
	if (r == 0 && proven && held == 0)
		return 0;
	undone = delete (dir, NAME, src);
	if (undone < 0 || r < 0)
		return undone < 0 ? undone : r;
	/* src has shrunk, or another transaction came between. The next attempt may
	   succeed. */
	return held == -EINVAL ? -EAGAIN : held < 0 ? held : w.let_go ? -EAGAIN : -ETIME;
}

int lull_snapshot_open(int dir, const char *inside, int src)
{
	_cleanup_close_ int at = openat(dir, NAME,
					O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int fd = -1;
	struct stat a, b;

	if (at < 0)
		return -errno;
	fd = openat(at, inside, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &a) < 0 || fstat(src, &b) < 0)
		return -errno;
	/* A file has the same inode number in a snapshot. */
	if (a.st_ino != b.st_ino || !S_ISREG(a.st_mode))
		return -ESTALE;
	return lull_steal_fd(&fd);
}

int lull_snapshot_delete(int dir, const char *name, int inner, int source)
{
	_cleanup_close_ int opened = -1;
	int r;

	if (inner < 0) {
		inner = opened = lull_private_open(dir, name);
		if (inner < 0)
			return inner == -ENOENT ? 0 : inner;
	}
	r = delete (inner, NAME, source);
	return r < 0 ? r : lull_private_remove(dir, name, inner);
}
