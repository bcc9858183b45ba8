#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What clang's analyzer and cppcheck say of the sources; fails if they say anything.

analyze.py [BUILD]: the flags come from BUILD/compile_commands.json (build-test).
"""
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.join(TOP, "build-test")
FLAGS = ("-D", "-I", "-U", "-std=")
# Before version 18 clang does not see that __attribute__((cleanup)) frees, and takes every such
# pointer for a leak; cppcheck some of them. ASan looks for the real ones.
KNOWN = re.compile("Potential leak of memory|Potential memory leak")
REPORT = re.compile("(warning|error): ")


def units():
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as f:
        for unit in json.load(f):
            path = os.path.normpath(os.path.join(unit["directory"], unit["file"]))
            if path.startswith((TOP + "/src/", TOP + "/hooks/")):
                yield path, [w for w in shlex.split(unit["command"]) if w.startswith(FLAGS)]


def clang(unit):
    path, flags = unit
    run = subprocess.run(["clang", "--analyze", "-Xanalyzer", "-analyzer-output=text", *flags,
                          "-o", os.devnull, path],
                         cwd=BUILD, stderr=subprocess.PIPE, text=True, check=False)
    # A report, and the notes on how it comes about, up to the next.
    reports = re.split(r"(?m)^(?=\S+:\d+:\d+: (?:warning|error): )", run.stderr)
    found = [r for r in reports if REPORT.search(r) and not KNOWN.search(r.partition("\n")[0])]
    if run.returncode and not found:
        found = [run.stderr or f"{path}: error: clang: status {run.returncode}\n"]
    return found


def cppcheck():
    run = subprocess.run(["cppcheck", "--quiet", "--suppress=memleak", "--std=c11",
                          "--enable=warning,performance,portability", "-D_GNU_SOURCE",
                          "-Iinclude", "-Isrc", "src", "hooks"],
                         cwd=TOP, stderr=subprocess.PIPE, text=True, check=False)
    return [run.stderr] if run.stderr else []


def main():
    sources = dict(units())
    if not sources:
        sys.exit(f"analyze.py: {BUILD} builds nothing of {TOP}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        reports = [r for found in pool.map(clang, sources.items()) for r in found]
    reports += cppcheck()
    print("".join(reports), end="")
    print(f"{len(sources)} files, {len(reports)} reports")
    sys.exit(1 if reports else 0)


main()
