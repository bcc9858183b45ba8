# SPDX-License-Identifier: MIT
"""A QEMU monitor that misbehaves.

fake-qmp.py SOCKET IMAGE SIDECAR FAULT [COMMAND]

Plays a QEMU with one raw disk, IMAGE, on stand-in nodes: it knows the commands that
lullcp-hook-qmp uses and answers as QEMU 7.2 does, but for one fault:

  none            all is well
  no-greeting     says nothing at all
  garbage-greeting, garbage COMMAND    answers what is no JSON
  no-value COMMAND                     answers an object with neither value nor error
  error COMMAND   refuses it
  hang-up COMMAND, hang-up-after COMMAND   closes the connection before, after doing it
  silence COMMAND     never answers it, silence-after COMMAND: having done it
  events          events in between, answers in small pieces, an answer to somebody else
  endless COMMAND a line that never ends
  job-error       the merge fails: no space left
  never-ready     the merge never gets ready
  cancelled       the merge ends without an error, and unmerged
  grows           the image is longer from the redirect on
  stays-writable  the image can be written to after the redirect
  still-there     the merge succeeds and the overlay stays
  holds-on        the merge succeeds, QEMU says, and has the sidecar open yet
  flood COMMAND   events without end, and no answer
  io-error        the guest is paused after an I/O error, as with each fault of cont
  taken-over FILE says from the start that the overlay lies in FILE, under its right name

What it was asked is appended to SOCKET.log. A fault of a command happens in one connection
only, the first or, after SKIP_CONNECTIONS, a later one; the others happen always.
"""
import json
import os
import socket
import struct
import sys

path, image, sidecar, fault = sys.argv[1:5]
at = sys.argv[5] if len(sys.argv) > 5 else ""
log = open(path + ".log", "a", encoding="utf-8", buffering=1)
overlay = None  # its node name
job = None  # {"id", "status"[, "error"]}
paused = fault == "io-error" or at == "cont"
held = [open(image, "r+b")]  # as QEMU has
stolen = None


def node_name(file):
    st = os.stat(image)
    h = 0xcbf29ce484222325
    for byte in b"%x:%x" % (st.st_dev, st.st_ino):
        h = (h ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return "lull-%08x-%x" % (h & 0xffffffff, os.stat(file).st_ino)


if fault == "taken-over":
    stolen = at
    overlay = node_name(stolen)
    held.append(open(stolen, "rb"))


class HangUp(Exception):
    pass


def named():
    nodes = [("disk", "raw", image, overlay is not None), ("file", "file", image, False)]
    if overlay:
        nodes += [(overlay, "qcow2", sidecar, False), ("side", "file", stolen or sidecar, False)]
    size = {"virtual-size": os.path.getsize(image) + (512 if overlay and fault == "grows" else 0)}
    return [{"node-name": n, "drv": d, "file": f, "ro": r, "encrypted": False, "image": size}
            for n, d, f, r in nodes]


def graph():
    ids = {"disk": 1, "file": 2, "device": 3, overlay: 4, "side": 5}
    redirected = overlay is not None
    writes = ["write", "consistent-read"]
    edges = [("device", overlay if redirected else "disk", "root", writes),
             ("disk", "file", "file",
              writes if not redirected or fault == "stays-writable" else [])]
    if redirected:
        edges += [(overlay, "side", "file", writes), (overlay, "disk", "backing", [])]
    nodes = [{"id": 3, "name": "", "type": "block-backend"}]
    nodes += [{"id": ids[n["node-name"]], "name": n["node-name"], "type": "block-driver"}
              for n in named()]
    return {"nodes": nodes,
            "edges": [{"parent": ids[p], "child": ids[c], "name": r, "perm": w,
                       "shared-perm": []} for p, c, r, w in edges]}


def run(command, arguments):
    """What it returns; a str is an error."""
    global overlay, job, paused
    if command == "transaction":
        data = arguments["actions"][0]["data"]
        if not os.path.exists(sidecar):
            return "no such file"
        # a qcow2 header with a first table of one empty entry
        name = image.encode()
        f = open(sidecar, "wb")
        f.write(struct.pack(">IIQIIQIIQQIIQ", 0x514649fb, 3, 400, len(name), 16, 16 << 20,
                            0, 1, 196608, 65536, 1, 0, 0).ljust(400, b"\0") + name)
        f.truncate(196616)
        f.flush()
        held.append(f)
        overlay = data["snapshot-node-name"]
    elif command == "block-commit":
        job = {"id": arguments["job-id"], "status": "running", "type": "commit",
               "current-progress": 0, "total-progress": 5 << 20}
        if fault == "job-error":
            job.update(status="concluded", error="No space left on device")
        elif fault == "cancelled":
            job["status"] = "concluded"
        elif fault != "never-ready":
            job["status"] = "ready"
    elif command == "job-complete":
        job["status"] = "concluded"
        if fault != "still-there":
            overlay = None
            if fault != "holds-on":
                held.pop()
    elif command == "job-dismiss":
        if not job:
            return "Job not found"
        job = None
    elif command == "query-jobs":
        return [job] if job else []
    elif command == "query-named-block-nodes":
        return named()
    elif command == "x-debug-query-block-graph":
        return graph()
    elif command == "query-status":
        return {"status": "io-error" if paused else "running"}
    elif command == "cont":
        paused = False
    elif command != "qmp_capabilities":
        return "The command %s has not been found" % command
    return {}


def be_silent(client):
    while client.recv(4096):
        pass
    raise HangUp


def send(client, data):
    if fault == "events":
        for i in range(0, len(data), 7):
            client.sendall(data[i:i + 7])
    else:
        client.sendall(data)


def say(client, thing):
    send(client, (json.dumps(thing) + "\r\n").encode())


def answer(client, request, faulty):
    command = request["execute"]
    log.write(command + "\n")
    faulty = faulty and command == at
    if faulty and fault == "hang-up":
        raise HangUp
    if faulty and fault == "silence":
        be_silent(client)
    if faulty and fault == "garbage":
        return send(client, b"\xff\0 this is no answer\r\n")
    if faulty and fault == "no-value":
        return say(client, {"id": request["id"]})
    if faulty and fault == "endless":
        while True:
            client.sendall(b"x" * 65536)
    if faulty and fault == "flood":
        # Long ones, and many on their way: who reads them is slower than who sends them.
        client.setsockopt(socket.SOL_SOCKET, 32, 16 << 20)  # SO_SNDBUFFORCE
        event = b'{"event": "RTC_CHANGE", "data": [' + b"{}," * 30000 + b"1]}\r\n"
        while True:
            client.sendall(event * 10)
    if faulty and fault == "error":
        return say(client, {"id": request["id"],
                            "error": {"class": "GenericError", "desc": "it is Monday"}})
    value = run(command, request.get("arguments", {}))
    if faulty and fault == "hang-up-after":
        raise HangUp
    if faulty and fault == "silence-after":
        be_silent(client)
    if fault == "events":
        say(client, {"event": "RTC_CHANGE", "data": {"offset": 1}, "timestamp": {}})
        say(client, {"id": 4711, "return": {"not": "yours"}})
        say(client, {"event": "JOB_STATUS_CHANGE", "data": {}, "timestamp": {}})
        client.sendall(b"\r\n")
    if isinstance(value, str):
        say(client, {"id": request["id"], "error": {"class": "GenericError", "desc": value}})
    else:
        say(client, {"id": request["id"], "return": value})
    return None


def serve(client, faulty):
    if faulty and fault == "no-greeting":
        be_silent(client)
    if faulty and fault == "garbage-greeting":
        send(client, b"SSH-2.0-OpenSSH_9.2\r\n")
    say(client, {"QMP": {"version": {}, "capabilities": ["oob"]}})
    for line in client.makefile("rb"):
        answer(client, json.loads(line), faulty)


listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(1)
number = -int(os.environ.get("SKIP_CONNECTIONS", "0"))
while True:
    connection, _ = listener.accept()
    try:
        serve(connection, number == 0)
    except (HangUp, BrokenPipeError, ConnectionResetError):
        pass
    connection.close()
    number += 1
