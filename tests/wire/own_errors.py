#!/usr/bin/env python3
"""dragoman's own errors have the shape that the client's version declares; status and fields stay.

  own_errors.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import json
import os
import sys

import harness
import scenarios
from harness import Client, Upstream, answer_bytes, get, post, wait_until

PACK = os.path.abspath(os.path.join(scenarios.ROOT, "tests", "data", "packs", "errors"))
JSON = b"Content-Type: application/json\r\n"
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def shape(version, status, title):
    """The body and its type; version None: the client's is not known, and v3 says nothing of its own."""
    if version == "v1":
        return ("%s (%d)" % (title, status)).encode(), b"text/plain"
    if version == "v2":
        return {"error": {"message": title, "status": status}}, b"application/json"
    return {"reason": title, "status": status}, b"application/json"


def expect(answer, version, status, title, proxy_status=None):
    body, kind = shape(version, status, title)
    assert answer.status == status, (version, title, answer.status, answer.body)
    assert answer.get("content-type").split(b";")[0] == kind, (title, answer.fields)
    assert answer.all("proxy-status") == ([b"dragoman; error=" + proxy_status] if proxy_status else []), answer.fields
    assert (answer.body if isinstance(body, bytes) else json.loads(answer.body)) == body, (title, answer.body)
    assert answer.get("api-version") == (version.encode() if version else None)
    assert answer.get("x-request-id")


def start(s, answer=None, **config):
    return s.start(answer, {"packs": [PACK], **config})


def ask(proxy, data, method="GET", seconds=5.0):
    with Client(proxy.port) as client:
        return client.ask(data, method, seconds)


def chunked(path, body, *fields):
    lines = "".join("%s\r\n" % field for field in fields)
    return ("POST %s HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n%sTransfer-Encoding: chunked\r\n\r\n" %
            (path, lines)).encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


@scenario
def requests_that_no_endpoint_serves(s):
    proxy, up = start(s)
    for version in ("v1", "v2", "v3"):
        base = "/e/%s" % version
        answer = ask(proxy, get(base + "/nothing"))
        expect(answer, version, 404, "There is no such endpoint in this version")
        answer = ask(proxy, get(base + "/orders/7").replace(b"GET", b"PUT"))
        expect(answer, version, 405, "The endpoint does not have this method")
        assert b"GET" in answer.get("allow")
    for version in ("v1", "v2"):
        expect(ask(proxy, get("/e/%s/legacy" % version)), version, 410, "The endpoint is gone")
    assert not up.seen()


@scenario
def requests_that_cannot_be_translated(s):
    proxy, up = start(s, limits={"body": "1KB"})
    large = b'{"total":"%s"}' % (b"x" * 2000)
    for version in ("v1", "v2"):
        path = "/e/%s/orders" % version
        cases = [
            (post(path, b'{"broken"'), 400, "The body cannot be translated"),
            (post(path, b'{"total":[1],"amount":[1]}'), 400, "The body cannot be translated"),
            (chunked(path, b'{"broken"'), 400, "The body cannot be translated"),
            (post(path, b"{}", "Content-Range: bytes 0-1/5"), 400, "The body cannot be translated"),
            (post(path, large), 413, "The body is too large to be translated"),
            (chunked(path, large), 413, "The body is too large to be translated"),
            (post(path, b"{}", "Content-Digest: sha-256=:AAAA:"), 400, "The content is not what its digest says"),
            (post(path, b"{}", "Content-MD5: AAAAAAAAAAAAAAAAAAAAAA=="), 400, "The content is not what its digest says"),
            (post(path, b"{}", "Cache-Control: no-transform"), 400, "The request forbids its transformation"),
            (post(path, b"{}", "Content-Encoding: compress"), 415, "The body's type or coding cannot be translated"),
            (post(path, b"{}").replace(b"Content-Type: application/json\r\n", b""), 415,
             "The body's type or coding cannot be translated"),
            (post(path, b"[" * 300 + b"]" * 300), 413, "The body is too large to be translated"),
            (chunked(path, b"{}").replace(b"\r\n2\r\n", b"\r\nzz\r\n"), 400, "The request is malformed"),
        ]
        for data, status, title in cases:
            expect(ask(proxy, data, "POST"), version, status, title)
    assert not up.seen()


@scenario
def a_body_that_does_not_come(s):
    proxy, up = start(s, timeouts=dict(harness.TIMEOUTS, body="300ms"))
    for version in ("v1", "v2"):
        data = post("/e/%s/orders" % version, b"{}")[:-1]
        expect(ask(proxy, data, "POST"), version, 408, "The request did not come in time")
    assert not up.seen()


@scenario
def backends_that_fail(s):
    def fail(connection, request):
        how = request.target.rsplit("/", 1)[1]
        if how == "late":
            return None
        if how == "closed":
            raise Upstream.Close
        return {
            "malformed": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n1",
            "broken": answer_bytes(b'{"data":'),
            "shape": answer_bytes(b"[]"),
            "type": answer_bytes(b"{}", fields=b""),
            "coding": answer_bytes(b"{}", fields=JSON + b"Content-Encoding: compress\r\n"),
            "part": answer_bytes(b"{}", "206 Partial Content", JSON + b"Content-Range: bytes 0-1/5\r\n"),
            "fixed": answer_bytes(b'{"data":{}}', fields=JSON + b"Cache-Control: no-transform\r\n"),
            "digest": answer_bytes(b'{"data":{}}', fields=JSON + b"Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==\r\n"),
            "large": answer_bytes(b'{"data":"%s"}' % (b"x" * 2000)),
        }[how]
    proxy, _ = start(s, fail, limits={"body": "1KB"}, timeouts=dict(harness.TIMEOUTS, answer="300ms"))
    body = ("The backend's answer cannot be translated", b"http_response_transfer_coding")
    cases = {"late": (504, "The backend did not answer in time", b"http_response_timeout"),
             "closed": (502, "The backend closed the connection", b"connection_terminated"),
             "malformed": (502, "The backend's answer is malformed", b"http_protocol_error"),
             "large": (502, "The backend's answer is too large to be translated", b"http_response_body_size"),
             **{how: (502,) + body for how in ("broken", "shape", "type", "coding", "part", "fixed", "digest")}}
    for version in ("v1", "v2"):
        for how, (status, title, error) in cases.items():
            expect(ask(proxy, get("/e/%s/orders/%s" % (version, how))), version, status, title, error)
    expect(ask(proxy, get("/e/v3/orders/late")), "v3", *cases["late"])


@scenario
def backends_that_cannot_be_reached(s):
    proxy, up = start(s)
    via = ask(proxy, get("/e/v3/orders/1")) and up.seen()[0].get("via")
    up.close()
    for version in ("v1", "v2", "v3"):
        path = "/e/%s/orders/1" % version
        wait_until(lambda: ask(proxy, get(path)).status == 502, 3, "the kept connection ends")
        expect(ask(proxy, get(path)), version, 502, "The backend cannot be reached", b"connection_refused")
        expect(ask(proxy, get(path, "Via: " + via.decode())), version, 502, "The request came through here before",
               b"proxy_loop_detected")
        with Client(proxy.port) as client:
            head = client.ask(get(path).replace(b"GET", b"HEAD"), "HEAD")
            assert head.status == 502 and not head.body
            text, _ = shape(version, 502, "The backend cannot be reached")
            text = text if isinstance(text, bytes) else json.dumps(text, separators=(",", ":")).encode() + b"\n"
            length = int(head.get("content-length"))
            assert length == len(ask(proxy, get(path)).body), "what GET would have (RFC 9110 8.6)"
            assert abs(length - len(text)) <= 1


@scenario
def requests_whose_version_is_not_known(s):
    """In the API's own shape."""
    proxy, up = start(s)
    for data, status, title in (
            (get("/e/v9/orders/7"), 404, "There is no such version"),
            (get("/e/orders/7", "API-Version: v9"), 404, "There is no such version"),
            (get("/e/v1/orders/7", "API-Version: v2"), 400, "The request names two versions"),
            (get("/e/orders/7"), 400, "The request names no version")):
        answer = ask(proxy, data)
        expect(answer, None, status, title)
        assert answer.get("vary") == b"API-Version"
        head = ask(proxy, data.replace(b"GET", b"HEAD"), "HEAD")
        assert head.status == status and not head.body and int(head.get("content-length")) == len(answer.body)
    assert not up.seen()


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
