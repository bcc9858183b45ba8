/* SPDX-License-Identifier: MIT */
/* How many descriptors this process may have. */
#pragma once

/*
 * Raises the soft limit to wanted, as far as the hard one allows, and returns what it is.
 * getrlimit(2), setrlimit(2).
 */
unsigned int lull_limits_raise(unsigned int wanted);

/*
 * Puts the limit back, in a child that becomes another program: select(2) takes no
 * descriptor above 1023, and programs go by the limit. Safe after fork().
 */
void lull_limits_restore(void);
