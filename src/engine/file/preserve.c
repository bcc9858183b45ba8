// SPDX-License-Identifier: MIT
/* Preserves attributes: see preserve.h. */
#include "engine/file/preserve.h"

#include "engine/base/events.h"

#include <errno.h>
#include <unistd.h>

static void say(const struct lull_preserve *k, enum lull_note_kind kind, int err,
		const char *path, const char *path2)
{
	lull_events_say(k->observer, .kind = kind, .err = abs(err), .path = path,
			.path2 = path2);
}

static bool keep_times(const struct lull_preserve *k)
{
	struct timespec times[2] = { k->src->st_atim, k->src->st_mtim };
	int r;

	if (!k->cp->keep_times)
		return true;
	r = lull_metadata_set_times(&k->to, times);
	if (r == 0)
		return true;
	say(k, LULL_NOTE_TIMES, r, k->to_path, NULL);
	return !k->cp->must_keep;
}

/* Returns true for a failure that users without privileges expect. */
static bool is_excusable(int err)
{
	return (err == -EPERM || err == -EINVAL) && geteuid() != 0;
}

/*
 * Closes an older file to all but its owner before its owner changes. Otherwise the new
 * owner would have the old permissions for a moment, or the other way round.
 */
static bool close_to_others(const struct lull_preserve *k)
{
	mode_t old = k->dst.st_mode;
	int r;

	if (k->fresh || !k->cp->keep_mode)
		return true;
	r = lull_metadata_set_permissions(&k->to, old & k->src->st_mode & S_IRWXU);
	if (r == 0)
		return true;
	if (!is_excusable(r))
		say(k, LULL_NOTE_CLEAR_MODE, r, k->to_path, NULL);
	return !k->cp->must_keep;
}

/* Sets the owner. *ret_ours: the file does not get the source's owner, so it must not get
   its setuid bits either. */
static bool keep_owner(struct lull_preserve *k, bool *ret_ours)
{
	int r;

	*ret_ours = false;
	if (!k->cp->keep_owner || (k->is_link && !S_ISLNK(k->src->st_mode)) ||
	    (!(k->is_link && k->fresh) && k->dst.st_uid == k->src->st_uid &&
	     k->dst.st_gid == k->src->st_gid))
		return true;
	if (!k->is_link && !close_to_others(k))
		return false;
	r = lull_metadata_chown(&k->to, k->src->st_uid, k->src->st_gid);
	k->mode_known = false;
	if (r == 0)
		return true;
	*ret_ours = true;
	/* Setting only the group is often allowed. */
	if (r == -EPERM || r == -EINVAL) {
		int group = lull_metadata_chown(&k->to, (uid_t)-1, k->src->st_gid);

		(void)group;
	}
	if (is_excusable(r))
		return true;
	say(k, LULL_NOTE_OWNER, r, k->to_path, NULL);
	return !k->cp->must_keep;
}

static void on_xattr(void *ctx, enum lull_xattr_step step, int err, const char *attribute)
{
	const struct lull_preserve *k = ctx;
	bool all = k->cp->attributes_only || k->cp->must_keep_xattrs;

	if (!all && (k->cp->quiet_xattrs || err == EOPNOTSUPP || err == ENODATA))
		return;
	say(k,
	    step == LULL_XATTR_LIST  ? LULL_NOTE_XATTR_LIST
	    : step == LULL_XATTR_GET ? LULL_NOTE_XATTR_GET
	    : attribute              ? LULL_NOTE_XATTR_SET
				     : LULL_NOTE_XATTRS_SET,
	    err, step == LULL_XATTR_SET ? k->to_path : k->from_path, attribute);
}

static bool keep_xattrs(struct lull_preserve *k)
{
	bool whole, opened = false;

	if (!k->cp->keep_xattrs)
		return true;
	/* The kernel requires write permission, which the mode may not give yet. */
	if (!k->is_link && S_ISREG(k->dst.st_mode) && !(k->dst.st_mode & S_IWUSR) &&
	    geteuid() != 0)
		opened = lull_metadata_chmod(&k->to,
					     (k->dst.st_mode & 07777) | S_IWUSR) == 0;
	whole = lull_metadata_copy_xattrs(&k->from, &k->to, on_xattr, k);
	if (opened && lull_metadata_chmod(&k->to, k->dst.st_mode & 07777) < 0)
		whole = false;
	return whole || !k->cp->must_keep_xattrs;
}

static bool keep_mode(struct lull_preserve *k, bool owner_is_ours)
{
	mode_t mode = k->src->st_mode & 07777, omitted = k->omitted & ~k->umask;
	bool reading = false;
	int r = 0;

	if (owner_is_ours)
		mode &= (mode_t) ~(S_ISUID | S_ISGID | S_ISVTX);
	/* Keep what a directory has inherited from its parent, or got when it was
	   made. */
	if (S_ISDIR(k->dst.st_mode))
		mode |= k->dst.st_mode & 07000;
	if (k->cp->keep_mode || k->cp->default_mode)
		lull_metadata_look(&k->to);
	if (k->cp->keep_mode) {
		r = lull_metadata_copy_permissions(&k->from, &k->to, mode,
						   k->mode_known ? k->dst.st_mode & 07777
								 : LULL_METADATA_UNKNOWN,
						   &reading);
	} else if (k->cp->default_mode && k->fresh) {
		mode = S_ISDIR(k->src->st_mode) || S_ISSOCK(k->src->st_mode) ? 0777
									     : 0666;
		mode &= ~k->umask;
		if (S_ISDIR(k->dst.st_mode))
			mode |= k->dst.st_mode & 07000;
		r = lull_metadata_set_permissions(&k->to, mode);
	} else if (k->restore_mode || omitted & ~k->dst.st_mode) {
		r = lull_metadata_chmod(&k->to, (k->dst.st_mode & 07777) | omitted);
	}
	if (r == 0)
		return true;
	say(k, reading ? LULL_NOTE_ACL : LULL_NOTE_MODE, r,
	    reading ? k->from_path : k->to_path, NULL);
	return !k->cp->must_keep;
}

bool lull_preserve_attributes(struct lull_preserve *k)
{
	bool ours, kept = keep_times(k);

	k->mode_known = k->fresh && !k->restore_mode;
	if (!kept)
		return false;
	if (k->cp->keep_xattrs || k->cp->keep_mode)
		lull_metadata_look(&k->from);
	if (!keep_owner(k, &ours))
		return false;
	if (!keep_xattrs(k)) {
		if (!S_ISREG(k->src->st_mode))
			return false;
		kept = false;
	}
	if (k->is_link)
		return kept;
	return keep_mode(k, ours) && kept;
}
