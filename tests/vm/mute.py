# SPDX-License-Identifier: MIT
"""A file system whose server falls silent: mute.py DIRECTORY. It has one file, "file", of 16 MiB. When
it is mounted DIRECTORY.ready is created; when DIRECTORY.now is, it answers no more, and whoever waits
for it cannot even be killed, as the server has read the question. Ends when it is killed."""
import ctypes
import errno
import os
import stat
import struct
import sys

INIT, LOOKUP, GETATTR, OPEN = 26, 1, 3, 14
mount_point = sys.argv[1]


def attributes(node):
    mode, size = (stat.S_IFDIR | 0o755, 0) if node == 1 else (stat.S_IFREG | 0o644, 16 << 20)
    return struct.pack("<6Q10I", node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(opcode, node, data):
    if opcode == INIT:
        return struct.pack("<4I2H3I2H2I24x", 7, 31, 0, 0, 1, 1, 4096, 1, 0, 0, 0, 0, 0)[:64]
    if opcode == LOOKUP and data.rstrip(b"\0") == b"file":
        return struct.pack("<4Q2I", 2, 0, 0, 0, 0, 0) + attributes(2)
    if opcode == GETATTR:
        return struct.pack("<Q2I", 0, 0, 0) + attributes(node)
    if opcode == OPEN:
        return struct.pack("<Q2I", 1, 0, 0)
    return errno.ENOENT if opcode == LOOKUP else errno.ENOSYS


os.mkdir(mount_point)
fuse = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"mute", mount_point.encode(), b"fuse", 0,
              b"fd=%d,rootmode=40000,user_id=0,group_id=0" % fuse):
    sys.exit(os.strerror(ctypes.get_errno()))
held = os.open(mount_point, os.O_PATH)
open(mount_point + ".ready", "w").close()
while True:
    request = os.read(fuse, 1 << 20)
    _, opcode, unique, node = struct.unpack("<2I2Q", request[:24])
    if os.path.exists(mount_point + ".now"):
        continue
    reply = answer(opcode, node, request[40:])
    if isinstance(reply, int):
        os.write(fuse, struct.pack("<IiQ", 16, -reply, unique))
    else:
        os.write(fuse, struct.pack("<IiQ", 16 + len(reply), 0, unique) + reply)
