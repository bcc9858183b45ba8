// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. A state is durable before the step that it names begins (BETWEEN, MERGING,
 *     COMPLETING), or after that step was seen to end (FROZEN, MERGED).
 *  2. All states have the same length, so that a change of state needs no more space.
 */
#include "mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#define ATTRIBUTE "user.lullcp.freeze"
#define NO_RUN    "-"
#define LONGEST   512

static const char *const names[] = {
	[MARK_BETWEEN] = "between", [MARK_FROZEN] = "frozen",
	[MARK_MERGING] = "merging", [MARK_COMPLETING] = "completing",
	[MARK_MERGED] = "merged",
};

const char *mark_run(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i = 0;

	for (; text && i < sizeof(form) - 1; i++) {
		bool fits = form[i] == 'x'
				    ? text[i] && strchr("0123456789abcdef", text[i])
				    : text[i] == form[i];

		if (!fits)
			return NULL;
	}
	return text && text[i] == '\0' ? text : NULL;
}

void mark_init(struct mark *mark, const char *run, const struct stat *source)
{
	*mark = (struct mark){
		.known = true,
		.state = MARK_BETWEEN,
		.dev = source->st_dev,
		.ino = source->st_ino,
	};
	mark_image(mark, source);
	if (run)
		(void)snprintf(mark->run, sizeof(mark->run), "%s", run);
}

/* Returns true if text may be printed in a command. */
static bool is_format(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len < MARK_FORMAT_LEN && !text[len];
}

void mark_disk(struct mark *mark, uint64_t size, const char *format)
{
	if (!is_format(format))
		return;
	mark->disk = size;
	(void)snprintf(mark->format, sizeof(mark->format), "%s", format);
}

void mark_image(struct mark *mark, const struct stat *source)
{
	mark->written = source->st_mtim;
	mark->size = (uint64_t)source->st_size;
}

bool mark_is_untouched(const struct mark *mark, const struct stat *source)
{
	return mark->known && mark->ino == source->st_ino &&
	       mark->size == (uint64_t)source->st_size &&
	       mark->written.tv_sec == source->st_mtim.tv_sec &&
	       mark->written.tv_nsec == source->st_mtim.tv_nsec;
}

struct mark mark_read(const char *path)
{
	struct mark mark = { 0 };
	char text[LONGEST], run[MARK_RUN_LEN], state[16];
	ssize_t n = lgetxattr(path, ATTRIBUTE, text, sizeof(text) - 1);
	int64_t sec;
	long nsec;
	int end = 0, end_of_all = 0, fields;

	if (n < 0)
		return mark;
	text[n] = '\0';
	fields = sscanf(text,
			"v1 run=%36s source=%" SCNx64 ":%" SCNu64 " written=%" SCNd64
			".%ld size=%" SCNu64 " state=%15s %n disk=%" SCNu64
			" format=%31s %n",
			run, &mark.dev, &mark.ino, &sec, &nsec, &mark.size, state, &end,
			&mark.disk, mark.format, &end_of_all);
	if (!(fields == 7 && end == n) &&
	    !(fields == 9 && end_of_all == n && is_format(mark.format)))
		return (struct mark){ 0 };
	mark.written = (struct timespec){ .tv_sec = sec, .tv_nsec = nsec };
	if (strcmp(run, NO_RUN) != 0 && !mark_run(run))
		return (struct mark){ 0 };
	if (strcmp(run, NO_RUN) != 0)
		memcpy(mark.run, run, sizeof(mark.run));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(state, names[i]) == 0) {
			mark.state = (enum mark_state)i;
			mark.known = true;
		}
	}
	return mark.known ? mark : (struct mark){ 0 };
}

int mark_write(const char *path, const struct mark *mark)
{
	_cleanup_close_ int fd = -1;
	char text[LONGEST];
	struct stat st;
	int n = snprintf(text, sizeof(text),
			 "v1 run=%s source=%" PRIx64 ":%" PRIu64 " written=%" PRId64
			 ".%09ld size=%020" PRIu64 " state=%-10s",
			 mark->run[0] ? mark->run : NO_RUN, mark->dev, mark->ino,
			 (int64_t)mark->written.tv_sec, mark->written.tv_nsec, mark->size,
			 names[mark->state]);

	if (mark->format[0])
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      " disk=%" PRIu64 " format=%s", mark->disk, mark->format);
	/* Do not open anything but a regular file: the open might hang. */
	if (lstat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	if (fsetxattr(fd, ATTRIBUTE, text, (size_t)n, 0) < 0)
		return errno == ENOTSUP ? -EOPNOTSUPP : -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

bool mark_is_of_another(const struct mark *mark, const char *run)
{
	return mark->known && strcmp(mark->run, run ? run : "") != 0;
}
