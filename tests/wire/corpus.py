#!/usr/bin/env python3
"""Runs the corpus of raw HTTP/1.1 cases (tests/data/http/http_cases.json) against a proxy.

  corpus.py requests|responses --dragoman BINARY    starts the proxy itself
  corpus.py requests|responses --nginx /usr/sbin/nginx [--lenient]   the runner, validated against a peer
  options: --only REQ-001,RSP-002   --lanes N   --verbose

Each lane has a proxy and a recording upstream of its own and runs its cases one after the other, so that every
byte at the upstream belongs to one case. Exit code 0: every case holds and the proxies ended well."""
import argparse
import base64
import gzip
import json
import os
import queue
import re
import sys
import threading
import time

import harness
import http1

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "http", "http_cases.json")

# Where the corpus leaves a choice and recommends one, dragoman takes another, with this reason.
DECIDED = {
    "REQ-299": "an expectation that is not known is answered with 417 (RFC 9110 10.1.1)",
    "REQ-314": "9 kB fields are below the limit of 16 kB for a head",
    "RSP-091": "bodies of untranslated routes are not looked at",
}
LONG_SILENCE_S = 4.0  # of clients that hold, beyond every timeout of the configuration
ANSWER_S = 2.5
PROBE_S = 1.0


def raw(case):
    if "raw_b64" in case:
        return base64.b64decode(case["raw_b64"])
    return gzip.decompress(base64.b64decode(case["raw_gz_b64"]))


def b64(case, key):
    return base64.b64decode(case[key])


class Nginx(harness.Process):
    """A peer with a plain configuration, to see that this runner judges it as it is known."""

    CONF = """
daemon off; master_process off; worker_processes 1; pid %(folder)s/pid; error_log %(folder)s/error.log;
events { worker_connections 512; }
http {
  access_log off; client_body_temp_path %(folder)s; proxy_temp_path %(folder)s;
  fastcgi_temp_path %(folder)s; uwsgi_temp_path %(folder)s; scgi_temp_path %(folder)s;
  client_header_timeout 2s; client_body_timeout 2s; proxy_read_timeout 2s; proxy_connect_timeout 1s;
  upstream back { server 127.0.0.1:%(upstream)d; keepalive 8; }
  server { listen 127.0.0.1:%(port)d; location / {
    proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}
"""

    def __init__(self, binary, upstream_port):
        super().__init__(harness.free_port())
        names = {"folder": self.folder, "upstream": upstream_port, "port": self.port}
        conf = self.write("nginx.conf", self.CONF % names)
        self.start([binary, "-p", self.folder, "-c", conf])


class Lane:
    """One proxy, one upstream, one case at a time."""

    def __init__(self, start, strict):
        self.strict = strict
        self.case = None
        self.upstream = harness.Upstream(self.answer, self.greeting)
        self.proxy = start(self.upstream.port)

    def close(self):
        problems = self.proxy.stop()
        self.upstream.close()
        return problems

    # The upstream's side.

    def greeting(self):
        case = self.case
        return raw(case) if case and case.get("upstream_sends_before_request") else None

    def answer(self, connection, request):
        case = self.case
        if not case or not request.target.startswith("/r/"):
            return harness.echo(connection, request)
        if case.get("segments"):
            for segment in case["segments"]:
                connection.send(b64(segment, "b64"))
                time.sleep(segment["delay_ms_after"] / 1000)
        elif not case.get("upstream_sends_before_request"):
            connection.send(raw(case))
        if case["upstream_after"] == "close":
            raise harness.Upstream.Close
        if case["upstream_after"] == "reset":
            time.sleep(0.1)
            connection.reset()
        if case["upstream_after"] == "hang":
            time.sleep(6)
            raise harness.Upstream.Close
        return None

    # The client's side.

    def alive(self):
        with harness.Client(self.proxy.port) as client:
            client.send(harness.get("/alive"))
            finals = client.wait(1, PROBE_S)
            return bool(finals) and finals[0].status == 200 and b"/alive" in finals[0].body

    def run_request(self, case):
        self.case = None
        self.upstream.reset()
        data = raw(case)
        with harness.Client(self.proxy.port) as client:
            method = re.match(rb"\s*([A-Z]+) ", data)
            client.methods = [method.group(1).decode() if method else "GET"]
            if case.get("segments"):
                for segment in case["segments"]:
                    client.send(b64(segment, "b64"))
                    time.sleep(segment["delay_ms_after"] / 1000)
            else:
                client.send(data)
            if case.get("client_half_closes_after_send"):
                client.half_close()
            self._await_verdict(case, client)
            why = Verdict(case, client, self.upstream, self.strict).request()
        if not self.alive():
            why.append("the proxy does not answer a fresh GET any more")
        return why

    def _await_verdict(self, case, client):
        want = case.get("complete_upstream_requests", 1)
        if case["name"] == "pipelined: valid then invalid":
            want = 2
        seconds = LONG_SILENCE_S if case.get("client_holds_open") else ANSWER_S
        seconds = max(seconds, case.get("wait_ms", 0) / 1000)
        try:
            client.wait(want, seconds)
            must_close = case["connection_after"] == "must-close"
            client.wait_closed(1.5 if must_close else 0.15)
        except http1.Violation:
            client.wait_closed(1.0)

    def run_response(self, case):
        self.upstream.reset()
        self.case = case
        method = case["request_method"]
        with harness.Client(self.proxy.port) as client:
            client.methods = [method, "GET"]
            client.send(("%s /r/%s HTTP/1.1\r\nHost: h.example\r\n\r\n" % (method, case["id"])).encode())
            try:
                client.wait(1, 9 if case["upstream_after"] == "hang" else 5)
                client.wait_closed(0.35)
            except http1.Violation:
                client.wait_closed(1.0)
            answered = client.data
            self.case = None
            verdict = Verdict(case, client, self.upstream, self.strict)
            why = verdict.response()
            if not client.closed:
                why += self._probe(case, client, len(answered), "same")
        with harness.Client(self.proxy.port) as client:
            why += self._probe(case, client, 0, "new")
        return why + verdict.reuse()

    def _probe(self, case, client, start, which):
        """Its own answer, on the connection of the case and on a new one."""
        path = "/probe/%s-%s" % (case["id"], which)
        client.data, client.methods = client.data[start:], ["GET"]
        client.send(harness.get(path))
        try:
            finals = client.wait(1, 3)
        except http1.Violation as violation:
            return ["probe on the %s connection: %s" % (which, violation)]
        if b"SPLIT-MARK" in client.data:
            return ["DESYNC: the probe on the %s connection got bytes of the case" % which]
        if which == "same" and client.closed and not client.data:
            return []  # it may close behind an answer
        if not finals or path.encode() not in finals[0].body:
            return ["probe on the %s connection: %r" % (which, client.data[:80])]
        return []


class Verdict:
    """What a case says against what was seen, as a list of sentences; empty when it holds."""

    def __init__(self, case, client, upstream, strict):
        self.case, self.client, self.upstream, self.strict = case, client, upstream, strict
        self.why = []
        time.sleep(0.05)  # what was forwarded may still be on its way to the upstream
        self.seen = upstream.seen()
        try:
            self.finals = client.finals()
            _, rest = http1.responses(client.data, client.methods, client.closed)
            if rest and client.closed and not (self.finals and not self.finals[-1].complete):
                self.fail("the client got bytes that are no response: %r" % rest[:60])
        except http1.Violation as violation:
            self.finals = []
            self.fail("the client got what no strict reader takes: %s" % violation)
        self.statuses = [r.status for r in self.finals]

    def fail(self, sentence):
        self.why.append(sentence)

    def refused(self):
        return not self.seen

    def request(self):
        case = self.case
        if self.upstream.violations:
            self.fail("UPSTREAM GOT INVALID BYTES: %s" % "; ".join(self.upstream.violations)[:160])
        self._forbidden_upstream()
        for text in case.get("require_upstream_bytes", []):
            if text.encode() not in self.upstream.received:
                self.fail("missing upstream: %r" % text)
        {"must-reject": self._must_reject, "must-accept": self._must_accept,
         "either-never-ambiguous": self._either}[case["expect"]]()
        return self.why

    def _forbidden_upstream(self):
        heads = b"\r\n\r\n".join(r.head for r in self.seen)
        for text in self.case["forbid_upstream_bytes"]:
            if text == "/smuggled":
                if any(r.target.startswith("/smuggled") for r in self.seen):
                    self.fail("SMUGGLED REQUEST")
            elif text.encode("latin1") in heads:
                self.fail("forbidden upstream: %r" % text)

    def _must_reject(self):
        case, client = self.case, self.client
        if len(self.seen) > case["max_complete_upstream_requests"]:
            self.fail("forwarded %d" % len(self.seen))
        if self.statuses and self.statuses[0] not in case["status_ok"]:
            self.fail("status %s, want %s" % (self.statuses[:3], case["status_ok"]))
        if not self.statuses and not (client.closed and case["close_without_response_ok"]):
            held = case.get("client_holds_open") and case["phase"] == "body" and not self.strict
            if not held:
                self.fail("closed without an answer" if client.closed else "no answer, still open")
        may_stay = "may stay open" in case.get("note", "")
        if self.strict and case["connection_after"] == "must-close" and not client.closed and not may_stay:
            self.fail("rejected, but the connection is not closed")

    def _must_accept(self):
        case, want = self.case, self.case["complete_upstream_requests"]
        if len(self.seen) != want:
            self.fail("the upstream saw %d, want %d" % (len(self.seen), want))
        good = [s for s in self.statuses if s in case["status_ok"]]
        if len(good) < want:
            self.fail("statuses %s" % self.statuses[:4])
        self._first_request()
        if case["connection_after"] == "must-close" and not self.client.closed:
            self.fail("the connection is not closed")
        for text in case.get("client_checks", {}).get("forbid_bytes", []):
            if text.encode() in self.client.data:
                self.fail("the client got %r" % text)

    def _first_request(self):
        case = self.case
        if not self.seen:
            return
        first = self.seen[0]
        if "upstream_body_b64" in case and first.body != b64(case, "upstream_body_b64"):
            self.fail("body %r" % first.body[:60])
        for key, got in (("upstream_target", first.target), ("upstream_method", first.method)):
            if key in case and case[key] != got:
                self.fail("%s %r, want %r" % (key, got[:80], case[key]))

    def _either(self):
        case = self.case
        if len(self.seen) > case["max_complete_upstream_requests"]:
            self.fail("the upstream saw %d" % len(self.seen))
        self._first_request()
        if self.seen and case["connection_after"] == "must-close" and not self.client.closed:
            self.fail("forwarded, and the connection is not closed")
        if self.refused() and not self.statuses and not self.client.closed:
            self.fail("no answer, still open")
        if self.refused() and self.statuses and self.statuses[0] < 400 and case["recommended"] != "accept":
            self.fail("status %s without forwarding" % self.statuses[:2])
        if self.refused() and self.statuses and case["id"] not in DECIDED:
            allowed = case.get("status_if_rejected")
            if self.strict and allowed and self.statuses[0] not in allowed:
                self.fail("status %s, want %s" % (self.statuses[0], allowed))
        self._recommended("reject" if self.refused() else "accept")

    def _recommended(self, did):
        want = self.case.get("recommended")
        if self.strict and want and did != want and self.case["id"] not in DECIDED:
            self.fail("%s, where %s is recommended" % (did, want))

    def response(self):
        case = self.case
        for text in case["forbid_client_bytes"]:
            if text.encode("latin1") in self.client.data:
                self.fail("CLIENT GOT %r" % text)
        if self.upstream.violations:
            self.fail("UPSTREAM GOT INVALID BYTES: %s" % self.upstream.violations[0])
        errors = case.get("client_status_if_error", case.get("client_status_ok", [502]))
        self.errors = errors
        first = self.finals[0] if self.finals else None
        status = first.status if first else None
        if case["expect"] == "gateway-error" and status not in errors:
            self.fail("status %s, want %s" % (status, errors))
        elif case["expect"] == "pass":
            self._passed(first)
        elif case["expect"] == "gateway-error-or-abort" and status not in errors:
            if first and first.complete:
                self.fail("a truncated response ended cleanly (%s, %d bytes)" % (status, len(first.body)))
            if not first and not self.client.closed:
                self.fail("no answer, still open")
        elif case["expect"] == "pass-or-gateway-error":
            if first and status not in errors + case.get("client_status_if_pass", [200]):
                self.fail("status %s" % status)
            if not first and not self.client.closed:
                self.fail("no answer, still open")
            if first:
                self._recommended("gateway-error" if status in errors else "pass")
        return self.why

    def _passed(self, first):
        case = self.case
        if not first or first.status not in case["client_status_ok"]:
            self.fail("status %s" % self.statuses[:2])
        elif not first.complete:
            self.fail("incomplete")
        elif "client_body_b64" in case and first.body != b64(case, "client_body_b64"):
            self.fail("body %r" % first.body[:60])

    def reuse(self):
        """After the probes: an upstream connection with unasked bytes served no other request."""
        case, status = self.case, self.statuses[0] if self.statuses else None
        if case["upstream_connection_reusable"] or case["upstream_after"] != "keep":
            return []
        seen = self.upstream.seen()
        mine = {r.connection for r in seen if r.target.startswith("/r/")}
        probes = {r.connection for r in seen if r.target.startswith("/probe/")}
        if self.strict or status not in self.errors:
            return ["a dirty upstream connection was used again"] if mine & probes else []
        return []


def work(lane, run, cases, results, verbose):
    while True:
        try:
            case = cases.get_nowait()
        except queue.Empty:
            return
        start = time.monotonic()
        try:
            why = getattr(lane, run)(case)
        except (AssertionError, OSError) as error:
            why = ["the proxy is gone: %s\n%s" % (error, lane.proxy.log()[-2000:])]
        results[case["id"]] = why
        if why or verbose:
            took = time.monotonic() - start
            text = "".join("\n          %s" % sentence for sentence in why)
            print("%-4s %s  %s  (%s, %.1f s)%s"
                  % ("FAIL" if why else "ok", case["id"], case["name"], case["expect"], took, text), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("side", choices=["requests", "responses"])
    parser.add_argument("--dragoman")
    parser.add_argument("--nginx")
    parser.add_argument("--cases", default=DATA)
    parser.add_argument("--only", default="")
    parser.add_argument("--lanes", type=int, default=10)
    parser.add_argument("--lenient", action="store_true", help="do not insist on what is only recommended")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    if bool(args.dragoman) == bool(args.nginx):
        parser.error("give --dragoman or --nginx")
    with open(args.cases) as file:
        chosen = json.load(file)[args.side]
    only = set(filter(None, args.only.split(",")))
    chosen = [case for case in chosen if not only or case["id"] in only]
    if not chosen:
        parser.error("no such case")
    # The slow ones first, so that no lane ends long after the others.
    chosen.sort(key=lambda case: not (case.get("client_holds_open") or case.get("upstream_after") == "hang"))
    cases, results = queue.Queue(), {}
    for case in chosen:
        cases.put(case)

    def start(upstream_port):
        if args.nginx:
            return Nginx(args.nginx, upstream_port)
        return harness.Dragoman(args.dragoman, upstream_port)

    began = time.monotonic()
    lanes = [Lane(start, not args.lenient) for _ in range(min(args.lanes, len(chosen)))]
    run = "run_request" if args.side == "requests" else "run_response"
    threads = [threading.Thread(target=work, args=(lane, run, cases, results, args.verbose)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    problems = [problem for lane in lanes for problem in lane.close()]
    for problem in problems:
        print("FAIL %s" % problem)
    failed = sum(bool(why) for why in results.values())
    print("%s: %d of %d hold, in %.0f s" % (args.side, len(results) - failed, len(chosen),
                                            time.monotonic() - began))
    return 1 if failed or problems or len(results) != len(chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
