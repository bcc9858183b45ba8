/* SPDX-License-Identifier: MIT */
/* Makes a qcow2 file without data, and reads what one says of its backing file. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* Names of formats, with their end. */
#define QCOW2_FORMAT_LEN 32

/*
 * Fills the empty file with a disk of that size, none of it allocated, over backing,
 * which has that format. 0 or -errno: -ENAMETOOLONG if backing does not fit.
 */
int qcow2_make(int fd, uint64_t size, const char *backing,
	       const char *format) _must_check_;

/*
 * True if qcow2_make() was cut off before it wrote the header of a disk of that size: the
 * file is no image yet, and nobody can have written to it since.
 */
bool qcow2_is_unfinished(const char *path, uint64_t size);

/* Of one that qcow2_make() made. 0 and a name to be freed, or -errno, -EBADMSG. */
int qcow2_backing(const char *path, char **ret_name,
		  char ret_format[static QCOW2_FORMAT_LEN]) _must_check_;
