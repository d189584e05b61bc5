"""Walks a tutorial as its reader does: writes the files and runs the commands that it shows, in their order, in a folder
of its own, and compares what comes with what is shown.

usage: walk.py DRAGOMAN SOURCE_DIR DOCUMENT [--update]

A fenced block whose first line is `# NAME` is a file; one that begins with `$ ` is commands, each followed by its output.
Other blocks are to be read only. Ports, times and the like may differ; a program that is put into the background is
waited for. --update writes what comes into the document. Exit code 77: a tool or a registry that the document needs is
not here.
"""
import calendar
import difflib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.M | re.S)
PORTS = {"8080", "9000", "9901"}  # as the documents write them
MAY_DIFFER = [
    (re.compile(r"^(date|x-request-id|server|etag): .*", re.I | re.M), r"\1: ..."),
    (re.compile(r'"request_id":"[^"]*"'), '"request_id":"..."'),
    (re.compile(r"\d+ (examples|round trips|out\b)"), r"(some) \1"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "(a time)"),
]
READS = re.compile(r"(cat|tail) .*\.log$|curl \S+/usage")  # what is written behind an answer, and can be read again
LONGEST_SECONDS = 30
RELOAD_SECONDS = 0.5  # for the workers to take what was reloaded
SHELL = 'curl() { command curl -sS --max-time 10 "$@"; }\n'


def fail(text):
    sys.exit(f"walk: {text}")


def skip(text):
    print(f"walk: skipped: {text}")
    sys.exit(77)


def free_ports():
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    ports = [str(s.getsockname()[1]) for s in sockets]
    for s in sockets:
        s.close()
    return dict(zip(sorted(PORTS), ports))


def swap(text, names):
    return re.sub(r"(?<![\d.])\d{4,5}(?![\d.])", lambda m: names.get(m.group(0), m.group(0)), text)


def same(text):
    for pattern, to in MAY_DIFFER:
        text = pattern.sub(to, text)
    return text.strip("\n")


class Steps:
    """The blocks of a document, as (start, end, file name or None, command or None, text): the text is the file's, or the
    output that is shown, which stands between start and end."""

    def __init__(self, document):
        self.all = []
        for block in BLOCK.finditer(document):
            text, start = block.group(1), block.start(1)
            name = re.match(r"# ([\w./-]+\.\w+)\n", text)
            if name:
                self.all.append((start, block.end(1), name.group(1), None, text))
            elif text.startswith("$ "):
                self.commands(text, start)

    def commands(self, text, start):
        lines, at = text.splitlines(True), 0
        while at < len(lines):
            command, at, start = lines[at][2:], at + 1, start + len(lines[at])
            end = re.search(r"<<'(\w+)'", command)
            while command.endswith(("\\\n", "|\n")) or (end and not command.endswith(f"\n{end.group(1)}\n")):
                command, start, at = command + lines[at], start + len(lines[at]), at + 1
            output = ""
            while at < len(lines) and not lines[at].startswith("$ "):
                output, at = output + lines[at], at + 1
            self.all.append((start, start + len(output), None, command, output))
            start += len(output)


class Shell:
    """One shell for all commands of a document, with what it starts in a process group of its own."""

    def __init__(self, folder, environment):
        self.folder = folder
        self.process = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, cwd=folder, env=environment, start_new_session=True)
        self.process.stdin.write(SHELL.encode())

    def run(self, command):
        self.process.stdin.write(f"{{ {command}\n}} 2>&1; printf '\\036%d\\036' $?\n".encode())
        self.process.stdin.flush()
        deadline, got = time.monotonic() + LONGEST_SECONDS * 3, b""
        while got.count(b"\036") < 2:
            if not select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
                fail(f"$ {command}takes too long\n{got.decode()}")
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                fail(f"$ {command}ended the shell\n{got.decode()}")
            got += part
        output, status, _ = got.decode().replace("\r", "").split("\036")
        return output, int(status)

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def wait_until(condition, what):
    deadline = time.monotonic() + LONGEST_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            fail(f"{what} did not happen")
        time.sleep(0.02)


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", int(port))) == 0


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def walk_command(shell, command, ports):
    """Runs it, and waits for what it began: a program with ports of its own, or a reload."""
    reload_before = read(shell.folder, "serve.log").count(" info: reloaded") if "-HUP" in command else 0
    got, status = shell.run(command)
    if command.startswith("npm install") and status != 0:
        skip("npm cannot install what the document needs")
    if command.rstrip().endswith("&"):
        told = command
        for word in command.split():
            if word.endswith(".yaml"):
                told += read(shell.folder, word)
        for port in ports.values():
            if re.search(rf"\b{port}\b", told):
                wait_until(lambda p=port: listens(p), f"listening on {port}, by {command}")
    if "-HUP" in command:
        wait_until(lambda: read(shell.folder, "serve.log").count(" info: reloaded") > reload_before, "a reload")
        time.sleep(RELOAD_SECONDS)
    return got


def walk_step(shell, command, shown, ports, back):
    """The output of a command, in the ports of the document. What a log or a counter says may come a moment later."""
    deadline = time.monotonic() + 5
    while True:
        got = swap(walk_command(shell, swap(command, ports), ports), back)
        if same(got) == same(shown) or not READS.match(command.strip()) or time.monotonic() > deadline:
            return got
        time.sleep(0.1)


def begin(dragoman, source, document, folder):
    day = re.search(r"(\d{4})-(\d\d)-(\d\d)-[a-z]", document)
    environment = dict(os.environ, PATH=f"{os.path.dirname(dragoman)}:{os.environ['PATH']}", DRAGOMAN=source,
                       npm_config_fetch_retries="0", npm_config_fetch_timeout="20000")
    if day:  # files that are named by the day
        environment["SOURCE_DATE_EPOCH"] = str(calendar.timegm((*map(int, day.groups()), 12, 0, 0)))
    return Shell(folder, environment)


def walk(dragoman, source, document, folder):
    """What differs, as (start, end, output) in the document."""
    ports = free_ports()
    back = {new: old for old, new in ports.items()}
    shell, differing, count = begin(dragoman, source, document, folder), [], 0
    try:
        for start, end, name, command, text in Steps(document).all:
            if name:
                path = os.path.join(folder, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(swap(text, ports))
                continue
            got = walk_step(shell, command, text, ports, back)
            count += 1
            if same(got) != same(text):
                differing.append((start, end, got))
                print(f"$ {command}", *difflib.unified_diff(same(text).split("\n"), same(got).split("\n"), "shown",
                                                            "comes", lineterm=""), sep="\n")
    finally:
        shell.end()
    return differing, count


def update(path, document, differing):
    for start, end, got in reversed(differing):
        document = document[:start] + (got.strip("\n") + "\n" if got.strip("\n") else "") + document[end:]
    with open(path, "w", encoding="utf-8") as file:
        file.write(document)


def main():
    dragoman, source, path = (os.path.abspath(a) for a in sys.argv[1:4])
    document = read(path)
    for tool in re.findall(r"^\$ (npm|node|curl|python3)\b", document, re.M):
        if not shutil.which(tool):
            skip(f"{tool} is not here")
    with tempfile.TemporaryDirectory() as folder:
        differing, count = walk(dragoman, source, document, folder)
    if count == 0:
        fail("nothing to walk")
    if sys.argv[4:] == ["--update"]:
        update(path, document, differing)
    elif differing:
        fail(f"{len(differing)} of {count} commands give something else than {os.path.basename(path)} shows")
    print(f"{count} commands give what {os.path.basename(path)} shows")


main()
