/* SPDX-License-Identifier: MIT */
/* JSON Lines on standard output; the keys are described under OUTPUT in lullcp(1). */
#pragma once

#include "lullcp.h"

/* Each function prints one line at once. message is the text for the user; path may be
   NULL. */
void json_status(const struct lull_progress *progress);
void json_warning(const char *message, const char *path);
void json_error(enum lull_outcome outcome, const struct lull_failure *failure,
		const char *message);
void json_note(const struct lull_note *note, const char *message);
/* applied: the counts of a stream belong to the result. */
void json_summary(enum lull_outcome outcome, const struct lull_result *result,
		  bool applied);
void json_report(const struct lull_report *report);
/* step names the step, how its result. */
void json_step(const struct lull_step *s, const char *step, const char *how);
void json_verdict(const char *hook, enum lull_outcome outcome,
		  const struct lull_verdict *v);
/* fate: what would become of the generation, or NULL. */
void json_generation(const struct lull_row_entry *e, const char *fate);
void json_discarded(const char *path, enum lull_outcome outcome);
void json_announce(const char *source, enum lull_method method, uint64_t ns);
void json_comparison(const char *source, const char *dest, enum lull_outcome outcome,
		     const struct lull_comparison *found);
void json_change(const struct lull_change *change);
void json_difference(const char *old_file, const char *new_file,
		     enum lull_outcome outcome, const struct lull_difference *found);
void json_forecast(const char *source, enum lull_outcome outcome,
		   const struct lull_forecast *found);
