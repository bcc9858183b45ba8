/* SPDX-License-Identifier: MIT */
/* Makes a qcow2 file without data, and reads the backing file of one. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes of a format's name with the NUL. */
#define QCOW2_FORMAT_LEN 32

/*
 * Fills the empty file with a disk of size bytes, none of it allocated, whose backing
 * file is backing in that format. Returns 0 or -errno: -ENAMETOOLONG if backing or format
 * does not fit, -EFBIG if the disk is too large.
 */
int qcow2_make(int fd, uint64_t size, const char *backing,
	       const char *format) _must_check_;

/*
 * Returns true if qcow2_make() was interrupted before it wrote the header of a disk of
 * size bytes: the file is not an image yet, and nobody can have written to it since.
 */
bool qcow2_is_unfinished(const char *path, uint64_t size);

/* Reads the backing file of an image that qcow2_make() made. Returns 0 and a name to be
   freed, or -errno; -EBADMSG if it is not such an image. */
int qcow2_backing(const char *path, char **ret_name,
		  char ret_format[static QCOW2_FORMAT_LEN]) _must_check_;
