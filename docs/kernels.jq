# SPDX-License-Identifier: MIT
# The last table of kernels.md, from what tests/kernels/run.sh measured.
def ms: . / 1e6 | if . >= 10 then round elif . >= 0.05 then (. * 10 | round) / 10 else 0 end;
[.[] | select(.part == "stalls")] as $all
| ["direct", "buffered", "cached"] as $modes
| "| kernel | file system, extents | read: direct | buffered | cached | write: direct | buffered | cached |",
  "|---|---|---|---|---|---|---|---|",
  ($all | group_by([.fs, .kernel]) | sort_by([(.[0].kernel | split("[.-]"; null)[:2] | map(tonumber)), .[0].fs == "btrfs"])[]
   | . as $of
   | def cell($what; $mode):
       def of($tool): first($of[] | select(.what == $what and .mode == $mode and .tool == $tool)) | .max_ns | ms;
       "\(of("cp")), \(of("lullcp"))";
   "| \(.[0].kernel | capture("^(?<v>[0-9]+[.][0-9]+)").v)\(if .[0].machine == "tcg" then " (TCG)" else "" end) | \(
      {xfs: "XFS", btrfs: "Btrfs"}[.[0].fs]), \(.[0].extents) | " +
   ([("reads", "writes") as $what | $modes[] as $mode | cell($what; $mode)] | join(" | ")) + " |")
