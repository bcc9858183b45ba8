// SPDX-License-Identifier: MIT
/* -u, --update, -n and -i: see update.h. */
#include "plan/update.h"

static bool is_older(const struct lull_mtime *a, const struct lull_mtime *b)
{
	return a->sec < b->sec || (a->sec == b->sec && a->nsec < b->nsec);
}

enum lull_update_verdict lull_update_judge(const struct lull_cp *cp,
					   bool source_is_directory,
					   const struct lull_mtime *source,
					   const struct lull_mtime *dest)
{
	if (source_is_directory)
		return LULL_VERDICT_REPLACE;
	if (cp->overwrite == LULL_OVERWRITE_NO || cp->update == LULL_UPDATE_NONE)
		return LULL_VERDICT_LEAVE;
	if (cp->update == LULL_UPDATE_OLDER && !is_older(dest, source))
		return LULL_VERDICT_CURRENT;
	if (cp->update == LULL_UPDATE_NONE_FAIL)
		return LULL_VERDICT_REFUSE;
	return cp->overwrite == LULL_OVERWRITE_ASK ? LULL_VERDICT_ASK
						   : LULL_VERDICT_REPLACE;
}
