"""HTTP/1.1 as a strict reader sees it: what a proxy sends to either side is judged with this."""
import re

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
REQUEST_LINE = re.compile(rb"(%s) ([\x21-\x7e]+) HTTP/1\.([01])" % TOKEN)
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5]\d\d) [\t\x20-\x7e\x80-\xff]*")
FIELD_LINE = re.compile(rb"(%s):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*" % TOKEN)
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t\x20-\x7e\x80-\xff]*)?")
CHUNK_LINE_MAX = 4096


class Violation(Exception):
    """Bytes that no strict reader takes."""


class Incomplete(Exception):
    """A message that has not ended yet."""


class Message:
    def __init__(self, head, start, fields):
        self.head, self.start, self.fields = head, start, fields
        self.body, self.trailers, self.complete = b"", [], True
        self.method = self.target = self.status = self.connection = None

    def all(self, name):
        return [value for key, value in self.fields if key == name.lower()]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else None


def _head(data):
    end = data.find(b"\r\n\r\n")
    if end < 0:
        raise Incomplete
    lines = data[:end].split(b"\r\n")
    fields = []
    for line in lines[1:]:
        match = FIELD_LINE.fullmatch(line)
        if not match:
            raise Violation("field line %r" % line[:80])
        fields.append((match.group(1).lower().decode(), match.group(2)))
    return Message(data[:end], lines[0], fields), data[end + 4:]


def _framing(message, http10):
    """'chunked', a length, or None."""
    codings, lengths = message.all("transfer-encoding"), message.all("content-length")
    if codings and lengths:
        raise Violation("Transfer-Encoding and Content-Length")
    if len(lengths) > 1:
        raise Violation("two Content-Length")
    if codings and (len(codings) > 1 or codings[0].lower() != b"chunked" or http10):
        raise Violation("Transfer-Encoding %r" % codings)
    if lengths and not re.fullmatch(rb"\d{1,18}", lengths[0]):
        raise Violation("Content-Length %r" % lengths[0])
    return "chunked" if codings else int(lengths[0]) if lengths else None


def _line(data, at, what):
    """The line at `at` and where the next one begins."""
    end = data.find(b"\r\n", at, at + CHUNK_LINE_MAX)
    if end < 0:
        if len(data) - at >= CHUNK_LINE_MAX or data.find(b"\n", at) >= 0:
            raise Violation("%s %r" % (what, data[at:at + 40]))
        raise Incomplete
    return data[at:end], end + 2


def _chunked(message, data):
    """Sets message.body as far as it gets, so that a caller sees what came before Incomplete."""
    pieces, at = [], 0
    try:
        while True:
            line, at = _line(data, at, "chunk line")
            match = CHUNK_LINE.fullmatch(line)
            if not match:
                raise Violation("chunk line %r" % line[:40])
            size = int(match.group(1), 16)
            if size == 0:
                break
            pieces.append(data[at:at + size])
            at += size + 2
            if len(data) < at:
                raise Incomplete
            if data[at - 2:at] != b"\r\n":
                raise Violation("chunk data ends with %r" % data[at - 2:at])
        while True:
            line, at = _line(data, at, "trailer")
            if not line:
                return data[at:]
            if not FIELD_LINE.fullmatch(line):
                raise Violation("trailer %r" % line[:60])
            message.trailers.append(line)
    finally:
        message.body = b"".join(pieces)


def request(data):
    """The first request of data and what follows it; raises Incomplete or Violation."""
    line = data.split(b"\r\n", 1)[0]
    if b"\r\n" in data and not REQUEST_LINE.fullmatch(line):
        raise Violation("request line %r" % line[:80])
    message, rest = _head(data)
    match = REQUEST_LINE.fullmatch(message.start)
    if not match:
        raise Violation("request line %r" % message.start[:80])
    message.method, message.target = match.group(1).decode(), match.group(2).decode()
    http10 = match.group(3) == b"0"
    if not http10 and len(message.all("host")) != 1:
        raise Violation("%d Host fields" % len(message.all("host")))
    framing = _framing(message, http10)
    if framing == "chunked":
        rest = _chunked(message, rest)
    elif framing:
        if len(rest) < framing:
            raise Incomplete
        message.body, rest = rest[:framing], rest[framing:]
    return message, rest


def response(data, method="GET", closed=False):
    """The first response of data and what follows it. A body that has not ended gives complete=False; a
    head that has not ended raises Incomplete."""
    message, rest = _head(data)
    match = STATUS_LINE.fullmatch(message.start)
    if not match:
        raise Violation("status line %r" % message.start[:80])
    message.status = int(match.group(1))
    framing = _framing(message, False)
    if message.status < 200 or message.status == 204:
        if framing is not None:
            raise Violation("%d with a body" % message.status)
        return message, rest
    if method == "HEAD" or message.status == 304:
        return message, rest
    if framing == "chunked":
        try:
            rest = _chunked(message, rest)
        except Incomplete:
            message.complete, rest = False, b""
    elif framing is not None:
        message.body, message.complete = rest[:framing], len(rest) >= framing
        rest = rest[framing:]
    else:
        message.body, message.complete, rest = rest, closed, b""
    return message, rest


def responses(data, methods=("GET",), closed=False):
    """All responses of data, interim ones too, and the bytes behind them that are none (yet). The last of
    methods stands for all that follow. Raises Violation."""
    found, final = [], 0
    while data:
        try:
            message, rest = response(data, methods[min(final, len(methods) - 1)], closed)
        except Incomplete:
            break
        found.append(message)
        final += message.status >= 200 or message.status == 101
        data = rest
        if not message.complete:
            break
    return found, data
