/* SPDX-License-Identifier: MIT */
/*
 * The sidecar: the qcow2 file that takes the writes while the image is frozen.
 *
 * Its sticky bit is the hook's memory. While it is set, the image is between two states:
 * a freeze has not returned yet, or a merge has begun. While it is clear, the image is
 * complete, of the point in time of the freeze. The bit needs no space on a full file
 * system and moves with the file.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define SIDECAR_SUFFIX ".lullcp-sidecar"

/*
 * Returns the path of the sidecar of source (an absolute path without symbolic links):
 * beside it, or in directory if that is not NULL. To be freed; NULL without memory.
 */
char *sidecar_path(const char *source, const char *directory);

/*
 * Returns true if path (absolute) is where sidecar_path() puts a sidecar of source in
 * that directory, or of another name of the same file beside that name.
 */
bool sidecar_is_of(const char *path, const char *source, const struct stat *source_st);

/* Returns true if path ends in a name that sidecar_path() may give. */
bool sidecar_has_name(const char *path);

/* Returns a hash of the path, for names that have to be short. */
uint64_t sidecar_hash(const char *source);

/*
 * Creates the sidecar, empty and marked, with owner, permissions and ACL of source.
 * Returns 0 and a descriptor, or -errno: -EEXIST; -EOPNOTSUPP if the file system does not
 * keep the mode.
 */
int sidecar_create(const char *path, const char *source, const struct stat *st,
		   int *ret_fd) _must_check_;

/* Sets or clears the mark durably. Returns 0 or -errno; -EBADMSG if path is not a
   sidecar. */
int sidecar_mark(const char *path, bool between) _must_check_;

/*
 * Returns more than 0 if path is a sidecar of source that holds no data and that nobody
 * has open, and 0 if it holds data. Else returns -EBUSY if somebody has it open, -EBADMSG
 * if it is not a sidecar of source, or another -errno.
 */
int sidecar_is_unused(const char *path, const struct stat *source) _must_check_;

/* What the header of a sidecar says. */
struct sidecar_header {
	uint64_t size; /* bytes of the disk */
	bool has_backing;
};

/* Returns 0 or -errno; -EBADMSG if path is not a sidecar. */
int sidecar_read_header(const char *path, struct sidecar_header *ret) _must_check_;

/* Returns 0 if the open file is an image of a disk of size bytes, else -EBADMSG. */
int sidecar_is_image(int fd, uint64_t size) _must_check_;

/* Makes a change to the directory of path durable. Returns 0 or -errno. */
int sidecar_sync_directory(const char *path) _must_check_;

/*
 * A path that keeps leading to the directory of a file, whoever renames that directory or
 * one above it: the file that was checked is the one that is removed. sidecar_hold()
 * returns 0 or -errno; sidecar_let_go() ends it.
 */
struct sidecar_hold {
	int dir;
	char *path;
};
int sidecar_hold(const char *path, struct sidecar_hold *ret_hold) _must_check_;
void sidecar_let_go(struct sidecar_hold *hold);

/* Removes the file durably. Returns 0 or -errno. */
int sidecar_remove(const char *path) _must_check_;
