/* SPDX-License-Identifier: MIT */
/* Rests between two calls, for the part of the time that the duty cycle leaves to others.
   Nothing else in the engine rests. */
#pragma once

#include "plan/pace.h"

#include <stdint.h>

/* Sleeps for as long as pace requires, and reports to it how long the sleep really
   was. */
void lull_rest(struct lull_pace *pace);

/* Rests after a call of ns nanoseconds that no pace has observed. duty_cycle: percent,
   1..100. */
void lull_rest_after(uint64_t ns, unsigned int duty_cycle);
