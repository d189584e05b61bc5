#!/usr/bin/env python3
"""TLS towards clients and backends: who is let in, what is offered, what is resumed, what a reload changes.

  tls.py --dragoman BINARY [--only NAME,..] [--jobs N]"""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree

import harness
import scenarios
from accesslog import lines
from harness import HOST, Client, Upstream, get

CERTIFICATES = os.path.abspath(os.path.join(scenarios.ROOT, "tests", "data", "packs", "certificates"))
FOLDER = tempfile.TemporaryDirectory(prefix="dragoman-tls-")
SCENARIOS = []
# Mozilla, Server Side TLS 5.7, intermediate.
PROFILE = {
    "TLSv1.3": ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"],
    "TLSv1.2": ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
                "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305"]}
GROUPS = {"X25519": "x25519", "P-256": "secp256r1", "P-384": "secp384r1"}


def scenario(function):
    SCENARIOS.append(function)
    return function


def openssl(*arguments, **options):
    return subprocess.run(("openssl",) + arguments, capture_output=True, text=True, timeout=10, **options)


def folder():
    return tempfile.mkdtemp(dir=FOLDER.name)


class Authority:
    """A CA with a folder of its own, and what it signs."""

    def __init__(self):
        self.folder = folder()
        self.crt, self.key = self.path("ca.crt"), self.path("ca.key")
        made = openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                       "/CN=wire CA", "-days", "2", "-keyout", self.key, "-out", self.crt)
        assert made.returncode == 0, made.stderr

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, subject="/CN=localhost", san="DNS:localhost,IP:127.0.0.1", use="serverAuth", days=2,
              key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        """The paths of a certificate and its key."""
        crt, secret = self.path(name + ".crt"), self.path(name + ".key")
        request, extensions = self.path(name + ".csr"), self.path(name + ".ext")
        with open(extensions, "w") as out:
            out.write("extendedKeyUsage=%s\n" % use + ("subjectAltName=%s\n" % san if san else ""))
        asked = openssl("req", "-newkey", *key, "-nodes", "-subj", subject, "-keyout", secret, "-out", request)
        assert asked.returncode == 0, asked.stderr
        dates = ("-days", str(days)) if days > 0 else ("-days", "1")
        signed = openssl("x509", "-req", "-in", request, "-CA", self.crt, "-CAkey", self.key, "-CAcreateserial",
                         "-extfile", extensions, "-out", crt, *dates)
        assert signed.returncode == 0, signed.stderr
        return crt, secret


def context_of(ca, own=None, version=None):
    context = ssl.create_default_context(cafile=ca.crt)
    if own:
        context.load_cert_chain(*own)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


class TlsClient(Client):
    def __init__(self, port, context, host="localhost", session=None):
        super().__init__(port)
        self.sock = context.wrap_socket(self.sock, server_hostname=host, session=session)


def listen(port, **tls):
    return {"address": "%s:%d" % (HOST, port), "tls": tls}


def start(s, ca, config=None, answer=None, **tls):
    """A proxy with a TLS port before a plain backend."""
    port = harness.free_port()
    if "cert" not in tls and "certs" not in tls:
        tls["cert"], tls["key"] = ca.issue("server")
    proxy, up = s.start(answer, dict(config or {}, listen=[listen(port, **tls)]))
    return proxy, up, port


# ---- clients with certificates

@scenario
def the_backend_and_the_log_learn_who_a_client_is(s):
    ca = Authority()
    fields = {"cn": "X-Client-CN", "uri": "X-Client-URI", "dns": "X-Client-DNS", "email": "X-Client-Email",
              "sha256": "X-Client-SHA256"}
    own = ca.issue("ada", "/CN=Ada Obi", "URI:spiffe://x.example/ada,email:ada@x.example,DNS:a.example,DNS:b.example",
                   "clientAuth")
    proxy, up, port = start(s, ca, {"client_fields": fields, "access_log": "access.log"}, client_ca=ca.crt)
    forged = ("X-Client-CN: root", "x-client-cn: root", "X_Client-CN: root", "X-Client-Uri: spiffe://x.example/root",
              "Connection: X-Client-CN, X-Client-SHA256")
    with TlsClient(port, context_of(ca, own)) as client:
        assert client.ask(get("/", *forged)).status == 200
        assert client.ask(get("/", *forged)).status == 200
    told = openssl("x509", "-in", own[0], "-noout", "-fingerprint", "-sha256").stdout
    fingerprint = told.split("=")[1].strip().replace(":", "").lower()
    for request in up.seen():
        assert request.all("x-client-cn") == [b"Ada%20Obi"], request.all("x-client-cn")
        assert request.all("x-client-uri") == [b"spiffe://x.example/ada"]
        assert request.all("x-client-dns") == [b"a.example, b.example"]
        assert request.all("x-client-email") == [b"ada@x.example"]
        assert request.all("x-client-sha256") == [fingerprint.encode()]
        assert not request.all("x_client-cn")
    for line in lines(proxy, 2):
        assert json.loads(line)["client_cert"] == {
            "sha256": fingerprint, "cn": "Ada%20Obi", "uri": "spiffe://x.example/ada",
            "dns": "a.example, b.example", "email": "ada@x.example"}, line
    with Client(proxy.port) as client:  # the plain port of the same proxy
        assert client.ask(get("/", *forged)).status == 200
    assert not any(up.seen()[-1].all(name) for name in (*fields.values(), "x_client-cn"))
    assert "client_cert" not in json.loads(lines(proxy, 3)[2])


@scenario
def a_certificate_pins_its_client_to_a_version(s):
    """By each part; who shows none, or one without a line, gets the default."""
    ca = Authority()
    old = ca.issue("old", "/CN=Ada Obi", "URI:spiffe://x.example/old,email:ada@x.example,DNS:a.example", "clientAuth")
    new = ca.issue("new", "/CN=Bo", "URI:spiffe://x.example/new,email:bo@x.example,DNS:b.example", "clientAuth")
    told = openssl("x509", "-in", old[0], "-noout", "-fingerprint", "-sha256").stdout
    pins = {"uri": "spiffe://x.example/old", "cn": "Ada%20Obi", "dns": "a.example", "email": "ada@x.example",
            "sha256": told.split("=")[1].strip().replace(":", "").lower()}
    for part, value in pins.items():
        pack = os.path.join(folder(), "pack")
        shutil.copytree(CERTIFICATES, pack)
        with open(os.path.join(pack, "api.yaml"), "w") as out:
            out.write("api: c\nbase: /c\nversions: [v1, v2]\nselected_by:\n  - header: API-Version\n"
                      "  - pin: {client_certificate: %s, file: pins.txt}\n  - default: v2\n" % part)
        with open(os.path.join(pack, "pins.txt"), "w") as out:
            out.write(value + " v1\n")
        proxy, up, port = start(s, ca, {"packs": [pack]}, lambda *_: harness.answer_bytes(b'{"a2":1}'), client_ca=ca.crt,
                                client_verify="optional")
        for own, fields, body in ((old, (), b'{"a1":1}'), (new, (), b'{"a2":1}'), (None, (), b'{"a2":1}'),
                                  (old, ("API-Version: v2",), b'{"a2":1}'),
                                  (new, ("X-Client-CN: Ada%20Obi",), b'{"a2":1}')):
            with TlsClient(port, context_of(ca, own)) as client:
                answer = client.ask(get("/c/x", "Dragoman-Explain: 1", *fields))
                assert answer.status == 200 and answer.body == body, (part, own, answer.body)
                by = b"by=pin" if own == old and not fields else b"by=header" if fields and own == old else b"by=default"
                assert by in answer.get("dragoman-version"), answer.fields
                assert answer.get("vary") == b"API-Version"
        with Client(proxy.port) as client:
            assert client.ask(get("/c/x")).body == b'{"a2":1}', "the plain port"
        assert all(r.get("api-version") in (None, b"v2") for r in up.seen())


@scenario
def who_has_no_certificate_of_the_ca_stays_outside(s):
    ca, other = Authority(), Authority()
    strangers = [other.issue("stranger", use="clientAuth"), ca.issue("no-client", use="serverAuth")]
    own = ca.issue("own", "/CN=own", None, "clientAuth")
    server = dict(zip(("cert", "key"), ca.issue("server")))
    proxy, up, port = start(s, ca, client_ca=ca.crt, client_verify="required", **server)
    _, free, open_port = start(s, ca, client_ca=ca.crt, client_verify="optional", **server)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for certificate in [None, *strangers]:
            try:
                with TlsClient(port, context_of(ca, certificate, version)) as client:
                    client.send(get("/"))
                    client.wait(1, 1)
                    assert not client.data, "served without a certificate that counts"
            except (ssl.SSLError, ConnectionError):
                pass
        with TlsClient(port, context_of(ca, own, version)) as client:
            assert client.ask(get("/in")).status == 200
        with TlsClient(open_port, context_of(ca, None, version)) as client:
            assert client.ask(get("/in")).status == 200
    assert [r.target for r in up.seen()] == ["/in"] * 2 and len(free.seen()) == 2


# ---- sessions

@scenario
def sessions_are_resumed_by_all_workers_and_after_reloads(s):
    ca = Authority()
    crt, key = ca.issue("server")
    port = harness.free_port()
    up = Upstream()
    proxy = harness.Dragoman(s.binary, up.port, {"listen": [listen(port, cert=crt, key=key)]}, workers=3)
    s.started.append((proxy, up))
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = context_of(ca, version=version)
        session = None
        for turn in range(24):
            with TlsClient(port, context, session=session) as client:
                assert client.sock.session_reused == (turn > 0), (version, turn)
                assert client.ask(get("/")).status == 200
                session = client.sock.session
            if turn == 12:
                proxy.reload(timeouts=dict(harness.TIMEOUTS, tickets="1h"))
                harness.wait_until(lambda: proxy.log().count("reloaded") > (version == ssl.TLSVersion.TLSv1_3), 3,
                                   "the reload")
        with contextlib.suppress(ssl.SSLError):
            shown = openssl("s_client", "-connect", "%s:%d" % (HOST, port), "-servername", "localhost", input="")
            assert "Max Early Data: 0" in shown.stdout or "Max Early Data" not in shown.stdout, "0-RTT"


# ---- what is offered

def start_rsa_and_ecdsa(s, ca):
    pairs = [ca.issue("ec"), ca.issue("rsa", key=("rsa:2048",))]
    return start(s, ca, certs=[{"cert": crt, "key": key} for crt, key in pairs])


def probe(port, *arguments):
    """What a handshake of that kind comes to: (protocol, cipher), or None."""
    shown = openssl("s_client", "-connect", "%s:%d" % (HOST, port), "-servername", "localhost", *arguments, input="")
    found = re.search(r"^New, (TLSv1\.\d), Cipher is (\S+)", shown.stdout, re.M)
    return found.groups() if found else None


@scenario
def each_cipher_of_the_profile_is_offered_and_no_other(s):
    _, _, port = start_rsa_and_ecdsa(s, Authority())
    for cipher in PROFILE["TLSv1.3"]:
        assert probe(port, "-tls1_3", "-ciphersuites", cipher) == ("TLSv1.3", cipher), cipher
    for cipher in ("TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"):
        assert probe(port, "-tls1_3", "-ciphersuites", cipher) is None, cipher
    offered = []
    for cipher in openssl("ciphers", "-tls1_2", "ALL:COMPLEMENTOFALL:@SECLEVEL=0").stdout.strip().split(":"):
        if cipher.startswith("TLS_"):
            continue
        if probe(port, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0"):
            offered.append(cipher)
    assert sorted(offered) == sorted(PROFILE["TLSv1.2"]), offered
    for protocol in ("-tls1", "-tls1_1"):
        assert probe(port, protocol, "-cipher", "ALL:@SECLEVEL=0") is None, protocol
    for group in ("X25519", "P-256", "P-384", "P-521", "X448"):
        assert bool(probe(port, "-tls1_3", "-groups", group)) == (group in GROUPS), group
    # The client's order counts.
    for first, second in (PROFILE["TLSv1.2"][0:3:2], PROFILE["TLSv1.2"][2::-2]):
        assert probe(port, "-tls1_2", "-cipher", first + ":" + second)[1] == first


@scenario
def sslscan_finds_the_profile_and_nothing_else(s):
    program = shutil.which("sslscan")
    if not program:
        return  # the scenario above asks the same with openssl alone
    _, _, port = start_rsa_and_ecdsa(s, Authority())
    run = subprocess.run([program, "--xml=-", "--no-colour", "--sni-name=localhost", "%s:%d" % (HOST, port)],
                         capture_output=True, timeout=60)
    test = xml.etree.ElementTree.fromstring(run.stdout).find("ssltest")
    enabled = {p.get("type") + "v" + p.get("version") for p in test.findall("protocol") if p.get("enabled") == "1"}
    assert enabled == {"tlsv1.2", "tlsv1.3"}, enabled
    found = {"TLSv1.2": set(), "TLSv1.3": set()}
    for cipher in test.findall("cipher"):
        found[cipher.get("sslversion")].add(cipher.get("cipher"))
    # It asks with one key exchange at a time, so that the certificate of either kind answers.
    assert found["TLSv1.3"] == set(PROFILE["TLSv1.3"]), found["TLSv1.3"]
    assert found["TLSv1.2"] and found["TLSv1.2"] <= set(PROFILE["TLSv1.2"]), found["TLSv1.2"]
    groups = {g.get("name").split()[0] for g in test.findall("group")}
    assert groups <= {"x25519", "secp256r1", "secp384r1", "ffdhe2048", "ffdhe3072"} and \
        groups >= set(GROUPS.values()), groups
    assert test.find("renegotiation").get("supported") == "0" and test.find("renegotiation").get("secure") in ("0", "1")
    assert not [c for c in test.findall("compression") if c.get("supported") == "1"]
    assert not [h for h in test.findall("heartbleed") if h.get("vulnerable") == "1"]


@scenario
def renegotiation_is_refused(s):
    _, _, port = start_rsa_and_ecdsa(s, Authority())
    asked = subprocess.Popen(["openssl", "s_client", "-connect", "%s:%d" % (HOST, port), "-tls1_2"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    asked.stdin.write(b"R\n")
    asked.stdin.flush()
    try:
        out = asked.communicate(timeout=4)[0]
    except subprocess.TimeoutExpired:
        asked.kill()
        out = asked.communicate()[0]
    assert b"no renegotiation" in out.lower() or b"alert number 100" in out, out[-400:]


@scenario
def alpn_is_http_1_1_or_nothing(s):
    ca = Authority()
    _, _, port = start(s, ca)
    for offered, chosen in ((["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), (None, None)):
        context = context_of(ca)
        if offered:
            context.set_alpn_protocols(offered)
        with TlsClient(port, context) as client:
            assert client.sock.selected_alpn_protocol() == chosen
            assert client.ask(get("/")).status == 200
    context = context_of(ca)
    context.set_alpn_protocols(["h2", "spdy/3"])
    try:
        TlsClient(port, context)
        raise AssertionError("a handshake without a protocol in common")
    except ssl.SSLError as error:
        assert "no application protocol" in str(error).lower().replace("_", " "), error


@scenario
def what_comes_before_the_handshake_is_not_read_as_http(s):
    ca = Authority()
    _, up, port = start(s, ca)
    with Client(port) as client:
        client.send(get("/plain"))
        finals = client.wait(1)
        assert finals and finals[0].status == 400 and b"https" in finals[0].body, client.data
        assert client.wait_closed(3)
    for prefix in (b"\x00", b"x" * 64, b"\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"y" * 100):
        with Client(port) as client:  # bytes, then what may be a good handshake
            client.send(prefix)
            client.sock.settimeout(2)
            try:
                context_of(ca).wrap_socket(client.sock, server_hostname="localhost")
                raise AssertionError("a handshake behind %r" % prefix)
            except (ssl.SSLError, OSError):
                pass
    with TlsClient(port, context_of(ca)) as client:
        assert client.ask(get("/tls")).status == 200
    assert [r.target for r in up.seen()] == ["/tls"]


# ---- reload

@scenario
def certificates_change_under_load_and_no_handshake_fails(s):
    ca, crts = Authority(), []
    for number in range(2):
        crts.append(ca.issue("server-%d" % number))
    live = [os.path.join(folder(), name) for name in ("live.crt", "live.key")]

    def install(number, key_of=None):
        for at, path in enumerate((crts[number][0], crts[number if key_of is None else key_of][1])):
            shutil.copy(path, live[at] + ".new")
            os.rename(live[at] + ".new", live[at])
    install(0)
    proxy, _, port = start(s, ca, cert=live[0], key=live[1])
    stop, faults, counts, serials = threading.Event(), [], [0] * 4, set()

    def load(number):
        context = context_of(ca)
        while not stop.is_set():
            try:
                with TlsClient(port, context) as client:
                    serials.add(client.sock.getpeercert()["serialNumber"])
                    for _ in range(2):
                        assert client.ask(get("/")).status == 200
                counts[number] += 1
            except Exception as error:
                faults.append(repr(error))
    threads = [threading.Thread(target=load, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(6):
            mismatched = turn % 3 == 2
            install(turn % 2, key_of=1 - turn % 2 if mismatched else None)
            said = "reload refused" if mismatched else "info: reloaded"
            before = proxy.log().count(said)
            proxy.process.send_signal(signal.SIGHUP)
            harness.wait_until(lambda: proxy.log().count(said) > before, 5, said)
            time.sleep(0.15)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not faults, faults[:3]
    assert sum(counts) > 20 and len(serials) == 2, (counts, serials)
    assert "does not belong to the certificate" in proxy.log()


@scenario
def a_stapled_response_comes_with_a_reload(s):
    """RFC 6066 8, RFC 8446 4.4.2.1."""
    ca = Authority()
    crt, key = ca.issue("server")
    proxy, _, port = start(s, ca, cert=crt, key=key)

    def stapled():
        return openssl("s_client", "-connect", "%s:%d" % (HOST, port), "-status", input="").stdout
    assert "no response sent" in stapled()
    serial = openssl("x509", "-in", crt, "-noout", "-serial").stdout.strip().split("=")[1]
    with open(ca.path("index.txt"), "w") as out:
        out.write("V\t401231235959Z\t\t%s\tunknown\t/CN=localhost\n" % serial)
    made = openssl("ocsp", "-index", ca.path("index.txt"), "-CA", ca.crt, "-rsigner", ca.crt, "-rkey", ca.key, "-issuer",
                   ca.crt, "-cert", crt, "-ndays", "1", "-respout", ca.path("response.der"))
    assert made.returncode == 0, made.stderr
    proxy.reload(listen=["%s:%d" % (HOST, proxy.port), listen(port, cert=crt, key=key, ocsp=ca.path("response.der"))])
    harness.wait_until(lambda: "info: reloaded" in proxy.log(), 3, "the reload")
    harness.wait_until(lambda: "OCSP Response Status: successful" in stapled(), 3, "a stapled response")
    proxy.reload(listen=["%s:%d" % (HOST, proxy.port), listen(port, cert=crt, key=key, ocsp=crt)])
    harness.wait_until(lambda: "reload refused" in proxy.log(), 3, "the refusal")
    assert "cannot use the OCSP response" in proxy.log() and "OCSP Response Status: successful" in stapled()


# ---- backends

class TlsUpstream(Upstream):
    def __init__(self, pair, client_ca=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*pair)
        if client_ca:
            self.context.load_verify_locations(client_ca)
            self.context.verify_mode = ssl.CERT_REQUIRED
        self.peers = []
        super().__init__()

    def _serve(self, connection):
        try:
            connection.sock = self.context.wrap_socket(connection.sock, server_side=True)
        except OSError:
            connection.sock.close()
            return
        self.peers.append(connection.sock.getpeercert())
        super()._serve(connection)


def start_before(s, up, **upstream):
    proxy = harness.Dragoman(s.binary, up.port, {"upstream": dict(url="https://localhost:%d" % up.port, **upstream)})
    s.started.append((proxy, up))
    return proxy


@scenario
def a_backend_that_asks_gets_our_certificate(s):
    ca = Authority()
    crt, key = ca.issue("proxy", "/CN=the proxy", None, "clientAuth")
    up = TlsUpstream(ca.issue("backend"), ca.crt)
    proxy = start_before(s, up, ca=ca.crt, tls={"cert": crt, "key": key})
    with Client(proxy.port) as client:
        assert client.ask(get("/")).status == 200
    assert up.peers[0]["subject"] == ((("commonName", "the proxy"),),), up.peers
    bare = start_before(s, TlsUpstream(ca.issue("backend"), ca.crt), ca=ca.crt)
    with Client(bare.port) as client:
        assert client.ask(get("/")).status == 502


@scenario
def the_log_tells_why_a_backend_is_not_trusted(s):
    ca, other = Authority(), Authority()
    old = folder()
    subprocess.run([s.binary, "certs", old, "localhost"], check=True, stdout=subprocess.DEVNULL)
    expired = os.path.join(old, "expired.crt")
    request = ca.issue("expired")
    made = openssl("ca", "-batch", "-notext", "-in", ca.path("expired.csr"), "-out", expired, "-keyfile", ca.key, "-cert",
                   ca.crt, "-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-md", "sha256", "-outdir", old,
                   "-extfile", ca.path("expired.ext"), "-config", authority_config(old))
    assert made.returncode == 0, made.stderr
    cases = [(other.issue("stranger"), "of a CA that is not trusted"),
             (ca.issue("elsewhere", "/CN=x", "DNS:elsewhere.example"), "for another host"),
             ((expired, request[1]), "has expired")]
    for pair, words in cases:
        proxy = start_before(s, TlsUpstream(pair), ca=ca.crt)
        with Client(proxy.port) as client:
            answer = client.ask(get("/"))
            assert answer.status == 502 and b"upstream-tls" in answer.body, answer.body
        assert words in proxy.log(), (words, proxy.log()[-500:])


def authority_config(where):
    """What `openssl ca` needs to sign with dates of the past."""
    for name, text in (("index.txt", ""), ("serial", "7001\n"), ("index.txt.attr", "")):
        with open(os.path.join(where, name), "w") as out:
            out.write(text)
    path = os.path.join(where, "ca.cnf")
    with open(path, "w") as out:
        out.write("[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index.txt\nserial=%s/serial\npolicy=p\n"
                  "[p]\ncommonName=supplied\n" % (where, where))
    return path


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS))
