# SPDX-License-Identifier: MIT
# From the lines of stalls.sh to a table for people: the longest read and the longest write of
# each kernel and file system, in milliseconds, under cp and under lullcp.
def ms: . / 1e6 | if . >= 100 then round elif . >= 10 then (. * 10 | round) / 10
                  else (. * 100 | round) / 100 end | tostring;
def cell($runs; $what; $mode):
  [$runs[] | select(.what == $what and .mode == $mode)] as $r
  | [$r[] | select(.tool == "cp")][0] as $cp
  | [$r[] | select(.tool == "lullcp")][0] as $lullcp
  | if $cp and $lullcp then "\($cp.max_ns | ms), \($lullcp.max_ns | ms)" else "-" end;
[.[] | select(.part == "stalls")] as $all
| "| kernel | file system, extents | read: direct | buffered | cached | write: direct | buffered | cached |",
  "|---|---|---|---|---|---|---|---|",
  ($all | group_by([.kernel, .fs])[] | . as $runs
   | "| \($runs[0].kernel) (\($runs[0].machine)) | \($runs[0].fs), \($runs[0].extents) | "
     + ([("reads", "writes") as $w | ("direct", "buffered", "cached") as $m
         | cell($runs; $w; $m)] | join(" | ")) + " |")
