#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""programs: the site's own program of test_commands.py, well-behaved and not. data says what to do:
{"do": name, ...}; with the argument "stay" it is a persistent one."""

import json
import os
import resource
import signal
import sys
import time

OUT = os.environ.get("BACKDESK_OUTPUT_DIR", "")


def write(fd, data):
    while data:
        data = data[os.write(fd, data):]


def linger():
    while True:
        time.sleep(100)


def daemon():
    """Forks away from everything that could be followed: session, parent, signals."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            linger()
        os._exit(0)
    os.wait()


def about(_):
    status = dict(line.split(":\t", 1) for line in open("/proc/self/status", encoding="ascii"))
    return {"env": dict(os.environ), "fds": sorted(map(int, os.listdir("/proc/self/fd")))[:-1], "cwd": os.getcwd(),
            "session": os.getsid(0) == os.getpid(), "no_new_privs": status["NoNewPrivs"].strip(),
            "ignored": int(status["SigIgn"], 16), "blocked": int(status["SigBlk"], 16), "nice": os.nice(0),
            "core": resource.getrlimit(resource.RLIMIT_CORE), "files": resource.getrlimit(resource.RLIMIT_NOFILE),
            "argv": sys.argv[1:], "scratch": os.access(os.environ.get("TMPDIR", ""), os.W_OK)}


def echo(task):
    return task


def flood(task):
    """BYTES to a descriptor, in lines of a kilobyte."""
    line = (json.dumps({"done": 7, "message": "x" * 900}) if task["fd"] == 3 else "y" * 1000).encode() + b"\n"
    for _ in range(task["bytes"] // len(line)):
        write(task["fd"], line)
    write(2, b"the last line\n")
    return {"wrote": task["bytes"]}


def junk(_):
    write(3, b"\xff\xfe no progress\n[1]\n{\"done\": -1}\n{\"done\": 1e400}\n" + b"{" * 10000 + b"\n")
    write(3, b'{"done": 3, "total": 4, "unit": "b\\u00fccher", "message": "\xe2\x82\xac", "more": 1}\n')
    write(3, b'{"done": "x"}\nunfinished')
    write(2, b"\xff\xfe\x00 log\n\n\n" + b"z" * 5000)
    return None


def background(task):
    daemon()
    if task.get("linger"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        write(3, b'{"done": 1}\n')
        linger()
    return {"main": os.getpid()}


def eat(_):
    held = []
    while True:
        held.append(bytearray(16 << 20))


def bomb(_):
    """Processes as many as it can get."""
    count = 0
    try:
        while count < 5000:
            if os.fork() == 0:
                linger()
            count += 1
    except OSError:
        pass
    return {"children": count}


def big_file(_):
    with open(os.path.join(OUT, "big"), "wb") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
            file.flush()


def leave(task):
    for name, text in task["files"].items():
        path = os.path.join(OUT.encode(), name.encode().replace(b"%FF", b"\xff"))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return {"left": len(task["files"])}


def attack(task):
    path = os.path.join(OUT, "it")
    if task["how"] == "symlink":
        os.symlink(task["target"], path)
    elif task["how"] == "hardlink":
        os.link(task["target"], path)
    elif task["how"] == "fifo":
        os.mkfifo(path)
    elif task["how"] == "directory":
        os.mkdir(path)
    elif task["how"] == "replace":
        os.rmdir(OUT)
        os.symlink(os.path.dirname(task["target"]), OUT)


def shut(_):
    """A tree that is hard to remove: deep, and nobody may look into it."""
    os.chdir(os.environ["TMPDIR"])
    for _ in range(300):
        os.mkdir("d" * 100)
        os.chdir("d" * 100)
    open("leaf", "wb").close()
    os.chmod(os.path.join(os.environ["TMPDIR"], "d" * 100), 0)


def slow_reader(task):
    """Writes more than pipes hold before it reads."""
    write(2, b"w" * 300000 + b"\n")
    write(3, b'{"done": 1}\n' * 20000)
    return {"length": len(json.load(sys.stdin)["text"]), "unused": task is None}


def end(task):
    write(2, task.get("say", "").encode() + b"\n")
    if "signal" in task:
        os.kill(os.getpid(), task["signal"])
    os._exit(task["status"])


def say(task):
    write(1, task["text"].encode("latin-1"))
    os._exit(0)


def sleep(task):
    if task.get("deaf"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write(3, b'{"done": 1}\n')
    time.sleep(task["seconds"])


def fail(task):
    raise KeyError(task["code"])


def pid(task):
    if task.get("note"):
        write(2, task["note"].encode() + b"\n")
    return os.getpid()


def stay():
    global OUT  # pylint: disable=global-statement
    for line in sys.stdin:
        question = json.loads(line)
        OUT = question["output_dir"]
        task = question["data"]
        if task["do"] == "question":
            answer = {"result": question}
        elif task["do"] == "fail":
            answer = {"error": {"code": task["code"], "message": "as told"}, "retry": task.get("retry", False)}
        elif task["do"] == "nonsense":
            write(1, task["text"].encode() + b"\n")
            continue
        else:
            answer = {"id": question["id"], "result": globals()[task["do"]](task)}
        write(1, json.dumps(answer).encode() + b"\n")


def main():
    if "stay" in sys.argv:
        stay()
        return
    if "blind" in sys.argv:  # one that does not read its input at once, or never
        result = slow_reader(None) if "late" in sys.argv else None
    else:
        task = json.load(sys.stdin)
        result = globals()[task["do"]](task)
    if result is not None:
        write(1, json.dumps(result).encode())


main()
