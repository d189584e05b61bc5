#!/usr/bin/env python3
"""Faults on both sides of the real proxy, in time and in memory: what breaks is told, nothing is doubled, lost
or mixed up, and a cut never looks like an end.

  faults.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import contextlib
import json
import os
import random
import re
import resource
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
        self.sock = context.wrap_socket(self.sock, server_hostname="localhost",
                                        suppress_ragged_eofs=False)


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


# ---- kept connections

def stopped(proxy, *actions):
    """Does what is given, in that order, while the proxy cannot look."""
    proxy.process.send_signal(signal.SIGSTOP)
    for action in (lambda: None,) + actions:
        action()
        time.sleep(0.05)
    proxy.process.send_signal(signal.SIGCONT)


@fault
def what_a_kept_connection_says_unasked_is_nobodys_answer(s):
    kept = []

    def answer(connection, request):
        kept.append(connection)
        return harness.echo(connection, request)
    proxy, _ = s.start(answer)
    with Client(proxy.port) as client:
        assert client.ask(get("/1")).status == 200
        stopped(proxy, lambda: client.send(get("/2")), lambda: kept[0].send(answer_bytes(b'"poison"')))
        finals = client.wait(2)
        assert json.loads(finals[1].body)["target"] == "/2", finals[1].body


@fault
def a_post_does_not_go_into_a_connection_that_has_ended(s):
    kept = []

    def answer(connection, request):
        kept.append(connection)
        return harness.echo(connection, request)
    proxy, up = s.start(answer)
    with Client(proxy.port) as client:
        assert client.ask(get("/1")).status == 200
        stopped(proxy, lambda: client.send(post("/2")), lambda: kept[0].sock.shutdown(socket.SHUT_RDWR))
        assert client.wait(2)[1].status == 200
    assert [r.target for r in up.seen()] == ["/1", "/2"]


@fault
def a_backend_that_closes_now_and_then_loses_and_doubles_nothing(s):
    """It closes after each third answer, at once or a little later; every answer carries its request's token."""
    count = {}

    def answer(connection, request):
        count[connection.number] = n = count.get(connection.number, 0) + 1
        body = json.dumps({"token": request.target}).encode()
        connection.send(answer_bytes(body))
        if n % 3 == 0:
            time.sleep((connection.number % 4) / 1000)
            raise Upstream.Close
    proxy, up = s.start(answer)
    lost, crossed = [], []

    def one(number):
        with Client(proxy.port) as client:
            for n in range(120):
                path = "/%d/%d" % (number, n)
                reply = client.ask(post(path, b"x") if n % 2 else get(path))
                if reply.status != 200:
                    lost.extend([] if n % 2 else [path])  # a POST that met an end is not repeated
                elif json.loads(reply.body)["token"] != path:
                    crossed.append(path)
    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not lost and not crossed, (lost, crossed)
    posts = [r.target for r in up.seen() if r.method == "POST"]
    assert len(posts) == len(set(posts)), "a POST was doubled"


# ---- TLS

class TlsUpstream(Upstream):
    def __init__(self, folder, answer=None, **kw):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder + "/server.crt", folder + "/server.key")
        super().__init__(answer, **kw)

    def _serve(self, connection):
        try:
            connection.sock = self.context.wrap_socket(connection.sock, server_side=True)
        except OSError:
            connection.sock.close()
            return
        super()._serve(connection)


def start_tls(s, answer=None, config=None, trusted=None, **kw):
    """TLS on both sides; the proxy, its backend, its TLS port and the folder of the certificates."""
    certs, port = make_certs(s.binary), harness.free_port()
    up = TlsUpstream(certs, answer, **kw)
    config = dict(config or {}, **listen_tls(port, certs))
    config["upstream"] = {"url": "https://localhost:%d" % up.port, "ca": (trusted or certs) + "/ca.crt"}
    s.started.append((harness.Dragoman(s.binary, up.port, config), up))
    return s.started[-1][0], up, port, certs


@fault
def large_bodies_pass_tls_both_ways(s):
    def answer(_, request):
        return (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(request.body, 70001))
    proxy, up, port, certs = start_tls(s, answer, {"timeouts": dict(harness.TIMEOUTS, answer="20s", body="20s", idle="20s")})
    body = os.urandom(1 << 16) * 48
    with TlsClient(port, certs) as client:
        client.sock.settimeout(20)
        client.sock.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        answer = client.wait(1, 20)[0]
        assert answer.complete and answer.body == body
        assert client.ask(get("/again")).status == 200
    assert up.connections == 1


@fault
def a_tls_stream_without_its_end_is_a_cut(s):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

    def answer(connection, request):
        connection.send(head + b'{"a":1}')
        if request.target == "/clean":
            with contextlib.suppress(OSError):
                connection.sock.unwrap()
        raise Upstream.Close
    pack = make_pack("  GET /t/{n}:\n    response: [{rename: {a: b}}]\n")
    proxy, _, port, certs = start_tls(s, answer, {"packs": [pack], "unmatched": "pass"})
    for old in (False, True):
        ask = b"GET %s HTTP/1.0\r\n\r\n" if old else b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n"
        for open_client in (lambda: TlsClient(port, certs), lambda: Client(proxy.port)):
            with open_client() as client:
                client.send(ask % b"/clean")
                client.wait_closed(2) if old else client.wait(1, 2)
                assert client.finals()[0].complete and client.finals()[0].body == b'{"a":1}', client.data
            with open_client() as client:
                client.send(ask % b"/cut")
                end = b"?"
                try:
                    client.sock.settimeout(3)
                    while end:
                        end = client.sock.recv(1000)
                        client.data += end
                except OSError:
                    end = None
                finals = client.finals()
                assert end is None or not old, "a clean end of a cut answer"
                assert old or not (finals and finals[0].status == 200 and finals[0].complete), client.data
    with Client(proxy.port) as client:
        assert client.ask(get("/api/v1/t/1")).status == 502


@fault
def tls_peers_that_cannot_be_trusted_or_do_not_speak_it(s):
    proxy, _, port, certs = start_tls(s, None, trusted=make_certs(s.binary),
                                      config={"timeouts": dict(harness.TIMEOUTS, head="500ms")})
    with Client(proxy.port) as client:
        answer = client.ask(get("/"))
        assert answer.status == 502 and b"upstream-tls" in answer.body, answer.body
    with Client(port) as client:
        client.send(get("/"))
        assert client.wait(1)[0].status == 400 and b"https" in client.finals()[0].body and client.wait_closed(3)
    with Client(port) as client:
        before = time.monotonic()
        client.send(b"\x16\x03\x01")
        assert client.wait_closed(2) and time.monotonic() - before > 0.4, "a handshake has the time of a head"


@fault
def tls_without_certificates_is_no_plain_text(s):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=FOLDER.name) as file:
        file.write("listen: {address: '127.0.0.1:0', tls: []}\nupstream: http://127.0.0.1:1\n")
        file.flush()
        run = subprocess.run([s.binary, "serve", "--config", file.name], capture_output=True, timeout=5)
        assert run.returncode == 1 and b"certificates" in run.stderr, run


# ---- shares

@fault
def nobody_has_the_worker_for_himself(s):
    """Whoever is behind tens of thousands of requests that wait already is served before they are."""
    proxy, _ = s.start()
    flood = b"OPTIONS * HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n" * 100000
    waited = []
    for _ in range(4):
        with contextlib.ExitStack() as stack:
            many = [stack.enter_context(Client(proxy.port)) for _ in range(8)]
            one = stack.enter_context(Client(proxy.port))
            for client in many + [one]:
                assert client.ask(get("/1")).status == 200
                client.sock.setblocking(False)
            stopped(proxy, lambda: [client.sock.send(flood) for client in many], lambda: one.send(get("/2")))
            before = time.monotonic()
            assert len(one.wait(2)) == 2
            waited.append(time.monotonic() - before)
    assert min(waited) < 0.06, ["%.3f" % w for w in waited]


# ---- bodies

BORDERS = (16384 - 64, 16383, 16384, 16385, 32768, 65537)


@fault
def translated_bodies_survive_every_cut(s):
    """In pieces of one byte, and with sizes at the borders of blocks: both directions, both framings."""
    def whole(n):
        return b'{"a":"%s"}' % (b"x" * (n - 8))

    def answer(connection, request):
        how, n = request.target.rsplit("/", 2)[1:]
        body = whole(int(n))
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        data = head + (b"Content-Length: %d\r\n\r\n" % len(body) + body if how == "length" else
                       b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, 1 if len(body) < 500 else 16384))
        if len(data) < 2000:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.send(*[data[i:i + 1] for i in range(len(data))])
            return None
        return data
    pack = make_pack("  POST /up/{how}/{n}:\n    request: [{rename: {a: bb}}]\n    response: [{rename: {a: b}}]\n")
    proxy, up = s.start(answer, {"packs": [pack]})
    for n in (9, 100) + BORDERS:
        for how in ("length", "chunked"):
            head = b"POST /api/v1/up/%s/%d HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n" % (how.encode(), n)
            data = head + (b"Content-Length: %d\r\n\r\n" % n + whole(n) if how == "length" else
                           b"Transfer-Encoding: chunked\r\n\r\n" + chunked(whole(n), 1 if n < 500 else 16384))
            with Client(proxy.port) as client:
                client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.send(*([data[i:i + 1] for i in range(len(data))] if n < 500 else [data]))
                reply = client.wait(1, 3)[0]
                assert reply.status == 200 and reply.body == whole(n), \
                    (n, how, reply.status, reply.body[:80])
                assert up.seen()[-1].body == whole(n).replace(b'"a"', b'"bb"'), (n, how)


@fault
def streamed_bodies_survive_the_borders_of_blocks(s):
    proxy, up = s.start(lambda _, request: answer_bytes(request.body, fields=b""))
    with Client(proxy.port) as client:
        for n in BORDERS:
            for extra in (-1, 0, 1):
                body = os.urandom(n + extra)
                head = b"POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n" % (n, len(body))
                pad = b"X-Pad: %s\r\n\r\n" % (b"p" * (300 - len(head) - 11))
                assert client.ask(head + pad + body).body == body
    with Client(proxy.port) as client:
        body = b"e" * 20000
        client.send(b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
        harness.wait_until(lambda: client.pump(0.05) or b" 100 " in client.data, 2, "100 Continue")
        client.send(chunked(body, 7000))
        assert client.wait(1)[0].body == body


@fault
def what_cannot_have_a_body_has_none_on_translated_routes(s):
    json_type = b"Content-Type: application/json\r\n"
    answers = {"204": b"HTTP/1.1 204 No Content\r\n\r\n",
               "304": b"HTTP/1.1 304 Not Modified\r\n" + json_type + b"Content-Length: 7\r\n\r\n",
               "empty": answer_bytes(b"", fields=json_type),
               "plain": answer_bytes(b"not JSON", fields=b"Content-Type: text/plain\r\n"),
               "broken": answer_bytes(b'{"a":', fields=json_type),
               "gzip": answer_bytes(b'{"a":1}', fields=json_type + b"Content-Encoding: gzip\r\n"),
               "fixed": answer_bytes(b'{"a":1}', fields=json_type + b"Cache-Control: no-transform\r\n"),
               "part": answer_bytes(b'{"a":1}', "206 Partial Content", json_type + b"Content-Range: bytes 0-6/9\r\n"),
               "head": b"HTTP/1.1 200 OK\r\n" + json_type + b"Content-Length: 7\r\n\r\n"}
    pack = make_pack("  GET /x/{n}:\n    response: [{rename: {a: b}}]\n")
    proxy, _ = s.start(lambda _, request: answers[request.target.rsplit("/", 1)[1]], {"packs": [pack]})
    with Client(proxy.port) as client:
        for name, status in (("204", 204), ("304", 304), ("empty", 200), ("plain", 200), ("broken", 502), ("gzip", 502),
                             ("fixed", 502), ("part", 502), ("204", 204)):
            reply = client.ask(get("/api/v1/x/" + name))
            assert reply.status == status and not client.closed, (name, reply.status)
        reply = client.ask(get("/api/v1/x/head").replace(b"GET", b"HEAD", 1), "HEAD")
        assert reply.status == 200 and not reply.all("content-length")
        assert client.ask(get("/api/v1/x/204")).status == 204


# ---- time

@fault
def whoever_trickles_ends_in_time(s):
    """Deadlines are absolute: a byte now and then moves none of them."""
    def answer(connection, request):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        connection.send(*[b"x"] * 100, pause=0.1)
    proxy, _ = s.start(answer, {"timeouts": dict(harness.TIMEOUTS, head="1s", body="1s", answer="1s")})
    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"
    for first, status in ((b"GET / HTTP/1.1\r\n", 408), (head, 408), (get("/"), None)):
        with Client(proxy.port) as client:
            client.send(first)
            start = time.monotonic()
            while not client.closed and time.monotonic() - start < 3:
                if status and not client.data:
                    client.send(b"a")
                client.pump(0.1)
                if status and client.finals():
                    break
            took = time.monotonic() - start
            assert 0.9 < took < 1.3, (first, took)
            assert (client.finals()[0].status == status) if status else not client.finals()[0].complete, client.data


@fault
def a_backend_that_reads_nothing_is_not_the_clients_fault(s):
    proxy, _ = s.start(None, {"timeouts": dict(harness.TIMEOUTS, body="1s")}, on_bytes=lambda *_: time.sleep(4))
    with Client(proxy.port) as client:
        client.sock.settimeout(1)
        with contextlib.suppress(OSError):
            client.sock.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 90000000\r\n\r\n" + b"x" * 40000000)
        assert client.wait(1, 2)[0].status == 504, "408 would say: send it again"


@fault
def old_clients_see_the_end_of_an_error(s):
    proxy, _ = s.start(None, {"packs": [ORDERS]})
    for ask in (b"GET /unknown HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                b"OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\nMax-Forwards: 0\r\n\r\n"):
        with Client(proxy.port) as client:
            client.send(ask)
            assert client.wait_closed(1) and client.finals()[0].get("connection") == b"close", client.data


# ---- reload, descriptors, memory

def resident_kb(proxy):
    with open("/proc/%d/status" % proxy.process.pid) as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


def descriptors(proxy):
    return len(os.listdir("/proc/%d/fd" % proxy.process.pid))


@fault
def reloads_under_load_lose_nothing_and_keep_nothing(s):
    proxy, _ = s.start(None, {"packs": [ORDERS], "unmatched": "pass"})
    stop, lost, done = threading.Event(), [], [0]

    def load(number):
        with Client(proxy.port) as client:
            n = 0
            while not stop.is_set():
                n += 1
                client.data, path = b"", "/%d/%d" % (number, n)
                client.methods = []
                try:
                    assert json.loads(client.ask(get(path)).body)["target"] == path
                    done[0] += 1
                except (AssertionError, ValueError) as error:
                    lost.append(str(error))
                    return
    threads = [threading.Thread(target=load, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    counts = []
    for n in range(50):
        if n % 5 == 4:
            proxy.write("dragoman.yaml", "listen: [")
        else:
            proxy.save()
        before = proxy.log().count("reload")
        proxy.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: proxy.log().count("reload") > before, 3, "reload %d" % n)
        counts.append((descriptors(proxy), resident_kb(proxy)))
    stop.set()
    for thread in threads:
        thread.join()
    assert not lost and done[0] > 200, (done, lost[:3])
    assert counts[-1][0] <= counts[5][0] + 4, [c[0] for c in counts]
    assert re.search("asan|tsan", s.binary) or counts[-1][1] < counts[10][1] * 1.05 + 500, [c[1] for c in counts]


@fault
def descriptors_that_run_out_pause_and_come_back(s):
    proxy, _ = s.start(None, {"limits": {"connections": 1000}})
    resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE, (64, 64))
    clients = [Client(proxy.port) for _ in range(100)]
    with contextlib.ExitStack() as stack:
        for client in clients:
            stack.enter_context(client)
        time.sleep(0.3)
        with open("/proc/%d/stat" % proxy.process.pid) as stat:
            before = sum(map(int, stat.read().split()[13:15]))
        reply = clients[0].ask(get("/"))
        assert reply.status == 503 and reply.get("retry-after"), reply.status
        time.sleep(1)
        with open("/proc/%d/stat" % proxy.process.pid) as stat:
            spent = sum(map(int, stat.read().split()[13:15])) - before
        assert spent < 20, "it spins: %d ticks in a second" % spent
    with Client(proxy.port) as client:
        assert client.ask(get("/after"), seconds=2).status == 200
    assert proxy.log().count("accepting pauses") < 40


@fault
def those_who_never_read_hold_little(s):
    """Floods of pipelined requests and large answers that nobody takes: memory stays bounded, and the send
    deadline ends it."""
    body = answer_bytes(b"x" * (4 << 20), fields=b"")
    proxy, up = s.start(lambda _, request: body if request.target == "/big" else harness.echo(_, request),
                        {"timeouts": dict(harness.TIMEOUTS, send="2s", answer="9s")})
    flood = b"OPTIONS * HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n" * 200000
    before = resident_kb(proxy)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(proxy.port, receive_buffer=4096)) for _ in range(60)]
        for n, client in enumerate(clients):
            client.sock.settimeout(0.2)
            with contextlib.suppress(OSError):
                client.sock.sendall(get("/big") if n % 10 else flood)
        grown = resident_kb(proxy) - before
        assert grown < 60 * 2 * 64 + (20000 if re.search("asan|tsan", s.binary) else 4000), "%d kB" % grown
        with Client(proxy.port) as probe:
            assert probe.ask(get("/probe")).status == 200
        harness.wait_until(lambda: descriptors(proxy) < 40, 6, "the send deadline")


@fault
def resets_leave_nothing_behind(s):
    def answer(_, request):
        time.sleep(0.02)
        return harness.echo(_, request)
    proxy, up = s.start(answer)
    with Client(proxy.port) as client:
        assert client.ask(get("/")).status == 200
    before = descriptors(proxy)
    for n in range(300):
        client = Client(proxy.port)
        client.sock.send((get("/x"), post("/y", b"x" * 5000)[:3000], b"GET / HT", b"", get("/z") * 5)[n % 5])
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sock.close()
    harness.wait_until(lambda: descriptors(proxy) <= before + 12, 4, "descriptors")
    assert not [r for r in up.seen() if r.target == "/y"], "half a request was whole to the backend"
    with Client(proxy.port) as client:
        assert client.ask(get("/")).status == 200


# ---- logs and fields

@fault
def nobody_forges_fields_or_lines(s):
    def answer(connection, request):
        if request.target.startswith("/bad"):
            connection.send(b"HTTP/1.1 200 OK\r\nX: a\x0bb\r\n\r\n")
            raise Upstream.Close
        return answer_bytes(b"{}", fields=b"Location: /x%0d%0aSet-Cookie:%20a=1\r\nConnection: X-A\r\nX-A: 1\r\n")
    proxy, up = s.start(answer)
    with Client(proxy.port) as client:
        client.ask(get("/a%0d%0aX-Evil:%201?b%0d%0a", "X-Forwarded-For: 1.2.3.4", "Forwarded: for=x", "X-Real: a%0d%0ab",
                       "Connection: X-Forwarded-For, Host, Via, X-Mine", "X-Mine: 1"))
        for n in range(50):
            client.ask(get("/bad%0a2026-01-01T00:00:00Z%20error:%20forged"))
    request = up.seen()[0]
    assert request.all("x-forwarded-for") == [b"127.0.0.1"] and len(request.all("host")) == 1
    assert not request.all("x-evil") and not request.all("forwarded") and not request.all("x-mine")
    lines = proxy.log().splitlines()
    assert all(line[:4] == "2026" or line[:4].isdigit() for line in lines) and len(lines) < 30, lines[-3:]


# ---- all of it at once

class Chaos:
    """Clients and a backend that misbehave at random, from a seed. Whatever is answered whole carries the token of
    its own request; no POST arrives twice; and the proxy lives."""

    def __init__(self, seed, proxy, up, tls):
        self.seed, self.proxy, self.up, self.tls = seed, proxy, up, tls
        self.crossed, self.whole = [], 0
        self.dice = random.Random(seed)

    def answer(self, connection, request):
        token = re.search(rb"token=(\d+)", request.head).group(1)
        dice = random.Random(b"%d %s" % (self.seed, token))
        body = b'{"data":{"token":"%s","pad":"%s"}}' % (token, b"p" * dice.choice((0, 10, 5000, 16300, 60000)))
        kind = dice.randrange(14)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        plain = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
        if request.method == "HEAD":
            return plain[:-len(body)]
        if kind == 0:
            connection.reset()
        if kind == 1:
            connection.send(plain[:dice.randrange(len(plain))])
            raise Upstream.Close
        if kind == 2:
            connection.send(plain)
            raise Upstream.Close
        if kind == 3:
            connection.send(head + b"\r\n" + body)
            raise Upstream.Close
        if kind == 4:
            connection.send(plain + plain[:20])
            return None
        if kind == 5:
            time.sleep(0.02)
        if kind == 6:
            connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        if kind == 7:
            half = len(plain) // 2
            connection.send(plain[:half], plain[half:], pause=0.01)
            return None
        if kind < 11:
            return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, dice.choice((7000, 999, 20000)))
        return plain

    def request(self):
        dice = self.dice
        token = dice.randrange(1 << 48)
        path = dice.choice(("/api/v1/t/x?token=%d", "/api/v2/t/x?token=%d", "/plain?token=%d")) % token
        kind = dice.randrange(6)
        body = b'{"a":"%s"}' % (b"b" * dice.choice((0, 100, 16370, 50000)))
        if kind < 3:
            return token, dice.choice(("GET", "GET", "HEAD")), path, None
        return token, "POST", path, body

    def data(self, method, path, body):
        if body is None:
            return get(path).replace(b"GET", method.encode(), 1)
        if self.dice.randrange(2):
            return post(path, body)
        head = post(path, b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        return head + chunked(body, self.dice.choice((3000, 17000)))

    def client(self):
        dice = self.dice
        asked = [self.request() for _ in range(dice.choice((1, 1, 2, 5)))]
        data = b"".join(self.data(*r[1:]) for r in asked)
        end = dice.randrange(8)
        if end == 0:
            data = data[:dice.randrange(1, len(data))]
        with (TlsClient(*self.tls) if dice.randrange(3) == 0 else Client(self.proxy.port)) as client:
            client.methods = [r[1] for r in asked]
            step = dice.choice((len(data), 5000, 700))
            client.send(*[data[at:at + step] for at in range(0, len(data), step)][:200])
            if end == 1:
                client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if end == 2 and type(client) is Client:
                client.half_close()
            client.wait(len(asked), 0.3 if end == 0 else 1.5)
            for reply, (token, method, _, _) in zip(client.finals(), asked):
                if reply.status == 200 and reply.complete and method != "HEAD":
                    self.whole += 1
                    if b'"token":"%d"' % token not in reply.body:
                        self.crossed.append((token, reply.body[:80]))

    def run(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.proxy.process.poll() is None:
            try:
                self.client()
            except OSError:
                pass


@fault
def nothing_is_mixed_up_when_everything_goes_wrong(s, seed=1, seconds=6, threads=6):
    pack = make_pack("  GET /t/{n}:\n    response: [{wrap: data}]\n"
                     "  POST /t/{n}:\n    request: [{rename: {a: b}}]\n    response: [{wrap: data}]\n")
    certs, port = make_certs(s.binary), harness.free_port()
    chaos = []
    proxy, up = s.start(lambda *both: chaos[0].answer(*both), dict(listen_tls(port, certs), packs=[pack], unmatched="pass",
                        timeouts=dict(harness.TIMEOUTS, answer="1s", body="1s")))
    chaos += [Chaos(seed * 100 + n, proxy, up, (port, certs)) for n in range(threads)]
    running = [threading.Thread(target=one.run, args=(seconds,)) for one in chaos]
    for thread in running:
        thread.start()
    while any(thread.is_alive() for thread in running):
        time.sleep(0.3)
        proxy.process.send_signal(signal.SIGHUP)
    assert proxy.process.poll() is None
    crossed, whole = sum((one.crossed for one in chaos), []), sum(one.whole for one in chaos)
    assert not crossed and whole > 100, (whole, crossed[:3])
    posts = [re.search(rb"token=(\d+)", r.head).group(1) for r in up.seen() if r.method == "POST"]
    assert len(posts) == len(set(posts)), "a POST was doubled"
    with Client(proxy.port) as client:
        client.send(get("/plain?token=5"))
        assert client.wait(1, 2)


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, FAULTS))
