"""CPU time a request: dragoman beside nginx, in one run, alternating, on the same backend and messages.

CPU microseconds of the process tree, user and system, divided by the requests that the load generator
counted. Medians of the rounds with their range, and the ratio to nginx that passes the same bytes through.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import orders  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
FIELDS = ["Accept: application/json", "User-Agent: orders-app/3.1 (Linux; arm64)", "Accept-Language: de-DE,de;q=0.9",
          "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.abcdefghijklmnopqrstuvwxyz012345",
          "X-Client-Version: 3.1.4", "Cookie: session=681ca211d2a5e69440468df2c2b71eca; theme=dark"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def tree(pid):
    pids = [pid]
    for p in pids:
        for task in pathlib.Path(f"/proc/{p}/task").glob("*/children"):
            pids += [int(c) for c in task.read_text().split()]
    return pids


def cpu_us(pid):
    """User and system time of a process tree, in microseconds; in nanosecond steps where the kernel has them."""
    total = 0
    for p in tree(pid):
        for task in pathlib.Path(f"/proc/{p}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0]) / 1000
    return total


class Server:
    def __init__(self, name, argv, port, path):
        self.name, self.port, self.path = name, port, path
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def wait(self):
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{self.path}", timeout=2) as answer:
                    return answer.read()
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"{self.name} ended: {self.process.stderr.read().decode()}")
                time.sleep(0.05)
        sys.exit(f"{self.name} does not answer")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


def load(server, connections, seconds):
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    for field in FIELDS:
        argv += ["-H", field]
    before = cpu_us(server.process.pid)
    out = subprocess.run(argv + [f"http://127.0.0.1:{server.port}{server.path}"], capture_output=True, text=True,
                         check=True).stdout
    used = cpu_us(server.process.pid) - before
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    if re.search(r"Socket errors: .*[1-9]|Non-2xx", out) or not requests:
        sys.exit(f"{server.name}: errors under load\n{out}")
    return used / requests, float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def write_nginx(folder, port, backend):
    path = folder / "nginx.conf"
    path.write_text(f"""worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 4096; }}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 1000000000;
  upstream backend {{ server 127.0.0.1:{backend}; keepalive 512; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://backend; proxy_http_version 1.1;
    proxy_set_header Connection ""; }} }} }}
""")
    return path


def memory_per_idle(server, count=4000):
    """Resident bytes that an idle keep-alive connection costs, after one exchange on each."""
    def rss():
        return sum(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{p}/status").read_text()).group(1)) * 1024
                   for p in tree(server.process.pid))
    request = f"GET {server.path} HTTP/1.1\r\nHost: h\r\n\r\n".encode()

    def talk(s):
        s.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += s.recv(65536)
        head, body = data.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
        while len(body) < length:
            body += s.recv(65536)
    before = rss()
    sockets = []
    for _ in range(count):
        s = socket.create_connection(("127.0.0.1", server.port))
        talk(s)
        sockets.append(s)
    time.sleep(0.2)
    used = rss() - before
    for s in sockets:
        s.close()
    return used / count


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--dragoman", default="build/release/dragoman")
    ap.add_argument("--backend", default="build/release/bench_backend")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--seconds", type=int, default=3, help="of each measurement")
    ap.add_argument("--connections", default="32,256")
    ap.add_argument("--json", action="store_true")
    a = ap.parse_args()
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dragoman-bench-"))
    servers, report = [], {}
    try:
        data = folder / "messages"
        data.write_bytes(b"\n".join(orders.messages(500)) + b"\n")
        backend_port, ports = free_port(), [free_port() for _ in range(3)]
        backend = Server("backend", [a.backend, str(backend_port), str(data)], backend_port, "/")
        servers.append(backend)
        backend.wait()
        common = ["--upstream", f"http://127.0.0.1:{backend_port}", "--workers", "1"]
        peers = [
            Server("nginx, passing", [nginx, "-c", str(write_nginx(folder, ports[0], backend_port))], ports[0],
                   "/api/v2/orders"),
            Server("dragoman, passing", [a.dragoman, "serve", "--listen", f"127.0.0.1:{ports[1]}"] + common, ports[1],
                   "/api/v2/orders"),
            Server("dragoman, translating", [a.dragoman, "serve", "--listen", f"127.0.0.1:{ports[2]}", "--pack",
                                             str(HERE / "pack")] + common, ports[2], "/api/v1/orders"),
        ]
        servers += peers
        bodies = [json.loads(p.wait()) for p in peers]
        if not isinstance(bodies[2], list) or "orderStatus" not in json.dumps(bodies[2]):
            sys.exit("the translating server does not translate")
        # Before the load, while no memory of earlier connections is there to be used again.
        idle = {p.name: memory_per_idle(p) for p in peers}
        for connections in map(int, a.connections.split(",")):
            results = {p.name: [] for p in peers}
            for r in range(a.rounds + 1):  # the first warms up
                for p in peers:
                    result = load(p, connections, 1 if r == 0 else a.seconds)
                    if r:
                        results[p.name].append(result)
            base = statistics.median(us for us, _ in results[peers[0].name])
            for name, rows in results.items():
                us = sorted(u for u, _ in rows)
                report[f"{name}, {connections} connections"] = {
                    "cpu_us": round(statistics.median(us), 2), "range": [round(us[0], 2), round(us[-1], 2)],
                    "ratio": round(statistics.median(us) / base, 3),
                    "requests_per_second": round(statistics.median(q for _, q in rows))}
        if a.json:
            print(json.dumps({"cpu": report, "idle_bytes": idle}))
            return
        print(f"{'':44}{'CPU us/request':>16}{'range':>18}{'x nginx':>9}{'req/s':>9}")
        for name, row in report.items():
            span = "{:.2f}-{:.2f}".format(*row["range"])
            print(f"{name:44}{row['cpu_us']:>16.2f}{span:>18}{row['ratio']:>9.2f}{row['requests_per_second']:>9}")
        for name, bytes_each in idle.items():
            print(f"{name + ', idle connection':44}{bytes_each:>12.0f} bytes")
    finally:
        for s in reversed(servers):
            s.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
