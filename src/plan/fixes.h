/* SPDX-License-Identifier: MIT */
/* Determines whether a kernel has a fix, as far as its version shows that. */
#pragma once

#include "lullcp.h"

/*
 * CVE-2026-64600: on XFS, two simultaneous direct writes to one shared block may go to
 * blocks of another file. release is that of uname(2). Returns LULL_FIX_PRESENT also
 * before Linux 4.11, which introduced the fault. Returns LULL_FIX_UNKNOWN if the version
 * is not conclusive: distributions backport fixes to older versions, and most series have
 * no maintainer.
 */
enum lull_fix lull_fixes_writer_race(const char *release);
