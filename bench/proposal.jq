# SPDX-License-Identifier: MIT
# The table of the README, from figures-proposal.json.
include "lib";
def name: {cp: "`cp --reflink`", pieces: "pieces of 1 MiB", "lullcp-100": "lullcp `--duty-cycle=100`",
  lullcp: "lullcp", "no-hook": "lullcp, no hook"}[.];
def fs: {xfs: "XFS", "xfs-rmap": "XFS, rmapbt=1", btrfs: "Btrfs"}[.];
"| | | alone: time, of cp | beside fio: seconds | longest read, write, ms |",
"|---|---|---|---|---|",
(["xfs", "xfs-rmap", "btrfs"][] as $fs | .table[] | select(.fs == $fs)
 | "| \(if .tool == "cp" then $fs | fs else "" end) | \(.tool | name) | \(.wall | show) | \(.beside_s | show) | " +
   "\(.read_max_ms | show), \(.write_max_ms | show) |")
