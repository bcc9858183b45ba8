/* SPDX-License-Identifier: MIT */
/*
 * What a sidecar says of itself: whose freeze it is of, of which image, and how far the
 * merge has come. It is in an extended attribute of the file, and so goes with it:
 *
 *     user.lullcp.freeze: v1 run=ID source=DEV:INO written=SEC.NSEC size=N state=STATE
 *                         disk=N format=FORMAT
 *
 * The last two are missing where an earlier version wrote it.
 * Where there are none the sticky bit of the file alone says that the image is between
 * two states (sidecar.h), and whose freeze it is is not known. Who may write to the file
 * may write this: it is believed for what only harms the writer if it is false.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* The text of a UUID and its end. */
#define MARK_RUN_LEN 37
/* The name of a format and its end. */
#define MARK_FORMAT_LEN 32

enum mark_state {
	MARK_BETWEEN, /* a freeze has not returned yet */
	/* the image is of the moment of the freeze, and no merge has begun */
	MARK_FROZEN,
	MARK_MERGING,    /* a merge has begun: the writes are in the sidecar */
	MARK_COMPLETING, /* QEMU was told to change over, and may have */
	MARK_MERGED,     /* all is in the image, and writes go there */
};

struct mark {
	bool known; /* false: nothing else is set */
	enum mark_state state;
	char run[MARK_RUN_LEN]; /* empty: frozen by hand */
	/* The image: which, and what it was like when it was frozen (BETWEEN: before). */
	uint64_t dev, ino;
	struct timespec written;
	uint64_t size;
	/* The disk that the image held when it was frozen: its size, and its format as
	   QEMU names it; 0 and empty if unknown. The sidecar itself forgets both when
	   somebody resizes the disk, or streams the image into it. */
	uint64_t disk;
	char format[MARK_FORMAT_LEN];
};

/* Of a freeze by run (NULL: by hand) of source. */
void mark_init(struct mark *mark, const char *run, const struct stat *source);

/* Takes in the disk. What is no name of a format is not taken. */
void mark_disk(struct mark *mark, uint64_t size, const char *format);

/* Takes in what the image is like now. */
void mark_image(struct mark *mark, const struct stat *source);

/* True if nobody has written to the image since it was frozen. */
bool mark_is_untouched(const struct mark *mark, const struct stat *source);

/* What the file says; not known if that is nothing that could be understood. */
struct mark mark_read(const char *path);

/*
 * Durably, in a regular file. 0 or -errno; -EOPNOTSUPP where there are no attributes,
 * -EBADMSG if it is no regular file.
 */
int mark_write(const char *path, const struct mark *mark) _must_check_;

/*
 * The run that calls, from text: itself if it has the form of a UUID, else NULL. What a
 * hook is called with without one is by hand.
 */
const char *mark_run(const char *text);

/* True if the freeze is of another than run (NULL: by hand). */
bool mark_is_of_another(const struct mark *mark, const char *run);
