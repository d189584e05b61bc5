#!/usr/bin/env python3
"""Recorded exchanges of real systems, through a running proxy. Each example of a pack is played by a client of one
version and a backend of the other: what the backend is asked, and what the client is told, must be what was recorded.

  replay.py --dragoman BINARY --packs DIR [--only PACK[/EXAMPLE]]

Prints how many exchanges of each system the pack expresses. An example with `out` says why it is not expressed, and has
to fail in truth: one that passes is an error, too."""
import argparse
import json
import os
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "wire"))
from harness import Client, Dragoman, Upstream  # noqa: E402

KEYS = {"name", "note", "versions", "older", "newer", "unordered", "volatile", "headers", "clients", "out"}
SIDES = {"older": ("older", "newer"), "newer": ("newer", "older")}  # the client's side, the backend's
MINE = ("content-length", "transfer-encoding", "connection", "keep-alive", "date", "host")


class Different(Exception):
    """What came is not what was recorded."""


# ---- values

def parse(text):
    """JSON; numbers stay the digits that they are written with."""
    return json.loads(text, parse_int=lambda t: ("number", t), parse_float=lambda t: ("number", t))


def children(value, step):
    """The places below a value that a step of a path names: a member, or [] for each element."""
    if step == "[]":
        return [(value, i) for i in range(len(value))] if isinstance(value, list) else []
    return [(value, step)] if isinstance(value, dict) and step in value else []


def places(value, path):
    found = [({"": value}, "")]
    for step in path.replace("[]", ".[]").split("."):
        found = [place for holder, key in found for place in children(holder[key], step)]
    return found


def in_order(value):
    return sorted(value, key=lambda item: json.dumps(item, sort_keys=True)) if isinstance(value, list) else value


def in_order_everywhere(value):
    if isinstance(value, dict):
        return {name: in_order_everywhere(member) for name, member in value.items()}
    return in_order([in_order_everywhere(item) for item in value]) if isinstance(value, list) else value


def comparable(document, example):
    """The message without what the example leaves out of the comparison."""
    for path in example.get("volatile", []):
        for holder, key in places(document, path):
            holder[key] = None
    unordered = example.get("unordered", [])
    for path in unordered if unordered is not True else []:
        for holder, key in places(document, path):
            holder[key] = in_order(holder[key])
    return in_order_everywhere(document) if unordered is True else document


# ---- messages

def media_type(value):
    return (value or "").split(";")[0].strip().lower()


def is_json(media):
    return media in ("application/json", "text/json") or media.endswith("+json")


def content_of(message):
    if "body" in message:
        return json.dumps(message["body"]).encode()
    return message.get("body_text", "").encode()


def told(message, example):
    """A recorded message, as it is compared."""
    fields = message.get("headers", {})
    content = content_of(message)
    document = {"type": media_type(fields.get("content-type")) if content else "",
                "body": parse(content) if "body" in message else content.decode(),
                "fields": {name: fields.get(name) for name in example.get("headers", [])}}
    return document


def came(message, example):
    """A message from the wire, as it is compared."""
    media = media_type((message.get("content-type") or b"").decode()) if message.body else ""
    text = message.body.decode("utf-8", "replace")
    document = {"type": media, "body": text, "fields": {}}
    if is_json(media):
        try:
            document["body"] = parse(text)
        except ValueError:
            pass
    for name in example.get("headers", []):
        values = [value.decode("latin-1") for value in message.all(name)]
        document["fields"][name] = ", ".join(values) if values else None
    return document


def asked(method, target):
    """A request line; the order of parameters of different names says nothing."""
    path, _, query = target.partition("?")
    named = {}
    for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
        named.setdefault(name, []).append(value)
    return {"method": method, "path": path, "query": named}


def differences(expected, got, where=""):
    if type(expected) is not type(got):
        return ["%s: expected %s, got %s" % (where, json.dumps(expected)[:300], json.dumps(got)[:300])]
    found = []
    if isinstance(expected, dict):
        for name in list(expected) + [name for name in got if name not in expected]:
            at = "%s.%s" % (where, name) if where else name
            if name not in got:
                found.append("%s: expected %s, got nothing" % (at, json.dumps(expected[name])[:300]))
            elif name not in expected:
                found.append("%s: expected nothing, got %s" % (at, json.dumps(got[name])[:300]))
            else:
                found += differences(expected[name], got[name], at)
    elif isinstance(expected, list) and len(expected) == len(got):
        for i, pair in enumerate(zip(expected, got)):
            found += differences(*pair, "%s[%d]" % (where, i))
    elif expected != got:
        found.append("%s: expected %s, got %s" % (where, json.dumps(expected)[:300], json.dumps(got)[:300]))
    return found


def compare(what, expected, got, example):
    found = differences(comparable(expected, example), comparable(got, example))
    if found:
        raise Different(what + ":\n" + "\n".join("      " + line for line in found))


def field_lines(message, content):
    lines = ["%s: %s" % (name, value) for name, value in message.get("headers", {}).items() if name not in MINE]
    if content or "status" in message and message["status"] not in (204, 304):
        lines.append("content-length: %d" % len(content))
    return "".join(line + "\r\n" for line in lines)


# ---- an exchange

class Backend:
    """Answers what the example says, whatever it is asked."""

    def __init__(self):
        self.message = None
        self.upstream = Upstream(self.answer)

    def answer(self, _, request):
        content = content_of(self.message)
        head = "HTTP/1.1 %d Recorded\r\n%s\r\n" % (self.message["status"], field_lines(self.message, content))
        return head.encode() + (b"" if request.method == "HEAD" else content)


def play(proxy, backend, example, client_side):
    client, other = (example[side] for side in SIDES[client_side])
    request, content = client["request"], content_of(client["request"])
    backend.upstream.reset()
    backend.message = other["response"] if other else {"status": 500, "body": {"error": "asked, but should not be"}}
    head = "%s %s HTTP/1.1\r\nhost: api.example\r\n%s\r\n" % (request["method"], request["target"],
                                                             field_lines(request, content))
    with Client(proxy.port) as connection:
        answer = connection.ask(head.encode() + content, request["method"])
    seen = backend.upstream.seen()
    if len(seen) != (1 if other else 0):
        raise Different("the backend was asked %d times; the client got %d %s" %
                        (len(seen), answer.status, answer.body[:400]))
    if other:
        expected, got = told(other["request"], {}), came(seen[0], {})
        expected.update(asked(other["request"]["method"], other["request"]["target"]))
        got.update(asked(seen[0].method, seen[0].target))
        compare("what the backend is asked", expected, got, {})
    expected, got = told(client["response"], example), came(answer, example)
    expected["status"], got["status"] = client["response"]["status"], answer.status
    compare("what the client is told", expected, got, example)


def problem_of(proxy, backend, example, side):
    try:
        play(proxy, backend, example, side)
    except (Different, AssertionError) as problem:
        return str(problem)
    return None


# ---- packs

def load(folder):
    examples = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".json"):
            with open(os.path.join(folder, name), encoding="utf-8") as text:
                found = json.load(text)
            for example in found if isinstance(found, list) else [found]:
                if set(example) - KEYS or "versions" not in example:
                    sys.exit("%s: not an exchange: %s" % (name, sorted(set(example) - KEYS)))
                examples.append(example)
    return examples


def sides_of(example):
    clients = example.get("clients", "older")
    return ["older", "newer"] if clients == "both" else [clients]


class Pack:
    def __init__(self, binary, folder, only):
        self.binary, self.folder, self.name = binary, folder, os.path.basename(folder)
        self.examples = [e for e in load(os.path.join(folder, "examples")) if not only or e["name"] == only]
        self.expressed = self.out = self.both = 0
        self.problems = []

    def judge(self, proxy, backend, example, side):
        problem = problem_of(proxy, backend, example, side)
        if not problem and "out" in example:
            self.problems.append("%s, %s client: passes, though it is told to be out" % (example["name"], side))
        elif problem and "out" not in example:
            self.problems.append("%s, %s client: %s" % (example["name"], side, problem))

    def replay(self):
        """One proxy for all that speak to a backend of the same version."""
        runs = {}
        for example in self.examples:
            for side in sides_of(example):
                version = example["versions"][1 if side == "older" else 0]
                runs.setdefault(version, []).append((example, side))
        backend = Backend()
        for version, exchanges in runs.items():
            config = {"packs": [{"dir": self.folder, "backend_version": version}]}
            proxy = Dragoman(self.binary, backend.upstream.port, config)
            try:
                for example, side in exchanges:
                    self.judge(proxy, backend, example, side)
            finally:
                self.problems += proxy.stop()
        backend.upstream.close()
        self.out = sum("out" in example for example in self.examples)
        self.expressed = len(self.examples) - self.out
        self.both = sum("out" not in e and len(sides_of(e)) == 2 for e in self.examples)


def packs_in(folder, only):
    for name in sorted(os.listdir(folder)):
        if os.path.isdir(os.path.join(folder, name, "examples")) and (not only or name == only):
            if any(f.endswith(".json") for f in os.listdir(os.path.join(folder, name, "examples"))):
                yield os.path.abspath(os.path.join(folder, name))


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--dragoman", required=True)
    options.add_argument("--packs", required=True)
    options.add_argument("--only", default="")
    options = options.parse_args()
    system, _, name = options.only.partition("/")
    packs = [Pack(options.dragoman, folder, name) for folder in packs_in(options.packs, system)]
    if not any(pack.examples for pack in packs):
        sys.exit("no examples")
    for pack in packs:
        pack.replay()
        for problem in pack.problems:
            print("%s: %s" % (pack.name, problem))
    row = "%-16s %9s %9s %9s %4s"
    print(row % ("system", "exchanges", "expressed", "both ways", "out"))
    rows = [(p.name, len(p.examples), p.expressed, p.both, p.out) for p in packs]
    for line in rows + [("all",) + tuple(sum(r[i] for r in rows) for i in range(1, 5))]:
        print(row % line)
    sys.exit(1 if any(pack.problems for pack in packs) else 0)


main()
