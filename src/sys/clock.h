/* SPDX-License-Identifier: MIT */
/* The clocks, in nanoseconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* CLOCK_MONOTONIC: for durations. Stands still only during suspend. */
uint64_t lull_clock_now(void);

/* CLOCK_REALTIME: nanoseconds since the epoch, for people. */
uint64_t lull_clock_wall(void);

/* CLOCK_REALTIME_COARSE: the clock that kernels before 6.13 stamp inodes with. */
int64_t lull_clock_coarse(void);

/* True if what changes from here on gets another time than time_ns, a stamp of the coarse
   clock or, since 6.13, one up to a tick ahead of it. A stamp far in the future counts as
   passed. */
bool lull_clock_has_passed(int64_t time_ns);

/* Waits until it is true: a tick of the coarse clock (1-10 ms) at the most. */
void lull_clock_pass(int64_t time_ns);

/* Sleeps for ns nanoseconds, or until a signal is handled. */
void lull_clock_sleep(uint64_t ns);
