#!/usr/bin/env python3
"""Every allocation of dragoman's own code fails once, in its turn: while it serves, reloads and starts. It lives,
leaks nothing, and says what it must.

  memory.py --dragoman BINARY [--only NAME,..] [--jobs N]    BINARY has short_memory.c linked in"""
import json
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wire"))
import harness
import scenarios
from harness import HOST, Client, answer_bytes, get, post
from scenarios import ORDERS, chunked

FAULTS = []
OLD = b'{"orderId":1,"note":"%s"}' % (b"n" * 40000)
NEW = b'{"data":{"order_id":1,"note":"%s"}}' % (b"n" * 40000)


def fault(function):
    FAULTS.append(function)
    return function


class Memory:
    """The number that short_memory.c counts down."""

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile(prefix="dragoman-memory-")
        self.file.write(bytes(4))
        self.file.flush()
        self.map = mmap.mmap(self.file.fileno(), 4)

    def left(self):
        return struct.unpack("i", self.map[:])[0]

    def set(self, n):
        """What was left before."""
        left = self.left()
        self.map[:] = struct.pack("i", n)
        return left


def start(s, answer, config):
    memory = Memory()
    up = harness.Upstream(answer)
    proxy = harness.Dragoman(s.binary, up.port, config, DRAGOMAN_MEMORY=memory.file.name)
    s.started.append((proxy, up))
    # Its port takes connections before its worker is up: memory runs short only behind that.
    harness.wait_until(lambda: "listening on" in proxy.log(), 5, "the start")
    with Client(proxy.port) as client:
        assert client.ask(get("/api/v2/orders/1")).status == 200
    return memory, proxy, up


def each_fails(memory, proxy, session, at_most, step=1):
    """Runs the session until it needs no further allocation than have failed already."""
    for n in range(1, at_most, step):
        memory.set(n)
        session()
        assert proxy.process.poll() is None, "died of allocation %d" % n
        if memory.set(0) > 0:
            return n
    raise AssertionError("the session has no end")


def answer(connection, request):
    if "big" in request.target:
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"b" * 300000, 30000))
        raise harness.Upstream.Close
    if request.target == "/stop":
        raise harness.Upstream.Close
    return (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
            chunked(NEW, 9000))


@fault
def every_allocation_of_a_session_fails_once(s):
    memory, proxy, _ = start(s, answer, {"packs": [ORDERS], "unmatched": "pass",
                                         "timeouts": dict(harness.TIMEOUTS, answer="500ms", body="500ms")})
    asks = [get("/stop"), get("/api/v9/x"), get("/api/v1/none"), b"GARBAGE\r\n\r\n",
            post("/api/v1/orders", b'{"orderId":'), post("/api/v1/orders", OLD),
            post("/api/v1/orders", b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + chunked(OLD, 9000),
            post("/up", b"u" * 200000), get("/api/v2/orders/1", "Connection: close")]

    def session():
        for data in asks:
            with Client(proxy.port) as client:
                client.send(data)
                finals = client.wait(1, 2)
                assert finals or client.closed, data[:60]
                if finals and finals[0].status == 200 and data.startswith(b"POST /api"):
                    told = json.loads(finals[0].body)
                    assert told["orderId"] == 1 and len(told["note"]) == 40000, "whole and translated, or no answer"
        with Client(proxy.port, receive_buffer=4096) as client:
            client.send(get("/big"))
            time.sleep(0.02)
            finals = client.wait(1, 2)
            assert client.closed or (finals[0].complete and len(finals[0].body) in (300000, 0) or finals[0].status != 200)
    assert each_fails(memory, proxy, session, 200) > 20
    with Client(proxy.port) as client:
        assert client.ask(asks[5]).status == 200


@fault
def every_allocation_of_a_reload_fails_once(s):
    memory, proxy, _ = start(s, answer, {"packs": [ORDERS]})
    reloads = [0]

    def session():
        reloads[0] += 1
        proxy.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: proxy.process.poll() is not None or
                           proxy.log().count("reload") == reloads[0], 3, "an end of the reload")

    assert each_fails(memory, proxy, session, 5000, step=7) > 50
    with Client(proxy.port) as client:
        assert client.ask(post("/api/v1/orders", OLD)).status == 200


@fault
def a_start_without_memory_ends_with_a_word(s):
    memory = Memory()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "dragoman.yaml")
        with open(path, "w") as out:
            out.write("listen: '127.0.0.1:0'\nupstream: http://127.0.0.1:1\npacks: ['%s']\n" % ORDERS)
        n, step = 1, 1
        while True:
            memory.set(n)
            process = subprocess.Popen([s.binary, "serve", "--config", path, "--workers", "2"], stderr=subprocess.PIPE,
                                       env=dict(os.environ, DRAGOMAN_MEMORY=memory.file.name))
            try:
                _, said = process.communicate(timeout=0.7)
                assert process.returncode == 1 and said, (n, process.returncode, said[-3000:])
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)
                _, said = process.communicate(timeout=5)
                assert process.returncode == 0, (n, process.returncode, said[-3000:])
            assert not any(mark.encode() in said for mark in harness.SANITIZER_MARKS), (n, said[-3000:])
            if memory.left() > 0:
                break
            step += n > 20 and step < 40
            n += step


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, FAULTS))
