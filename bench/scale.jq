# SPDX-License-Identifier: MIT
# From the runs of scale.sh to a table: seconds for a million extents at each size, how much
# dearer an extent is at the largest size than at the smallest, and what that makes of
# 100,000,000 extents: the largest size's cost of an extent times 1e8.
include "lib";
group_by(.fs)[]
| (map(.asked) | unique) as $sizes
| "", "\(.[0].fs): seconds of wall time for 1,000,000 extents (CPU time; peak memory in MiB)", "",
  "| extents | " + ($sizes | map(tostring) | join(" | ")) + " | largest to smallest | 100,000,000 |",
  "|---|" + ($sizes | map("---|") | join("")) + "---|---|",
  (. as $all | ["cp", "clone", "verify", "refresh", "interrupted", "resume", "discard", "rm"][]
   | . as $step
   | [$sizes[] as $n | [$all[] | select(.step == $step and .asked == $n)][0]] as $cells
   | ($cells | map(values)) as $runs
   | select($runs | length > 0)
   | "| \($step) | "
     + ($cells | map(if . then "\(.wall_s / .extents * 1e6 | show) (\(.cpu_s / .extents * 1e6 | show); \(.peak_kib / 1024 | show))"
                     else "-" end)
        | join(" | "))
     + " | \(($runs[-1] | .wall_s / .extents) / ($runs[0] | .wall_s / .extents) | show)"
     + " | \($runs[-1] | .wall_s / .extents * 1e8 / 60 | show) min |"),
  (. as $all | ["discard", "rm"][] | . as $step
   | "longest write of another file, ms, beside \($step): "
     + ([$all[] | select(.step == $step) | .other_write_max_ms | show] | join(", ")))
