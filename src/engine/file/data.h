/* SPDX-License-Identifier: MIT */
/* The data of a file that one call clones, or that is copied without a checkpoint. */
#pragma once

#include "engine/file/file_state.h"

/*
 * Makes dest hold the data of src, as the options say. dest must be empty if it is a
 * regular file. src_st and dest_st describe the files. A failure is stored in
 * file->result.
 */
enum lull_outcome lull_data_transfer(struct lull_file *file, int src, int dest,
				     const struct stat *src_st,
				     const struct stat *dest_st);

/* Returns true if one call clones the file within the budget, or its data is copied
   quickly. */
bool lull_data_is_small(struct lull_file *file, int src, const struct stat *src_st);

/* As lull_data_is_small(), for a single file, which is checked more carefully: see
   lone.h. Sets the extents of the result. */
bool lull_data_fits_one_call(struct lull_file *file, int src, const struct stat *src_st);

/*
 * Shows whether src can be cloned at all, before dest is written in place and loses its
 * data. Does nothing if a copy is allowed. Returns LULL_OK if so.
 */
enum lull_outcome lull_data_try(struct lull_file *file, int src, int dest,
				const struct stat *src_st);

/* Stores a failure in file->result. Returns LULL_FAILED. */
enum lull_outcome lull_data_failed(struct lull_file *file, enum lull_stage stage, int err,
				   enum lull_cause cause);
