"""Both ends of a proxy for black-box tests: a process, an upstream that records and obeys scripts, and a
client that sends bytes as they are. Loopback only, standard library only."""
import contextlib
import fcntl
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import http1

HOST = "127.0.0.1"
SANITIZER_MARKS = ("Sanitizer", "runtime error:", "Assertion", "assertion")
TIMEOUTS = {"head": "2s", "body": "2s", "connect": "1s", "answer": "2s", "idle": "2s"}


PORTS = range(20000, 32000)  # below those that the kernel gives to outgoing connections
PORTS_TAKEN = set()
PORTS_LOCK = threading.Lock()
PORTS_FILE = os.open(os.path.join(tempfile.gettempdir(), "dragoman-wire-ports-%d" % os.getuid()),
                     os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def free_port():
    """One that is this process's until it ends. The proxy opens its ports to be shared (SO_REUSEPORT), so that two of them
    would not notice that they have the same: tests that run at the same time agree by locks on a byte for each."""
    with PORTS_LOCK:
        for port in random.sample(PORTS, 1000):
            if port in PORTS_TAKEN:
                continue
            try:
                fcntl.lockf(PORTS_FILE, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
                PORTS_TAKEN.add(port)
                with socket.socket() as probe:
                    probe.bind((HOST, port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port")


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("not within %.1f s: %s" % (seconds, what))
        time.sleep(0.01)


def accepts(port):
    try:
        socket.create_connection((HOST, port), 0.2).close()
        return True
    except OSError:
        return False


def family_of(address):
    """Of a path, (host, port), or a port of the loopback."""
    if isinstance(address, str):
        return socket.AF_UNIX
    return socket.AF_INET6 if not isinstance(address, int) and ":" in address[0] else socket.AF_INET


class Process:
    """A program with a folder of its own; its output goes to a file there."""

    def __init__(self, port):
        self.port, self.process = port, None
        self.folder = tempfile.mkdtemp(prefix="dragoman-wire-")
        self.log_path = os.path.join(self.folder, "output.log")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as out:
            out.write(text)
        return path

    def start(self, command, **environment):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder,
                                            env=dict(os.environ, **environment))
        try:
            wait_until(lambda: self.process.poll() is not None or accepts(self.port), 10, "listening")
            if self.process.poll() is not None:
                raise AssertionError("ended at once (%s):\n%s" % (self.process.returncode, self.log()))
        except AssertionError:
            self.stop()
            raise

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def stop(self):
        """Ends the process, gently first; the problems that it left, as sentences."""
        problems = []
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(10)
            if code not in (0, -signal.SIGTERM):
                problems.append("the proxy ended with %d" % code)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            problems.append("the proxy did not end within 10 s of SIGTERM")
        log = self.log()
        if any(mark in log for mark in SANITIZER_MARKS):
            problems.append("the proxy reported:\n" + log[-3000:])
        shutil.rmtree(self.folder, ignore_errors=True)
        return problems


class Dragoman(Process):
    """`binary serve --config FILE`. config: keys beside upstream and timeouts, which win; and further
    listeners."""

    def __init__(self, binary, upstream_port, config=None, workers=1, **environment):
        super().__init__(free_port())
        self.binary, self.workers = os.path.abspath(binary), workers
        self.config = {"upstream": "http://%s:%d" % (HOST, upstream_port),
                       "timeouts": dict(TIMEOUTS)}
        self.config.update(config or {})
        self.config["listen"] = ["%s:%d" % (HOST, self.port)] + self.config.get("listen", [])
        self.start([self.binary, "serve", "--config", self.save(), "--workers", str(workers)],
                   **environment)
        wait_until(lambda: "listening on" in self.log(), 5, "every listener is open")

    def save(self):
        """JSON is YAML."""
        return self.write("dragoman.yaml", json.dumps(self.config, indent=1) + "\n")

    def reload(self, **changes):
        self.config.update(changes)
        self.save()
        self.process.send_signal(signal.SIGHUP)


class Upstream:
    """A strict recorder. Each connection is a thread; `answer(connection, request)` says what is sent, and
    may do it itself: it returns bytes, or None when it did, or raises Close."""

    class Close(Exception):
        pass

    class Connection:
        def __init__(self, sock, number):
            self.sock, self.number = sock, number

        def send(self, *pieces, pause=0.0):
            for piece in pieces:
                self.sock.sendall(piece)
                if pause:
                    time.sleep(pause)

        def reset(self):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Upstream.Close

    def __init__(self, answer=None, greeting=None, on_bytes=None, address=(HOST, 0)):
        self.answer = answer or echo
        self.greeting = greeting    # gives bytes to send before any request, or None
        self.on_bytes = on_bytes    # sees (connection, all unread bytes) before they are whole; may answer
        self.lock = threading.Lock()
        self.listener = socket.socket(family_of(address))
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(address)
        self.listener.listen(128)
        self.address, self.listener_family = self.listener.getsockname(), self.listener.family
        self.port = 0 if isinstance(address, str) else self.address[1]
        self.connections = 0
        self.open = 0
        self.reset()
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self):
        with self.lock:
            self.requests, self.violations, self.received = [], [], b""

    def seen(self):
        with self.lock:
            return list(self.requests)

    def close(self):
        """From now on connections are refused: the port stays taken, or another test's upstream could get it."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        if self.port:
            self.closed = socket.socket(self.listener_family)
            self.closed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                self.closed.bind(self.address)

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            connection = Upstream.Connection(sock, self.connections)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with self.lock:
            self.open += 1
        try:
            with connection.sock:
                connection.sock.settimeout(30)
                self._exchange(connection)
        except (OSError, Upstream.Close):
            pass
        finally:
            with self.lock:
                self.open -= 1

    def _exchange(self, connection):
        data = self.greeting and self.greeting()
        if data:
            connection.send(data)
        data = b""
        while True:
            try:
                request, data = http1.request(data)
            except http1.Incomplete:
                if data and self.on_bytes:
                    self.on_bytes(connection, data)
                more = connection.sock.recv(1 << 20)
                if not more:
                    return
                with self.lock:
                    self.received += more
                data += more
                continue
            except http1.Violation as violation:
                with self.lock:
                    self.violations.append(str(violation))
                connection.send(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            request.connection = connection.number
            with self.lock:
                self.requests.append(request)
            reply = self.answer(connection, request)
            if reply:
                connection.send(reply)


def answer_bytes(body=b"", status="200 OK", fields=b"Content-Type: application/json\r\n"):
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status.encode(), fields, len(body), body)


def echo(_, request):
    """Says what arrived."""
    body = json.dumps({"target": request.target, "method": request.method, "bytes": len(request.body)})
    reply = answer_bytes(body.encode())
    return reply[:len(reply) - len(body)] if request.method == "HEAD" else reply


class Client:
    """A connection that sends bytes as they are and remembers what came."""

    def __init__(self, port, receive_buffer=None):
        """port: on the loopback; or a path; or (host, port)."""
        self.sock = socket.socket(family_of(port))
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(3)
        self.sock.connect((HOST, port) if isinstance(port, int) else port)
        self.data, self.closed, self.methods = b"", False, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, *pieces, pause=0.0):
        """Stops without complaint when the other side has closed, as a rejected client finds."""
        self.sock.settimeout(5)
        with contextlib.suppress(OSError):
            for piece in pieces:
                self.sock.sendall(piece)
                if pause:
                    time.sleep(pause)

    def half_close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def pump(self, seconds):
        """Receives once; False when nothing came in that time."""
        self.sock.settimeout(max(seconds, 0.001))
        try:
            more = self.sock.recv(262144)
        except socket.timeout:
            return False
        except OSError:
            more = b""
        self.data += more
        self.closed = self.closed or not more
        return bool(more)

    def responses(self):
        return http1.responses(self.data, self.methods or ("GET",), self.closed)[0]

    def finals(self):
        return [r for r in self.responses() if r.status >= 200 or r.status == 101]

    def wait(self, count=1, seconds=5.0):
        """Until that many final responses are complete, the connection ends, or the time is up."""
        deadline = time.monotonic() + seconds
        while not self.closed and time.monotonic() < deadline:
            if sum(r.complete for r in self.finals()) >= count:
                break
            self.pump(min(0.1, deadline - time.monotonic()))
        return self.finals()

    def wait_closed(self, seconds=3.0):
        deadline = time.monotonic() + seconds
        while not self.closed and time.monotonic() < deadline:
            self.pump(0.1)
        return self.closed

    def ask(self, data, method="GET", seconds=5.0):
        """One request, its one final response; an assertion when there is none."""
        before = len(self.finals())
        self.methods += [method] * (before + 1 - len(self.methods))
        self.send(data)
        found = self.wait(before + 1, seconds)
        assert len(found) > before, "no answer to %r; got %r" % (data[:60], self.data[-200:])
        return found[before]


def get(path="/", *fields):
    lines = "".join("%s\r\n" % field for field in fields)
    return ("GET %s HTTP/1.1\r\nHost: h.example\r\n%s\r\n" % (path, lines)).encode()


def post(path="/", body=b"{}", *fields):
    lines = "".join("%s\r\n" % field for field in fields)
    head = "POST %s HTTP/1.1\r\nHost: h.example\r\nContent-Type: application/json\r\n%s" % (path, lines)
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body
