// SPDX-License-Identifier: MIT
/* The names of methods in lullcp's output and in checkpoints. */
#include "lullcp.h"

const char *lull_method_name(enum lull_method method)
{
	switch (method) {
	case LULL_METHOD_SINGLE:
		return "single";
	case LULL_METHOD_QUIET:
		return "quiet";
	case LULL_METHOD_FROZEN:
		return "frozen";
	case LULL_METHOD_SNAPSHOT:
		return "snapshot";
	case LULL_METHOD_ATOMIC:
		return "atomic";
	case LULL_METHOD_TRUST:
		return "trust";
	case LULL_METHOD_COPY:
		return "copy";
	case LULL_METHODS:
	case LULL_METHOD_NONE:
		break;
	}
	return "none";
}
