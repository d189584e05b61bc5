#!/usr/bin/env python3
"""Holds the layering: base <- transforms <- rules <- proxy and base <- certs <- proxy.

usage: layers.py BUILD_DIR [--root SOURCE_DIR]

Two things are checked, and both against the one table below. Which headers a source includes; and which symbols
each compiled file leaves undefined: each must come from a room or a system library that the file may use. What the
table does not name is refused, so that a new room or a new library is a decision and not an accident.
"""
import argparse
import functools
import os
import re
import subprocess
import sys

SOCKET_HEADERS = {"sys/socket.h", "sys/un.h", "netinet/in.h", "netinet/tcp.h", "netdb.h", "sys/epoll.h",
                  "poll.h", "sys/select.h", "sys/eventfd.h"}
SOCKET_SYMBOLS = {"socket", "socketpair", "bind", "listen", "accept", "accept4", "connect", "shutdown", "send",
                  "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg", "getsockopt",
                  "setsockopt", "getsockname", "getpeername", "getaddrinfo", "freeaddrinfo", "gethostbyname",
                  "epoll_create1", "epoll_ctl", "epoll_wait", "poll", "ppoll", "select", "eventfd",
                  "__recv_chk", "__recvfrom_chk", "__poll_chk"}
LIBC_HEADERS = {"arm_neon.h", "arpa/inet.h", "assert.h", "ctype.h", "dirent.h", "emmintrin.h", "errno.h", "fcntl.h", "getopt.h",
                "immintrin.h", "inttypes.h", "limits.h", "math.h", "pthread.h", "signal.h", "stdalign.h",
                "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h",
                "strings.h", "sys/file.h", "sys/mman.h", "sys/prctl.h", "sys/random.h", "sys/resource.h", "sys/stat.h",
                "sys/time.h", "sys/types.h", "sys/uio.h", "sys/wait.h", "time.h", "unistd.h"}
PACKAGE_HEADERS = [("event2/", "libevent"), ("evhtp", "evhtp"), ("openssl/", "openssl"), ("yaml.h", "yaml"), ("pcre2.h", "pcre2"),
                   ("jansson.h", "jansson"), ("zlib.h", "zlib"), ("brotli/", "brotli"), ("zstd", "zstd")]
PACKAGE_FILES = {"libc": ["libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libgcc.a"],
                 "libevent": ["libevent_core.so", "libevent_extra.so"], "evhtp": ["libevhtp.so"],
                 "openssl": ["libssl.so", "libcrypto.so"], "yaml": ["libyaml.so"], "pcre2": ["libpcre2-8.so"], "jansson": ["libjansson.so"],
                 "zlib": ["libz.so"], "brotli": ["libbrotlidec.so", "libbrotlienc.so"], "zstd": ["libzstd.so"]}

# room: (rooms it may include and call beside itself, system libraries beside libc; "sockets" are the socket calls)
ROOMS = {
    "base": ("", ""),
    "transforms": ("base", "pcre2"),
    "transforms/text": ("base transforms", ""),
    "transforms/scalar": ("base transforms transforms/text", ""),
    "transforms/whole": ("base transforms transforms/text transforms/scalar", ""),
    "transforms/pass": ("base transforms transforms/text transforms/scalar transforms/whole", ""),
    "transforms/stream": ("base transforms transforms/text transforms/pass", ""),
    "rules": ("base transforms", ""),
    "rules/doc": ("base transforms rules", "yaml"),
    "rules/request": ("base transforms rules rules/doc", ""),
    "rules/reader": ("base transforms transforms/scalar transforms/whole rules rules/doc rules/request", ""),
    "rules/compile": ("base transforms rules rules/doc rules/request rules/reader", ""),
    "rules/proof": ("base transforms transforms/scalar rules rules/doc rules/request rules/reader rules/compile", ""),
    "certs": ("base", "openssl"),
    "proxy": ("base", ""),  # the log
    "proxy/http": ("base", ""),
    "proxy/message": ("base transforms rules rules/reader proxy/http", ""),
    "proxy/accesslog": ("base", "sockets"),  # poll and eventfd
    "proxy/coding": ("base", "zlib brotli zstd"),
    "proxy/digest": ("base", "openssl"),
    "proxy/lifecycle": ("base rules", ""),
    "proxy/usage": ("base", ""),
    "proxy/net": ("base certs", "libevent openssl sockets"),
    "proxy/config": ("base certs rules rules/doc proxy/http proxy/net proxy/usage", ""),
    "proxy/exchange": ("base certs transforms rules proxy proxy/accesslog proxy/coding proxy/config proxy/digest "
                       "proxy/http proxy/lifecycle proxy/message proxy/net proxy/usage", "sockets"),
    "proxy/admin": ("base proxy/http", "libevent sockets"),
    "proxy/demo": ("base proxy/admin", "libevent jansson"),
    "proxy/server": ("base certs rules proxy proxy/accesslog proxy/admin proxy/config proxy/exchange proxy/net proxy/usage",
                     "libevent sockets"),
    "proxy/command": ("base certs transforms rules rules/doc rules/reader rules/compile rules/proof proxy proxy/admin proxy/config proxy/demo proxy/http "
                      "proxy/message proxy/net proxy/server proxy/usage", ""),
}
# Rooms whose headers say what the rooms below them do.
FRONTS = {"transforms", "rules"}
# What one file may use beyond its room.
FILES = {
    "proxy/admin/control_server.c": "evhtp",
    "proxy/command/demo.c": "libevent sockets",
}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.M)
RUNTIME = re.compile(r"^(__asan_|__ubsan_|__tsan_|__sanitizer_|__sancov_|__lsan_|__gcov|_GLOBAL_OFFSET_TABLE_|"
                     r"__start___|__stop___|__emutls_)")


def rooms_of(room):
    return {room, *ROOMS[room][0].split()}


def packages_of(path, room):
    return {"libc", *ROOMS[room][1].split(), *FILES.get(path, "").split()}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


# ---- includes

def check_include(path, room, quoted, system):
    if quoted:
        other = os.path.dirname(quoted)
        if other not in ROOMS:
            return f'{path}: "{quoted}" belongs to no room; includes are written from the root'
        if other not in rooms_of(room):
            return f'{path}: {room} may not know {other} ("{quoted}")'
        return None
    package = next((name for prefix, name in PACKAGE_HEADERS if system.startswith(prefix)), None)
    if system in SOCKET_HEADERS:
        package = "sockets"
    elif system in LIBC_HEADERS:
        package = "libc"
    if package is None:
        return f"{path}: <{system}> is a header that the table of this lint does not know"
    if package not in packages_of(path, room):
        return f"{path}: {room} may not use {package} (<{system}>)"
    return None


def check_includes(root):
    errors, count = [], 0
    for top in sorted({room.split("/")[0] for room in ROOMS}):
        for folder, _, names in os.walk(os.path.join(root, top)):
            room = os.path.relpath(folder, root)
            for name in sorted(n for n in names if n.endswith((".c", ".h"))):
                path = f"{room}/{name}"
                if room not in ROOMS:
                    errors.append(f"{path}: {room} is a room that the table of this lint does not know")
                    continue
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    text = file.read()
                count += 1
                found = (check_include(path, room, *match.groups()) for match in INCLUDE.finditer(text))
                errors += [error for error in found if error]
    return errors, count


# ---- symbols

@functools.lru_cache(maxsize=None)
def exports(package):
    symbols = set()
    for name in PACKAGE_FILES[package]:
        path = run("cc", f"-print-file-name={name}").strip()
        if "/" in path:
            flags = ["-g"] if path.endswith(".a") else ["-D"]
            out = run("nm", *flags, "--defined-only", "-P", path)
            symbols |= {line.split()[0].split("@")[0] for line in out.splitlines() if " " in line}
    if not symbols:
        sys.exit(f"layers.py: no symbols of {package} found on this machine")
    return symbols


def objects(build):
    """(room, source, object), as the build wrote them: BUILD/<room>/CMakeFiles/<target>.dir/[<room below>/]<file>.c.o"""
    for top in ROOMS:
        base = os.path.join(build, top, "CMakeFiles")
        for folder, _, names in sorted(os.walk(base, followlinks=True)):
            target, _, below = os.path.relpath(folder, base).partition("/")
            for name in sorted(names) if target.endswith(".dir") else []:
                room = f"{top}/{below}" if below else top
                if name.endswith(".c.o"):
                    yield room, f"{room}/{name[:-2]}", os.path.join(folder, name)


def symbols(files):
    """(file, symbol, is defined) of object files."""
    for line in run("nm", "-A", "-g", "-P", *files).splitlines():
        file, symbol, kind = line.replace(": ", " ", 1).split()[:3]
        yield file, symbol, kind not in "Uvw"


def check_symbol(path, room, symbol, owners, libraries):
    if RUNTIME.match(symbol):
        return None
    if symbol in owners:
        owner, known = owners[symbol], rooms_of(room)
        if owner in known or (owner.split("/")[0] in FRONTS and owner.split("/")[0] in known):
            return None
        return f"{path}: {room} may not know {owner} ({symbol})"
    package = "sockets" if symbol in SOCKET_SYMBOLS else \
        next((name for name, known in libraries.items() if symbol in known), None)
    if package is None:
        return f"{path}: nobody known to this lint defines {symbol}"
    return None if package in packages_of(path, room) else f"{path}: {room} may not use {package} ({symbol})"


def check_symbols(root, build):
    # What a removed source left behind is no part of the build.
    found = [row for row in objects(build) if os.path.exists(os.path.join(root, row[1]))]
    built = {room for room, _, _ in found}
    errors = [f"{room}: nothing is built in {build}" for room in ROOMS if room not in built and room not in FRONTS]
    rows = list(symbols([file for _, _, file in found])) if found else []
    places = {file: (path, room) for room, path, file in found}
    owners = {symbol: places[file][1] for file, symbol, is_defined in rows if is_defined}
    libraries = {name: exports(name) for name in PACKAGE_FILES}
    for file, symbol, is_defined in sorted(rows):
        error = None if is_defined else check_symbol(*places[file], symbol, owners, libraries)
        if error:
            errors.append(error)
    return errors, len(found)


def main():
    parser = argparse.ArgumentParser(description="Holds the layering.")
    parser.add_argument("build")
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    options = parser.parse_args()
    return report(*check_includes(options.root), *check_symbols(options.root, options.build))


def report(include_errors, sources, symbol_errors, files):
    for error in include_errors + symbol_errors:
        print(error)
    print(f"layers: {sources} sources, {files} compiled files, {len(include_errors) + len(symbol_errors)} errors")
    return 1 if include_errors or symbol_errors else 0


if __name__ == "__main__":
    sys.exit(main())
