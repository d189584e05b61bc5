#!/usr/bin/env python3
"""What a transforming intermediary owes both sides, where no other file says it: ranges, cookies, what is not JSON, the
form of its own errors, the fields of the way. docs/http.md is the list.

  transforming.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import json
import sys

import scenarios
from harness import Client, answer_bytes, get, post

NEW = b'{"data":{"id":"ord_1","amount":234.40,"status":"active"}}'
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


@scenario
def ranges_are_not_asked_for_where_the_answer_is_translated(s):
    """RFC 9110 14: a part of what the backend has is no part of what the client sees."""
    def answer(_, request):
        if request.target.endswith("/part"):
            return answer_bytes(NEW[:20], "206 Partial Content", b"Content-Type: application/json\r\n"
                                b"Content-Range: bytes 0-19/%d\r\n" % len(NEW))
        return answer_bytes(NEW, fields=b'Content-Type: application/json\r\nAccept-Ranges: bytes\r\nETag: "a"\r\n')
    proxy, up = s.start(answer, {"packs": [scenarios.ORDERS]})
    asked = ("Range: bytes=0-19", 'If-Range: "a"')
    with Client(proxy.port) as client:
        old = client.ask(get("/api/v1/orders/1", *asked))
        assert old.status == 200 and b"total" in old.body and not old.all("accept-ranges")
        assert not up.seen()[-1].all("range") and not up.seen()[-1].all("if-range")
        part = client.ask(get("/api/v1/orders/part"))
        assert part.status == 502 and b"part" in part.body and b"ord_1" not in part.body, part.body
        same = client.ask(get("/api/v2/orders/1", *asked))
        assert same.get("accept-ranges") == b"bytes"
        assert up.seen()[-1].all("range") == [b"bytes=0-19"] and up.seen()[-1].all("if-range") == [b'"a"']


@scenario
def cookies_come_back_to_the_clients_version(s):
    """RFC 6265 5.1.4: a Path of the backend's version is none of the client's."""
    cases = {"a=1; Path=/api/v2; Secure": "a=1; Path=/api/v1; Secure",
             "b=path=/api/v2;path = /api/v2/ ;HttpOnly": "b=path=/api/v2;path = /api/v1/ ;HttpOnly",
             "c=1; Path=/api/v2/orders/count": "c=1; Path=/api/v1/order-count",
             "d=1; Path=/api/v2/files/x": "d=1; Path=/api/v1/files/x",
             "e=1; Path=/api/v22; Max-Age=9": "e=1; Path=/api/v22; Max-Age=9",
             "f=1; Path=/; Domain=h.example": "f=1; Path=/; Domain=h.example",
             "g=1; Path=; Path=/other/api/v2": "g=1; Path=; Path=/other/api/v2",
             "h=/api/v2; Expires=Wed, 09 Jun 2027 10:18:14 GMT;": "h=/api/v2; Expires=Wed, 09 Jun 2027 10:18:14 GMT;"}

    def answer(_, request):
        lines = "".join("Set-Cookie: %s\r\n" % cookie for cookie in cases)
        return answer_bytes(NEW, fields=b"Content-Type: application/json\r\n" + lines.encode())
    proxy, _ = s.start(answer, {"packs": [scenarios.ORDERS]})
    with Client(proxy.port) as client:
        old = client.ask(get("/api/v1/orders/1"))
        assert [c.decode() for c in old.all("set-cookie")] == list(cases.values()), old.all("set-cookie")
        new = client.ask(get("/api/v2/orders/1"))
        assert [c.decode() for c in new.all("set-cookie")] == list(cases)


@scenario
def what_is_not_json_passes_and_broken_json_does_not(s):
    """RFC 8259, RFC 6839 3.1: by its media type."""
    bodies = {"csv": ("text/csv", b"id,total\n1,2\n"), "xml": ("application/xml", b"<data/>"),
              "suffix": ("application/vnd.x+json; a=b", NEW), "cut": ("application/json", NEW[:-2]),
              "twice": ("application/problem+json", NEW + NEW), "bytes": ("application/json", b'{"data":{"id":"\xff"}}'),
              "utf16": ("application/json; charset=utf-16", NEW)}

    def answer(_, request):
        kind, body = bodies[request.target.rsplit("_", 1)[1]] if "_" in request.target else bodies["suffix"]
        return answer_bytes(body, fields=b"Content-Type: %s\r\n" % kind.encode())
    proxy, up = s.start(answer, {"packs": [scenarios.ORDERS]})
    with Client(proxy.port) as client:
        for name in ("csv", "xml"):
            reply = client.ask(get("/api/v1/orders/a_" + name))
            assert reply.status == 200 and reply.body == bodies[name][1]
        assert b"total" in client.ask(get("/api/v1/orders/a_suffix")).body
        for name in ("cut", "twice", "bytes", "utf16"):
            reply = client.ask(get("/api/v1/orders/a_" + name))
            assert reply.status == 502 and b"ord_1" not in reply.body, (name, reply.body)
        asked = len(up.seen())
        for body in (b'{"total":1', b'{"total":1}{}', b'{"total":"\xff"}', b""):
            with Client(proxy.port) as other:
                reply = other.ask(post("/api/v1/orders", body))
                assert reply.status == 400 or not body, (body, reply.status)
        assert len(up.seen()) <= asked + 1, "what is broken never reaches the backend"
        text = client.ask(post("/api/v1/orders", b"total,1").replace(b"application/json", b"text/csv"))
        assert text.status == 200 and up.seen()[-1].body == b"total,1"


@scenario
def errors_of_our_own_have_a_stable_form(s):
    """RFC 9457, RFC 9209."""
    proxy, up = s.start(lambda *_: answer_bytes(b"{", fields=b"Content-Type: application/json\r\n"),
                        {"packs": [scenarios.ORDERS]})
    with Client(proxy.port) as client:
        bad = client.ask(get("/api/v1/orders/1"))
        told = json.loads(bad.body)
        assert bad.status == told["status"] == 502 and bad.get("content-type") == b"application/problem+json"
        assert told["type"] == "urn:dragoman:problem:upstream-body" and told["title"] and told["detail"]
        assert bad.get("proxy-status").startswith(b"dragoman; error="), bad.fields
        ours = client.ask(get("/api/v9/orders"))
        assert ours.status == 404 and json.loads(ours.body)["type"] == "urn:dragoman:problem:unknown-version"
        assert not ours.all("proxy-status"), "the backend had no part in it"


@scenario
def forwarded_is_continued_from_trusted_peers_only(s):
    """RFC 7239 4, 5, 8.1."""
    claim = ("Forwarded: for=203.0.113.9;proto=https", 'Forwarded: for="[2001:db8::1]"')
    proxy, up = s.start()
    with Client(proxy.port) as client:
        client.ask(get("/", *claim))
        assert not up.seen()[-1].all("forwarded")
    proxy, up = s.start(config={"trusted_proxies": ["127.0.0.1"]})
    with Client(proxy.port) as client:
        client.ask(get("/", *claim))
        assert up.seen()[-1].all("forwarded") == [
            b'for=203.0.113.9;proto=https, for="[2001:db8::1]", for=127.0.0.1;proto=http'], up.seen()[-1].fields
        client.ask(get("/"))
        assert not up.seen()[-1].all("forwarded"), "X-Forwarded-For says it"


@scenario
def what_has_no_clear_type_is_not_passed_where_it_would_be_translated(s):
    """RFC 9110 5.3, 8.3: recipients differ in what they make of an empty, malformed or second Content-Type."""
    types = ["", "json", "application", "application /json", ";charset=utf-8", "text/plain, application/json",
             "text/plain;a=b, application/json", "text/plain\r\nContent-Type: application/json",
             "text/plain\r\nContent-Type: text/plain"]
    said = [types[0]]

    def answer(_, request):
        fields = "Content-Type: %s\r\n" % (said[0] if request.method == "GET" else "application/json")
        return answer_bytes(NEW, fields=fields.encode())
    proxy, up = s.start(answer, {"packs": [scenarios.ORDERS]})
    for said[0] in types:
        with Client(proxy.port) as client:
            sent = post("/api/v1/orders", b'{"total":1}').replace(b"application/json", said[0].encode())
            assert client.ask(sent).status == 415, said
        assert not up.seen(), said
        with Client(proxy.port) as client:
            refused = client.ask(get("/api/v1/orders/1"))
            assert refused.status == 502 and b"ord_1" not in client.data, said
            assert client.ask(get("/api/v2/orders/1")).body == NEW, said
        up.reset()
    for said[0] in ("text/csv", "application/json-seq", 'text/plain; a=","'):
        with Client(proxy.port) as client:
            sent = post("/api/v1/orders", b'{"total":1}').replace(b"application/json", said[0].encode())
            assert client.ask(sent).status == 200 and up.seen()[-1].body == b'{"total":1}', said
            assert client.ask(get("/api/v1/orders/1")).body == NEW, said


@scenario
def interim_answers_are_in_the_clients_version(s):
    """RFC 9110 8.6: without a length, too."""
    def answer(connection, _):
        connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </api/v2/orders/count>; rel=preload\r\nAPI-Version: v2\r\n"
                        b"X-Request-Id: theirs\r\nContent-Length: 5\r\nX-Hint: 1\r\n\r\n")
        return answer_bytes(NEW)
    proxy, _ = s.start(answer, {"packs": [scenarios.ORDERS]})
    with Client(proxy.port) as client:
        assert b"total" in client.ask(get("/api/v1/orders/1")).body
        assert client.data.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </api/v1/order-count>; rel=preload\r\n"
                                      b"X-Hint: 1\r\n\r\nHTTP/1.1 200 OK\r\n"), client.data


@scenario
def names_that_backends_would_read_as_ours_go_no_further(s):
    """Those that turn fields into variables take '_' for '-'."""
    proxy, up = s.start(None, {"packs": [scenarios.ORDERS]})
    forged = ("X_Forwarded_For: 6.6.6.6", "x_forwarded-proto: https", "API_Version: v1", "X_Request_ID: mine",
              "X_Other: stays")
    with Client(proxy.port) as client:
        assert client.ask(get("/api/v2/orders/1", *forged)).status == 200
        sent = up.seen()[0]
        assert sent.all("x_other") == [b"stays"]
        assert not any(sent.all(line.split(":")[0].lower()) for line in forged[:-1]), up.received


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
