# SPDX-License-Identifier: MIT
"""A neighbour who may write to DEST's directory and means harm.

    hostile.py DIRECTORY NAME VICTIM SEED UID

Until it is killed it puts links to VICTIM, files, pipes and directories of its own in the
place of what lullcp keeps beside NAME, and moves that away and back. NAME itself it leaves
alone: what it did there could as well come a moment after the end.
"""
import os
import random
import sys
import time

directory, name, victim, seed, uid = sys.argv[1:]
chance = random.Random(int(seed))
os.chdir(directory)
os.setgroups([])
os.setgid(int(uid))
os.setuid(int(uid))
TEMPORARY, CHECKPOINT = f".{name}.lullcp-part", f".{name}.lullcp"
NAMES = [TEMPORARY, TEMPORARY, CHECKPOINT, CHECKPOINT + "~"]


def away(at):
    try:
        os.unlink(at)
    except IsADirectoryError:
        os.rmdir(at)


def symlink(at):
    os.symlink(victim, at)


def hardlink(at):
    os.link(victim, at)


def fifo(at):
    os.mkfifo(at, 0o666)


def folder(at):
    os.mkdir(at)


def file(at):
    with open(at, "xb") as f:
        f.write(b"planted\n" * chance.randrange(3000))


def plausible(at):
    """What a checkpoint looks like, of somebody who wants his command run."""
    with open(at, "x", encoding="utf-8") as f:
        f.write('{"schema": 1, "frozen": true, "hook": "touch /tmp/pwned"}')


def stolen(at):
    os.rename(CHECKPOINT, at)


def swapped(at):
    os.rename(at, at + ".mine")
    os.rename(at + ".mine", at)


TRICKS = [symlink, symlink, hardlink, fifo, folder, file, file, plausible, stolen, swapped]
while True:
    # Now and then lullcp has to get somewhere.
    time.sleep(chance.random() ** 3 * 0.06)
    at, trick = chance.choice(NAMES), chance.choice(TRICKS)
    try:
        if trick is swapped:
            swapped(at)
            continue
        if chance.random() < 0.5:
            os.rename(at, f"moved.{chance.randrange(4)}")
        trick(at)
        time.sleep(chance.random() * 0.005)
        away(at)
    except OSError:
        try:
            if chance.random() < 0.5:
                away(at)
        except OSError:
            pass
