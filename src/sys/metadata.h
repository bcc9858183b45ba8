/* SPDX-License-Identifier: MIT */
/*
 * What a file has in addition to its data: access control lists by libacl, extended
 * attributes by libattr. Functions that return int return 0 or -errno. If the file system
 * has no ACLs, only the mode counts.
 *
 * A file is given by a descriptor. If that is -1, because the file cannot be opened
 * (FIFOs, devices, links), it is given by a name, which is not followed, in the directory
 * dir or AT_FDCWD.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <sys/stat.h>

/* What the list of extended attributes shows. */
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
	/* fd is open, and flistxattr(2) shows ACLs, as on XFS, Btrfs and ext4 */
	bool lists_acls;
	enum lull_attributes attributes; /* set by lull_metadata_look() */
};

/*
 * Sets file->attributes with flistxattr(2), if lists_acls is set: one call instead of one
 * for each kind. It does not show later changes, so call it just before use.
 */
void lull_metadata_look(struct lull_file_at *file);

/* What went wrong with an extended attribute. */
enum lull_xattr_step { LULL_XATTR_LIST, LULL_XATTR_GET, LULL_XATTR_SET };

/*
 * Copies the extended attributes that /etc/xattr.conf allows, but not the permissions.
 * Calls failed for each that cannot be copied, with a positive errno; attribute may be
 * NULL. Returns false if there was one.
 */
bool lull_metadata_copy_xattrs(const struct lull_file_at *from,
			       const struct lull_file_at *to,
			       void (*failed)(void *ctx, enum lull_xattr_step step,
					      int err, const char *attribute),
			       void *ctx);

/*
 * Gives the file to the permissions mode (07777) and from's ACLs, including the default
 * ACL of a directory. Removes ACLs that from does not have. *ret_reading: the error was
 * in reading from. Sets the setuid bits last, when owner and ACL are right. now is the
 * present permissions, which saves setting the same ones, or LULL_METADATA_UNKNOWN.
 */
#define LULL_METADATA_UNKNOWN ((mode_t)-1)
int lull_metadata_copy_permissions(const struct lull_file_at *from,
				   const struct lull_file_at *to, mode_t mode, mode_t now,
				   bool *ret_reading) _must_check_;

/* Sets the permissions to mode and removes the ACL, but not the default ACL. */
int lull_metadata_set_permissions(const struct lull_file_at *file,
				  mode_t mode) _must_check_;

/* Sets only the permissions. */
int lull_metadata_chmod(const struct lull_file_at *file, mode_t mode) _must_check_;

/* Sets owner and group; -1 leaves one unchanged. Does not follow links. */
int lull_metadata_chown(const struct lull_file_at *file, uid_t uid,
			gid_t gid) _must_check_;

/* Sets access and modification time. tv_nsec may be UTIME_NOW or UTIME_OMIT, as for
   utimensat(2). */
int lull_metadata_set_times(const struct lull_file_at *file,
			    const struct timespec times[2]) _must_check_;

/*
 * Gives the file new the extended attributes and ACL of old, as if old had been written
 * to. Leaves out security.capability, which a write removes.
 */
int lull_metadata_inherit(int old, int new) _must_check_;
