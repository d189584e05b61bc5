#!/usr/bin/env python3
"""Trailer fields (RFC 9110 6.5, RFC 9112 7.1.2), both ways, and what becomes of those that may not pass.

  trailers.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import json
import sys

import scenarios
from harness import Client, get, post

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Content-Length, Bad Name\r\n\r\n"
FORBIDDEN = [b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Host: other", b"Trailer: X", b"Connection: close",
             b"Authorization: Basic eA==", b"Cookie: a=b", b"Set-Cookie: a=b", b"Content-Type: text/plain",
             b"content-encoding: gzip", b"Content-Language: de", b"Cache-Control: no-store", b"Location: /x",
             b"X-Forwarded-For: 6.6.6.6", b"x-forwarded-port: 1", b"Via: 1.1 x", b"If-Match: *", b"Range: bytes=0-1",
             b"TE: trailers", b"Proxy-Authorization: x", b"API-Version: v9", b"Expect: 100-continue"]
ALLOWED = [b"X-Sum: 7", b"Repr-Digest: sha-256=:AA==:", b"ETag: \"late\"", b"grpc-status: 0", b"Server-Timing: db;dur=5"]
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def body(data, trailers, size=4):
    return scenarios.chunked(data, size)[:-2] + b"".join(line + b"\r\n" for line in trailers) + b"\r\n"


def mixed():
    lines = list(ALLOWED)
    for at, line in enumerate(FORBIDDEN):
        lines.insert(2 * at % (len(lines) + 1), line)
    return lines


def trailing(kind=b"application/octet-stream", data=b"0123456789"):
    return lambda *_: HEAD % kind + body(data, mixed())


@scenario
def answers_trailers_pass_to_a_client_that_takes_them(s):
    """RFC 9110 6.5.1 and 10.1.4."""
    proxy, up = s.start(trailing())
    with Client(proxy.port) as client:
        reply = client.ask(get("/", "Connection: TE", "TE: trailers"))
        assert reply.complete and reply.body == b"0123456789"
        assert sorted(reply.trailers) == sorted(ALLOWED), reply.trailers
        assert reply.all("trailer") == [b"X-Sum"]
        assert up.seen()[0].get("te") == b"trailers" and up.seen()[0].get("connection") == b"TE"
        again = client.ask(get("/", "TE: gzip;q=0.5, Trailers"))
        assert sorted(again.trailers) == sorted(ALLOWED) and not client.closed
        assert up.seen()[1].all("te") == [b"trailers"]


@scenario
def nobody_else_gets_any(s):
    proxy, up = s.start(trailing())
    with Client(proxy.port) as client:
        for fields in ((), ("TE: gzip",), ("TE: trailers;q=0",), ("TE: xtrailers",)):
            reply = client.ask(get("/", *fields))
            assert reply.complete and not reply.trailers and not reply.all("trailer"), fields
            assert not up.seen()[-1].all("te")
    with Client(proxy.port) as client:  # RFC 9112 7.1: no chunks, so no trailers
        client.send(b"GET / HTTP/1.0\r\nTE: trailers\r\n\r\n")
        assert client.wait_closed() and client.data.endswith(b"\r\n\r\n0123456789")
        assert not up.seen()[-1].all("te")


@scenario
def cut_anywhere_they_are_the_same(s):
    whole = HEAD % b"text/plain" + body(b"abcdef", mixed(), 3)
    at = [0]

    def answer(connection, _):
        at[0] += 1
        cut = len(whole) - 3 * at[0]
        connection.send(whole[:cut], whole[cut:], pause=0.003)
    proxy, _ = s.start(answer)
    with Client(proxy.port) as client:
        for _ in range(120):
            reply = client.ask(get("/", "TE: trailers"))
            assert reply.body == b"abcdef" and sorted(reply.trailers) == sorted(ALLOWED), (at, reply.trailers)


@scenario
def translated_answers_have_none(s):
    new = b'{"data":{"id":"ord_1","amount":1.50,"status":"active"}}'
    proxy, up = s.start(trailing(b"application/json", new), {"packs": [scenarios.ORDERS]})
    with Client(proxy.port) as client:
        reply = client.ask(get("/api/v1/orders/1", "TE: trailers"))
        assert json.loads(reply.body)["total"] == 1.5 and not reply.trailers and not reply.all("trailer")
        assert not up.seen()[0].all("te"), "the backend is not led to believe that they arrive"
        assert client.ask(get("/api/v2/orders/1", "TE: trailers")).trailers, "the backend's own version passes"


@scenario
def requests_trailers_pass_where_the_body_streams(s):
    proxy, up = s.start(config={"packs": [scenarios.ORDERS], "unmatched": "pass"})
    head = b"POST %s HTTP/1.1\r\nHost: h.example\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Host\r\n\r\n"
    with Client(proxy.port) as client:
        assert client.ask(head % (b"/other", b"application/json") + body(b'{"n":1}', mixed())).status == 200
        request = up.seen()[-1]
        assert request.body == b'{"n":1}' and sorted(request.trailers) == sorted(ALLOWED), request.trailers
        assert request.all("trailer") == [b"X-Sum"] and not request.all("x-sum"), "never merged into the head"
        assert client.ask(head % (b"/api/v1/orders", b"application/json") + body(b'{"total":1}', mixed())).status == 502
        request = up.seen()[-1]
        assert not request.trailers and not request.all("trailer") and request.get("content-length")
        assert client.ask(post("/other", b"{}")).status == 200 and not client.closed


@scenario
def they_are_bounded(s):
    """As many and as large as the decoder takes, and no more."""
    proxy, up = s.start()
    head = b"POST / HTTP/1.1\r\nHost: h.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Client(proxy.port) as client:
        assert client.ask(head + body(b"x", [b"X-%d: %s" % (n, b"y" * 60) for n in range(100)])).status == 200
        assert len(up.seen()[0].trailers) == 100
        assert client.ask(head + body(b"x", [b"X-Long: " + b"y" * 9000])).status == 400 and client.wait_closed()
    with Client(proxy.port) as client:
        assert client.ask(head + body(b"x", [b"X-%d: y" % n for n in range(129)])).status == 400


@scenario
def what_only_dragoman_may_say_is_not_said_behind_a_body(s):
    """A backend that merges trailers into the head would believe who the client claims to be."""
    proxy, up = s.start(config={"client_fields": {"cn": "X-Client-CN"}, "request_id": {"field": "X-Correlation"}})
    head = b"POST / HTTP/1.1\r\nHost: h.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    forged = [b"X-Client-CN: root", b"x_client_cn: root", b"X-Correlation: mine", b"X_Forwarded_For: 6.6.6.6",
              b"Content_Length: 3"]
    with Client(proxy.port) as client:
        assert client.ask(head + body(b"x", forged + [b"X-Sum: 1"])).status == 200
        assert up.seen()[0].trailers == [b"X-Sum: 1"], up.seen()[0].trailers


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
