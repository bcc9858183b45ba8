# SPDX-License-Identifier: MIT
# Prints the document of report.jq as text.

include "lib";

def left($width): . + (" " * ($width - length) // "");
def right($width): (" " * ($width - length) // "") + .;

# Rows of equal length; the first $names columns are words.
def table($names):
  (transpose | map(map(length) | max)) as $widths |
  .[] | [., $widths] | transpose | to_entries |
  map(.key as $i | .value as [$cell, $width] |
      $cell | if $i < $names then left($width) else right($width) end) |
  join("  ") | sub(" +$"; "");

def both($name): [$name, .cp.median, .lullcp.median, .ratio.median,
                  .cp.worst, .lullcp.worst, .ratio.worst];
def alone($name): [$name, null, .median, null, null, .worst, null];

def saving($name): ["\($name)", .first.median, .again.median, .ratio.median,
                    .first.worst, .again.worst, .ratio.worst];

def rows:
  (.speed.wall_s | both("wall time, s")),
  (.speed.cpu_s | both("CPU time, s")),
  (.speed_with_sync.wall_s | both("wall time with sync, s")),
  (.speed_with_sync.cpu_s | both("CPU time with sync, s")),
  (.budget.calls | alone("calls")),
  (.budget.over_percent | alone("calls over the budget, %")),
  ["the same, all runs together, %", null, .budget.over_percent_of_all, null, null, null, null],
  (.budget.hold_p99_ms | alone("hold p99, ms")),
  (.budget.hold_p999_ms | alone("hold p99.9, ms")),
  (.budget.hold_max_ms | alone("hold max, ms")),
  (.stalls.longest_read_ms | both("longest read, ms")),
  (.stalls.read_p99_ms | both("read p99, ms")),
  (.stalls.longest_write_ms | both("longest write, ms")),
  (.stalls.wall_s | both("wall time beside them, s")),
  (.unfrozen.longest_read_ms | both("no hook: longest read, ms")),
  (.unfrozen.longest_write_ms | both("no hook: longest write, ms")),
  (.unfrozen.cpu_s | both("no hook: CPU time, s")),
  (.unfrozen.wall_s | both("no hook: wall time, s")),
  (.live | saving("frozen in full and with --live, ms")),
  (.refresh | saving("CPU of a clone and of --refresh, s")),
  (.verify | saving("CPU of a clone and of --verify, s")),
  (.memory[] | ["peak memory at \(.extents) extents, MiB", null, .peak_mib, null, null, null,
                null]);

"\(.versions.lullcp) (\(.versions.commit)), \(.versions.cp), \(.kernel), \(.machine.cpus) CPUs, " +
"\(.extents) extents, \(.pairs) pairs, \(.rounds) rounds",
"",
([["", "", "median", "", "", "worst", "", ""],
  ["file system", "figure", "cp", "lullcp", "ratio", "cp", "lullcp", "ratio"]] +
 [.file_systems | to_entries[] | .key as $fs | .value | rows | [$fs] + map(show)] | table(2)),
"",
([["goal", "", "measured", "worst on", "met"]] +
 [.goals[] | [.name, .goal, (.measured | show), .where, if .met then "yes" else "NO" end]] |
 table(2))
