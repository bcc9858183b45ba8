#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the tests of --diff and --export do with files.

changes.py make FILE SIZE SEED           a file of random bytes with holes
changes.py mutate FILE SEED [COUNT]      writes, punches, preallocates, cuts and grows it at random
changes.py check OLD NEW BLOCK maps|exact <LINES   are the ranges of lullcp --diff --json right
changes.py damage FROM TO SEED           a stream, damaged
"""
import ctypes
import json
import os
import random
import sys

libc = ctypes.CDLL(None, use_errno=True)
KEEP_SIZE, PUNCH = 1, 2


def fallocate(fd, mode, off, length):
    r = libc.fallocate(fd, mode, ctypes.c_long(off), ctypes.c_long(length))
    if r != 0:
        raise OSError(ctypes.get_errno(), "fallocate")


def make(path, size, seed):
    rnd = random.Random(seed)
    with open(path, "wb") as f:
        at = 0
        while at < size:
            n = min(rnd.choice([4096, 65536, 300000]), size - at)
            if at == 0 or rnd.random() < 0.7:
                f.seek(at)
                f.write(rnd.randbytes(n))
            at += n
        f.truncate(size)


def mutate(path, seed, count):
    rnd = random.Random(seed)
    fd = os.open(path, os.O_RDWR)
    for _ in range(count):
        size = os.fstat(fd).st_size
        off = rnd.randrange(max(size, 1))
        n = rnd.choice([1, 100, 4096, 5000, 40000])
        what = rnd.randrange(10)
        if rnd.random() < 0.5:
            off -= off % 4096
        if what < 5:
            os.pwrite(fd, rnd.randbytes(n), off)
        elif what == 5:
            os.pwrite(fd, bytes(n), off)
        elif what == 6:
            # the same bytes again: the maps cannot know
            os.pwrite(fd, os.pread(fd, n, off) or b"x", off)
        elif what == 7:
            fallocate(fd, PUNCH | KEEP_SIZE, off, n)
        elif what == 8:
            fallocate(fd, 0, off, n)
        else:
            os.ftruncate(fd, max(0, size + rnd.randrange(-50000, 50000)))
    os.close(fd)


def check(old_path, new_path, block, how):
    old, new = open(old_path, "rb").read(), open(new_path, "rb").read()
    made = bytearray(old[: len(new)] + bytes(max(0, len(new) - len(old))))
    padded = bytes(made)
    end, kind, told, bytes_told = 0, None, 0, {"data": 0, "zero": 0}
    for line in sys.stdin:
        line = json.loads(line)
        if line["type"] == "summary":
            assert line["ranges"] == told, line
            assert line["bytes_data"] == bytes_told["data"], line
            assert line["bytes_zero"] == bytes_told["zero"], line
            assert how == "exact" or line["bytes_read"] == 0, line
            told = -1
        if line["type"] != "range":
            continue
        off, n = line["offset"], line["length"]
        assert line["schema"] == 1 and n > 0, line
        assert off >= end, f"not in order: {line}"
        assert off > end or line["kind"] != kind or told == 0, f"two ranges for one: {line}"
        assert off + n <= len(new), f"beyond the end: {line}"
        if line["kind"] == "zero":
            assert new[off : off + n] == bytes(n), f"not zero: {line}"
        else:
            assert line["kind"] == "data", line
        made[off : off + n] = new[off : off + n]
        if how == "exact":
            assert off % block == 0 and (n % block == 0 or off + n == len(new)), line
            for at in range(off, off + n, block):
                to = min(at + block, off + n)
                assert padded[at:to] != new[at:to], f"equal at {at}: {line}"
                zero = new[at:to] == bytes(to - at)
                assert zero == (line["kind"] == "zero"), f"of another kind at {at}: {line}"
        end, kind, told = off + n, line["kind"], told + 1
        bytes_told[kind] += n
    assert bytes(made) == new, "the ranges leave something out"
    assert told == -1, "no summary, or not as the last"


def damage(source, dest, seed):
    rnd = random.Random(seed)
    data = bytearray(open(source, "rb").read())
    was = bytes(data)
    while bytes(data) == was:
        at = rnd.randrange(len(data))
        # half of them where the records are, not in the data of one
        if rnd.random() < 0.5:
            at = rnd.choice([rnd.randrange(100), len(data) - 1 - rnd.randrange(100)]) % len(data)
        n = 1 + rnd.randrange(5000)
        what = rnd.randrange(7)
        if what <= 1:
            data[at] ^= 1 << rnd.randrange(8)
        elif what == 2:
            data[at] = rnd.randrange(256)
        elif what == 3:
            del data[at:]
        elif what == 4:
            del data[at : at + n]
        elif what == 5:
            data[at:at] = data[at : at + n]
        else:
            data += rnd.randbytes(n)
    open(dest, "wb").write(data)


def main():
    what, *args = sys.argv[1:]
    if what == "make":
        make(args[0], int(args[1]), args[2])
    elif what == "mutate":
        mutate(args[0], args[1], int(args[2]) if len(args) > 2 else 12)
    elif what == "check":
        check(args[0], args[1], int(args[2]), args[3])
    else:
        damage(args[0], args[1], args[2])


main()
