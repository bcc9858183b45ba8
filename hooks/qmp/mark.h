/* SPDX-License-Identifier: MIT */
/*
 * The mark: what a sidecar records about itself. It says who froze which image, and how
 * far the merge has come. It is an extended attribute of the file, and so moves with it:
 *
 *     user.lullcp.freeze: v1 run=ID source=DEV:INO written=SEC.NSEC size=N state=STATE
 *                         disk=N format=FORMAT
 *
 * A mark from an earlier version lacks the last two fields. On a file system without
 * extended attributes only the sticky bit of the file says that the image is between two
 * states (sidecar.h), and who froze it is unknown. Whoever may write to the file may
 * write the mark. It is therefore trusted only where a false one harms nobody but its
 * writer.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* Bytes of a UUID's text with the NUL. */
#define MARK_RUN_LEN 37
/* Bytes of a format's name with the NUL. */
#define MARK_FORMAT_LEN 32

enum mark_state {
	MARK_BETWEEN, /* a freeze has not returned yet */
	/* the image is frozen, and no merge has begun */
	MARK_FROZEN,
	MARK_MERGING,    /* a merge has begun; the sidecar has all writes */
	MARK_COMPLETING, /* QEMU was told to change over, and may have done so */
	MARK_MERGED,     /* the image has all writes, and new ones go there */
};

struct mark {
	bool known; /* if false, nothing else is set */
	enum mark_state state;
	char run[MARK_RUN_LEN]; /* empty: frozen by a person */
	/* Which file the image is, and its state when it was frozen (BETWEEN: before
	   that). */
	uint64_t dev, ino;
	struct timespec written;
	uint64_t size;
	/* Size and QEMU's name for the format of the disk that the image held when it was
	   frozen; 0 and empty if unknown. The sidecar itself loses them when somebody
	   resizes the disk or streams the image into it. */
	uint64_t disk;
	char format[MARK_FORMAT_LEN];
};

/* Initializes the mark of a freeze of source by run (NULL: by a person). */
void mark_init(struct mark *mark, const char *run, const struct stat *source);

/* Sets disk and format. Does nothing if format is not a valid name. */
void mark_disk(struct mark *mark, uint64_t size, const char *format);

/* Sets the state of the image to what it is now. */
void mark_image(struct mark *mark, const struct stat *source);

/* Returns true if nobody has written to the image since it was frozen. */
bool mark_is_untouched(const struct mark *mark, const struct stat *source);

/* Returns the mark of the file; known is false if there is none or it cannot be
   understood. */
struct mark mark_read(const char *path);

/*
 * Writes the mark durably. Returns 0 or -errno: -EOPNOTSUPP on a file system without
 * extended attributes, -EBADMSG if the file is not a regular one.
 */
int mark_write(const char *path, const struct mark *mark) _must_check_;

/*
 * Returns text if it has the form of a UUID and so names the calling run, else NULL: a
 * person calls.
 */
const char *mark_run(const char *text);

/* Returns true if another than run (NULL: a person) made the freeze. */
bool mark_is_of_another(const struct mark *mark, const char *run);
