#!/usr/bin/env python3
"""Which version does this client speak, and what the backend and the client are told of it.

  versions.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import os
import sys

import scenarios
from harness import Client, answer_bytes, get, post

SELECTORS = os.path.abspath(os.path.join(scenarios.ROOT, "tests", "data", "packs", "selectors"))
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def start(s, **config):
    def answer(_, request):
        kind = b"application/vnd.acme.v3+json" if b"vnd" in (request.get("accept") or b"") else b"application/json"
        return answer_bytes(b'{"a3":1}', fields=b"Content-Type: %s\r\n" % kind)
    return s.start(answer, {"packs": [dict({"dir": SELECTORS}, **config)]})


@scenario
def a_media_type_selects_and_comes_back_in_the_clients_words(s):
    """RFC 9110 12.5.1, 8.3; http-semantics 12: Vary names what selected."""
    proxy, up = start(s)
    with Client(proxy.port) as client:
        answer = client.ask(get("/s/x", "Accept: text/html;q=0.1, application/vnd.acme.v1+json"))
        assert answer.status == 200 and answer.body == b'{"a1":1}', answer.body
        assert answer.get("content-type") == b"application/vnd.acme.v1+json"
        assert answer.get("vary") == b"API-Version, Accept-Version, Accept, X-Tenant"
        assert answer.get("api-version") == b"v1"
    sent = up.seen()[0]
    assert sent.get("accept") == b"text/html;q=0.1, application/vnd.acme.v3+json"
    assert sent.target == "/s/v3/x"


@scenario
def a_host_selects_and_the_backend_gets_its_own(s):
    proxy, up = start(s)
    with Client(proxy.port) as client:
        client.send(b"GET /s/x HTTP/1.1\r\nHost: old.api.example\r\n\r\n")
        assert client.wait(1)[0].body == b'{"a1":1}'
    assert up.seen()[0].get("host") == b"v3.api.example"
    assert up.seen()[0].get("x-forwarded-host") == b"old.api.example"


@scenario
def the_operators_pins_take_the_place_of_the_packs(s):
    proxy, up = start(s)
    pins = proxy.write("pins.txt", "acme v3\nother v1\n")
    with Client(proxy.port) as client:
        assert client.ask(get("/s/x", "X-Tenant: acme")).body == b'{"a1":1}'
        assert client.ask(get("/s/x", "X-Tenant: other")).body == b'{"a2":1}', "not pinned: the default"
    proxy.reload(packs=[{"dir": SELECTORS, "pins": pins}])

    def pinned():
        with Client(proxy.port) as client:
            return client.ask(get("/s/x", "X-Tenant: other")).body == b'{"a1":1}'
    scenarios.harness.wait_until(pinned, 5, "the new pins")
    with Client(proxy.port) as client:
        assert client.ask(get("/s/x", "X-Tenant: acme")).body == b'{"a3":1}'


@scenario
def what_was_chosen_is_told_to_who_asks(s):
    proxy, _ = start(s)
    with Client(proxy.port) as client:
        answer = client.ask(get("/s/x?v=1", "Dragoman-Explain: ?1"))
        assert answer.get("dragoman-version") == b'"v1"; by=query; backend="v3"; endpoint="GET /x"', answer.fields
        assert client.ask(get("/s/x?v=1")).get("dragoman-version") is None


@scenario
def unknown_versions_and_contradictions_are_answered_clearly(s):
    proxy, up = start(s)
    with Client(proxy.port) as client:
        for fields, kind in ((["API-Version: v4"], b"unknown-version"),
                             (["Accept: application/vnd.acme.v7+json"], b"unknown-version"),
                             (["API-Version: v1", "Accept-Version: v2"], b"contradict")):
            answer = client.ask(get("/s/x", *fields))
            assert answer.status in (400, 404, 406) and kind in answer.body, answer.body
            assert b'"versions":["v1","v2","v3"]' in answer.body
            assert b"Accept-Version" in answer.get("vary")
    assert not up.seen()


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
