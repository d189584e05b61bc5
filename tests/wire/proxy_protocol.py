#!/usr/bin/env python3
"""The PROXY protocol (HAProxy's proxy-protocol.txt), versions 1 and 2, from balancers and towards backends.

  proxy_protocol.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import sys
import time

import harness
import scenarios
from harness import Client, get, wait_until

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 443\r\n"
V6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 40000 443\r\n"
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def v2(source="192.0.2.7", target="192.0.2.1", family=socket.AF_INET, command=1, more=b""):
    address = socket.inet_pton(family, source) + socket.inet_pton(family, target) + struct.pack("!HH", 40000, 443)
    kind = 0x11 if family == socket.AF_INET else 0x21
    return SIGNATURE + bytes([0x20 | command, kind]) + struct.pack("!H", len(address) + len(more)) + address + more


def entrance(s, **config):
    """A proxy with a second listener that wants the PROXY protocol; its port, and the upstream."""
    port = harness.free_port()
    proxy, up = s.start(config={"listen": [{"address": "127.0.0.1:%d" % port, "proxy_protocol": True}], **config})
    return proxy, up, port


@scenario
def the_address_that_is_told_is_the_clients(s):
    """In X-Forwarded-For, in the log, and for trusted_proxies."""
    proxy, up, port = entrance(s, access_log="access.log", trusted_proxies="192.0.2.0/24")
    tlv = b"\x05\0\3abc"
    told = [(V1, b"192.0.2.7"), (V6, b"2001:db8::7"), (v2(), b"192.0.2.7"), (v2(more=tlv * 80), b"192.0.2.7"),
            (v2("2001:db8::7", "2001:db8::1", socket.AF_INET6), b"2001:db8::7"), (v2(command=0), b"127.0.0.1"),
            (b"PROXY UNKNOWN\r\n", b"127.0.0.1"), (SIGNATURE + b"\x20\0\0\0", b"127.0.0.1")]
    for header, address in told:
        with Client(port) as client:
            client.send(header + get("/1", "X-Forwarded-For: 203.0.113.9"))
            assert client.wait(1)[0].status == 200
            before = b"203.0.113.9, " if address == b"192.0.2.7" else b""
            assert up.seen()[-1].all("x-forwarded-for") == [before + address], (header, up.seen()[-1].fields)
            assert client.ask(get("/2")).status == 200, "once a connection"
            assert up.seen()[-1].get("x-forwarded-for") == address
    path = os.path.join(proxy.folder, "access.log")
    wait_until(lambda: open(path).read().count("\n") == 2 * len(told), 2, "the log")
    with open(path) as log:
        assert [json.loads(line)["client"].encode() for line in log][::2] == [address for _, address in told]
    with Client(proxy.port) as client:
        assert client.ask(get("/")).status == 200, "the other listener wants none"


@scenario
def it_may_come_in_any_pieces(s):
    _, up, port = entrance(s)
    for header in (V1, v2(more=b"\x04\0\1x")):
        data = header + get("/")
        with Client(port) as client:
            client.send(*[data[i:i + 1] for i in range(len(data))], pause=0.001)
            assert client.wait(1)[0].status == 200
            assert up.seen()[-1].get("x-forwarded-for") == b"192.0.2.7"


@scenario
def who_does_not_speak_it_is_cut(s):
    proxy, up, port = entrance(s, timeouts=dict(harness.TIMEOUTS, head="500ms"))
    bad = [get("/"), b"PROXY TCP4 192.0.2.7 192.0.2.1 40000\r\n" + get("/"), b"PROXY TCP4 " + b"1" * 200,
           V1[:-2] + b"\n" + get("/"), SIGNATURE + b"\x21\x11\xff\xff", SIGNATURE + b"\x21\x11\0\1x", b"\x16\x03\x01",
           SIGNATURE + b"\x31\x11\0\x0c" + b"x" * 12, b"\r\n\r\n\r\n"]
    for data in bad:
        with Client(port) as client:
            client.send(data)
            assert client.wait_closed(0.4) and not client.data, (data, client.data)
    for data in (b"", V1[:20], SIGNATURE):
        began = time.monotonic()
        with Client(port) as client:
            client.send(data)
            assert client.wait_closed(2) and not client.data and time.monotonic() - began > 0.3, "a time limit"
    assert not up.seen() and "PROXY protocol" in proxy.log()


@scenario
def it_comes_before_tls(s):
    folder = s.folder()
    subprocess.run([s.binary, "certs", folder, "localhost"], check=True, capture_output=True)
    port = harness.free_port()
    files = {"cert": os.path.join(folder, "server.crt"), "key": os.path.join(folder, "server.key")}
    _, up = s.start(config={"listen": [{"address": "127.0.0.1:%d" % port, "tls": files, "proxy_protocol": True}]})
    context = ssl.create_default_context(cafile=os.path.join(folder, "ca.crt"))
    for header in (V1, v2()):
        with socket.create_connection(("127.0.0.1", port), 3) as raw:
            raw.sendall(header)
            with context.wrap_socket(raw, server_hostname="localhost") as sock:
                sock.sendall(get("/"))
                assert sock.recv(100).startswith(b"HTTP/1.1 200")
        assert up.seen()[-1].get("x-forwarded-for") == b"192.0.2.7" and up.seen()[-1].get("x-forwarded-proto") == b"https"
    with socket.create_connection(("127.0.0.1", port), 3) as raw:
        try:
            context.wrap_socket(raw, server_hostname="localhost")
            raise AssertionError("a handshake without it")
        except OSError:
            pass


class Balanced(harness.Upstream):
    """Takes the header off each connection first."""

    def __init__(self, answer=None):
        self.headers = []
        super().__init__(answer)

    def _exchange(self, connection):
        start = connection.sock.recv(12, socket.MSG_WAITALL)
        if start == SIGNATURE:
            rest = connection.sock.recv(4, socket.MSG_WAITALL)
            rest += connection.sock.recv(struct.unpack("!H", rest[2:])[0], socket.MSG_WAITALL) if rest[3] else b""
        else:
            rest = b""
            while not rest.endswith(b"\r\n"):
                rest += connection.sock.recv(1)
        self.headers.append(start + rest)
        super()._exchange(connection)


@scenario
def backends_are_told_whom_a_connection_is_for(s):
    for version in ("v1", "v2"):
        up = Balanced()
        path = os.path.join(s.folder(), "front.sock")
        proxy, _, port = entrance(s, upstream={"url": "http://127.0.0.1:%d" % up.port, "send_proxy": version})
        with Client(proxy.port) as client:
            ours = client.sock.getsockname()
            assert client.ask(get("/1")).status == 200 and client.ask(get("/2")).status == 200
        with Client(port) as client:
            client.send(V6 + get("/3"))
            assert client.wait(1)[0].status == 200
        proxy.reload(listen=["127.0.0.1:%d" % proxy.port, "unix:" + path])
        with scenarios.reached(path) as client:
            assert client.ask(get("/4")).status == 200
        want = [b"PROXY TCP4 127.0.0.1 127.0.0.1 %d %d\r\n" % (ours[1], proxy.port)] * 2 + [V6, b"PROXY UNKNOWN\r\n"]
        if version == "v2":
            own = SIGNATURE + b"\x21\x11\0\x0c" + socket.inet_aton("127.0.0.1") * 2 + \
                struct.pack("!HH", ours[1], proxy.port)
            want = [own, own, v2("2001:db8::7", "2001:db8::1", socket.AF_INET6), SIGNATURE + b"\x21\0\0\0"]
        assert up.headers == want, (up.headers, want)
        assert len({r.connection for r in up.seen()}) == 4, "a connection speaks for one client, once"
        up.close()


@scenario
def mistakes_are_named_where_they_are(s):
    proxy, _ = s.start()
    for change, where in (({"upstream": {"url": "http://127.0.0.1:9", "send_proxy": "v3"}}, "'v1' or 'v2'"),
                          ({"listen": [{"address": "127.0.0.1:0", "proxy_protocol": "sure"}]}, "true or false")):
        before = proxy.log().count("reload refused")
        proxy.reload(**change)
        wait_until(lambda: proxy.log().count("reload refused") > before, 2, "the refusal")
        assert re.search(r"dragoman\.yaml:\d+:\d+: error: .*%s" % where, proxy.log()), proxy.log()


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
