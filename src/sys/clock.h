/* SPDX-License-Identifier: MIT */
/* The clocks, in nanoseconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* CLOCK_MONOTONIC: for durations. Stands still only during suspend. */
uint64_t lull_clock_now(void);

/* CLOCK_REALTIME: nanoseconds since the epoch, for people. */
uint64_t lull_clock_wall(void);

/* CLOCK_REALTIME_COARSE: the clock from which kernels before 6.13 take inode times. */
int64_t lull_clock_coarse(void);

/* Returns true if a change from now on gets another time than time_ns. That is a time of
   the coarse clock or, since 6.13, one up to a tick ahead of it. A time far in the future
   counts as passed. */
bool lull_clock_has_passed(int64_t time_ns);

/* Waits until lull_clock_has_passed() is true: at most a tick of the coarse clock (1-10
   ms). */
void lull_clock_pass(int64_t time_ns);

/* Sleeps for ns nanoseconds, or until a signal is handled. */
void lull_clock_sleep(uint64_t ns);
