// SPDX-License-Identifier: MIT
/*
 * INVARIANT of lull_snapshot_take(): from before the snapshot call starts until after it
 * has returned, a clone call is at work under the exclusive locks of src, the one for
 * stores through mmap included. It has waited for direct I/O and written out what was
 * dirty when it changes the times of scratch (generic_remap_file_range_prep()), and is
 * not at its end as long as scratch is shorter than src.
 *
 * "After it" comes earlier than the end of the snapshot call, which waits until all of
 * the transaction is on disk. A new transaction begins only when the snapshot has been
 * created in the old one, and the clone, which needs one for each extent, begins it at
 * once: when the file system's generation moves on from that of the snapshot, the locks
 * can go.
 *
 * Until then the commit works off what all have added to the transaction, and the clone
 * must not be the one that adds: each extent is a reference more to enter. So scratch
 * holds a clone of the beginning already. To clone that again takes a reference away and
 * adds the same, and the two cancel each other before they reach any tree.
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

/* Its name in the directory that is made for it. */
#define NAME "snapshot"
/* A clone call starts within microseconds, unless it waits for I/O or for its turn. */
#define LOOK_AGAIN_NS (50 * NSEC_PER_USEC)

static int from_util(enum btrfs_util_error err)
{
	if (err == BTRFS_UTIL_OK)
		return 0;
	return errno ? -errno : -EIO;
}

/* The process that holds the lock. It is ended by SIGKILL, which a clone call heeds
   between two extents; a thread could not be ended, and so would hold the lock to the
   end. */
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

/* No clone changes the times of a file to this. */
static const struct timespec untouched = { .tv_sec = 1 };

static bool has_begun(int scratch)
{
	struct stat st;

	return fstat(scratch, &st) == 0 && (st.st_mtim.tv_sec != untouched.tv_sec ||
					    st.st_mtim.tv_nsec != untouched.tv_nsec);
}

/* True if a clone of len bytes into scratch, which has begun, is not at its end. */
static bool is_at_work(int scratch, uint64_t len)
{
	struct stat st;

	return fstat(scratch, &st) == 0 && (uint64_t)st.st_size < len;
}

/* Waits until it has begun, or is over. */
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

/* Its -errno, or 0 if it came to no end of its own. */
static int end_holder(pid_t pid)
{
	int status = 0;

	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : 0;
}

/* The number of the transaction that is running, or was the last; 0 before Linux 5.10. */
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
	uint64_t transaction; /* the one that the snapshot should be created in */
	pid_t holder;
	atomic_bool over; /* the snapshot call has returned */
	/* the holder was at work when that transaction was past, and has been ended */
	bool let_go;
};

/* Lets the holder go as soon as the transaction of the snapshot is past. */
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

/* 1 if the snapshot was created in that transaction, 0 if not, or -errno. */
static int created_in(int dir, uint64_t transaction)
{
	_cleanup_close_ int fd = openat(dir, NAME,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct btrfs_ioctl_get_subvol_info_args info = { 0 };
	struct btrfs_util_subvolume_info older;
	int r;

	if (fd < 0)
		return -errno;
	/* Not through the library, which takes user 0 for one who may search the trees.
	   In a user namespace, or without CAP_SYS_ADMIN, that one may not; this call is
	   everybody's. It returns 1 for success at times (seen on 6.18): what its last
	   search of a tree came to. */
	if (ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, &info) >= 0)
		return info.otransid == transaction;
	if (errno != ENOTTY) /* before Linux 4.18 */
		return -errno;
	errno = 0;
	r = from_util(btrfs_util_subvolume_info_fd(fd, 0, &older));
	return r < 0 ? r : older.otransid == transaction;
}

/* Takes it while the holder is at work. *ret_proven: it was, for as long as it had to. */
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
 * Before Linux 4.18 nothing tells, and it is believed. The top of a file system that was
 * made before btrfs-progs 4.16 has no UUID, which is what any subvolume says that is no
 * snapshot: there it must be read-only, as what take() makes is.
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

/* The subvolume name in dir, if it is a snapshot of the one of source, or source is
   -1. */
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
	/* Without privilege a read-only one cannot be deleted, but be made writable. */
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
	/* A commit now leaves little to the one that the snapshot makes under the
	   lock. */
	if (syncfs(dir) < 0)
		return -errno;
	/* It is as long as src, or longer: there would be nothing to tell an end by. */
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
	/* src has become shorter; or another transaction came between. Neither says
	   anything about the next attempt. */
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
	/* Inode numbers are the same in a snapshot. */
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
