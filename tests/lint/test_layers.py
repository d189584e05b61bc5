#!/usr/bin/env python3
"""Shows that layers.py bites: each doctored source must be refused, by the reason given, and nothing else.

usage: test_layers.py BUILD_DIR
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import layers  # noqa: E402 (beside this file)

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TOPS = ("base", "transforms", "rules", "certs", "proxy")

# file, its text, what must be said; compiled ones begin with "extern"
CASES = [
    ("transforms/bad.c", '#include "rules/ruleset.h"\n', "transforms may not know rules"),
    ("base/bad.h", '  #  include "transforms/op.h"\n', "base may not know transforms"),
    ("certs/bad.c", '#include "proxy/log.h"\n', "certs may not know proxy"),
    ("rules/bad.c", "#include <event2/event.h>\n", "rules may not use libevent"),
    ("rules/bad.c", "#include <openssl/ssl.h>\n", "rules may not use openssl"),
    ("transforms/bad.c", "#include <sys/socket.h>\n", "transforms may not use sockets"),
    ("proxy/http/bad.c", "#include <sys/socket.h>\n", "proxy/http may not use sockets"),
    ("proxy/lifecycle/bad.c", '#include "proxy/net/conn.h"\n', "proxy/lifecycle may not know proxy/net"),
    ("proxy/usage/bad.c", "#include <event2/event.h>\n", "proxy/usage may not use libevent"),
    ("proxy/exchange/bad.c", "#include <event2/event.h>\n", "proxy/exchange may not use libevent"),
    ("proxy/admin/bad.c", "#include <evhtp/evhtp.h>\n", "proxy/admin may not use evhtp"),
    ("proxy/command/bad.c", "#include <event2/event.h>\n", "proxy/command may not use libevent"),
    ("base/bad.c", "#include <curl/curl.h>\n", "does not know"),
    ("base/bad.c", '#include "slice.h"\n', "belongs to no room"),
    ("proxy/annex/bad.c", "#include <stdio.h>\n", "proxy/annex is a room that"),
    ("transforms/bad.c", "extern int socket(int, int, int);\nint f(void) { return socket(1, 1, 0); }\n",
     "transforms may not use sockets (socket)"),
    ("rules/bad.c", "extern void SSL_free(void *);\nvoid f(void) { SSL_free(0); }\n",
     "rules may not use openssl (SSL_free)"),
    ("base/bad.c", "extern const char *dg_op_word(int);\nconst char *f(void) { return dg_op_word(0); }\n",
     "base may not know transforms (dg_op_word)"),
    ("proxy/exchange/bad.c", "extern void event_base_free(void *);\nvoid f(void) { event_base_free(0); }\n",
     "proxy/exchange may not use libevent (event_base_free)"),
    ("proxy/admin/bad.c", "extern void evhtp_free(void *);\nvoid f(void) { evhtp_free(0); }\n",
     "proxy/admin may not use evhtp (evhtp_free)"),
    ("proxy/usage/bad.c", "extern void dg_nowhere(void);\nvoid f(void) { dg_nowhere(); }\n",
     "nobody known to this lint defines dg_nowhere"),
]


def mirror_build(build, to):
    """The build's objects, by links, with room for more beside them."""
    for top in TOPS:
        for folder, names, _ in os.walk(os.path.join(build, top)):
            if os.path.basename(folder) == "CMakeFiles":
                copy = os.path.join(to, os.path.relpath(folder, build))
                os.makedirs(copy)
                for name in names:
                    os.symlink(os.path.join(folder, name), os.path.join(copy, name))
                names.clear()


def try_case(root, build, path, text, reason):
    source = os.path.join(root, path)
    target = os.path.join(build, os.path.dirname(path), "CMakeFiles", "bad.dir")
    os.makedirs(os.path.dirname(source), exist_ok=True)
    with open(source, "w", encoding="utf-8") as file:
        file.write(text)
    if text.startswith("extern"):
        os.makedirs(target)
        subprocess.run(["cc", "-c", "-o", os.path.join(target, "bad.c.o"), source], check=True)
    errors = layers.check_includes(root)[0] + layers.check_symbols(root, build)[0]
    shutil.rmtree(target, ignore_errors=True)
    os.remove(source)
    return len(errors) == 1 and errors[0].startswith(path) and reason in errors[0], errors


def main():
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        root, build = os.path.join(folder, "root"), os.path.join(folder, "build")
        for top in TOPS:
            shutil.copytree(os.path.join(ROOT, top), os.path.join(root, top))
        mirror_build(os.path.abspath(sys.argv[1]), build)
        errors = layers.check_includes(root)[0] + layers.check_symbols(root, build)[0]
        if errors:
            print("the sources as they are do not pass:", *errors, sep="\n")
            return 1
        for case in CASES:
            caught, errors = try_case(root, build, *case)
            if not caught:
                failures += 1
                print(f"not caught: {case}", *errors, sep="\n")
        with open(os.path.join(root, "base/bad.c"), "w", encoding="utf-8") as file:
            file.write(CASES[1][1])
        command = [sys.executable, os.path.join(HERE, "layers.py"), build, "--root", root]
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode != 1:
            failures += 1
            print("the command does not fail")
    print(f"layers.py: {len(CASES)} doctored sources, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
