/* SPDX-License-Identifier: MIT */
/*
 * The sidecar: the qcow2 file that takes the writes while the image is frozen.
 *
 * Its sticky bit is the hook's memory: set, the image is between two states (a freeze has
 * not returned yet, or a merge has begun); clear, the image is whole, of the moment of
 * the freeze. It needs no room on a full file system and goes with the file.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define SIDECAR_SUFFIX ".lullcp-sidecar"

/*
 * Where the sidecar of source (an absolute path without links) lies: beside it, or in
 * directory if that is not NULL. NULL: out of memory.
 */
char *sidecar_path(const char *source, const char *directory);

/*
 * Whether path, absolute, is where sidecar_path() puts a sidecar of source in that
 * directory, or of another name of the same file beside that name.
 */
bool sidecar_is_of(const char *path, const char *source, const struct stat *source_st);

/* Whether path ends in a name that sidecar_path() may give. */
bool sidecar_has_name(const char *path);

/* Tells images apart, in names that have to be short. */
uint64_t sidecar_hash(const char *source);

/*
 * Makes it, empty and marked, with owner, permissions and ACL of source. 0 and a
 * descriptor, or -errno, -EEXIST, -EOPNOTSUPP where the file system does not keep them.
 */
int sidecar_create(const char *path, const char *source, const struct stat *st,
		   int *ret_fd) _must_check_;

/* Sets or clears the mark, durably. 0 or -errno, -EBADMSG if it is no sidecar. */
int sidecar_mark(const char *path, bool between) _must_check_;

/*
 * More than 0 if it is of source, holds no data and nobody has it open, 0 if it holds
 * some; -EBUSY if somebody has it open, -EBADMSG if it is no sidecar of source, else
 * -errno.
 */
int sidecar_is_unused(const char *path, const struct stat *source) _must_check_;

/* What its header says. */
struct sidecar_header {
	uint64_t size; /* of the disk */
	bool has_backing;
};

/* 0, or -errno, -EBADMSG if it is no sidecar. */
int sidecar_read_header(const char *path, struct sidecar_header *ret) _must_check_;

/* 0 if the file that is open is an image of a disk of size bytes, or -EBADMSG. */
int sidecar_is_image(int fd, uint64_t size) _must_check_;

/* Makes what was made or removed in the directory of path durable. 0 or -errno. */
int sidecar_sync_directory(const char *path) _must_check_;

/*
 * A path of the same file that goes on leading to its directory, whoever renames that or
 * one above it: what is looked at by it is what is removed by it. It ends with
 * sidecar_let_go(). 0 or -errno.
 */
struct sidecar_hold {
	int dir;
	char *path;
};
int sidecar_hold(const char *path, struct sidecar_hold *ret_hold) _must_check_;
void sidecar_let_go(struct sidecar_hold *hold);

/* Removes it, durably. 0 or -errno. */
int sidecar_remove(const char *path) _must_check_;
