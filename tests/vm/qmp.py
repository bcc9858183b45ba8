# SPDX-License-Identifier: MIT
"""qmp.py SOCKET COMMAND[=ARGUMENTS]...: runs commands, prints what each returns."""
import json
import socket
import sys

connection = socket.socket(socket.AF_UNIX)
connection.settimeout(20)
connection.connect(sys.argv[1])
lines = connection.makefile("rw", encoding="utf-8")


def run(command, arguments):
    lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    lines.flush()
    while True:
        answer = json.loads(lines.readline())
        if "event" not in answer:
            return answer.get("return", answer.get("error"))


lines.readline()
run("qmp_capabilities", {})
for word in sys.argv[2:]:
    name, _, rest = word.partition("=")
    print(json.dumps(run(name, json.loads(rest or "{}"))))
