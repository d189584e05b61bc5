#!/usr/bin/env python3
"""The corpus of JSON bodies (tests/data/json_cases/json_cases.json), each as a request and as an answer that is
translated: one name changes, what is refused reaches nobody, and all else keeps its bytes.

  json_cases.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import base64
import gzip
import json
import lzma
import os
import sys
import time
import zlib

import scenarios
from harness import TIMEOUTS, Client, answer_bytes, get, post

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "json_cases", "json_cases.json")
CASES = 76
# Where the corpus leaves a choice, this is taken.
DECIDED = {
    "JSN-074": "a request without content has nothing to translate",
    "JSN-108": "deflate without its zlib frame is understood",
}
SECONDS_MAX = 20  # for one case, with room for sanitizers
API = """api: cases
versions: [v1, v2]
strict: {duplicates: reject, surrogates: reject}
"""
CHANGE = """change: a name
between: [v1, v2]
lenses: {Name: {rename: {old_name: new_name}}}
endpoints:
  POST /one: {request: Name}
  POST /many: {request: {each: Name}}
  GET /one/{id}: {response: Name}
  GET /many/{id}: {response: {each: Name}}
"""
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def raw(case):
    if "raw_xz_b64" in case:
        return lzma.decompress(base64.b64decode(case["raw_xz_b64"]))
    if "raw_gz_b64" in case:
        return gzip.decompress(base64.b64decode(case["raw_gz_b64"]))
    return base64.b64decode(case["raw_b64"])


def cases():
    with open(DATA) as file:
        told = json.load(file)["cases"]
    assert len(told) == CASES and len({case["id"] for case in told}) == CASES
    for case in told:
        body = raw(case)
        assert len(body) == case["len"], case["id"]
        yield case, body, case.get("headers", {}).get("Content-Encoding")


def pack_in(folder):
    os.mkdir(os.path.join(folder, "changes"))
    for name, text in (("api.yaml", API), ("changes/1.yaml", CHANGE)):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    return folder


def plain(body, coding):
    return (gzip.decompress(body) if coding == "gzip" else zlib.decompress(body, -15) if coding == "deflate" else body)


def endpoint(body):
    return "many" if body[:1] == b"[" else "one"


def rewritten(body, up):
    """Both directions, byte for byte: the corpus writes its names without escapes."""
    names = (b'"old_name"', b'"new_name"')
    return body.replace(names[not up], names[up])


@scenario
def requests_get_their_verdict(s):
    folder = pack_in(s.folder())
    proxy, up = s.start(lambda *_: answer_bytes(b"{}"), {"packs": [folder], "timeouts": dict(TIMEOUTS, answer="20s", body="20s")})
    for case, body, coding in cases():
        before, begin = len(up.seen()), time.monotonic()
        with Client(proxy.port) as client:
            reply = client.ask(post("/v1/" + endpoint(body), body, *["Content-Encoding: " + coding] if coding else []), seconds=SECONDS_MAX)
        told = (case["id"], case["name"], reply.status, reply.body[:200])
        assert time.monotonic() - begin < SECONDS_MAX, told
        reached = up.seen()[before:]
        expected = case["request_expect"]
        if expected == "rewrite" or (expected == "reject-4xx-bounded" and reply.status == 200):
            assert reply.status == 200 and len(reached) == 1, told
            assert reached[0].body == rewritten(plain(body, coding), True), told
            assert case.get("must_keep_text", "").encode() in reached[0].body, told
        elif case["id"] in DECIDED:
            assert reply.status == 200 and reached[0].body == plain(body, coding), told
        else:
            assert 400 <= reply.status < 500 and not reached, told


@scenario
def answers_get_their_verdict(s):
    folder = pack_in(s.folder())
    told = {case["id"]: (rewritten(body, True) if not coding else body, coding) for case, body, coding in cases()}

    def answer(_, request):
        body, coding = told[request.target.rsplit("/", 1)[1]]
        fields = b"Content-Type: application/json\r\n" + (b"Content-Encoding: %s\r\n" % coding.encode() if coding else b"")
        return answer_bytes(body, fields=fields)
    proxy, _ = s.start(answer, {"packs": [folder], "timeouts": dict(TIMEOUTS, answer="20s", body="20s")})
    for case, body, coding in cases():
        begin = time.monotonic()
        with Client(proxy.port) as client:
            reply = client.ask(get("/v1/%s/%s" % (endpoint(body), case["id"]), "Accept-Encoding: gzip"), seconds=SECONDS_MAX)
        seen = (case["id"], case["name"], reply.status, reply.body[:200])
        assert time.monotonic() - begin < SECONDS_MAX, seen
        expected = case["response_expect"]
        if reply.status == 502 and expected != "rewrite":
            continue
        assert reply.status == 200, seen
        chosen = (reply.get("content-encoding") or b"").decode()
        if expected == "rewrite" or case["id"] in DECIDED or len(body) > 1 << 16:
            assert plain(reply.body, chosen) == rewritten(plain(told[case["id"]][0], coding), False), seen
        else:
            assert reply.body == told[case["id"]][0], seen


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
