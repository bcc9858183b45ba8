/* SPDX-License-Identifier: MIT */
/* The limit of open descriptors. */
#pragma once

/*
 * Raises the soft limit to wanted, as far as the hard limit allows. Returns the limit.
 * getrlimit(2), setrlimit(2).
 */
unsigned int lull_limits_raise(unsigned int wanted);

/*
 * Restores the limit in a child that will execute another program: select(2) accepts no
 * descriptor above 1023, and programs rely on the limit. Safe after fork().
 */
void lull_limits_restore(void);
