/* SPDX-License-Identifier: MIT */
/*
 * What a file has beside its data: access control lists by libacl, extended attributes by
 * libattr. All functions return 0 or -errno; a file system without ACLs has the mode.
 *
 * A file is given by a descriptor, or, if that is -1 because it cannot be opened (fifos,
 * devices, links), by a name that is not followed: in the directory dir, or AT_FDCWD.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <sys/stat.h>

/* What the list of extended attributes tells. */
enum lull_attributes {
	LULL_ATTRIBUTES_UNKNOWN,
	LULL_ATTRIBUTES_NONE,
	LULL_ATTRIBUTES_NO_ACL, /* some, but no ACL */
};

struct lull_file_at {
	int fd; /* open on it, or -1 */
	int dir;
	const char *name; /* in dir */
	bool regular;     /* known to be a regular file */
	/* fd is given, and the list of attributes shows ACLs as well, as on XFS, Btrfs
	   and ext4 */
	bool lists_acls;
	enum lull_attributes attributes; /* lull_metadata_look() */
};

/*
 * Sets attributes from flistxattr(2), where lists_acls is set: one call in the place of
 * one for each kind. What others change later it does not show, so look just before.
 */
void lull_metadata_look(struct lull_file_at *file);

/* What went wrong with an extended attribute. */
enum lull_xattr_step { LULL_XATTR_LIST, LULL_XATTR_GET, LULL_XATTR_SET };

/*
 * Copies the extended attributes that /etc/xattr.conf allows, never the permissions.
 * failed is called for each that could not be, with a positive errno; attribute may be
 * NULL. False if there was one.
 */
bool lull_metadata_copy_xattrs(const struct lull_file_at *from,
			       const struct lull_file_at *to,
			       void (*failed)(void *ctx, enum lull_xattr_step step,
					      int err, const char *attribute),
			       void *ctx);

/*
 * Gives to the permissions mode (07777) and from's ACLs, for directories the default one
 * as well; takes away ACLs that from has not. *ret_reading: the error is of from. The
 * setuid bits come last, when owner and ACL are right. now is what the permissions are,
 * which saves setting them to that, or LULL_METADATA_UNKNOWN.
 */
#define LULL_METADATA_UNKNOWN ((mode_t)-1)
int lull_metadata_copy_permissions(const struct lull_file_at *from,
				   const struct lull_file_at *to, mode_t mode, mode_t now,
				   bool *ret_reading) _must_check_;

/* Gives it the permissions mode, and takes away its ACL; not the default one. */
int lull_metadata_set_permissions(const struct lull_file_at *file,
				  mode_t mode) _must_check_;

/* The permissions alone. */
int lull_metadata_chmod(const struct lull_file_at *file, mode_t mode) _must_check_;

/* Owner and group; -1 leaves one. Links are not followed. */
int lull_metadata_chown(const struct lull_file_at *file, uid_t uid,
			gid_t gid) _must_check_;

/* Access and modification time; NULL tv_nsec values as for utimensat(2). */
int lull_metadata_set_times(const struct lull_file_at *file,
			    const struct timespec times[2]) _must_check_;

/*
 * Makes the new file new look as if the old one had been written into: its extended
 * attributes and ACL. security.capability does not outlive a write.
 */
int lull_metadata_inherit(int old, int new) _must_check_;
