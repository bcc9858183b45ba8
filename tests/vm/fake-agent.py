# SPDX-License-Identifier: MIT
"""A guest agent: fake-agent.py SOCKET [FAULT], FAULT: no-freeze, silent-freeze, no-thaw,
mute, slow-freeze, stale, plant (PLANT becomes a link to VICTIM meanwhile), meanwhile (the shell runs MEANWHILE then).
Appends what it was asked to SOCKET.log."""
import json
import os
import socket
import subprocess
import sys
import time

path = sys.argv[1]
fault = sys.argv[2] if len(sys.argv) > 2 else ""
log = open(path + ".log", "a", encoding="utf-8", buffering=1)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(1)


def answer(client, data):
    try:
        client.sendall(data)
    except BrokenPipeError:
        pass  # nobody waits for it any more


while True:
    client, _ = listener.accept()
    if fault == "stale":
        answer(client, b'{"return": 1}\n{"return": {"half": ')
    for line in client.makefile("rb"):
        request = json.loads(line.lstrip(b"\xff"))
        command = request["execute"]
        if fault == "mute":
            continue
        if command == "guest-sync-delimited":
            answer(client, b"\xff" + json.dumps(
                {"return": request["arguments"]["id"]}).encode() + b"\n")
            continue
        log.write(command + "\n")
        if command.endswith("-freeze") and fault == "silent-freeze":
            continue
        if command.endswith("-freeze") and fault == "slow-freeze":
            time.sleep(2.5)
        if command.endswith("-freeze") and fault == "plant":
            os.unlink(os.environ["PLANT"])
            os.symlink(os.environ["VICTIM"], os.environ["PLANT"])
        if command.endswith("-freeze") and fault == "meanwhile":
            subprocess.run(os.environ["MEANWHILE"], shell=True, check=True)
        if command.endswith("-freeze") and fault == "no-freeze" or (
                command.endswith("-thaw") and fault == "no-thaw" and
                not os.path.exists(path + ".mended")):
            answer(client, b'{"error": {"class": "GenericError", "desc": "a vss writer"}}\n')
        else:
            answer(client, b'{"return": 1}\n')
    client.close()
