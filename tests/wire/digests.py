#!/usr/bin/env python3
"""Digests of content (RFC 9530, RFC 1864), and messages that forbid their transformation (RFC 9110 7.7).

  digests.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import base64
import gzip
import hashlib
import json
import sys

import scenarios
from harness import Client, answer_bytes, get, post

NEW = b'{"data":{"id":"ord_1","amount":234.40,"status":"active"}}'
OLD = b'{"id":"ord_1","total":234.40,"status":1}'
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def seal(body, name="sha256"):
    return base64.b64encode(hashlib.new(name, body).digest()).decode()


def fields_of(body):
    """Everything that can be said of content, beside what is not looked at."""
    return ["Content-Digest: sha-256=:%s:, unixsum=:AA==:" % seal(body), "content-digest: sha-512=:%s:" % seal(body, "sha512"),
            "Repr-Digest: sha-256=:%s:;x=1" % seal(body), "Content-MD5: " + seal(body, "md5")]


def check_fields(message):
    """All digests of a message that was translated are those of its content."""
    body = message.body
    told = b", ".join(message.all("content-digest")).decode()
    assert told == "sha-256=:%s:, sha-512=:%s:" % (seal(body), seal(body, "sha512")), told
    assert message.all("repr-digest") == [b"sha-256=:%s:" % seal(body).encode()], message.all("repr-digest")
    assert message.all("content-md5") == [seal(body, "md5").encode()]
    assert not message.all("digest")


@scenario
def digests_of_requests_are_checked_and_made_anew(s):
    proxy, up = s.start(lambda *_: answer_bytes(NEW), {"packs": [scenarios.ORDERS]})
    coded = gzip.compress(OLD)
    wants = ["Want-Content-Digest: sha-256=10", "Want-Repr-Digest: sha-512=3"]
    with Client(proxy.port) as client:
        assert client.ask(post("/api/v1/orders", OLD, "Digest: sha-256=old", *fields_of(OLD), *wants)).status == 200
        check_fields(up.seen()[-1])
        assert b"amount" in up.seen()[-1].body
        assert up.seen()[-1].all("want-content-digest") == [b"sha-256=10"]
        assert up.seen()[-1].all("want-repr-digest") == [b"sha-512=3"]
        # They are of the content in its coding; what goes on has none.
        assert client.ask(post("/api/v1/orders", coded, "Content-Encoding: gzip", *fields_of(coded))).status == 200
        check_fields(up.seen()[-1])
        # A request that is not translated keeps what it says, true or not.
        assert client.ask(post("/api/v2/orders", NEW, *fields_of(OLD))).status == 200
        assert up.seen()[-1].get("content-md5").decode() == seal(OLD, "md5")
        assert up.seen()[-1].all("content-digest")[0].decode().startswith("sha-256=:%s:, unix" % seal(OLD))
        # Of algorithms that are not looked at nothing is said on.
        assert client.ask(post("/api/v1/orders", OLD, "Content-Digest: md5=:AAAA:")).status == 200
        assert not up.seen()[-1].all("content-digest")


@scenario
def requests_that_are_not_what_their_digest_says_are_refused(s):
    proxy, up = s.start(lambda *_: answer_bytes(NEW), {"packs": [scenarios.ORDERS]})
    true, false = seal(OLD), seal(NEW)
    wrong = ["Content-Digest: sha-256=:%s:" % false, "Repr-Digest: sha-512=:%s:" % seal(NEW, "sha512"),
             "Content-MD5: " + seal(NEW, "md5"), "Content-Digest: sha-256=%s" % true, "Repr-Digest: sha-256=:%s:,," % true,
             "Content-Digest: sha-256=:%s:\r\nContent-Digest: sha-256=:%s:" % (true, false)]
    for field in wrong:
        with Client(proxy.port) as client:
            answer = client.ask(post("/api/v1/orders", OLD, field))
            assert answer.status == 400 and json.loads(answer.body)["type"].endswith(":digest-mismatch"), (field, answer.body)
    assert not up.seen()
    with Client(proxy.port) as client:
        last = "Content-Digest: sha-256=:%s:, sha-256=:%s:" % (false, true)
        assert client.ask(post("/api/v1/orders", OLD, last)).status == 200, "the last of a key counts"


@scenario
def digests_of_answers_are_checked_and_made_anew(s):
    def answer(_, request):
        name = request.target.rsplit("/", 1)[1]
        body = gzip.compress(NEW) if name == "coded" else NEW
        said = {"false": ["Content-Digest: sha-256=:%s:" % seal(OLD)], "odd": ["Repr-Digest: sha-256=x", "Content-MD5: x"],
                "empty": fields_of(b"")}.get(name, fields_of(body))
        fields = ["Content-Type: application/json"] + said + ["Content-Encoding: gzip"] * (name == "coded")
        if name == "trailer":
            head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n" \
                   "Trailer: Content-Digest\r\n\r\n%x\r\n" % len(NEW)
            return head.encode() + NEW + b"\r\n0\r\nContent-Digest: sha-256=:%s:\r\n\r\n" % seal(NEW).encode()
        reply = answer_bytes(body, fields="".join("%s\r\n" % f for f in fields).encode())
        return reply[:len(reply) - len(body)] if request.method == "HEAD" else reply
    proxy, _ = s.start(answer, {"packs": [scenarios.ORDERS]})
    with Client(proxy.port) as client:
        for path in ("true", "coded"):
            old = client.ask(get("/api/v1/orders/" + path))
            check_fields(old)
            assert b"total" in (gzip.decompress(old.body) if path == "coded" else old.body)
        same = client.ask(get("/api/v2/orders/false"))
        assert same.body == NEW and same.get("content-digest").decode() == "sha-256=:%s:" % seal(OLD)
        odd = client.ask(get("/api/v1/orders/odd"))
        assert odd.status == 200 and not odd.all("repr-digest") and not odd.all("content-md5")
        trailer = client.ask(get("/api/v1/orders/trailer"))
        assert trailer.status == 200 and b"sha-256" not in client.data[client.data.rindex(b"HTTP/1.1"):]
        for path in ("false", "empty"):
            bad = client.ask(get("/api/v1/orders/" + path))
            assert bad.status == 502 and b"digest" in bad.body and b"234.40" not in bad.body, bad.body
        head = client.ask(get("/api/v1/orders/true").replace(b"GET", b"HEAD", 1), "HEAD")
        assert head.status == 200 and not head.all("repr-digest"), "those of the backend's bytes"


@scenario
def what_forbids_its_transformation_is_refused_or_translated_as_configured(s):
    def answer(_, request):
        return answer_bytes(NEW, fields=b"Content-Type: application/json\r\nCache-Control: max-age=9, No-Transform\r\n")
    proxy, up = s.start(answer, {"packs": [scenarios.ORDERS]})
    with Client(proxy.port) as client:
        old = client.ask(get("/api/v1/orders/1"))
        assert old.status == 502 and b"no-transform" in old.body and b"234.40" not in old.body
        assert client.ask(get("/api/v2/orders/1")).body == NEW
        asked = len(up.seen())
    with Client(proxy.port) as client:
        refused = client.ask(post("/api/v1/orders", OLD, "Cache-Control: no-transform"))
        assert refused.status == 400 and json.loads(refused.body)["type"] == "urn:dragoman:problem:no-transform"
    assert len(up.seen()) == asked
    with Client(proxy.port) as client:  # nothing of it would be translated
        assert client.ask(post("/api/v2/orders", NEW, "Cache-Control: no-transform")).status == 200
        assert up.seen()[-1].get("cache-control") == b"no-transform" and up.seen()[-1].body == NEW
    for config in ({"packs": [{"dir": scenarios.ORDERS, "no_transform": "ignore"}]},
                   {"packs": [scenarios.ORDERS], "no_transform": "ignore"}):
        proxy, up = s.start(answer, config)
        with Client(proxy.port) as client:
            both = client.ask(post("/api/v1/orders", OLD, "Cache-Control: no-transform"))
            assert both.status == 200 and b"total" in both.body and b"amount" in up.seen()[-1].body
    proxy, up = s.start(answer, {"packs": [{"dir": scenarios.ORDERS, "no_transform": "refuse"}], "no_transform": "ignore"})
    with Client(proxy.port) as client:
        assert client.ask(get("/api/v1/orders/1")).status == 502


@scenario
def a_part_of_a_representation_is_not_translated(s):
    proxy, up = s.start(lambda *_: answer_bytes(NEW), {"packs": [scenarios.ORDERS]})
    with Client(proxy.port) as client:
        answer = client.ask(post("/api/v1/orders", OLD, "Content-Range: bytes 0-39/80"))
        assert answer.status == 400 and b"part" in answer.body, answer.body
    assert not up.seen()


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
