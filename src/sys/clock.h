/* SPDX-License-Identifier: MIT */
/* The clocks, in nanoseconds. */
#pragma once

#include <stdint.h>

/* CLOCK_MONOTONIC: for durations. Stands still for nothing but suspend. */
uint64_t lull_clock_now(void);

/* CLOCK_REALTIME: nanoseconds since the epoch, for people. */
uint64_t lull_clock_wall(void);

/* CLOCK_REALTIME_COARSE: the clock that kernels before 6.13 stamp inodes with. */
int64_t lull_clock_coarse(void);

/* Sleeps so long, or until a signal is handled. */
void lull_clock_sleep(uint64_t ns);
