/* SPDX-License-Identifier: MIT */
/* The one place that rests: what the duty cycle leaves to others between two calls. */
#pragma once

#include "plan/pace.h"

#include <stdint.h>

/* Sleeps for as long as pace owes, and credits it with how long that really took. */
void lull_rest(struct lull_pace *pace);

/* The same after a call of ns nanoseconds that no pace has seen. duty_cycle: percent,
   1..100. */
void lull_rest_after(uint64_t ns, unsigned int duty_cycle);
