# SPDX-License-Identifier: MIT
"""Reads a trace of ioctl and sched_switch events and says where clone calls waited.

tail.py BUDGET_NS < TRACE: JSON with the calls' durations and, for those over the budget, the
kernel functions in which they slept and how long.
"""
import collections
import json
import re
import sys

from ftrace import events, place

FICLONERANGE = 0x4020940D


def calls(trace):
    """Yields (ns, {place: ns slept}) for each clone call."""
    begun = asleep = None
    waits = collections.Counter()
    pid = None
    for event_pid, ns, name, rest, stack in trace:
        if name == "sys_ioctl":
            match = re.search(r"cmd: (?:0x)?([0-9a-f]+)", rest)
            if match and int(match[1], 16) == FICLONERANGE:
                begun, pid, asleep = ns, event_pid, None
                waits = collections.Counter()
            elif "->" in rest and begun is not None and event_pid == pid:
                yield ns - begun, waits
                begun = None
        elif name == "sched_switch" and begun is not None:
            if f"prev_pid={pid} " in rest:
                runs = re.search(r"prev_state=R", rest)
                asleep = (ns, "preempted" if runs else place(stack))
            elif re.search(rf"next_pid={pid}\b", rest) and asleep:
                waits[asleep[1]] += ns - asleep[0]
                asleep = None


def main():
    budget = int(sys.argv[1])
    durations = []
    over = collections.Counter()
    counts = collections.Counter()
    worst = []
    for ns, waits in calls(events(sys.stdin)):
        durations.append(ns)
        if ns <= budget:
            continue
        waits["running"] = ns - sum(waits.values())
        for where, slept in waits.items():
            over[where] += slept
        counts[max(waits, key=waits.get)] += 1
        worst.append((ns, dict(waits)))
    durations.sort()
    if not durations:
        sys.exit("tail.py: no clone call in the trace")

    def quantile(q):
        return durations[min(int(q * len(durations)), len(durations) - 1)]

    worst.sort(key=lambda w: -w[0])
    json.dump({
        "calls": len(durations),
        "over_budget": sum(d > budget for d in durations),
        "over_50ms": sum(d > 50 * 10**6 for d in durations),
        "p50_ns": quantile(0.5), "p99_ns": quantile(0.99), "p999_ns": quantile(0.999),
        "max_ns": durations[-1],
        "waits": [{"where": where, "ns": ns, "calls": counts[where]}
                  for where, ns in over.most_common(12)],
        "worst": [{"ns": ns, "waits": waits} for ns, waits in worst[:5]],
    }, sys.stdout)


main()
