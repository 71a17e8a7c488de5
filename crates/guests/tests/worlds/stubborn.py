"""A world that will not end by itself, and has a child that will not either.

Both hold a connection to the port of the first argument, whose end tells that they are gone. The first
line sent over it is the world's process, its group, and its parent.
"""
import json
import os
import signal
import socket
import subprocess
import sys
import time

for name in ("SIGTERM", "SIGINT", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
link = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
link.sendall(f"{os.getpid()} {os.getpgid(0)} {os.getppid()}\n".encode())
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], pass_fds=[link.fileno()],
                 stdin=subprocess.DEVNULL)
for line in sys.stdin:
    if json.loads(line)["cmd"] == "about":
        print(json.dumps({"error": "unknown"}), flush=True)
    else:
        print(json.dumps({"observation": "Stubborn.\n"}), flush=True)
time.sleep(1000)
