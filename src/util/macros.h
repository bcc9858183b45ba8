/* SPDX-License-Identifier: MIT */
/* Attributes and cleanup functions that the compiler checks or calls. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define _must_check_    __attribute__((warn_unused_result))
#define _printf_(a, b)  __attribute__((__format__(printf, a, b)))
#define _cleanup_(f)    __attribute__((cleanup(f)))
#define _cleanup_free_  _cleanup_(lull_freep)
#define _cleanup_close_ _cleanup_(lull_close)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)     ((a) < (b) ? (a) : (b))
#define MAX(a, b)     ((a) > (b) ? (a) : (b))

/* Returns the struct of that type whose member p points to. */
#define container_of(p, type, member) \
	((type *)(void *)((char *)(p)-offsetof(type, member)))

#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_USEC 1000ULL
/* Returns now + ns. 292 years count as for ever, and do not overflow. */
#define NSEC_AFTER(now, ns) ((now) + ((ns) < UINT64_MAX / 2 ? (ns) : UINT64_MAX / 2))

static inline void lull_freep(void *p)
{
	free(*(void **)p);
}

/* Closes *fd if it is open, and sets it to -1. */
static inline void lull_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* Passes ownership of the descriptor to the caller, so that the cleanup does nothing. */
static inline int lull_steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* As lull_steal_fd(), for a pointer. */
#define lull_steal(p)                           \
	({                                      \
		__typeof__(*(p)) taken_ = *(p); \
		*(p) = NULL;                    \
		taken_;                         \
	})
