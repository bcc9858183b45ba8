// SPDX-License-Identifier: MIT
/* Names generations in a stream: see row_name.h. */
#include "engine/carry/row_name.h"

#include "engine/clone/generation_name.h"
#include "util/path.h"

#include <stdio.h>
#include <string.h>

void lull_row_name(const char *path, char *ret_name, unsigned int size)
{
	(void)snprintf(ret_name, size, "%s", lull_path_last(path));
}

bool lull_row_may_be(const char *a, const char *b)
{
	const char *x = lull_generation_date(a), *y = lull_generation_date(b);

	return !x || !y || strcmp(x, y) == 0;
}
