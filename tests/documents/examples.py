#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The examples of the documents: every line of an indented or fenced block of the README and of
docs/, and of a block without filling in the man pages. An empty line ends a block.

examples.py                 prints them as "DOCUMENT<TAB>COMMAND", lines that go on joined
examples.py --check TABLE   compares them with the table that says which test runs each; 1 if one
                            is missing there, or is no longer in any document
examples.py --scripts DIR   writes the scripts among them to files in DIR
"""
import glob
import os
import re
import sys

ROFF = [("\\-", "-"), ("\\e", "\\"), ("\\(dq", '"'), ("\\(aq", "'"), ("\\&", ""), ("\\~", " "), ("\\(ti", "~")]
PAGES = ["man/lullcp.1", "man/lullcp-hooks.7"]
TESTS = re.compile(r"\[test ([a-z-]+)\]$")


def blocks_of_markdown(text):
    block, fenced, before = [], False, ""
    for line in text.split("\n") + [""]:
        if line.startswith("```"):
            fenced = not fenced
        elif fenced and line.strip():
            block.append(line)
        elif line.startswith("    ") and (block or not before.strip()):
            block.append(line[4:])
        elif block:
            yield block
            block = []
        before = line


def blocks_of_roff(text):
    block = None
    for line in text.split("\n"):
        if line in (".nf", ".EX"):
            block = []
        elif line in (".fi", ".EE"):
            if block:
                yield block
            block = None
        elif block is not None and not line:
            if block:
                yield block
            block = []
        elif block is not None and not line.startswith("."):
            line = re.sub(r"\\f.", "", line)
            for escape, meaning in ROFF:
                line = line.replace(escape, meaning)
            block.append(line)


def commands(block, annotated):
    """A block's commands: what follows a prompt where there is one, else each line."""
    prompts = any(line.startswith("$ ") or line.startswith("# ") for line in block)
    joined = None
    for line in block:
        if annotated:
            # what is told beside a command, or below it
            if line.startswith("        ") and joined is None:
                continue
            lead = len(line) - len(line.lstrip())
            line = line[:lead] + re.split(r" {2,}", line[lead:])[0]
        if line.startswith("#!"):
            continue
        if joined is not None:
            line = joined + " " + line.strip()
        elif prompts:
            if line[:2] not in ("$ ", "# "):
                continue
            line = line[2:] if line.startswith("$ ") else line
        if line.endswith("\\"):
            joined = line[:-1].rstrip()
        elif line.endswith(("|", "&&")):
            joined = line
        else:
            joined = None
            yield line.strip()
    if joined is not None:
        yield joined.strip()


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def documents():
    for path in ["README.md"] + sorted(glob.glob("docs/*.md")):
        for block in blocks_of_markdown(read(path)):
            yield path, list(commands(block, True))
    for path in PAGES:
        for block in blocks_of_roff(read(path)):
            yield path, list(commands(block, False))


def table(path):
    """What is said of each command, and in which order."""
    said, how = {}, None
    for line in read(path).split("\n"):
        if line.startswith("[") and line.endswith("]"):
            how = line
        elif line and not line.startswith("##"):
            if how is None or line in said:
                raise SystemExit("%s: without a heading, or twice: %s" % (path, line))
            said[line] = how
    return said


def check(path):
    said = table(path)
    seen = set()
    bad = 0
    for document, block in documents():
        if block and said.get(block[0], "").startswith("[no command"):
            # a file or a drawing: its first line stands for it
            seen.add(block[0])
            continue
        for command in block:
            seen.add(command)
            if command not in said:
                print("%s: no test runs this, and %s does not say why: %s" % (document, path, command))
                bad = 1
    for command in said:
        if command not in seen:
            print("%s: no document has this any more: %s" % (path, command))
            bad = 1
    registered = read("tests/meson.build")
    for how in sorted(set(said.values())):
        named = TESTS.match(how)
        if named and "'%s'" % named.group(1) not in registered:
            print("%s: there is no such test: %s" % (path, how))
            bad = 1
        if not named and not re.match(r"\[(no command|needs|try it): .+\]$", how):
            print("%s: neither a test nor a reason: %s" % (path, how))
            bad = 1
    if len(seen) < 40:
        print("too few examples: %d" % len(seen))
        bad = 1
    return bad


if __name__ == "__main__":
    given = [os.path.abspath(a) for a in sys.argv[2:]]
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    if sys.argv[1:2] == ["--check"]:
        sys.exit(check(os.path.relpath(given[0])))
    if sys.argv[1:2] == ["--scripts"]:
        scripts = [b for page in PAGES for b in blocks_of_roff(read(page)) if b[0].startswith("#!")]
        if len(scripts) < 3:
            raise SystemExit("too few scripts in the pages: %d" % len(scripts))
        for i, block in enumerate(scripts):
            with open("%s/%d.sh" % (given[0], i), "w", encoding="utf-8") as f:
                f.write("\n".join(block) + "\n")
        sys.exit(0)
    for document, block in documents():
        for command in block:
            print("%s\t%s" % (document, command))
