// SPDX-License-Identifier: MIT
/*
 * A finished file gets DEST's name (dest.c), or its contents go over to DEST (swap.c), in
 * a directory of the test's own. Each system call on the way fails once, and others are
 * quicker; after each the test looks who has the name, and with what.
 *
 * The linker sends the library's calls through the wrappers below (--wrap).
 */
#include "unit.h"

#include "engine/base/job.h"
#include "engine/clone/dest.h"
#include "engine/clone/statehome.h"
#include "engine/clone/swap.h"

#include <sys/stat.h>

/* What others do just before the name changes hands. */
enum other { NOBODY, TAKES_NAME, TAKES_TEMPORARY, WRITES };

static struct {
	const char *name;
	bool exists, dated, no_sync, exchanges, longer;
	int no_replace; /* errno of renameat2(2) with RENAME_NOREPLACE, or 0 */
} kinds[] = {
	{ .name = "new" },
	{ .name = "older", .exists = true },
	{ .name = "older, not synced", .exists = true, .no_sync = true },
	{ .name = "dated", .dated = true },
	{ .name = "dated, as on NFS", .dated = true, .no_replace = EINVAL },
	{ .name = "dated, taken", .dated = true, .exists = true },
	{ .name = "dated, taken, as on NFS",
	  .dated = true,
	  .exists = true,
	  .no_replace = EINVAL },
	{ .name = "exchanged", .exists = true, .exchanges = true },
	{ .name = "exchanged, longer",
	  .exists = true,
	  .exchanges = true,
	  .longer = true },
	{ .name = "exchanged, not synced",
	  .exists = true,
	  .exchanges = true,
	  .no_sync = true },
};

static struct {
	unsigned int kind, at, step;
	const char *failed;
	enum other other;
	int dir;
	bool synced, unsynced; /* on disk; and named before that */
	bool has_mode;         /* DEST's */
	unsigned int dir_syncs, dest_syncs;
	struct lull_job job;
	struct lull_result result;
	struct lull_options options;
} w;

static bool fails(const char *step)
{
	if (w.step++ != w.at)
		return false;
	w.failed = step;
	errno = EIO;
	return true;
}

static void put(const char *name, const char *text)
{
	int fd = openat(w.dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

/* "" if there is none; zeroes after the text do not show. */
static const char *get(const char *name)
{
	static char text[16384];
	int fd = openat(w.dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	assert_true(n >= 0);
	text[n] = '\0';
	if (fd >= 0)
		(void)close(fd);
	return text;
}

static void be_quicker(void)
{
	enum other other = w.other;

	w.other = NOBODY;
	if (other == TAKES_TEMPORARY) {
		assert_int_equal(unlinkat(w.dir, ".d.lullcp-part", 0), 0);
		put(".d.lullcp-part", "theirs");
	} else if (other == TAKES_NAME) {
		(void)unlinkat(w.dir, "d", 0);
		put("d", "theirs");
	} else if (other == WRITES) {
		put("d", "theirs");
	}
}

/* ---- the calls ---- */

int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_renameat2(int from_dir, const char *from, int to_dir, const char *to,
		     unsigned int flags);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to,
		     unsigned int flags);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_lull_exchange(int made, int target, const struct lull_freshness *fresh,
			 unsigned int flags);
int __wrap_lull_exchange_sample(int fd, struct lull_freshness *ret_fresh);

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	w.unsynced = w.unsynced || !w.synced;
	if (fails("rename"))
		return -1;
	be_quicker();
	return __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to,
		     unsigned int flags)
{
	w.unsynced = w.unsynced || !w.synced;
	if (fails("rename"))
		return -1;
	if (kinds[w.kind].no_replace) {
		errno = kinds[w.kind].no_replace;
		return -1;
	}
	be_quicker();
	return __real_renameat2(from_dir, from, to_dir, to, flags);
}

int __wrap_fsync(int fd)
{
	if (fails("sync"))
		return -1;
	w.dir_syncs += fd == w.job.dest.dir;
	w.dest_syncs += fd == w.job.dest.target;
	return 0;
}

int __wrap_fdatasync(int fd)
{
	assert_int_equal(fd, w.job.dest.lock);
	if (fails("sync the data"))
		return -1;
	w.synced = true;
	return 0;
}

int __wrap_fchmod(int fd UNUSED, mode_t mode UNUSED)
{
	w.has_mode = !fails("mode");
	return w.has_mode ? 0 : -1;
}

/* A kernel without a sample of the change time. */
int __wrap_lull_exchange_sample(int fd UNUSED, struct lull_freshness *ret_fresh UNUSED)
{
	return -ENOTTY;
}

int __wrap_lull_exchange(int made, int target, const struct lull_freshness *fresh UNUSED,
			 unsigned int flags)
{
	static char text[2][16384];
	struct stat st[2];
	int fd[2] = { made, target };

	/* Invariant 2 of swap.c. */
	assert_true(w.synced || !(flags & LULL_EXCHANGE_SYNC));
	w.unsynced = w.unsynced || !w.synced;
	if (fails("exchange"))
		return -EIO;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fstat(fd[i], &st[i]), 0);
		assert_true(pread(fd[i], text[i], sizeof(text[i]), 0) == st[i].st_size);
	}
	/* A crash was seen to lose what DEST gets past its end. */
	assert_true(!kinds[w.kind].longer || st[1].st_size == st[0].st_size);
	for (int i = 0; i < 2; i++) {
		assert_true(pwrite(fd[i], text[!i], (size_t)st[!i].st_size, 0) ==
			    st[!i].st_size);
		assert_int_equal(ftruncate(fd[i], st[!i].st_size), 0);
	}
	return 0;
}

/* ---- how it speaks ---- */

static void on_call(void *ctx UNUSED, enum lull_call call UNUSED)
{
}

static void on_note(void *ctx UNUSED, const struct lull_note *note UNUSED)
{
}

static const struct lull_observer observer = { .call = on_call, .note = on_note };

/* ---- the runs ---- */

static char *directory;

static void begin(unsigned int kind, unsigned int at)
{
	const struct lull_state_wish wish = { 0 };
	struct lull_dest *dest = &w.job.dest;
	_cleanup_free_ char *path = NULL;
	/* Of several blocks, in the end. */
	static char longer[9000];
	enum lull_stage stage;
	enum lull_cause cause;

	memset(&w, 0, sizeof(w));
	w.kind = kind;
	w.at = UINT32_MAX;
	directory = unit_directory();
	w.dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w.dir >= 0 && asprintf(&path, "%s/d", directory) > 0);
	memset(longer, 'n', sizeof(longer) - 1);
	if (kinds[kind].exists)
		put("d", "old");
	put("source", "s");
	w.options.no_sync = kinds[kind].no_sync;
	w.job.options = &w.options;
	w.job.observer = &observer;
	w.job.result = &w.result;
	w.job.progress = &w.result.progress;
	w.job.src = openat(w.dir, "source", O_RDONLY | O_CLOEXEC);
	/* Only whether there is one is looked at. */
	w.job.rotation = kinds[kind].dated ? (void *)&w : NULL;
	lull_dest_init(dest);
	assert_int_equal(lull_dest_resolve(dest, path, &wish, &stage, &cause), 0);
	assert_int_equal(lull_dest_lock(dest), 0);
	dest->fd = dest->lock;
	assert_true(write(dest->lock, "new", 3) == 3);
	if (kinds[kind].longer)
		assert_true(write(dest->lock, longer, sizeof(longer)) == sizeof(longer));
	if (kinds[kind].exchanges) {
		dest->target = openat(w.dir, "d", O_RDWR | O_CLOEXEC);
		assert_true(dest->target >= 0);
		assert_int_equal(lull_swap_begin(&w.job), 0);
	}
	w.synced = w.unsynced = w.has_mode = false;
	w.step = 0;
	w.at = at;
}

static void end(void)
{
	lull_dest_done(&w.job.dest);
	(void)close(w.job.src);
	(void)close(w.dir);
	unit_remove(directory);
}

static bool is(const char *name, const char *text)
{
	return strncmp(get(name), text, strlen(text)) == 0 && (*text || !*get(name));
}

static void test_every_fault(void **state UNUSED)
{
	unsigned int runs = 0;

	for (unsigned int k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		bool taken = kinds[k].dated && kinds[k].exists;

		for (unsigned int at = 0;; at++) {
			const char *old = kinds[k].exists ? "old" : "";
			const char *name = kinds[k].name;
			bool published, failed;
			struct stat st;
			int r;

			begin(k, at);
			r = lull_dest_finish(&w.job);
			if (r == 0)
				r = lull_dest_publish(&w.job);
			published = w.result.published;
			failed = w.failed != NULL;
			/* Nobody ever sees another DEST than the old or the new one. */
			check(name, is("d", published ? "new" : old));
			check(name, published || r < 0);
			check(name, r == 0 || failed || (taken && r == -EEXIST));
			check(name, r < 0 || !failed);
			check(name, !published || !taken);
			/* What could not be named is still there, to go on with. */
			if (!published)
				check(name, is(".d.lullcp-part", "new"));
			else if (kinds[k].exchanges)
				check(name, is(".d.lullcp-part", "old"));
			else
				check(name, is(".d.lullcp-part", ""));
			check(name, !w.unsynced || kinds[k].no_sync);
			check(name, r < 0 || kinds[k].exchanges ||
					    w.dir_syncs == !kinds[k].no_sync);
			check(name, r < 0 || !kinds[k].exchanges ||
					    w.dest_syncs == !kinds[k].no_sync);
			check(name, !published || kinds[k].exchanges || w.has_mode);
			/* A DEST that stays has its length again. */
			if (!published && kinds[k].exists)
				check(name, fstatat(w.dir, "d", &st, 0) == 0 &&
						    st.st_size == 3);
			runs++;
			end();
			if (!failed)
				break;
		}
	}
	print_message("%u runs\n", runs);
	assert_true(runs > 30);
}

/* Others who may write to the directory are quicker: theirs is not called ours. */
static void test_others(void **state UNUSED)
{
	static const struct {
		unsigned int kind;
		enum other other;
		bool before; /* and not in the middle of it */
		int r;
		const char *named;
		bool known; /* the kernel looks at the change time itself */
	} rows[] = {
		{ 1, TAKES_TEMPORARY, true, -ESTALE, "old", false },
		{ 1, TAKES_TEMPORARY, false, -ESTALE, "theirs", false },
		{ 1, TAKES_NAME, true, 0, "new", false },
		{ 3, TAKES_NAME, true, -EEXIST, "theirs", false },
		{ 3, TAKES_NAME, false, -EEXIST, "theirs", false },
		{ 4, TAKES_NAME, true, -EEXIST, "theirs", false },
		{ 7, TAKES_NAME, true, -ESTALE, "theirs", false },
		{ 7, WRITES, true, -EBUSY, "theirs", false },
		{ 8, WRITES, true, -EBUSY, "theirs", false },
		/* Of a DEST that is made longer before that call. */
		{ 8, WRITES, true, -EBUSY, "theirs", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[80];

		(void)snprintf(name, sizeof(name), "row %zu, %s", i,
			       kinds[rows[i].kind].name);
		begin(rows[i].kind, UINT32_MAX);
		assert_int_equal(lull_dest_finish(&w.job), 0);
		w.job.dest.fresh.known = rows[i].known;
		w.other = rows[i].other;
		if (rows[i].before)
			be_quicker();
		check_int(name, lull_dest_publish(&w.job), rows[i].r);
		check(name, is("d", rows[i].named));
		check_int(name, w.result.published, rows[i].r == 0);
		end();
	}
}

/* What shows beforehand is not found out when some of a set have their names. */
static void test_may_rename(void **state UNUSED)
{
	begin(1, UINT32_MAX);
	assert_int_equal(lull_dest_may_rename(&w.job), 0);
	assert_int_equal(unlinkat(w.dir, "d", 0), 0);
	assert_int_equal(lull_dest_may_rename(&w.job), 0);
	assert_int_equal(mkdirat(w.dir, "d", 0700), 0);
	assert_int_equal(lull_dest_may_rename(&w.job), -EISDIR);
	assert_int_equal(unlinkat(w.dir, "d", AT_REMOVEDIR), 0);
	w.other = TAKES_TEMPORARY;
	be_quicker();
	assert_int_equal(lull_dest_may_rename(&w.job), -ESTALE);
	/* Theirs is left alone as well. */
	assert_false(lull_dest_is_there(&w.job.dest));
	assert_int_equal(lull_dest_remove(&w.job.dest), 0);
	assert_true(is(".d.lullcp-part", "theirs"));
	end();
}

/* The lock: one holder, and only of a file that can be ours. */
static void test_lock(void **state UNUSED)
{
	struct lull_dest other;

	begin(1, UINT32_MAX);
	other = w.job.dest;
	assert_true(lull_dest_is_locked(&other));
	assert_int_equal(lull_dest_lock(&other), -EWOULDBLOCK);
	assert_int_equal(lull_dest_remove(&w.job.dest), 0);
	assert_false(lull_dest_is_locked(&other));
	assert_int_equal(symlinkat("d", w.dir, ".d.lullcp-part"), 0);
	assert_int_equal(lull_dest_lock(&other), -EEXIST);
	assert_int_equal(unlinkat(w.dir, ".d.lullcp-part", 0), 0);
	assert_int_equal(linkat(w.dir, "d", w.dir, ".d.lullcp-part", 0), 0);
	assert_int_equal(lull_dest_lock(&other), -EEXIST);
	assert_true(is("d", "old"));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_fault),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_may_rename),
		cmocka_unit_test(test_lock),
	};

	return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
