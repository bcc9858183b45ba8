// SPDX-License-Identifier: MIT
/* The generations of a destination: see row.h. */
#include "engine/clone/row.h"

#include "engine/base/place.h"
#include "engine/clone/statehome.h"
#include "store/state.h"
#include "sys/clock.h"
#include "sys/inode.h"
#include "sys/opening.h"
#include "util/path.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

char *lull_row_path(const struct lull_dest *dest, const char *name)
{
	return lull_path_beside(dest->path, name);
}

char *lull_row_record(const struct lull_dest *dest)
{
	return lull_statehome_name(&dest->home, dest->name, ".lullcp-generations");
}

bool lull_row_is(const struct lull_dest *dest, const struct lull_generation *g, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == g->inode &&
	       lull_inode_generation(fd) == g->number &&
	       strcmp(g->fs, dest->fs.uuid) == 0;
}

enum lull_row_state lull_row_look(const struct lull_dest *dest,
				  const struct lull_generation *g, int *ret_fd)
{
	int fd = openat(dest->dir, g->name, O_RDONLY | LULL_OPEN_WARILY);

	*ret_fd = -1;
	if (fd < 0)
		return errno == ENOENT                    ? LULL_ROW_GONE
		       : errno == ELOOP || errno == ENXIO ? LULL_ROW_OTHER
							  : LULL_ROW_UNSURE;
	if (!lull_row_is(dest, g, fd)) {
		(void)close(fd);
		return LULL_ROW_OTHER;
	}
	*ret_fd = fd;
	return LULL_ROW_GOOD;
}

enum lull_cause lull_row_cause(int err)
{
	if (lull_state_is_refusal(err))
		return LULL_CAUSE_RECORD_OWNER;
	switch (abs(err)) {
	case EBADMSG:
		return LULL_CAUSE_RECORD_DAMAGED;
	case EPROTONOSUPPORT:
		return LULL_CAUSE_RECORD_SCHEMA;
	default:
		return LULL_CAUSE_ERRNO;
	}
}

/* Returns 0 if the generation may be used up for a clone of src, else an errno that says
   why not. */
static int judge(const struct lull_dest *dest, const struct lull_generation *g, int src)
{
	_cleanup_close_ int fd = -1;
	_cleanup_close_ int writable = -1;
	struct stat st, source;
	enum lull_inode_use use;

	if (lull_row_look(dest, g, &fd) != LULL_ROW_GOOD)
		return EACCES;
	if (fstat(fd, &st) < 0 || fstat(src, &source) < 0)
		return errno;
	if (SAME_INODE(&st, &source))
		return EBUSY;
	if (st.st_nlink > 1)
		return EMLINK;
	if (lull_inode_is_nocow(fd) != lull_inode_is_nocow(src))
		return EINVAL;
	use = lull_inode_use(fd);
	if (use != LULL_INODE_UNUSED)
		return use == LULL_INODE_UNKNOWN ? EPERM : EBUSY;
	writable = openat(dest->dir, g->name, O_RDWR | LULL_OPEN_WARILY);
	return writable < 0 ? errno : 0;
}

size_t lull_row_choose(const struct lull_job *job, const struct lull_generations *list,
		       const struct lull_retain_item *items, size_t *ret_spared,
		       int *ret_why)
{
	*ret_spared = list->n;
	*ret_why = 0;
	/* Use up nothing for a clone that may become a copy: a copy must not write into
	   shared blocks, and begins better with an empty file. Use up nothing for a clone
	   that will be altered either: if the changes break off, it cannot be resumed. */
	if (job->options->cp.reflink != LULL_REFLINK_ALWAYS ||
	    lull_place_alters(job->place))
		return list->n;
	for (size_t i = 0; i + 1 < list->n; i++) {
		int not_this;

		if (items[i].kept_by != 0)
			continue;
		not_this = judge(&job->dest, &list->item[i], job->src);
		if (not_this == 0)
			return i;
		if (*ret_why == 0) {
			*ret_spared = i;
			*ret_why = not_this;
		}
	}
	return list->n;
}

static void set_item(struct lull_retain_item *item, size_t order, uint64_t time)
{
	time_t seconds = (time_t)(time / NSEC_PER_SEC);
	struct tm local = { .tm_mday = 1 };
	struct lull_wall_time shown;

	item->time = time;
	item->order = order;
	/* This fails only for a year that does not fit an int. */
	(void)localtime_r(&seconds, &local);
	shown.year = (unsigned int)local.tm_year + 1900;
	shown.month = (unsigned int)local.tm_mon;
	shown.day = (unsigned int)local.tm_mday;
	shown.weekday = (unsigned int)local.tm_wday;
	shown.hour = (unsigned int)local.tm_hour;
	shown.east = local.tm_gmtoff;
	lull_retain_periods(item, &shown);
}

struct lull_retain_item *lull_row_retain(const struct lull_generations *list,
					 const struct lull_keep_rules *rules,
					 uint64_t more)
{
	size_t n = list->n + (more > 0);
	struct lull_retain_item *items = calloc(MAX(n, 1u), sizeof(*items));

	if (!items)
		return NULL;
	tzset();
	for (size_t i = 0; i < list->n; i++)
		set_item(&items[i], i, list->item[i].created);
	if (more > 0)
		set_item(&items[list->n], list->n, more);
	lull_retain(items, n, rules);
	return items;
}
