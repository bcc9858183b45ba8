/* SPDX-License-Identifier: MIT */
/* Which kernels have a fix, as far as their names tell. */
#pragma once

#include "lullcp.h"

/*
 * CVE-2026-64600: on XFS, two direct writes to one shared block at the same time may go
 * to blocks that belong to another file. release is what uname(2) has. LULL_FIX_PRESENT
 * also before Linux 4.11, which brought the fault; LULL_FIX_UNKNOWN where the version
 * says nothing: a distribution carries fixes to versions below the one that has them, and
 * nobody maintains most series.
 */
enum lull_fix lull_fixes_writer_race(const char *release);
