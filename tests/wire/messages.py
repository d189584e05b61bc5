#!/usr/bin/env python3
"""Whole messages: queries, paths, header fields, statuses, formats, and endpoints of one version.

  messages.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import gzip
import json
import os
import sys

import scenarios
from harness import Client, answer_bytes, get, post, wait_until

PACKS = os.path.abspath(os.path.join(scenarios.ROOT, "tests", "data", "packs"))
POSTS, ENGINE = os.path.join(PACKS, "posts"), os.path.join(PACKS, "engine")
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def request(method, path, *fields):
    return get(path, *fields).replace(b"GET", method.encode(), 1)


def form(path, body):
    return post(path, body).replace(b"application/json", b"application/x-www-form-urlencoded")


def text(body, status):
    return answer_bytes(body, status=status, fields=b"Content-Type: text/plain; charset=utf-8\r\n")


@scenario
def query_parameters_change_and_the_others_keep_their_bytes(s):
    proxy, up = s.start(lambda *_: text(b"x", "200 OK"), {"packs": [POSTS]})
    rows = [("/v0/posts?_expand=post", "/v1/posts?_embed=post"),
            ("/v0/posts?b=%7e+x&_limit=2&a=%20&_page=1", "/v1/posts?b=%7e+x&_per_page=2&a=%20&_page=1"),
            ("/v0/posts?_sort=views,title&_order=desc,asc", "/v1/posts?_sort=-views,title"),
            ("/v0/posts?t=1&x=2&t=3", "/v1/posts?t=1&x=2&t=3"),
            ("/v0/posts?a[0]=%41&a[0]=2", "/v1/posts?a[0]=%41&a[0]=2"),
            ("/v0/posts", "/v1/posts"),
            ("/v1/posts?_limit=2&_expand=x", "/v1/posts?_limit=2&_expand=x")]
    with Client(proxy.port) as client:
        for path, target in rows:
            assert client.ask(get(path)).status == 200
            assert up.seen()[-1].target == target, (path, up.seen()[-1].target)
        before = len(up.seen())
        bad = client.ask(get("/v0/posts?a=%ff"))
        assert bad.status == 400 and b"bad-request" not in bad.body
        assert len(up.seen()) == before


@scenario
def a_parameter_of_the_path_becomes_one_of_the_query_or_of_the_body(s):
    proxy, up = s.start(None, {"packs": [POSTS]})
    with Client(proxy.port) as client:
        client.ask(get("/v0/posts/a%2Fb%20c/comments?x=1"))
        assert up.seen()[-1].target == "/v1/comments?x=1&postId=a/b%20c", up.seen()[-1].target
        client.ask(post("/v0/posts/7/comments", b'{ "body" : "n" }'))
        sent = up.seen()[-1]
        assert sent.target == "/v1/comments" and json.loads(sent.body) == {"body": "n", "postId": "7"}
        assert sent.body.startswith(b'{ "body" : "n"'), sent.body
        assert sent.get("content-length") == str(len(sent.body)).encode()
        coded = post("/v0/posts/7/comments", gzip.compress(b'{"a":1}'), "Content-Encoding: gzip")
        assert client.ask(coded).status == 200
        assert json.loads(up.seen()[-1].body) == {"a": 1, "postId": "7"} and not up.seen()[-1].get("content-encoding")
        client.ask(get("/v0/comments?y=1"))
        assert up.seen()[-1].target == "/v1/comments?y=1"
        smuggled = client.ask(post("/v0/posts/7/comments", b'{},"path":{"id":"8"},"x":{}'))
        assert smuggled.status == 400 and b"body" in smuggled.body, smuggled.body
        assert client.ask(post("/v0/posts/7/comments", b'{"postId":"9"}')).status == 400, "both have a say"


@scenario
def a_body_becomes_a_parameter_and_its_method_changes(s):
    tar = bytes(range(256)) * 8
    proxy, up = s.start(lambda *_: answer_bytes(tar, fields=b"Content-Type: application/x-tar\r\n"),
                        {"packs": [ENGINE]})
    with Client(proxy.port) as client:
        answer = client.ask(post("/v1.23/containers/c1/copy", b'{"Resource":"/hello"}'))
        assert answer.status == 200 and answer.body == tar
        sent = up.seen()[-1]
        assert (sent.method, sent.target) == ("GET", "/v1.41/containers/c1/archive?path=/hello"), sent.target
        assert sent.body == b"{}" or sent.body == b"", sent.body


@scenario
def errors_are_text_for_clients_that_know_no_other(s):
    proxy, up = s.start(lambda *_: answer_bytes(b'{"message":"No such container: nope"}', status="404 Not Found"),
                        {"packs": [ENGINE]})
    with Client(proxy.port) as client:
        old = client.ask(get("/v1.23/containers/nope/json"))
        assert old.status == 404 and old.body == b"No such container: nope\n", old.body
        assert old.get("content-type") == b"text/plain; charset=utf-8"
        assert old.get("content-length") == b"24"
        middle = client.ask(get("/v1.24/containers/nope/json"))
        assert middle.body == b'{"message":"No such container: nope"}'
        assert middle.get("content-type") == b"application/json"
        head = client.ask(request("HEAD", "/v1.23/containers/nope/json"), "HEAD")
        assert head.status == 404 and not head.body
    assert up.seen()[0].target == "/v1.41/containers/nope/json"


@scenario
def newer_clients_get_json_of_an_older_backends_text(s):
    proxy, _ = s.start(lambda *_: text(b"No such image\n", "404 Not Found"),
                       {"packs": [{"dir": ENGINE, "backend_version": "v1.23"}]})
    with Client(proxy.port) as client:
        answer = client.ask(get("/v1.41/containers/x/json"))
        assert answer.status == 404 and answer.body == b'{"message":"No such image"}', answer.body
        assert answer.get("content-type") == b"application/json"


@scenario
def forms_become_json_and_back(s):
    proxy, up = s.start(None, {"packs": [ENGINE]})
    with Client(proxy.port) as client:
        assert client.ask(form("/v1.24/auth", b"user=a+b&tag=1&tag=%C3%A9")).status == 200
        sent = up.seen()[-1]
        assert sent.body == '{"username":"a b","tag":["1","\u00e9"]}'.encode(), sent.body
        assert sent.get("content-type") == b"application/json"
        assert client.ask(form("/v1.24/auth", b"user=%f")).status == 400
        assert client.ask(post("/v1.24/auth", b'{"user":1}')).status == 200, "another type passes"
        assert up.seen()[-1].body == b'{"user":1}'
    proxy, up = s.start(None, {"packs": [{"dir": ENGINE, "backend_version": "v1.24"}]})
    with Client(proxy.port) as client:
        assert client.ask(post("/v1.41/auth", '{"username":"a&b","n":5,"tag":["1","\u00e9"]}'.encode())).status == 200
        assert up.seen()[-1].body == b"user=a%26b&n=5&tag=1&tag=%C3%A9", up.seen()[-1].body
        assert up.seen()[-1].get("content-type") == b"application/x-www-form-urlencoded"
        assert client.ask(post("/v1.41/auth", b'{"username":{}}')).status == 400


@scenario
def statuses_are_mapped_and_bodies_made_or_left_out(s):
    def answer(_, asked):
        if asked.target.startswith("/v1/posts/99"):
            return text(b"Not Found", "404 Not Found")
        return b"HTTP/1.1 204 No Content\r\n\r\n"
    proxy, up = s.start(answer, {"packs": [POSTS]})
    with Client(proxy.port) as client:
        gone = client.ask(request("DELETE", "/v0/posts/1"))
        assert gone.status == 200 and gone.body == b"{}", (gone.status, gone.body)
        assert gone.get("content-type") == b"application/json" and gone.get("content-length") == b"2"
        assert up.seen()[-1].target == "/v1/posts/1?_dependent=comments"
        missing = client.ask(request("DELETE", "/v0/posts/99"))
        assert missing.status == 404 and missing.body == b"{}", missing.body
        assert missing.get("content-type") == b"application/json"
        assert client.ask(request("DELETE", "/v1/posts/1")).status == 204
    proxy, up = s.start(lambda *_: answer_bytes(b"{}"), {"packs": [{"dir": POSTS, "backend_version": "v0"}]})
    with Client(proxy.port) as client:
        gone = client.ask(request("DELETE", "/v1/posts/1?_dependent=comments"))
        assert gone.status == 204 and not gone.body and gone.get("content-length") is None
        assert gone.get("content-type") is None
        assert up.seen()[-1].target == "/v0/posts/1", up.seen()[-1].target
        assert client.ask(get("/v1/posts")).status == 200, "the connection is in order"


@scenario
def header_fields_are_made_of_the_body_and_of_the_request(s):
    page = b'{"first":1,"items":5,"data":[ {"id":1.50} ]}'

    def answer(_, asked):
        fields = b"Content-Type: application/json\r\nX-Newer: 1\r\nX-b: \xe9\r\nX-B: 2\r\n"
        if asked.method == "POST":
            return answer_bytes(b'{"id":"a b"}', status="201 Created", fields=fields)
        return answer_bytes(page, fields=fields)
    proxy, up = s.start(answer, {"packs": [POSTS]})
    with Client(proxy.port) as client:
        answer = client.ask(get("/v0/posts?_page=3", "X-Odd: \xe9"))
        assert answer.status == 200 and answer.body == b'[ {"id":1.50} ]', answer.body
        assert answer.get("x-total-count") == b"5" and answer.get("x-page") == b"3"
        assert answer.get("x-newer") is None
        assert answer.all("x-b") == [b"\xe9", b"2"], answer.all("x-b")
        assert answer.get("content-length") == b"15"
        assert client.ask(get("/v1/posts?_page=3")).body == page
        made = client.ask(post("/v0/posts", b"{}"))
        assert made.status == 201 and made.get("location") == b"http://h.example/posts/a b" and made.body == b'{"id":"a b"}'
    injected = b'{"id":"a\\r\\nSet-Cookie: x=1"}'
    proxy, _ = s.start(lambda *_: answer_bytes(injected, status="201 Created"), {"packs": [POSTS]})
    with Client(proxy.port) as client:
        assert client.ask(post("/v0/posts", b"{}")).status == 502
        assert b"x=1" not in client.data


@scenario
def what_the_backend_does_not_have_is_answered_here(s):
    proxy, up = s.start(None, {"packs": [POSTS]})
    with Client(proxy.port) as client:
        answer = client.ask(get("/v0/db"))
        assert answer.status == 410 and answer.body == b'{"error":"gone"}'
        assert answer.get("x-hint") == b"see /posts" and answer.get("api-version") == b"v0"
        head = client.ask(request("HEAD", "/v0/db"), "HEAD")
        assert head.status == 410 and not head.body
        assert client.ask(get("/v1/healthz")).status == 200
    assert len(up.seen()) == 1
    proxy, up = s.start(None, {"packs": [{"dir": POSTS, "backend_version": "v0"}]})
    with Client(proxy.port) as client:
        answer = client.ask(get("/v1/healthz"))
        assert answer.status == 404, answer.status
        assert client.ask(get("/v0/db")).status == 200


@scenario
def own_errors_have_the_shape_that_clients_know(s):
    proxy, _ = s.start(None, {"packs": [POSTS]})
    with Client(proxy.port) as client:
        for path, status, body in (("/v0/nothing", 404, b"There is no such endpoint in this version"),
                                   ("/v9/posts", 404, b"There is no such version")):
            answer = client.ask(get(path))
            assert answer.status == status and answer.body == body, answer.body
            assert answer.get("content-type") == b"text/plain; charset=utf-8"
            assert answer.get("content-length") == str(len(body)).encode()


def pack_of(s, endpoints):
    folder = s.folder()
    os.mkdir(os.path.join(folder, "changes"))
    with open(os.path.join(folder, "api.yaml"), "w") as out:
        out.write("api: made\nversions: [v1, v2]\nselected_by: [path]\n")
    with open(os.path.join(folder, "changes", "1.yaml"), "w") as out:
        out.write("change: Made for one test\nbetween: [v1, v2]\nendpoints:\n" + endpoints)
    return folder


@scenario
def a_parameter_cannot_leave_its_place_in_the_path(s):
    """It is held to what a client's own path is."""
    proxy, up = s.start(None, {"packs": [pack_of(s, """
  - GET /items:
      becomes: GET /items/{id}
      request:
        message: {move: {query.id: path.id}}
""")]})
    with Client(proxy.port) as client:
        for bad in ("", ".", "..", ".;", "..;x=1", "%2e%2e", "%00", "a%00b"):
            assert client.ask(get("/v1/items?id=" + bad)).status == 400, bad
        assert not up.seen()
        for good, made in (("a;b", "a;b"), ("...", "..."), (".a", ".a"), ("a/b", "a%2Fb"), ("a%0d%0aX:y", "a%0D%0AX:y")):
            assert client.ask(get("/v1/items?id=" + good)).status == 200
            assert up.seen()[-1].target == "/v2/items/" + made, up.seen()[-1].target


@scenario
def content_that_is_made_says_what_it_is(s):
    """In the place of one in another format, whose type and coding it does not have; and not of a part of it."""
    def answer(_, asked):
        fields = b"Content-Type: text/html\r\nContent-Encoding: gzip\r\nX-Src: 7\r\n"
        if asked.target.endswith("/part"):
            return answer_bytes(b"<ht", status="206 Partial Content", fields=fields + b"Content-Range: bytes 0-2/9\r\n")
        if asked.target.endswith("/same"):
            return answer_bytes(b"<ht", fields=fields + b"Cache-Control: no-transform\r\n")
        return answer_bytes(gzip.compress(b"<html>"), fields=fields)
    proxy, _ = s.start(answer, {"packs": [pack_of(s, """
  - GET /items/{id}:
      response:
        message: {up: [], down: {copy: {headers.x-src: body.src}}}
""")]})
    with Client(proxy.port) as client:
        made = client.ask(get("/v1/items/1"))
        assert made.body == b'{"src":"7"}' and made.all("content-type") == [b"application/json"], made.head
        assert not made.all("content-encoding")
        assert client.ask(get("/v1/items/part")).status == 502
        assert client.ask(get("/v1/items/same")).status == 502
        assert client.ask(get("/v2/items/same")).body == b"<ht"


@scenario
def no_translation_speaks_for_dragoman(s):
    """Where a pack lets clients choose the names of fields."""
    proxy, up = s.start(None, {"client_fields": {"cn": "X-Client-CN"}, "packs": [pack_of(s, """
  - POST /items:
      request:
        message:
          - {move: {body.h: headers.h}}
          - {unwrap: h, at: headers, lossy: accept}
""")]})
    with Client(proxy.port) as client:
        for name in ("x-client-cn", "x_client_cn", "x-request-id", "x_forwarded_for", "api_version", "host",
                     "content-length", "content_length", "transfer-encoding", "transfer_encoding", "connection", "te", "x-forwarded-for", "x y", "x:", ":path"):
            answer = client.ask(post("/v1/items", json.dumps({"h": {name: "1"}}).encode()))
            assert answer.status == 400, (name, answer.status)
        assert not up.seen()
        assert client.ask(post("/v1/items", b'{"h":{"x-own":"1"}}')).status == 200
        assert up.seen()[0].all("x-own") == [b"1"]
        assert client.ask(post("/v1/items", b'{"h":{"x-own":"%s"}}' % (b"x" * 70000))).status == 400


@scenario
def what_is_made_of_a_body_has_its_limit(s):
    proxy, up = s.start(None, {"limits": {"body": 1024}, "packs": [pack_of(s, """
  - POST /items/{id}:
      becomes: POST /items
      request:
        format: {older: text, newer: json}
        body: {wrap: text}
        message: {move: {path.id: body.id}}
""")]})
    sent = post("/v1/items/7", b"\x01" * 900).replace(b"application/json", b"text/plain")
    with Client(proxy.port) as client:
        for _ in range(3):
            assert client.ask(sent).status == 413
        assert not up.seen()
        assert client.ask(sent.replace(b"\x01", b"x")).status == 200
        proxy.reload(limits={"body": 8192})
        wait_until(lambda: "reloaded" in proxy.log(), 5, "reloaded")
    with Client(proxy.port) as client:
        for _ in range(3):
            assert client.ask(sent).status == 200


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
