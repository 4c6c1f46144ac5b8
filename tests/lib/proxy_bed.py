# SPDX-License-Identifier: GPL-2.0-or-later
"""The standalone proxy between raw sockets, dig and a real knotd, in a network namespace of their own."""
import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from drill import PROGRAM, run  # noqa: E402

SERVER, PROXY = ("127.0.0.1", 5301), ("127.0.0.1", 5300)
FOLDER = tempfile.mkdtemp(prefix="dnsdrill-test-")
CONTROL = os.path.join(FOLDER, "control")


def go_inside():
    """Runs the test again where the ports of the loopback are nobody else's."""
    if os.environ.get("PROXY_TEST_INSIDE") == "1":
        return
    os.environ["PROXY_TEST_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "-Urnm", "sh", "-c", 'ip link set lo up && exec python3 "$0"',
                          os.path.abspath(sys.argv[0])])


def until(what, ready, seconds=10):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"not after {seconds} s: {what}"
        time.sleep(0.01)


def answers(port):
    """Whether a server answers over UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.2)
        sock.sendto(query("www.example.com"), ("127.0.0.1", port))
        try:
            return bool(sock.recv(512))
        except OSError:
            return False


def query(name, qtype=1, ident=0x1234, flags=0x0100, extra=b"", additional=0):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", ident, flags, 1, 0, 0, additional) + labels + b"\0" + struct.pack("!HH", qtype, 1) + extra


OPT = b"\0" + struct.pack("!HHIH", 41, 1232, 0x8000, 8) + struct.pack("!HH4s", 65001, 4, b"mine")  # DO, an option nobody knows


def ask_udp(address, message, timeout=2):
    with socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.sendto(message, address)
        return sock.recv(65535)


def connect(address):
    sock = socket.create_connection(address, timeout=5)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def send_framed(sock, *messages):
    sock.sendall(b"".join(struct.pack("!H", len(message)) + message for message in messages))


def read_exactly(sock, size):
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        assert part, f"closed after {len(data)} of {size} bytes"
        data += part
    return data


def read_framed(sock):
    return read_exactly(sock, struct.unpack("!H", read_exactly(sock, 2))[0])


def ask_tcp(address, message):
    with connect(address) as sock:
        send_framed(sock, message)
        return read_framed(sock)


def dig(*arguments):
    """(status, milliseconds, all that dig said); status "" without an answer."""
    done = subprocess.run(["dig", "-p", str(PROXY[1]), "@127.0.0.1", "+tries=1", "+time=2", *arguments],
                          stdout=subprocess.PIPE, text=True, timeout=30, check=False)
    status = re.search(r"status: (\w+)", done.stdout)
    taken = re.search(r"Query time: (\d+) msec", done.stdout)
    return status.group(1) if status else "", int(taken.group(1)) if taken else None, done.stdout


def start_knot(zones, port=SERVER[1], options="", policy=""):
    """knotd with zones, {name: text} or {name: (text, its lines of configuration)}; options: of its server section."""
    folder = tempfile.mkdtemp(dir=FOLDER)
    os.mkdir(os.path.join(folder, "db"))
    rows = ""
    for name, text in zones.items():
        text, extra = text if isinstance(text, tuple) else (text, "")
        with open(os.path.join(folder, name + ".zone"), "w", encoding="utf-8") as file:
            file.write(text)
        rows += f"  - domain: {name}\n    file: {folder}/{name}.zone\n    acl: all\n{extra}"
    with open(os.path.join(folder, "knot.conf"), "w", encoding="utf-8") as file:
        file.write(f"""server:
  listen: ["127.0.0.1@{port}", "::1@{port}"]
  rundir: {folder}
{options}acl:
  - id: all
    action: transfer
    address: 127.0.0.1
database:
  storage: {folder}/db
{policy}zone:
{rows}""")
    server = subprocess.Popen(["knotd", "-c", os.path.join(folder, "knot.conf")], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    until("knotd answers", lambda: answers(port), 20)
    return server


@contextlib.contextmanager
def proxy(rules=None, *arguments, listen="127.0.0.1:5300", upstream="127.0.0.1:5301", status=0):
    options = ["--listen", listen, "--upstream", upstream, "--control", CONTROL, *arguments]
    if rules:
        with open(os.path.join(FOLDER, "rules.yaml"), "w", encoding="utf-8") as file:
            file.write(rules)
        options += ["--rules", os.path.join(FOLDER, "rules.yaml")]
    child = subprocess.Popen([PROGRAM, "proxy", *options], stderr=subprocess.PIPE, text=True)
    line = child.stderr.readline()
    assert "upstream" in line, line + child.stderr.read()
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        rest = child.communicate(timeout=20)[1]
        assert child.returncode == status, f"the proxy ended with {child.returncode}:\n{rest}"
        assert "Sanitizer" not in rest, rest


def control(*arguments, check=0):
    return run("proxy", "ctl", CONTROL, *arguments, check=check)
