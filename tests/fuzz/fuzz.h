/* SPDX-License-Identifier: MIT */
/* The entry point that libFuzzer, or replay_main.c, calls. Aborts on a finding. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
