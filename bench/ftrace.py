# SPDX-License-Identifier: MIT
"""What the readers of traces share: the events of a trace, and where a task slept."""
import re

EVENT = re.compile(r"^\s*\S.*-(\d+)\s+\[\d+\].*?\s(\d+\.\d+): (\w+)(.*)$")
# These functions are in every sleep, so they do not tell why a task sleeps.
HOW = re.compile(
    r"^(__|raw_)*(io_|preempt_)?schedule|^(__)?wait_for_co|^rwsem_|^down_|^(__)?mutex_|"
    r"^(__)?wait_on_bit|^bit_wait|^out_of_line_wait|^(__)?cond_resched|^prepare_to_|^asm_|"
    r"^sysvec|^irqentry|^trace_|^ftrace|^event_|^(__)?traceiter|^folio_wait|^__flush_work|"
    r"^(__)?down(_common)?$"
)


def events(lines):
    """Yields (pid, ns, name, rest, stack) for each event."""
    current = None
    for line in lines:
        match = EVENT.match(line)
        if match:
            if current:
                yield current
            seconds, fraction = match[2].split(".")
            ns = int(seconds) * 10**9 + int(fraction.ljust(9, "0"))
            name = match[3]
            if "stack trace" not in match[4]:
                current = (int(match[1]), ns, name, match[4], [])
        elif current and line.lstrip().startswith("=> "):
            current[4].append(line.split()[1].split("+")[0])
    if current:
        yield current


def place(stack):
    telling = [f for f in stack if not HOW.match(f)]
    return " < ".join(telling[:3]) if telling else "unknown"
