# SPDX-License-Identifier: MIT
"""Reads a trace of reads and writes beside clone calls and says what the longest waited for.

readers.py LONG_NS < TRACE: JSON with the durations of reads, writes and clone calls; for those
reads and writes that took longer than LONG_NS, where they slept; and how many clone calls began
while one of them slept in the file's lock, which is how often it was overtaken.
"""
import collections
import json
import re
import sys

from ftrace import events, place

CLONES = (0x4020940D, 0x40049409)  # FICLONERANGE, FICLONE
LOCK = re.compile(r"^(btrfs_inode_lock|xfs_ilock)")
PROCESSOR = "a processor, awake"


class Operation:
    def __init__(self, ns):
        self.begun = ns
        self.where = None       # where it sleeps, with the time since, and the calls until then
        self.since = self.calls = 0
        self.overtaken = 0
        self.waits = collections.Counter()

    def sleep(self, ns, where, calls):
        self.where, self.since, self.calls = where, ns, calls

    def wake(self, ns, calls):
        if self.where is None or self.where == PROCESSOR:
            return
        self.waits[self.where] += ns - self.since
        if LOCK.match(self.where):
            self.overtaken = max(self.overtaken, calls - self.calls)
        self.sleep(ns, PROCESSOR, calls)

    def run(self, ns, calls):
        if self.where is None:
            return
        self.wake(ns, calls)
        self.waits[PROCESSOR] += ns - self.since
        self.where = None


def follow(trace):
    """The operations as {name: [(ns, Operation)]}, and the durations of the clone calls."""
    ended = {"sys_pread64": [], "sys_pwrite64": []}
    durations = []
    at_work, cloning = {}, {}
    begun = 0
    for pid, ns, name, rest, stack in trace:
        if name == "sys_ioctl":
            match = re.search(r"cmd: (?:0x)?([0-9a-f]+)", rest)
            if match and int(match[1], 16) in CLONES:
                cloning[pid] = ns
                begun += 1
            elif "->" in rest and pid in cloning:
                durations.append(ns - cloning.pop(pid))
        elif name in ended:
            if "->" not in rest:
                at_work[pid] = Operation(ns)
            elif pid in at_work:
                done = at_work.pop(pid)
                ended[name].append((ns - done.begun, done))
        elif name == "sched_waking":
            match = re.search(r" pid=(\d+) ", rest)
            if match and int(match[1]) in at_work:
                at_work[int(match[1])].wake(ns, begun)
        elif name == "sched_switch":
            match = re.search(r"prev_pid=(\d+) .*prev_state=(\S+) .*next_pid=(\d+)", rest)
            before, state, after = int(match[1]), match[2], int(match[3])
            if before in at_work:
                at_work[before].sleep(ns, PROCESSOR if state[0] == "R" else place(stack), begun)
            if after in at_work:
                at_work[after].run(ns, begun)
    return ended, sorted(durations)


def quantile(values, q):
    return values[min(int(q * len(values)), len(values) - 1)]


def report(operations, long):
    if not operations:
        return None
    operations.sort(key=lambda o: o[0])
    waits, counts = collections.Counter(), collections.Counter()
    for ns, o in operations:
        o.waits["running"] = ns - sum(o.waits.values())
        if ns > long:
            waits.update(o.waits)
            counts[max(o.waits, key=o.waits.get)] += 1
    times = [ns for ns, _ in operations]
    return {
        "count": len(times),
        "long": sum(ns > long for ns in times),
        "p99_ns": quantile(times, 0.99), "p999_ns": quantile(times, 0.999), "max_ns": times[-1],
        "overtaken": max(o.overtaken for _, o in operations),
        "waits": [{"where": where, "ns": ns, "count": counts[where]}
                  for where, ns in waits.most_common(8)],
        "worst": [{"ns": ns, "overtaken": o.overtaken, "waits": dict(o.waits)}
                  for ns, o in operations[:-4:-1]],
    }


def main():
    long = int(sys.argv[1])
    ended, durations = follow(events(sys.stdin))
    if not ended["sys_pread64"] or not durations:
        sys.exit("readers.py: no read, or no clone call, in the trace")
    json.dump({
        "long_ns": long,
        "calls": {"count": len(durations), "p99_ns": quantile(durations, 0.99),
                  "max_ns": durations[-1]},
        "reads": report(ended["sys_pread64"], long),
        "writes": report(ended["sys_pwrite64"], long),
    }, sys.stdout)


main()
