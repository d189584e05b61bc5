#!/usr/bin/env python3
"""Upgrades (RFC 9110 7.8, 15.2.2): WebSocket (RFC 6455) and others, through the proxy after the 101 only.

  upgrades.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import base64
import contextlib
import hashlib
import json
import os
import re
import ssl
import struct
import subprocess
import sys
import threading
import time

import harness
import scenarios
from harness import Client, Upstream, answer_bytes, get, post, wait_until

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n%s\r\n"
ECHO = {"upgrades": ["websocket", "echo"]}
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def receive(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        assert more, "ended after %d of %d bytes" % (len(data), count)
        data += more
    return data


def frame(payload, opcode, mask=None):
    """RFC 6455 5.2."""
    size = len(payload)
    head = bytes([0x80 | opcode])
    flag = 0x80 if mask else 0
    head += bytes([flag | size]) if size < 126 else struct.pack("!BH", flag | 126, size) if size < 65536 \
        else struct.pack("!BQ", flag | 127, size)
    if not mask:
        return head + payload
    wide = int.from_bytes(payload, "big") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return head + mask + wide.to_bytes(size, "big")


def read_frame(sock):
    first, second = receive(sock, 2)
    size = second & 0x7F
    size = struct.unpack("!H", receive(sock, 2))[0] if size == 126 else \
        struct.unpack("!Q", receive(sock, 8))[0] if size == 127 else size
    mask = receive(sock, 4) if second & 0x80 else b""
    payload = receive(sock, size)
    if mask:
        wide = int.from_bytes(payload, "big") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        payload = wide.to_bytes(size, "big")
    return first & 0x0F, payload


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


def web_socket_echo(connection, request):
    if request.get("upgrade") != b"websocket":
        return harness.echo(connection, request)
    assert request.get("connection").lower() == b"upgrade", request.all("connection")
    connection.send(SWITCH % (b"websocket", b"Sec-WebSocket-Accept: %s\r\n"
                              % accept_of(request.get("sec-websocket-key"))))
    while True:
        opcode, payload = read_frame(connection.sock)
        connection.send(frame(payload, opcode))
        if opcode == 8:
            raise Upstream.Close


def open_tunnel(client, target="/up", protocol="echo", *fields):
    """Sends the request and reads the 101; bytes behind its head stay in client.data."""
    client.send(get(target, "Connection: Upgrade", "Upgrade: " + protocol, *fields))
    wait_until(lambda: (client.pump(0.02), b"\r\n\r\n" in client.data)[1], 2, "the 101")
    head, client.data = client.data.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 101 "), head
    return head


def upper(connection, request):
    """Switches to a protocol that answers in capitals and ends when the client has."""
    if not request.all("upgrade"):
        return harness.echo(connection, request)
    connection.send(SWITCH % (request.get("upgrade").split(b",")[0], b""))
    while True:
        data = connection.sock.recv(65536)
        if not data:
            connection.send(b"END")
            raise Upstream.Close
        connection.send(data.upper())


@scenario
def a_web_socket_speaks_through_the_proxy(s):
    """RFC 6455 4 and 5; RFC 9110 7.8."""
    proxy, up = s.start(web_socket_echo, {"upgrades": "websocket", "access_log": "access.log"})
    key = base64.b64encode(os.urandom(16))
    with Client(proxy.port) as client:
        head = open_tunnel(client, "/chat?room=1", "websocket", "Sec-WebSocket-Version: 13", "Origin: http://h.example",
                           "Sec-WebSocket-Key: " + key.decode())
        lines = [line.lower() for line in head.split(b"\r\n")]
        assert lines.count(b"connection: upgrade") == 1 and lines.count(b"upgrade: websocket") == 1, head
        assert b"sec-websocket-accept: " + accept_of(key).lower() in lines, head
        assert not client.data
        client.sock.settimeout(10)
        for payload, opcode in ((b"hello", 1), (b"", 2), (os.urandom(200), 2), (os.urandom(70000), 2),
                                (b"are you there", 9), (os.urandom(3 << 20), 2)):
            sender = threading.Thread(target=client.sock.sendall, args=(frame(payload, opcode, os.urandom(4)),))
            sender.start()
            assert read_frame(client.sock) == (opcode, payload)
            sender.join()
        client.sock.sendall(frame(b"\x03\xe8", 8, b"abcd"))
        assert read_frame(client.sock) == (8, b"\x03\xe8")
        client.half_close()
        assert client.wait_closed()
    request = up.seen()[0]
    assert request.target == "/chat?room=1" and request.get("sec-websocket-version") == b"13"
    path = os.path.join(proxy.folder, "access.log")
    wait_until(lambda: os.path.exists(path) and os.path.getsize(path), 2, "the log")
    with open(path) as log:
        line = json.loads(log.readline())
    assert line["status"] == 101 and line["bytes"] > 3 << 20 and line["bytes_in"] > 3 << 20, line
    assert "problem" not in line, line


@scenario
def only_what_the_client_offered_and_the_operator_allows_goes_on(s):
    """RFC 9110 7.8; a tunnel with HTTP in it would pass requests in any version."""
    proxy, up = s.start(upper, ECHO)
    with Client(proxy.port) as client:
        open_tunnel(client, "/a", "h2c, HTTP/2.0, shell, TLS/1.2, Echo/2, echo/2 3, WebSocket",
                    "HTTP2-Settings: AAMAAABkAAQ")
        assert up.seen()[-1].get("upgrade") == b"Echo/2, WebSocket"
    for fields in (("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQ"),
                   ("Upgrade: echo",), ("Connection: upgrade",)):
        with Client(proxy.port) as client:
            assert client.ask(get("/b", *fields)).status == 200
        assert not up.seen()[-1].all("upgrade") and not up.seen()[-1].all("connection")
    with Client(proxy.port) as client:  # RFC 9110 7.8: ignored in HTTP/1.0
        client.send(b"GET /c HTTP/1.0\r\nHost: h.example\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
        assert client.wait(1)[0].status == 200
    with Client(proxy.port) as client:  # content first would have to be read first
        assert client.ask(post("/d", b"{}", "Connection: upgrade", "Upgrade: echo")).status == 200
        assert client.ask(get("/e")).status == 200


@scenario
def without_permission_there_is_no_upgrade(s):
    proxy, up = s.start(upper)
    with Client(proxy.port) as client:
        assert client.ask(get("/a", "Connection: Upgrade", "Upgrade: websocket")).status == 200
    assert not up.seen()[0].all("upgrade")
    for protocol in ("h2c", "http", "a b", ""):
        proxy.reload(upgrades=["websocket", protocol])
        wait_until(lambda: proxy.log().count("reload refused") == 1, 3, "the refusal of %r" % protocol)
        assert re.search(r"dragoman\.yaml:\d+:\d+: error: .*(protocol|upgraded)", proxy.log()), proxy.log()
        with open(proxy.log_path, "w"):
            pass


@scenario
def a_426_says_what_to_upgrade_to(s):
    """RFC 9110 15.5.22, 7.8: with or without permission, as the backend said it; no other answer does."""
    def answer(_, request):
        status = "426 Upgrade Required" if request.target.endswith("426") else "404 Not Found"
        return answer_bytes(b'{"error":{}}', status, b"Content-Type: application/json\r\nConnection: upgrade, X-Own\r\nX-Own: 1\r\n"
                            b"Upgrade: websocket\r\nUpgrade: HTTP/3.0\r\n")
    proxy, _ = s.start(answer, {**ECHO, "packs": [scenarios.ORDERS], "unmatched": "pass"})
    with Client(proxy.port) as client:
        for target in ("/426", "/api/v1/orders/426", "/api/v2/orders/426"):
            reply = client.ask(get(target))
            assert reply.status == 426 and reply.all("upgrade") == [b"websocket", b"HTTP/3.0"], (target, reply.fields)
            assert reply.all("connection") == [b"upgrade"] and not reply.all("x-own"), reply.fields
        reply = client.ask(get("/404"))
        assert reply.status == 404 and not reply.all("upgrade") and not reply.all("connection")
        reply = client.ask(get("/426", "Connection: close"))
        assert sorted(reply.all("connection")) == [b"close", b"upgrade"] and client.wait_closed()


@scenario
def a_translated_endpoint_ignores_the_upgrade(s):
    """RFC 9110 7.8: a server may ignore it; nothing may pass untranslated."""
    new = b'{"data":{"id":"ord_1","amount":1.50,"status":"active"}}'
    proxy, up = s.start(lambda *_: answer_bytes(new), {**ECHO, "packs": [scenarios.ORDERS]})
    with Client(proxy.port) as client:
        reply = client.ask(get("/api/v1/orders/1", "Connection: Upgrade", "Upgrade: websocket"))
        assert reply.status == 200 and json.loads(reply.body)["total"] == 1.5, reply.body
    assert not up.seen()[0].all("upgrade") and not up.seen()[0].all("connection")


@scenario
def a_bad_101_is_502_and_leaks_nothing(s):
    """RFC 9110 15.2.2: it names the protocol, one of those asked for."""
    heads = {"/unasked": SWITCH % (b"echo", b""), "/other": SWITCH % (b"shell", b""),
             "/two": SWITCH % (b"echo, shell", b""), "/unnamed": b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\n\r\n",
             "/empty": SWITCH % (b"", b""), "/length": SWITCH % (b"echo", b"Content-Length: 3\r\n"),
             "/chunks": SWITCH % (b"echo", b"Transfer-Encoding: chunked\r\n"),
             "/hidden": b"HTTP/1.1 101 Switching\r\nUpgrade: echo\r\n\r\n"}

    def answer(connection, request):
        connection.send(heads[request.target] + b"SECRET")
        time.sleep(0.3)
        raise Upstream.Close
    proxy, _ = s.start(answer, ECHO)
    for target in heads:
        with Client(proxy.port) as client:
            fields = () if target == "/unasked" else ("Connection: upgrade", "Upgrade: echo")
            client.send(get(target, *fields) + b"early")
            reply = client.wait(1, 2)[0]
            assert reply.status == 502 and b"SECRET" not in client.data, (target, client.data)


@scenario
def nothing_passes_before_the_101(s):
    """What the client sends early waits for it; a refusal leaves HTTP, and it is the next request."""
    early = []

    def answer(connection, request):
        if request.target == "/no":
            return answer_bytes(b"no", "403 Forbidden")
        if request.target == "/later":
            return harness.echo(connection, request)
        connection.sock.settimeout(0.4)
        try:
            early.append(connection.sock.recv(100))
        except OSError:
            early.append(b"")
        connection.send(SWITCH % (b"echo", b"") + b"first|")
        connection.sock.settimeout(5)
        connection.send(receive(connection.sock, 5).upper())
        raise Upstream.Close
    proxy, up = s.start(answer, ECHO)
    asking = ("Connection: upgrade", "Upgrade: echo")
    with Client(proxy.port) as client:
        client.send(get("/yes", *asking) + b"early")
        wait_until(lambda: (client.pump(0.05), client.data.endswith(b"first|EARLY"))[1], 3, "the tunnel")
        assert early == [b""], early
    with Client(proxy.port) as client:
        client.send(get("/no", *asking) + get("/later"))
        assert [r.status for r in client.wait(2)] == [403, 200]
    assert [r.target for r in up.seen()][1:] == ["/no", "/later"]


@scenario
def each_side_may_end_first(s):
    """Half a close passes on; the other direction goes on."""
    def says_all(connection, _):
        connection.send(SWITCH % (b"echo", b"") + b"all")
        connection.sock.shutdown(1)
        heard.append(receive(connection.sock, 5))
        heard.append(connection.sock.recv(10))
        raise Upstream.Close
    heard = []
    proxy, up = s.start(upper, ECHO)
    with Client(proxy.port) as client:
        open_tunnel(client)
        client.send(b"a" * 300000)
        client.half_close()
        assert client.wait_closed(5) and client.data == b"A" * 300000 + b"END", len(client.data)
    wait_until(lambda: up.open == 0, 2, "the backend's connection ends as well")
    proxy, up = s.start(says_all, ECHO)
    with Client(proxy.port) as client:
        open_tunnel(client)
        assert client.wait_closed(2) and client.data == b"all"
        client.send(b"still")
        client.half_close()
        wait_until(lambda: heard == [b"still", b""], 2, "what the client still said")
    wait_until(lambda: up.open == 0, 2, "the backend's connection ends as well")


@scenario
def a_lost_side_ends_the_other(s):
    def resets(connection, _):
        connection.send(SWITCH % (b"echo", b""))
        time.sleep(0.1)
        connection.reset()
    proxy, _ = s.start(resets, ECHO)
    with Client(proxy.port) as client:
        open_tunnel(client)
        assert client.wait_closed(2)
    proxy, up = s.start(upper, ECHO)
    with Client(proxy.port) as client:
        open_tunnel(client)
        client.sock.setsockopt(harness.socket.SOL_SOCKET, harness.socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until(lambda: up.open == 0, 2, "the backend hears of it")


@scenario
def a_full_side_holds_the_other_back(s):
    """Both ways, without buffering."""
    sent, go = [0], threading.Event()

    def floods(connection, request):
        connection.send(SWITCH % (b"echo", b""))
        if request.target == "/reads-late":
            go.wait(5)
            while connection.sock.recv(1 << 20):
                pass
            raise Upstream.Close
        with contextlib.suppress(OSError):
            while sent[0] < 64 << 20:
                connection.send(b"x" * 65536)
                sent[0] += 65536
        raise Upstream.Close
    proxy, _ = s.start(floods, ECHO)
    with Client(proxy.port, receive_buffer=65536) as client:
        open_tunnel(client)
        time.sleep(0.6)
        assert 0 < sent[0] < 32 << 20, "the proxy took %d bytes that nobody read" % sent[0]
    with Client(proxy.port) as client:
        open_tunnel(client, "/reads-late")
        client.sock.settimeout(0.4)
        took = 0
        with contextlib.suppress(OSError):
            while took < 64 << 20:
                took += client.sock.send(b"y" * 65536)
        assert took < 32 << 20, "the proxy took %d bytes that nobody read" % took
        go.set()
        client.sock.settimeout(5)
        client.sock.sendall(b"z" * (4 << 20))
        client.half_close()
        assert client.wait_closed(5)


@scenario
def silence_ends_a_tunnel_and_talk_does_not(s):
    proxy, up = s.start(upper, {**ECHO, "timeouts": dict(harness.TIMEOUTS, answer="500ms", idle="500ms", tunnel="1s")})
    with Client(proxy.port) as client:
        open_tunnel(client)
        for _ in range(6):
            client.send(b"x")
            time.sleep(0.3)
        client.pump(0.1)
        assert client.data == b"X" * 6 and not client.closed, "beyond every other timeout"
        began = time.monotonic()
        assert client.wait_closed(3) and time.monotonic() - began > 0.3
    wait_until(lambda: up.open == 0, 2, "the backend's connection ends as well")


@scenario
def a_drain_ends_tunnels_after_its_time(s):
    proxy, _ = s.start(upper, {**ECHO, "timeouts": dict(harness.TIMEOUTS, drain="1s")})
    with Client(proxy.port) as client:
        open_tunnel(client)
        began = time.monotonic()
        proxy.process.terminate()
        time.sleep(0.3)
        client.send(b"still here")
        wait_until(lambda: (client.pump(0.05), client.data == b"STILL HERE")[1], 1, "the tunnel goes on")
        assert client.wait_closed(3) and 0.8 < time.monotonic() - began < 2.5
    assert proxy.process.wait(5) == 0


@scenario
def tunnels_work_over_tls(s):
    """RFC 9110 7.8 over https, with a half close in both directions of TLS (RFC 8446 6.1)."""
    folder = s.folder()
    subprocess.run([s.binary, "certs", folder, "localhost"], check=True, capture_output=True)
    port = harness.free_port()
    files = {"cert": os.path.join(folder, "server.crt"), "key": os.path.join(folder, "server.key")}
    proxy, up = s.start(upper, {**ECHO, "listen": [{"address": "127.0.0.1:%d" % port, "tls": files}]})
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with harness.socket.create_connection(("127.0.0.1", port), 3) as raw, context.wrap_socket(raw) as sock:
        sock.sendall(get("/up", "Connection: upgrade", "Upgrade: echo"))
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            data += sock.recv(1000)
        assert data.startswith(b"HTTP/1.1 101 "), data
        sock.sendall(b"q" * 100000)
        assert receive(sock, 100000) == b"Q" * 100000
        with contextlib.suppress(ssl.SSLError):  # what the backend still says behind our close_notify
            sock.unwrap()
    wait_until(lambda: up.open == 0, 2, "the backend's connection ends as well")


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
