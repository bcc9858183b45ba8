// SPDX-License-Identifier: MIT
/* Copies a single small file: see lone.h. */
#include "engine/file/lone.h"

#include "engine/base/beside.h"
#include "engine/file/data.h"
#include "engine/file/durable.h"
#include "plan/hist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Returns true if there is a file of that name, which another run holds or has left
   behind, or without memory. */
static bool is_beside(const struct lull_entry *e, char *beside)
{
	_cleanup_free_ char *name = beside;
	_cleanup_free_ char *path = name ? lull_path_beside(e->dst_name, name) : NULL;

	return !path || faccessat(e->dst_dir->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       errno != ENOENT;
}

/* Returns true if there is a sidecar, which a clone with a lock reports. */
static bool has_sidecar(const struct lull_entry *e)
{
	_cleanup_free_ char *of_source = lull_beside_sidecar(e->src_dir->fd, e->src_name,
							     e->src_last);
	_cleanup_free_ char *of_dest =
		of_source ? NULL
			  : lull_beside_sidecar(e->dst_dir->fd, e->dst_name, e->dst_last);

	return of_source || of_dest;
}

bool lull_lone_suits(struct lull_file *f, int src, const struct stat *st)
{
	const struct lull_entry *e = &f->entry;
	const struct lull_cp *cp = e->tree->cp;

	/* A copy takes longer than an examination of the source, and must be
	   point-in-time. */
	if (!e->tree->sole || !e->operand || e->backup_due || has_sidecar(e) ||
	    cp->reflink == LULL_REFLINK_NEVER ||
	    is_beside(e, lull_beside_temporary(e->dst_last)) ||
	    is_beside(e, lull_beside_checkpoint(e->dst_last)) ||
	    !lull_data_fits_one_call(f, src, st))
		return false;
	f->result.hist = calloc(1, sizeof(*f->result.hist));
	f->result.progress.hist = f->result.hist;
	f->lone = f->result.hist != NULL;
	return f->lone;
}

void lull_lone_forget(struct lull_file *f)
{
	lull_result_done(&f->result);
	lull_file_begin(f);
	f->lone = f->reported = false;
}

void lull_lone_done(struct lull_file *f)
{
	const struct lull_entry *e = &f->entry;
	_cleanup_close_ int dir = openat(e->dst_dir->fd, e->dst_head,
					 O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir >= 0)
		lull_durable_add_directory(e->tree, dir);
}
