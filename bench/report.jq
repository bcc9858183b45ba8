# SPDX-License-Identifier: MIT
# From single runs to figures: $machine[0] and $runs make one document.

include "lib";

def longest: { median: median, worst: max };

# null where nothing was measured: a run that ended before the first write.
def over($divisor):
  if . != null and $divisor != null and $divisor > 0 then . / $divisor else null end;

# [[cp, lullcp], ...], one for each round. Speed: how much longer lullcp takes.
def slower:
  { cp: (map(.[0]) | longest), lullcp: (map(.[1]) | longest),
    ratio: (map(.[0] as $cp | .[1] | over($cp)) | longest), pairs: . };
# Stalls: how much longer those under cp are.
def shorter:
  { cp: (map(.[0]) | longest), lullcp: (map(.[1]) | longest),
    ratio: (map(.[1] as $lullcp | .[0] | over($lullcp)) |
            { median: median, worst: (map(select(. != null)) | min) }), pairs: . };

def of($part): map(select(.part == $part));
def pairs(f): group_by(.round) | map([
  (map(select(.tool == "cp"))[0].load | f), (map(select(.tool == "lullcp"))[0].load | f)]);

def speed: { wall_s: pairs(.wall_ns / 1e9) | slower, cpu_s: pairs(.cpu_ns / 1e9) | slower };

def budget: map(.summary) |
  { runs: length,
    budget_ms: (.[0].budget_ns / 1e6),
    calls: { median: (map(.calls) | median), worst: (map(.calls) | max),
             all: (map(.calls) | add) },
    over_percent: (map(100 * .over_budget_calls / .calls) | longest) }
  + { over_percent_of_all:
        (100 * (map(.over_budget_calls) | add) / (map(.calls) | add)) }
  + { hold_p50_ms: (map(.hold_ns.p50 / 1e6) | longest),
      hold_p99_ms: (map(.hold_ns.p99 / 1e6) | longest),
      hold_p999_ms: (map(.hold_ns.p999 / 1e6) | longest),
      hold_max_ms: (map(.hold_ns.max / 1e6) | longest) };

def ms(f): if .count > 0 then f / 1e6 else null end;
def stalls:
  { longest_read_ms: pairs(.reader | ms(.max)) | shorter,
    read_p99_ms: pairs(.reader | ms(.p99)) | shorter,
    longest_write_ms: pairs(.writer | ms(.max)) | shorter,
    wall_s: pairs(.wall_ns / 1e9) | slower };

def cpu: .load.cpu_ns / 1e9;
# What is saved: [first, other] of each round, and how many times smaller the other is.
def saved($first; $part; f):
  (of($first) | map({ key: (.round | tostring), value: f }) | from_entries) as $whole |
  of($part) | map([$whole[.round | tostring], f]) |
  { first: (map(.[0]) | longest), again: (map(.[1]) | longest),
    ratio: (map(.[1] as $again | .[0] | over($again)) |
            { median: median, worst: (map(select(. != null)) | min) }), pairs: . };
def unfrozen:
  { longest_read_ms: pairs(.reader | ms(.max)) | shorter,
    longest_write_ms: pairs(.writer | ms(.max)) | shorter,
    cpu_s: pairs(.cpu_ns / 1e9) | slower, wall_s: pairs(.wall_ns / 1e9) | slower,
    methods: (map(select(.tool == "lullcp").summary.method) | unique) };

def memory: map(select(.tool == "lullcp")) | group_by(.extents) |
  map({ extents: .[0].extents, peak_mib: (map(.load.maxrss_kib / 1024) | max) });

def figures:
  { speed: of("speed") | speed, speed_with_sync: of("sync") | speed,
    budget: map(select(.tool == "lullcp" and (.part == "speed" or .part == "sync"))) | budget,
    stalls: of("stall") | stalls, unfrozen: of("writers") | unfrozen,
    live: saved("freeze"; "live"; .summary.freeze_ns / 1e6),
    refresh: saved("first"; "refresh"; cpu), verify: saved("first"; "verify"; cpu),
    verify_bytes_read: (of("verify") | map(.summary.bytes_read) | max),
    memory: memory };

# A goal for some file systems only, with a limit for each.
def goals($name; $limits; f):
  map(select($limits[.key]) | { name: "\($name), \(.key)", goal: ">= \($limits[.key])",
    measured: (.value | f), where: .key, met: ((.value | f) >= $limits[.key]) });

# A goal is met if it is met on every file system.
def goal($name; $sign; $limit; f):
  (map({ where: .key, measured: (.value | f) }) |
   if $sign == ">=" then min_by(.measured) else max_by(.measured) end) as $m |
  { name: $name, goal: "\($sign) \($limit)", measured: $m.measured, where: $m.where,
    met: (if $sign == ">=" then $m.measured >= $limit
          elif $sign == "<" then $m.measured < $limit
          else $m.measured <= $limit end) };

# In the order in which they were measured.
(reduce $runs[].fs as $fs ([]; if index($fs) then . else . + [$fs] end)) as $names |
($names | map(. as $fs | { key: $fs, value: ($runs | map(select(.fs == $fs)) | figures) })) as
  $all |
$machine[0] + {
  file_systems: ($all | from_entries),
  goals: ($all | [
    goal("wall time, lullcp to cp"; "<="; 1.10; .speed.wall_s.ratio.median),
    goal("CPU time, lullcp to cp"; "<="; 1.20; .speed.cpu_s.ratio.median),
    goal("calls over the budget, %"; "<="; 1; .budget.over_percent_of_all),
    goal("hold p99, ms"; "<="; 10; .budget.hold_p99_ms.median),
    goal("peak memory, MiB"; "<"; 16; [.memory[].peak_mib] | max),
    goal("longest read, cp to lullcp"; ">="; 20; .stalls.longest_read_ms.ratio.median)] +
    goals("longest write without a hook, cp to lullcp"; { xfs: 8, "xfs-rmap": 30, btrfs: 30 };
          .unfrozen.longest_write_ms.ratio.median) +
    goals("longest read without a hook, cp to lullcp"; { btrfs: 30 };
          .unfrozen.longest_read_ms.ratio.median) +
    goals("freeze in full to --live"; { xfs: 6, "xfs-rmap": 20, btrfs: 4 };
          .live.ratio.median) +
    goals("CPU time of a clone to --refresh"; { "xfs-rmap": 15, btrfs: 4 };
          .refresh.ratio.median) +
    goals("CPU time of a clone to --verify"; { "xfs-rmap": 8 }; .verify.ratio.median)),
  runs: $runs }
