#!/usr/bin/env python3
"""Translated bodies with a content coding (RFC 9110 8.4), both directions, and what becomes of bad ones.

  codings.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import gzip
import json
import subprocess
import sys
import zlib

import scenarios
from harness import Client, answer_bytes, get, post

CODINGS = {
    "gzip": (gzip.compress, gzip.decompress),
    "deflate": (zlib.compress, zlib.decompress),
    "br": (lambda b: tool("brotli", "-c", b), lambda b: tool("brotli", "-dc", b)),
    "zstd": (lambda b: tool("zstd", "-qc", b), lambda b: tool("zstd", "-qdc", b)),
}
NEW = b'{"data":{"id":"ord_1","amount":234.40,"status":"active","note":"' + b"x" * 30000 + b'"}}'
SCENARIOS = []


def tool(*command):
    return subprocess.run(command[:-1], input=command[-1], capture_output=True, check=True).stdout


def scenario(function):
    SCENARIOS.append(function)
    return function


def coded(body, coding, more=b""):
    return answer_bytes(body, fields=b"Content-Type: application/json\r\nContent-Encoding: %s\r\n%s"
                        % (coding.encode(), more))


def check_old(body):
    told = json.loads(body, parse_float=str)
    assert told["total"] == "234.40" and told["status"] == 1 and "data" not in told, body[:200]


@scenario
def answers_come_translated_in_the_coding_that_the_backend_chose(s):
    def answer(_, request):
        return coded(CODINGS[request.target.rsplit("_", 1)[1]][0](NEW), request.target.rsplit("_", 1)[1])
    proxy, up = s.start(answer, {"packs": [scenarios.ORDERS]})
    with Client(proxy.port) as client:
        for name, (_, decode) in CODINGS.items():
            reply = client.ask(get("/api/v1/orders/a_" + name, "Accept-Encoding: %s;q=0.9, compress, *;q=0" % name))
            assert reply.status == 200 and reply.get("content-encoding") == name.encode(), reply.body[:300]
            check_old(decode(reply.body))
            sent = up.seen()[-1].get("accept-encoding")
            assert sent == b"%s;q=0.9" % name.encode(), sent
        plain = client.ask(get("/api/v2/orders/a_gzip", "Accept-Encoding: gzip"))
        assert gzip.decompress(plain.body) == NEW, "what is not translated keeps its bytes"
        client.ask(get("/api/v1/orders/a_gzip"))
        assert up.seen()[-1].get("accept-encoding") is None
        client.ask(get("/api/v1/orders/a_gzip", "Accept-Encoding: exotic"))
        assert up.seen()[-1].get("accept-encoding") == b"identity"


@scenario
def a_coding_that_the_client_does_not_take_is_replaced(s):
    """RFC 9110 12.5.3: weights, identity;q=0 and *."""
    def answer(_, request):
        name = request.target.rsplit("_", 1)[1]
        return answer_bytes(NEW) if name == "plain" else coded(CODINGS[name][0](NEW), name,
                                                               b'ETag: "abc"\r\nVary: Accept-Language\r\n')
    proxy, _ = s.start(answer, {"packs": [scenarios.ORDERS]})
    #        the backend sends, the client takes, it gets
    cases = [("gzip", "gzip", "gzip"), ("gzip", "*", "gzip"), ("gzip", "br, *;q=0.1", "gzip"), ("gzip", "br", None),
             ("gzip", "", None), ("gzip", "identity", None), ("gzip", "gzip;q=0", None), ("gzip", "GZIP;Q=0.000", None),
             ("gzip", "gzip;q=0, *", None), ("gzip", "br, identity;q=0", "br"), ("br", "*;q=0, zstd;q=0.2", "zstd"),
             ("zstd", "deflate, identity;q=0", "deflate"), ("plain", "gzip, identity;q=0", "gzip"),
             ("plain", "gzip, *;q=0", "gzip"), ("gzip", "*;q=0", None), ("plain", "gzip", None)]
    with Client(proxy.port) as client:
        for sent, takes, wanted in cases:
            reply = client.ask(get("/api/v1/orders/a_" + sent, "Accept-Encoding: " + takes))
            got = reply.get("content-encoding")
            assert got == (wanted and wanted.encode()), (sent, takes, got)
            check_old(CODINGS[wanted][1](reply.body) if wanted else reply.body)
            assert len(reply.all("content-encoding")) == bool(wanted)
            names = b", ".join(reply.all("vary")).lower()
            assert (b"accept-encoding" in names) == ((sent, wanted) != ("plain", None)), (sent, takes, names)
            assert bool(reply.get("etag")) == (sent == wanted), "a tag names one coding"
        kept = client.ask(get("/api/v2/orders/a_gzip", "Accept-Encoding: br"))
        assert gzip.decompress(kept.body) == NEW and b"accept-encoding" not in kept.get("vary").lower()


@scenario
def requests_are_decoded_translated_and_sent_plain(s):
    proxy, up = s.start(lambda *_: answer_bytes(b'{"data":{}}', "201 Created"), {"packs": [scenarios.ORDERS]})
    old = b'{"total": 19.90,"status":0,"lineItems":[' + b",".join([b'{"unitPrice":1.10}'] * 900) + b"]}"
    with Client(proxy.port) as client:
        for name, (encode, _) in CODINGS.items():
            reply = client.ask(post("/api/v1/orders", encode(old), "Content-Encoding: " + name))
            assert reply.status == 201, reply.body
            request = up.seen()[-1]
            sent = json.loads(request.body, parse_float=str)
            assert sent["amount"] == "19.90" and sent["line_items"][899] == {"unit_price": "1.10"}
            assert request.get("content-encoding") is None and request.get("content-length")
        body = gzip.compress(old)
        assert client.ask(post("/api/v2/orders", body, "Content-Encoding: gzip")).status == 201
        assert up.seen()[-1].body == body and up.seen()[-1].get("content-encoding") == b"gzip"


@scenario
def bad_codings_fail_closed(s):
    bodies = {"damaged": gzip.compress(NEW)[:-9] + b"123456789", "cut": gzip.compress(NEW)[:-1], "plain": NEW,
              "bomb": gzip.compress(b'{"data":"' + b"0" * (32 << 20) + b'"}'), "notjson": gzip.compress(b'{"data"')}

    def answer(_, request):
        name = request.target.rsplit("_", 1)[-1]
        return coded(bodies[name], "gzip") if name in bodies else coded(NEW, "exotic")
    proxy, up = s.start(answer, {"packs": [scenarios.ORDERS]})
    with Client(proxy.port) as client:
        for name in (*bodies, "exotic"):
            reply = client.ask(get("/api/v1/orders/a_" + name, "Accept-Encoding: gzip"))
            assert reply.status == 502 and b"amount" not in reply.body, (name, reply.status, reply.body[:200])
        asked = len(up.seen())
        for name, status in (("damaged", 400), ("cut", 400), ("plain", 400), ("bomb", 413), ("notjson", 400)):
            reply = client.ask(post("/api/v1/orders", bodies[name], "Content-Encoding: gzip"))
            assert reply.status == status, (name, reply.status, reply.body)
        reply = client.ask(post("/api/v1/orders", b"x", "Content-Encoding: exotic"))
        assert reply.status == 415 and b"gzip" in reply.get("accept-encoding"), reply.body
        with Client(proxy.port) as other:
            reply = other.ask(post("/api/v1/orders", b"x", "Content-Encoding: gzip, br"))
            assert reply.status == 415, reply.body
        assert len(up.seen()) == asked, "nothing of it reaches the backend"


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
