// SPDX-License-Identifier: MIT
/* Access control lists, extended attributes, owner, mode and times. */
#include "sys/metadata.h"

#include <acl/libacl.h>
#include <attr/error_context.h>
#include <attr/libattr.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/acl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* "/proc/self/fd/N/" and a file name, or a path as the user gave it. */
#define PATH_ROOM (PATH_MAX + 32)

/*
 * Returns a path for calls that take no directory descriptor. For an open file, this is
 * the descriptor's link in /proc, so that a name that is changed in the meantime cannot
 * mislead it.
 */
static const char *path_of(const struct lull_file_at *file, char room[PATH_ROOM])
{
	if (file->fd >= 0)
		(void)snprintf(room, PATH_ROOM, "/proc/self/fd/%d", file->fd);
	else if (file->dir == AT_FDCWD || file->name[0] == '/')
		return file->name;
	else
		(void)snprintf(room, PATH_ROOM, "/proc/self/fd/%d/%s", file->dir,
			       file->name);
	return room;
}

static bool acls_unknown(int err)
{
	return err == EOPNOTSUPP || err == ENOSYS || err == EINVAL || err == EBUSY;
}

/* ---- extended attributes ---- */

#define ACL_ATTRIBUTE "system.posix_acl_"
/* Enough for a label of SELinux and some other names. If the list is longer, nothing is
   known. */
#define LIST_ROOM 1024

void lull_metadata_look(struct lull_file_at *file)
{
	char list[LIST_ROOM];
	ssize_t n = file->lists_acls ? flistxattr(file->fd, list, sizeof(list)) : -1;
	bool acl = n < 0;

	for (ssize_t at = 0; !acl && at < n; at += (ssize_t)strlen(list + at) + 1)
		acl = strncmp(list + at, ACL_ATTRIBUTE, strlen(ACL_ATTRIBUTE)) == 0;
	file->attributes = acl      ? LULL_ATTRIBUTES_UNKNOWN
			   : n == 0 ? LULL_ATTRIBUTES_NONE
				    : LULL_ATTRIBUTES_NO_ACL;
}

struct listener {
	struct error_context context; /* first, because libattr passes a pointer to it */
	void (*failed)(void *ctx, enum lull_xattr_step step, int err,
		       const char *attribute);
	void *ctx;
	bool any;
};

/* Reports an error of libattr. Its text is not shown, but its beginning tells the
   step. */
static void on_error(struct error_context *context, const char *format, ...)
{
	struct listener *listener = (struct listener *)(void *)context;
	int err = errno;
	enum lull_xattr_step step = strncmp(format, "listing", 7) == 0   ? LULL_XATTR_LIST
				    : strncmp(format, "getting", 7) == 0 ? LULL_XATTR_GET
									 : LULL_XATTR_SET;
	const char *attribute = NULL;
	va_list args;

	if (strstr(format, "attribute %s")) {
		va_start(args, format);
		attribute = va_arg(args, const char *);
		va_end(args);
	}
	listener->any = true;
	listener->failed(listener->ctx, step, err, attribute);
}

static const char *as_it_is(struct error_context *context, const char *text)
{
	(void)context;
	return text;
}

static void keep(struct error_context *context, const char *text)
{
	(void)context;
	(void)text;
}

bool lull_metadata_copy_xattrs(const struct lull_file_at *from,
			       const struct lull_file_at *to,
			       void (*failed)(void *ctx, enum lull_xattr_step step,
					      int err, const char *attribute),
			       void *ctx)
{
	struct listener listener = {
		.context = { .error = on_error, .quote = as_it_is, .quote_free = keep },
		.failed = failed,
		.ctx = ctx,
	};
	char source[PATH_ROOM], dest[PATH_ROOM];
	int r;

	if (from->attributes == LULL_ATTRIBUTES_NONE)
		return true;
	if (from->fd >= 0 && to->fd >= 0)
		r = attr_copy_fd("", from->fd, "", to->fd, NULL, &listener.context);
	else
		r = attr_copy_file(path_of(from, source), path_of(to, dest), NULL,
				   &listener.context);
	return r == 0 && !listener.any;
}

/* ---- permissions ---- */

/* Sets the mode. fchmod() does not work with O_PATH descriptors. */
int lull_metadata_chmod(const struct lull_file_at *file, mode_t mode)
{
	char room[PATH_ROOM];

	if (file->fd >= 0 && fchmod(file->fd, mode) == 0)
		return 0;
	if (file->fd >= 0 && errno != EBADF)
		return -errno;
	return chmod(path_of(file, room), mode) < 0 ? -errno : 0;
}

/* Returns 1 if there is an ACL that says more than the mode, 0 if not, or -errno. */
static int is_extended(const struct lull_file_at *file)
{
	char room[PATH_ROOM];
	int r;

	if (file->attributes != LULL_ATTRIBUTES_UNKNOWN)
		return 0;
	r = file->fd >= 0 ? acl_extended_fd(file->fd)
			  : acl_extended_file_nofollow(path_of(file, room));
	if (r < 0 && errno == EBADF && file->fd >= 0)
		r = acl_extended_file(path_of(file, room));
	return r < 0 ? acls_unknown(errno) ? 0 : -errno : r;
}

static int set_acl(const struct lull_file_at *file, acl_t acl)
{
	char room[PATH_ROOM];
	int r = file->fd >= 0 ? acl_set_fd(file->fd, acl) : -1;

	if (r < 0 && (file->fd < 0 || errno == EBADF))
		r = acl_set_file(path_of(file, room), ACL_TYPE_ACCESS, acl);
	return r < 0 ? -errno : 0;
}

static int drop_default(const struct lull_file_at *file)
{
	char room[PATH_ROOM];

	return acl_delete_def_file(path_of(file, room)) < 0 && !acls_unknown(errno)
		       ? -errno
		       : 0;
}

static bool is_directory(const struct lull_file_at *file)
{
	struct stat st;
	int r;

	if (file->regular)
		return false;
	r = file->fd >= 0 ? fstat(file->fd, &st)
			  : fstatat(file->dir, file->name, &st, AT_SYMLINK_NOFOLLOW);
	return r == 0 && S_ISDIR(st.st_mode);
}

int lull_metadata_set_permissions(const struct lull_file_at *file, mode_t mode)
{
	int r = is_extended(file);

	if (r > 0) {
		acl_t acl = acl_from_mode(mode & 0777);

		r = acl ? set_acl(file, acl) : -ENOMEM;
		if (acl)
			(void)acl_free(acl);
	}
	return r == 0 ? lull_metadata_chmod(file, mode) : r;
}

static int copy_default(const struct lull_file_at *from, const struct lull_file_at *to,
			bool *ret_reading)
{
	char room[PATH_ROOM];
	acl_t acl = acl_get_file(path_of(from, room), ACL_TYPE_DEFAULT);
	acl_entry_t entry;
	int r = 0;

	if (!acl && !acls_unknown(errno)) {
		*ret_reading = true;
		return -errno;
	}
	if (!acl || acl_get_entry(acl, ACL_FIRST_ENTRY, &entry) != 1)
		r = drop_default(to);
	else if (acl_set_file(path_of(to, room), ACL_TYPE_DEFAULT, acl) < 0)
		r = -errno;
	if (acl)
		(void)acl_free(acl);
	return r;
}

static acl_t get_acl(const struct lull_file_at *file)
{
	char room[PATH_ROOM];
	acl_t acl = file->fd >= 0 ? acl_get_fd(file->fd) : NULL;

	if (!acl && (file->fd < 0 || errno == EBADF))
		acl = acl_get_file(path_of(file, room), ACL_TYPE_ACCESS);
	return acl;
}

int lull_metadata_copy_permissions(const struct lull_file_at *from,
				   const struct lull_file_at *to, mode_t mode, mode_t now,
				   bool *ret_reading)
{
	int r = is_extended(from);
	bool directory = is_directory(from);

	*ret_reading = false;
	/* acl_extended_fd() also counts a default ACL. Both branches are right then. */
	if (r <= 0) {
		*ret_reading = r < 0;
		if (r == 0 && (mode != now || is_extended(to) != 0))
			r = lull_metadata_set_permissions(to, mode);
		return r == 0 && directory ? drop_default(to) : r;
	}

	acl_t acl = get_acl(from);

	if (!acl) {
		*ret_reading = true;
		return -errno;
	}
	r = set_acl(to, acl);
	(void)acl_free(acl);
	if (r == 0)
		r = lull_metadata_chmod(to, mode);
	if (r == 0 && directory)
		r = copy_default(from, to, ret_reading);
	return r;
}

int lull_metadata_chown(const struct lull_file_at *file, uid_t uid, gid_t gid)
{
	int r = file->fd >= 0
			? fchownat(file->fd, "", uid, gid, AT_EMPTY_PATH)
			: fchownat(file->dir, file->name, uid, gid, AT_SYMLINK_NOFOLLOW);

	return r < 0 ? -errno : 0;
}

int lull_metadata_set_times(const struct lull_file_at *file,
			    const struct timespec times[2])
{
	int r = file->fd >= 0 ? futimens(file->fd, times) : -1;

	if (r < 0 && (file->fd < 0 || errno == EBADF))
		r = utimensat(file->dir, file->name, times, AT_SYMLINK_NOFOLLOW);
	return r < 0 ? -errno : 0;
}

/* ---- replacing an old inode by a new one ---- */

static int inherit_check(const char *name, struct error_context *context)
{
	(void)context;
	return strcmp(name, "security.capability") != 0;
}

int lull_metadata_inherit(int old, int new)
{
	/* Ignore errors: the user did not request this. */
	(void)attr_copy_fd("", old, "", new, inherit_check, NULL);
	return 0;
}
