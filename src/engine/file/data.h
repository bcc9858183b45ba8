/* SPDX-License-Identifier: MIT */
/* The data of a file that one call clones, or that is copied without a checkpoint. */
#pragma once

#include "engine/file/file_state.h"

/*
 * Makes dest, which is empty if it is a regular file, hold the data of src, as the
 * options say. src_st and dest_st describe them. What fails is in file->result.
 */
enum lull_outcome lull_data_transfer(struct lull_file *file, int src, int dest,
				     const struct stat *src_st,
				     const struct stat *dest_st);

/* True if one call clones the file within the budget, or its data is copied in no
   time. */
bool lull_data_is_small(struct lull_file *file, int src, const struct stat *src_st);

/* The same for a file by itself, which is more careful: see lone.h. Its result knows the
   extents then. */
bool lull_data_fits_one_call(struct lull_file *file, int src, const struct stat *src_st);

/*
 * Before the data of dest, which will be written in place, goes for that of src: shows
 * whether src can be cloned at all, where nothing else will do. LULL_OK if so.
 */
enum lull_outcome lull_data_try(struct lull_file *file, int src, int dest,
				const struct stat *src_st);

/* Notes in file->result that this failed. */
enum lull_outcome lull_data_failed(struct lull_file *file, enum lull_stage stage, int err,
				   enum lull_cause cause);
