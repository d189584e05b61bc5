#!/usr/bin/env python3
"""What ties an exchange to lines elsewhere: request ids, and W3C Trace Context.

  identity.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import json
import os
import re
import sys

import scenarios
from harness import Client, answer_bytes, get, post, wait_until

HEX = re.compile(rb"[0-9a-f]{32}")
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "00-%s-b7ad6b7169203331-01" % TRACE
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def log_lines(proxy, count):
    path = os.path.join(proxy.folder, "access.log")

    def read():
        with open(path) as log:
            return [json.loads(line) for line in log]
    wait_until(lambda: os.path.exists(path) and len(read()) >= count, 3, "%d lines" % count)
    return read()


@scenario
def every_exchange_has_an_id_of_its_own_everywhere(s):
    """On the request, the answer, in the log and in problems; what the backend says of it does not count."""
    def answer(_, request):
        return answer_bytes(b"{}", fields=b"Content-Type: application/json\r\nX-Request-Id: backends\r\n")
    proxy, up = s.start(answer, {"access_log": "access.log"})
    seen = []
    with Client(proxy.port) as client:
        for n in range(50):
            reply = client.ask(get("/%d" % n, "X-Request-Id: mine"))
            assert len(reply.all("x-request-id")) == 1 and HEX.fullmatch(reply.get("x-request-id")), reply.head
            assert up.seen()[-1].all("x-request-id") == [reply.get("x-request-id")]
            seen.append(reply.get("x-request-id").decode())
        refused = client.ask(get("/a/../b"))
        assert json.loads(refused.body)["request_id"] == refused.get("x-request-id").decode()
        seen.append(refused.get("x-request-id").decode())
    with Client(proxy.port) as client:
        malformed = client.ask(b"BAD\x01\r\n\r\n")
        assert json.loads(malformed.body)["request_id"] == malformed.get("x-request-id").decode()
        seen.append(malformed.get("x-request-id").decode())
    assert [line["request_id"] for line in log_lines(proxy, 52)] == seen and len(set(seen)) == 52


@scenario
def an_id_is_kept_when_it_is_sane_and_its_sender_believed(s):
    for config in ({"trusted_proxies": "127.0.0.1"}, {"request_id": {"trust": "all", "field": "x-correlation"}}):
        name = config.get("request_id", {}).get("field", "X-Request-Id")
        proxy, up = s.start(config=dict(config, access_log="access.log", packs=[scenarios.ORDERS], unmatched="pass"))
        with Client(proxy.port) as client:
            for value, kept in (("a", True), ("~!{\"}" * 25 + "xyz", True), ("x" * 129, False), ("a b", False), ("", False),
                                ("\xe4", False)):
                reply = client.ask(get("/1", "%s: %s" % (name, value)))
                got = reply.get(name)
                assert got == value.encode() if kept else HEX.fullmatch(got), (value, got)
                assert up.seen()[-1].all(name.lower()) == [got]
            reply = client.ask(get("/2", name + ": one", name + ": two"))
            assert HEX.fullmatch(reply.get(name)) and up.seen()[-1].all(name.lower()) == [reply.get(name)], "which one?"
            reply = client.ask(post("/api/v1/orders", b"{broken", name.upper() + ": old\\\"client"))
            assert reply.status == 400 and json.loads(reply.body)["request_id"] == "old\\\"client"
        assert log_lines(proxy, 8)[-1]["request_id"] == "old\\\"client"


@scenario
def ids_may_be_left_out(s):
    proxy, up = s.start(config={"request_id": "none"})
    with Client(proxy.port) as client:
        reply = client.ask(get("/", "X-Request-Id: mine"))
        assert not reply.all("x-request-id") and up.seen()[0].get("x-request-id") == b"mine", "nobody touches it"
        problem = client.ask(get("/a/../b"))
        assert "request_id" not in json.loads(problem.body) and not problem.all("x-request-id")
    for wrong, where in (("some", "'none'"), ({"field": "Host"}, "'Host' cannot"), ({"field": "a b"}, "cannot be"),
                         ({"trust": "most"}, "'trusted' proxies"), ({"fields": "x"}, "did you mean 'field'")):
        before = proxy.log().count("reload refused")
        proxy.reload(request_id=wrong)
        wait_until(lambda: proxy.log().count("reload refused") > before, 2, "the refusal")
        assert re.search(r"dragoman\.yaml:\d+:\d+: error: .*%s" % where, proxy.log()), proxy.log()


@scenario
def a_valid_trace_passes_untouched_and_a_broken_one_is_dropped(s):
    """W3C Trace Context 2.2, 3.2, 3.3, 4.3; none is begun."""
    proxy, up = s.start(config={"access_log": "access.log"})
    state = "rojo=00f067aa0ba902b7, tenant@system=a b!~,,k_-*/=t61rcWkgMzE"
    good = [PARENT, "cc-%s-b7ad6b7169203331-01-what the future brings" % TRACE, "01-%s-b7ad6b7169203331-ff" % TRACE]
    bad = [PARENT.upper(), PARENT + "-more", PARENT[:-1], "ff" + PARENT[2:], "00-%s-b7ad6b7169203331-01" % ("0" * 32),
           "00-%s-%s-01" % (TRACE, "0" * 16), PARENT.replace("-", "_"), PARENT[:-2] + "0g", "", "01" + PARENT[2:] + "x"]
    with Client(proxy.port) as client:
        for parent in good:
            client.ask(get("/good", "traceparent: " + parent, "TraceState: " + state, "tracestate: z=1"))
            assert up.seen()[-1].get("traceparent") == parent.encode(), parent
            assert up.seen()[-1].all("tracestate") == [state.encode(), b"z=1"]
        for parent in bad:
            client.ask(get("/bad", "traceparent: " + parent, "tracestate: " + state))
            assert not up.seen()[-1].all("traceparent") and not up.seen()[-1].all("tracestate"), parent
        client.ask(get("/two", "traceparent: " + PARENT, "traceparent: " + PARENT, "tracestate: a=1"))
        assert not up.seen()[-1].all("traceparent") and not up.seen()[-1].all("tracestate")
        client.ask(get("/alone", "tracestate: a=1"))
        assert not up.seen()[-1].all("tracestate"), "a state of no trace"
        for broken in ("a", "=1", "A=1", "a=1,a=2", "a=", "a=b=c", "@a=1", "a@=1", "a@b@c=1", "_a=1", "a=\xe4",
                       ",".join("k%d=1" % n for n in range(33)), "a" * 257 + "=1", "a=" + "b" * 257):
            client.ask(get("/state", "traceparent: " + PARENT, "tracestate: ok=1", "tracestate: " + broken))
            assert up.seen()[-1].get("traceparent") == PARENT.encode() and not up.seen()[-1].all("tracestate"), broken
        client.ask(get("/many", "traceparent: " + PARENT, "tracestate: " + ",".join("k%d=1" % n for n in range(32))))
        assert up.seen()[-1].all("tracestate")
        client.ask(get("/none"))
        assert not up.seen()[-1].all("traceparent")
    for line in log_lines(proxy, 33 - 3):
        wants = line["target"] in ("/good", "/state", "/many")
        assert line.get("trace_id") == (TRACE if wants else None), line


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
