/* SPDX-License-Identifier: MIT */
/* The methods by which a clone becomes a copy of one point in time: see lull_method. */
#pragma once

#include "engine/job.h"

/* One call over a file that fits one within the budget. */
enum lull_outcome lull_method_single(struct lull_job *job);

/* Freeze, pass, comparison, thaw; after passes with writers at work if options say live. */
enum lull_outcome lull_method_frozen(struct lull_job *job);

/* One pass that copies bytes; with a warning if somebody wrote meanwhile. */
enum lull_outcome lull_method_copy(struct lull_job *job);

/* Without a hook: passes in the hope of a quiet one, then what options->on_writers says. */
enum lull_outcome lull_method_unfrozen(struct lull_job *job);
