#!/usr/bin/env python3
"""Faults on both sides of the real proxy, in time and in memory: what breaks is told, nothing is doubled, lost
or mixed up, and a cut never looks like an end.

  faults.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import contextlib
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wire"))
import harness
import http1
import scenarios
from harness import HOST, Client, Upstream, answer_bytes, get, post
from scenarios import ORDERS, chunked

FAULTS = []
FOLDER = tempfile.TemporaryDirectory(prefix="dragoman-faults-")  # goes with the process


def fault(function):
    FAULTS.append(function)
    return function


def make_pack(change):
    """A pack of two versions with one change, as text."""
    folder = tempfile.mkdtemp(dir=FOLDER.name)
    os.mkdir(os.path.join(folder, "changes"))
    with open(os.path.join(folder, "api.yaml"), "w") as out:
        out.write("api: things\nbase: /api\nversions: [{name: v1}, {name: v2}]\nselected_by: [path]\n"
                  "unlisted: pass\n")
    with open(os.path.join(folder, "changes", "1.yaml"), "w") as out:
        out.write("change: things\nbetween: [v1, v2]\nendpoints:\n" + change)
    return folder


def make_certs(binary):
    folder = tempfile.mkdtemp(dir=FOLDER.name)
    subprocess.run([os.path.abspath(binary), "certs", folder], check=True, stdout=subprocess.DEVNULL)
    return folder


def listen_tls(port, folder):
    return {"listen": [{"address": "%s:%d" % (HOST, port),
                        "tls": {"cert": folder + "/server.crt", "key": folder + "/server.key"}}]}


class TlsClient(Client):
    def __init__(self, port, folder, **kw):
        super().__init__(port, **kw)
        context = ssl.create_default_context(cafile=folder + "/ca.crt")
        self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        self.error = None

    def pump(self, seconds):
        """As a plain one's, and remembers how the stream ended."""
        self.sock.settimeout(max(seconds, 0.001))
        try:
            more = self.sock.recv(262144)
        except socket.timeout:
            return False
        except OSError as error:
            self.error, more = error, b""
        self.data += more
        self.closed = self.closed or not more
        return bool(more)


# ---- heads

@fault
def an_absolute_target_without_a_path_keeps_its_query(s):
    proxy, up = s.start()
    with Client(proxy.port) as client:
        assert client.ask(b"GET http://h.example?x=1&y=2 HTTP/1.1\r\nHost: h.example\r\n\r\n").status == 200
        assert client.ask(b"GET http://h.example HTTP/1.1\r\nHost: h.example\r\n\r\n").status == 200
        assert client.ask(b"GET http://h.example/a?b HTTP/1.1\r\nHost: h.example\r\n\r\n").status == 200
    assert [r.target for r in up.seen()] == ["/?x=1&y=2", "/", "/a?b"]


# ---- retries

@fault
def what_becomes_a_post_is_sent_once(s):
    """A PUT of the old version is a POST of the new one: the backend's method says what may be repeated."""
    count = {}

    def answer(connection, request):
        count[connection.number] = count.get(connection.number, 0) + 1
        if count[connection.number] == 2:
            connection.reset()
        return answer_bytes(b"{}")
    proxy, up = s.start(answer, {"packs": [make_pack("  PUT /things/{id}:\n    becomes: POST /things/{id}\n"
                                                     "  POST /old/{id}:\n    becomes: PUT /old/{id}\n")]})
    with Client(proxy.port) as client:
        assert client.ask(get("/api/v1/else")).status == 200
        assert client.ask(get("/api/v1/things/1").replace(b"GET", b"PUT", 1)).status == 502
        assert client.ask(get("/api/v1/else")).status == 200
        assert client.ask(get("/api/v1/old/1").replace(b"GET", b"POST", 1)).status == 200, "a PUT there is repeated"
    assert [r.method for r in up.seen()] == ["GET", "POST", "GET", "PUT", "PUT"]


# ---- reload

@fault
def an_admin_port_that_went_away_answers_its_kept_connections(s):
    port = harness.free_port()
    proxy, _ = s.start(None, {"admin": "%s:%d" % (HOST, port)})
    with Client(port) as admin, Client(proxy.port) as client:
        assert admin.ask(get("/metrics")).status == 200
        proxy.config.pop("admin")
        proxy.reload()
        harness.wait_until(lambda: not harness.accepts(port), 3, "the admin port closed")
        assert admin.ask(get("/metrics")).status == 404
        assert client.ask(get("/")).status == 200


# ---- ends

@fault
def a_drain_that_runs_out_cuts_and_never_ends_clean(s):
    """An HTTP/1.0 client knows the end of its answer by the end of the connection."""
    def answer(connection, _):
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
        time.sleep(5)
        return b"0\r\n\r\n"
    proxy, _ = s.start(answer, {"timeouts": dict(harness.TIMEOUTS, drain="300ms", answer="9s")})
    with Client(proxy.port) as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        harness.wait_until(lambda: client.pump(0.1) and b"half" in client.data, 2, "the first half")
        proxy.process.send_signal(signal.SIGTERM)
        client.sock.settimeout(5)
        try:
            end = client.sock.recv(10)
        except ConnectionResetError:
            end = None
        assert end is None, "a truncated answer ended clean: %r" % end
    assert proxy.process.wait(5) == 0


@fault
def a_drain_serves_what_had_arrived(s):
    """Requests that reached idle connections before the signal was looked at are answered."""
    proxy, up = s.start()
    clients = [Client(proxy.port) for _ in range(40)]
    with contextlib.ExitStack() as stack:
        for client in clients:
            stack.enter_context(client)
            assert client.ask(get("/1")).status == 200
        proxy.process.send_signal(signal.SIGSTOP)
        for client in clients:
            client.send(get("/2"))
        proxy.process.send_signal(signal.SIGTERM)
        proxy.process.send_signal(signal.SIGCONT)
        answered = sum(len(client.wait(2, 3)) == 2 for client in clients)
    assert answered == 40, answered
    assert proxy.process.wait(5) == 0


@fault
def an_early_answer_reaches_clients_that_still_send(s):
    """A backend answers after the first bytes and closes; the client sends on for a while. Plain and TLS."""
    def early(connection, data):
        if data.startswith(b"POST"):
            connection.send(answer_bytes(b"{}", "413 Content Too Large", b"Connection: close\r\n"))
            raise Upstream.Close
    certs, tls = make_certs(s.binary), harness.free_port()
    proxy, _ = s.start(on_bytes=early, config=listen_tls(tls, certs))
    for n in range(20):
        with TlsClient(tls, certs) if n % 2 else Client(proxy.port) as client:
            client.send(b"POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\n\r\n" + b"x" * 300000)
            finals = client.wait(1, 2)
            assert finals and finals[0].status == 413 and finals[0].complete, client.data
            for _ in range(10):  # nothing resets the connection under an answer that is still on its way
                client.sock.sendall(b"x" * 3000)
                time.sleep(0.005)


@fault
def a_stopped_process_that_goes_on_times_nobody_out(s):
    go = threading.Event()

    def answer(connection, request):
        go.wait(5)
        return harness.echo(connection, request)
    proxy, _ = s.start(answer)
    clients = [Client(proxy.port) for _ in range(120)]
    with contextlib.ExitStack() as stack:
        for client in clients:
            stack.enter_context(client).send(get("/"))
        time.sleep(0.3)
        proxy.process.send_signal(signal.SIGSTOP)
        go.set()
        time.sleep(2.5)
        proxy.process.send_signal(signal.SIGCONT)
        statuses = [[r.status for r in client.wait(1, 3)] for client in clients]
    assert statuses == [[200]] * len(clients), statuses


# ---- limits

def post_length(path, length, *fields):
    lines = "".join("%s\r\n" % f for f in fields)
    return ("POST %s HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n" %
            (path, length, lines)).encode()


@fault
def a_body_that_is_announced_too_large_is_refused_at_once(s):
    proxy, up = s.start(None, {"packs": [ORDERS], "limits": {"body": 4096}})
    for fields in ((), ("Expect: 100-continue",)):
        with Client(proxy.port) as client:
            client.send(post_length("/api/v1/orders", 4097, *fields))
            finals = client.wait(1, 1.0)
            assert finals and finals[0].status == 413, client.data
            assert not [r for r in client.responses() if r.status == 100]
    assert not up.seen()


@fault
def bodies_at_their_limits_pass_and_beyond_them_do_not(s):
    """Both directions, whole and chunked, at the limit and one byte beyond it."""
    def sized(n):
        return b'{"id":"%s"}' % (b"x" * (n - 9))

    def answer(_, request):
        path, _, n = request.target.rpartition("/")
        body = b'{"data":{"order_id":"%s"}}' % (b"x" * (int(n) - 24))
        if path.endswith("chunked"):
            return (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
                    chunked(body, 1000))
        return answer_bytes(body)
    limit = 4096
    proxy, up = s.start(answer, {"packs": [make_pack("  GET /{how}/{n}:\n    response: [{wrap: data}]\n"
                                                     "  POST /up:\n    request: [{rename: {id: di}}]\n")],
                                 "limits": {"body": limit}})
    with Client(proxy.port) as client:
        for how in ("length", "chunked"):
            assert client.ask(get("/api/v1/%s/%d" % (how, limit))).status == 200
            assert client.ask(get("/api/v1/%s/%d" % (how, limit + 1))).status == 502, how
            assert client.ask(get("/api/v1/%s/%d" % (how, 3 * limit))).status == 502, how
    up.answer = lambda *_: answer_bytes(b"{}")
    head = b"POST /api/v1/up HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
    for n, status in ((limit, 200), (limit + 1, 413)):
        for data in (head + b"Content-Length: %d\r\n\r\n" % n + sized(n),
                     head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(sized(n), 999)):
            with Client(proxy.port) as client:
                assert client.ask(data).status == status, (n, client.data[:300])


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, FAULTS))
