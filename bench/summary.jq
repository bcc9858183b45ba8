# SPDX-License-Identifier: MIT
# From what the benches wrote to one table: what, on which file system, with cp, with lullcp, the
# ratio, and the goal where there is one. Input: an object of the files' contents, those that
# are there; with --arg form json the rows themselves.
include "lib";

def row($what; $fs; $cp; $lullcp; $ratio; $goal):
  {$what, $fs, $cp, $lullcp, $ratio, $goal};
# A goal, and what it is about: the ratio, or lullcp's own figure.
def at_most($goal; $of): {text: "<= \($goal)", met: ($of <= $goal)};
def at_least($goal; $of): {text: ">= \($goal)", met: ($of >= $goal)};

# A figure of cp and of lullcp, and the median of the ratios in each pair.
def pair($what; $fs; goal): row($what; $fs; .cp.median; .lullcp.median; .ratio.median; goal);

def speed:
  .[] | .file_systems | to_entries[] | .key as $fs | .value
  | (if $fs == "btrfs" then 1 else 0.95 end) as $wall
  | (if $fs == "btrfs" then 1.05 else 1 end) as $cpu
  | (.speed.wall_s | pair("clone, wall s"; $fs; at_most($wall; .ratio.median))),
    (.speed.cpu_s | pair("clone, CPU s"; $fs; at_most($cpu; .ratio.median))),
    (.speed_with_sync.wall_s | pair("clone and sync, wall s"; $fs; null)),
    (.budget | row("calls over the budget, %"; $fs; null; .over_percent_of_all; null;
       at_most(1; .over_percent_of_all))),
    (.budget.hold_p99_ms | row("p99 of the calls, ms"; $fs; null; .median; null;
       at_most(10; .median))),
    (.stalls.longest_read_ms | pair("longest read, ms"; $fs; at_least(20; .ratio.median))),
    (.stalls.longest_write_ms | pair("longest write, ms"; $fs; null)),
    (.unfrozen.longest_read_ms | pair("no hook: longest read, ms"; $fs;
       if $fs == "btrfs" then at_least(30; .ratio.median) else null end)),
    (.unfrozen.longest_write_ms | pair("no hook: longest write, ms"; $fs;
       at_least(if $fs == "xfs" then 8 else 30 end; .ratio.median))),
    (.unfrozen.cpu_s | pair("no hook: CPU s"; $fs;
       if $fs == "btrfs" then null else at_most(1.3; .ratio.median) end)),
    (.live | row("frozen, in full and with --live, ms"; $fs; null;
       "\(.first.median | show), \(.again.median | show)"; .ratio.median;
       at_least({xfs: 6, "xfs-rmap": 20, btrfs: 4}[$fs]; .ratio.median))),
    (.refresh | row("CPU of a clone and of --refresh, s"; $fs; null;
       "\(.first.median | show), \(.again.median | show)"; .ratio.median;
       if $fs == "xfs" then null else at_least({"xfs-rmap": 15, btrfs: 4}[$fs]; .ratio.median) end)),
    (.verify | row("CPU of a clone and of --verify, s"; $fs; null;
       "\(.first.median | show), \(.again.median | show)"; .ratio.median;
       if $fs == "xfs-rmap" then at_least(8; .ratio.median) else null end)),
    (.memory | max_by(.extents) | row("peak memory, \(.extents) extents, MiB"; $fs; null; .peak_mib;
       null; at_most(16; .peak_mib)));

def proposal:
  . as $all | .runs | group_by(.fs)[] | .[0].fs as $fs | . as $runs
  | def got($tool; $beside; f):
      [$runs[] | select(.tool == $tool and .beside == $beside) | f] | median;
    def times($what; $tool; $beside; f; $goal):
      got("cp"; $beside; f) as $cp | got($tool; $beside; f) as $lullcp
      | select($cp and $lullcp)
      | row($what; $fs; $cp / 1e9; $lullcp / 1e9; $lullcp / $cp; at_most($goal; $lullcp / $cp));
    def longest($what; $tool; f; $goal):
      got("cp"; true; f) as $cp | got($tool; true; f) as $lullcp
      | select($cp and $lullcp)
      | row($what; $fs; $cp / 1e6; $lullcp / 1e6; $cp / $lullcp; at_most($goal; $lullcp / 1e6));
    (if $fs == "btrfs" then 1.1 else 1.03 end) as $alone
  | times("sparse image, wall s"; "lullcp-100"; false; .wall_ns; $alone),
    times("sparse image, CPU s"; "lullcp-100"; false; .cpu_ns; $alone),
    (got("lullcp-100"; false; .calls) as $calls | select($calls)
     | row("sparse image, calls for 10 extents"; $fs; null; $calls * 10 / $all.extents; null;
         at_most(1; $calls * 10 / $all.extents))),
    times("beside fio, duty cycle 100, wall s"; "lullcp-100"; true; .wall_ns; 1.1),
    times("beside fio, wall s"; "lullcp"; true; .wall_ns; 1.35),
    times("beside fio, no hook, wall s"; "no-hook"; true; .wall_ns; 1.6),
    longest("beside fio, longest read, ms"; "lullcp"; .read_max_ns; 50),
    longest("beside fio, longest write, ms"; "lullcp"; .write_max_ns; 50),
    longest("beside fio, no hook, longest write, ms"; "no-hook"; .write_max_ns; 200);

def jobs:
  .files as $files | .table | group_by(.fs)[] | .[0].fs as $fs | . as $of
  | ($of[] | select(.tool == "cp")) as $cp
  | $of[] | select(.tool != "cp")
  | row("\($files) images, -j \(.tool): wall, of cp"; $fs; 1; .wall; .wall; null),
    row("\($files) images, -j \(.tool): longest write, ms"; $fs; $cp.write_max_ms; .write_max_ms;
      $cp.write_max_ms / .write_max_ms; null);

def tail:
  .extents as $n | .runs[] | .fs as $fs
  | row("calls over 10 ms, \($n) extents, %"; $fs; null; .over_budget / .calls * 100; null;
      at_most(0.1; .over_budget / .calls * 100)),
    row("calls over 50 ms"; $fs; null; .over_50ms; null; at_most(0; .over_50ms)),
    row("longest call, ms"; $fs; null; .max_ns / 1e6; null; null);

def readers:
  . as $all | .runs | group_by([.fs, .busy])[]
  | ([.[] | select(.tool == "cp")][0]) as $cp
  | ([.[] | select(.tool == "lullcp" and .duty == 80)][0]) as $lullcp
  | select($cp and $lullcp)
  | "\($all.readers) readers, \($all.writers) writer\(if $all.writers == 1 then "" else "s" end)\(
      if $lullcp.busy > 0 then ", busy machine" else "" end): longest " as $name
  | ("reads", "writes") as $what
  | select($cp[$what] and $lullcp[$what])
  | row($name + ($what | rtrimstr("s")) + ", ms"; $lullcp.fs; $cp[$what].max_ns / 1e6;
      $lullcp[$what].max_ns / 1e6; $cp[$what].max_ns / $lullcp[$what].max_ns; null);

def throughput:
  .table[] | .fs as $fs | .rw as $rw | .depth as $depth
  | [.shares[] | select(.tool == "cp")][0].share as $cp
  | [.shares[] | select(.tool == "lullcp" and .duty == 80)][0].share as $lullcp
  | select($cp and $lullcp)
  | row("\($rw)s left, depth \($depth), %"; $fs; $cp * 100; $lullcp * 100;
      (if $cp > 0 then $lullcp / $cp else null end); null);

def scale:
  group_by(.fs)[] | .[0].fs as $fs
  | (map(.asked) | max) as $largest | (map(.asked) | min) as $smallest
  | . as $all
  | def run($step; $n): first($all[] | select(.step == $step and .asked == $n));
    def cost($step; $n): run($step; $n) | .wall_s / .extents * 1e6;
    "a million of \($largest) extents: " as $name
  | row($name + "clone, s"; $fs; cost("cp"; $largest); cost("clone"; $largest);
      cost("clone"; $largest) / cost("cp"; $largest); null),
    row($name + "removal, s"; $fs; ([cost("rm"; $largest)] | first); cost("discard"; $largest);
      ([cost("rm"; $largest)] | first | if . then cost("discard"; $largest) / . else null end); null),
    (("verify", "refresh", "resume") as $step
     | row($name + $step + ", s"; $fs; null; cost($step; $largest); null; null)),
    row("an extent, of \($largest) to of \($smallest)"; $fs;
      cost("cp"; $largest) / cost("cp"; $smallest);
      cost("clone"; $largest) / cost("clone"; $smallest); null; null),
    row("peak memory, \($largest) extents, MiB"; $fs; run("cp"; $largest).peak_kib / 1024;
      run("clone"; $largest).peak_kib / 1024; null;
      at_most(16; run("clone"; $largest).peak_kib / 1024));

def field:
  group_by([.fs, .asked])[] | .[0].fs as $fs
  | (map(.extents_cloned | values) | max) as $extents
  | (map({key: .step, value: .}) | from_entries) as $step
  | ($step.clone.wall_s // null) as $clone
  | ["beside", "interrupted", "resume"] as $traced
  | "\($extents) extents: " as $name
  | def seconds($what; $cp; $lullcp):
      select($lullcp) | row($name + $what + ", s"; $fs; $cp; $lullcp;
        if $cp then $lullcp / $cp else null end; null);
    ([$traced[] as $s | $step[$s] | values]) as $runs
  | ($runs | map(.calls) | add) as $calls
  | seconds("clone"; $step.cp.wall_s; $clone),
    (select($calls)
     | ($runs | map(.over_budget_calls) | add / $calls * 100) as $over
     | ($runs | map(.over_50ms) | add) as $over_50ms
     | row($name + "calls over 10 ms, %"; $fs; null; $over; null; at_most(0.1; $over)),
       row($name + "calls over 50 ms"; $fs; null; $over_50ms; null; at_most(0; $over_50ms)),
       row($name + "longest call, ms"; $fs; null; ($runs | map(.hold_ms.max) | max); null; null)),
    ((["source_read", "longest read of the source"], ["source_write", "longest write of the source"],
      ["other_read", "longest read of another file"],
      ["other_write", "longest write of another file"]) as [$key, $what]
     | ($runs | map(.[$key + "_max_ms"] | values) | max) | values
     | row($name + $what + ", ms"; $fs; null; .; null; null)),
    (("resume", "verify", "diff", "refresh", "list") as $s
     | seconds($s; null; $step[$s].wall_s)),
    seconds("removal"; $step.rm.wall_s; $step.discard.wall_s),
    (select($step.rm and $step.discard)
     | ($step.rm.other_write_max_ms / $step.discard.other_write_max_ms) as $ratio
     | row($name + "longest write beside a removal, ms"; $fs; $step.rm.other_write_max_ms;
         $step.discard.other_write_max_ms; $ratio;
         if $fs == "btrfs" then at_least(4; $ratio) else null end)),
    (map(select(.step != "cp" and .step != "rm") | .peak_kib) | max / 1024
     | row($name + "peak memory, MiB"; $fs; null; .; null; at_most(16; .)));

def kernels:
  [.[] | select(.part == "stalls")]
  | group_by([.fs, .kernel, .what, .mode])[]
  | [.[] | select(.tool == "cp")][0] as $cp | [.[] | select(.tool == "lullcp")][0] as $lullcp
  | select($cp and $lullcp)
  | row("Linux \($cp.kernel | capture("^(?<v>[0-9]+[.][0-9]+)").v)\(
        if $cp.machine == "tcg" then " (TCG)" else "" end): longest \($cp.what | rtrimstr("s")), \($cp.mode), ms";
      $cp.fs; $cp.max_ns / 1e6; $lullcp.max_ns / 1e6; $cp.max_ns / $lullcp.max_ns; null);

def trees:
  .figures as $f
  | ({tree: ["tree of \(.files) files, s", 1.2], list: ["1000 files in one command, ms", 1.1],
      one: ["one file, ms", null], wide: ["a directory of 1000000 files, s", null]}
     | to_entries[]) as {key: $key, value: [$name, $goal]}
  | $f[$key] | select(.)
  | (if $name | endswith(" ms") then 1000 else 1 end) as $unit
  | row($name; "xfs"; .cp.wall_s * $unit; .lullcp.wall_s * $unit; .lullcp.ratio;
      if $key == "one" then at_most(5; .lullcp.wall_s * $unit)
      elif $goal then at_most($goal; .lullcp.ratio) else null end);

[ (.speed | values | if type == "array" then . else [.] end | speed),
  (.proposal | values | proposal),
  (.jobs | values | jobs),
  (.tail | values | tail),
  (.readers | values | readers),
  (.throughput | values | throughput),
  (.scale | values | scale),
  (.field | values | field),
  (.kernels | values | kernels),
  (.trees | values | trees) ]
| if $form == "json" then .
  else
    "| what | file system | cp | lullcp | ratio | goal | met |",
    "|---|---|---|---|---|---|---|",
    (.[] | "| \(.what) | \(.fs) | \(.cp | show) | \(.lullcp | show) | \(.ratio | show) | \(
      if .goal then "\(.goal.text) | \(if .goal.met then "yes" else "no" end)" else " | " end) |")
  end
