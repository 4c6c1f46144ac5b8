#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill-test: sanitized
# dnsdrill-test: timeout=180
"""The proxy over TLS and HTTPS, looked at with kdig, curl, openssl and Python's ssl; behind it a real knotd, or a named that speaks both."""
import os
import re
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import proxy_bed  # noqa: E402
from proxy_bed import FOLDER, SERVER, ask_tcp, connect, control, proxy, query, read_framed, send_framed, until  # noqa: E402
from drill import case, main, run  # noqa: E402

proxy_bed.go_inside()
DOT, DOH, NAMED_DOT, NAMED_DOH, NAMED = 8853, 8443, 9853, 9443, 5311
URL = f"https://localhost:{DOH}/dns-query"
TLS = os.path.join(FOLDER, "tls")  # that the proxy makes
CA = os.path.join(TLS, "ca.pem")
LISTEN = ("--listen-dot", f"127.0.0.1:{DOT}", "--listen-doh", f"127.0.0.1:{DOH}", "--tls-self-made", TLS)
RECORDS = "$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 5\n@ NS ns\nns A 192.0.2.1\nwww A 192.0.2.80\n* A 192.0.2.81\n" + \
    "many MX 10 a.mail\nmany MX 20 www\nbig TXT " + " ".join('"' + "x" * 200 + '"' for _ in range(20)) + "\n"
WWW = query("www.example.com")
RAW = {
    "plain": WWW,
    "mixed case": query("wWw.ExAmPlE.cOm", ident=0xFFFF),
    "an unknown EDNS option": query("many.example.com", 15, extra=proxy_bed.OPT, additional=1),
    "no such zone": query("example.org", ident=0),
    "another opcode": query("www.example.com", flags=0x2000),
    "bytes behind the end": WWW + b"junk",
    "a large answer": query("big.example.com", 16),
    "a query of many bytes": query("www.example.com", extra=b"\0" + struct.pack("!HHIH", 41, 1232, 0, 1004) +
                                   struct.pack("!HH", 65001, 1000) + b"z" * 1000, additional=1),
}


def trusting(name="localhost"):
    context = ssl.create_default_context(cafile=CA)
    sock = context.wrap_socket(connect(("127.0.0.1", DOT)), server_hostname=name)
    sock.settimeout(5)
    return sock


def ask_dot(message):
    with trusting() as sock:
        send_framed(sock, message)
        return read_framed(sock)


def curl(*arguments, data=None, timeout=30):
    """(exit status, what came, what curl said)."""
    if data is not None:
        arguments = ("-H", "content-type: application/dns-message", "--data-binary", "@-", *arguments)
    done = subprocess.run(["curl", "-sS", "--http2", "--cacert", CA, *arguments], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


def ask_doh(message, url=URL):
    status, answer, said = curl(url, data=message)
    assert status == 0, said
    return answer


def s_client(*arguments, timeout=10):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{DOT}", "-servername", "localhost", "-CAfile", CA,
                           "-verify_hostname", "localhost", "-verify_return_error", *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False)
    return done.stdout


def kdig(*arguments):
    return subprocess.run(["kdig", "@127.0.0.1", f"+tls-ca={CA}", "+tls-hostname=localhost", "+retry=0", "+time=2", *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, check=False).stdout


def kdig_dot(*arguments):
    return kdig("-p", str(DOT), "+tls", "www.example.com", *arguments)


def kdig_doh(*arguments):
    return kdig("-p", str(DOH), "+https", "www.example.com", *arguments)


def the_rule(text):
    """A rule for the proxy that runs, in the place of the one before it."""
    for row in control("list").stdout.splitlines():
        control("remove", row.split("\t")[0])
    control("add", text)


def counts():
    seen = re.search(r"seen (\d+)\tmatched (\d+)\tdone (\d+)", control("count").stdout)
    return tuple(int(number) for number in seen.groups())


@case
def what_passes_over_tls_and_https_is_the_same_to_the_byte():
    with proxy(None, *LISTEN):
        for name, message in RAW.items():
            direct = ask_tcp(SERVER, message)
            for way, ask in (("DoT", ask_dot), ("DoH", ask_doh)):
                through = ask(message)
                assert direct == through, f"{name} over {way}: {direct} became {through}"


@case
def kdig_is_answered_by_post_and_by_get_with_the_least_ttl_as_age():
    with proxy(None, *LISTEN):
        for said in (kdig_dot(), kdig_doh(), kdig_doh("+https-get")):
            assert "status: NOERROR" in said and "192.0.2.80" in said, said
        fields = curl("-D", "-", "-o", os.devnull, URL, data=WWW)[1].decode()
        assert "HTTP/2 200" in fields and "content-type: application/dns-message" in fields, fields
        assert "cache-control: max-age=300" in fields, fields
        negative = curl("-D", "-", "-o", os.devnull, URL, data=query("www.example.com", 28))[1].decode()
        assert "cache-control: max-age=5" in negative, negative  # the SOA's MINIMUM


@case
def requests_that_are_wrong_are_told_so():
    with proxy(None, *LISTEN):
        def code(*arguments, data=None):
            return curl("-o", os.devnull, "-w", "%{http_code} %{http_version}", *arguments, data=data)[1].decode()
        assert code(URL) == "400 2" and code(URL + "?dns=a+b") == "400 2" and code(URL + "?dns=A") == "400 2"
        assert code("-X", "PUT", URL, data=WWW) == "405 2"
        assert code("-H", "content-type: text/plain", "--data", "x", URL) == "415 2"
        assert code(URL, data=b"x" * 65536) == "413 2"
        assert code(URL + "?dns=" + "A" * 9000) == "414 2"
        assert code("--http1.1", URL) == "505 1.1"
        assert code(URL, data=WWW) == "200 2"
        assert code(URL, data=b"\x12") in ("200 2", "502 2", "000 0", "000 2")  # what the server makes of it


@case
def many_queries_share_a_connection_and_a_late_answer_is_overtaken():
    with proxy("- {match: {qname: slow.example.com}, do: {delay: 400ms}}", *LISTEN):
        with trusting() as sock:
            send_framed(sock, query("slow.example.com", ident=999), *(query(f"p{i}.example.com", ident=i) for i in range(300)))
            seen = [struct.unpack("!H", read_framed(sock)[:2])[0] for _ in range(301)]
        assert sorted(seen[:300]) == list(range(300)) and seen[300] == 999, seen
        names = ["slow", *(f"f{i}" for i in range(8))]
        for name in names:
            with open(os.path.join(FOLDER, name), "wb") as file:
                file.write(query(f"{name}.example.com", ident=0))
        arguments = []
        for name in names:
            arguments += ["--next"] * bool(arguments) + [
                "-sS", "--http2", "--cacert", CA, "-H", "content-type: application/dns-message", "-o", os.devnull,
                "-w", f"{name} %{{http_code}} %{{num_connects}}\\n", "--data-binary", "@" + os.path.join(FOLDER, name), URL]
        done = subprocess.run(["curl", "-Z", *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, timeout=30, check=True)
        rows = [row.split() for row in done.stdout.splitlines()]
        assert rows[-1][0] == "slow" and all(row[1] == "200" for row in rows) and len(rows) == 9, done.stdout
        assert sum(int(row[2]) for row in rows) == 1, done.stdout  # one connection for all of them


@case
def a_delay_is_the_same_over_every_transport():
    def fastest(ask, count=15):
        taken = []
        for _ in range(count):
            begin = time.monotonic()
            ask()
            taken.append(time.monotonic() - begin)
        return min(taken)

    def over_doh():
        done = curl(*[part for _ in range(15) for part in (URL, "-o", os.devnull)], "-w", "%{time_total}\n", data=WWW)
        assert done[0] == 0, done[2]
        return min(float(line) for line in done[1].decode().split())

    with proxy(None, *LISTEN), trusting() as sock:
        def over_dot():
            send_framed(sock, WWW)
            read_framed(sock)
        before = fastest(over_dot), over_doh()
        the_rule("{do: {delay: 50ms}}")
        late = fastest(over_dot) - before[0], over_doh() - before[1]
        assert all(0.0495 <= delay <= 0.0515 for delay in late), late


@case
def rules_of_messages_hold_over_tls_and_https():
    with proxy(None, *LISTEN):
        the_rule("{match: {transport: dot}, do: {rcode: SERVFAIL, ede: 22}}")
        assert "status: SERVFAIL" in kdig_dot("+edns") and "status: NOERROR" in kdig_doh()
        the_rule("{match: {transport: doh}, do: {rcode: REFUSED}}")
        assert "status: REFUSED" in kdig_doh() and "status: NOERROR" in kdig_dot()
        assert counts() == (2, 1, 1), counts()
        the_rule("{match: {transport: dot}, do: {drop: answer}}")
        assert "status:" not in kdig_dot()


@case
def streams_are_cut_reset_stalled_and_dribble_over_tls_too():
    with proxy(None, *LISTEN):
        the_rule("{match: {transport: dot}, do: {tcp_cut: 10B}}")
        with trusting() as sock:
            send_framed(sock, WWW)
            assert len(proxy_bed.read_exactly(sock, 10)) == 10 and sock.recv(1) == b""
        the_rule("{match: {transport: dot}, do: {tcp: reset}}")
        assert "Error in the pull function" in kdig_dot()  # which is what GnuTLS says of a reset
        the_rule("{match: {transport: dot}, do: {tcp_pieces: 10B, tcp_pause: 20ms}}")
        with trusting() as sock:
            begin = time.monotonic()
            send_framed(sock, WWW)
            assert read_framed(sock)[:2] == WWW[:2] and time.monotonic() - begin >= 0.08  # 51 bytes: four pauses
        the_rule("{match: {transport: dot}, do: {tcp: refuse}}")
        try:
            trusting().close()
            assert False, "the connection is there"
        except OSError:
            pass
        assert "status: NOERROR" in kdig_doh()


BAD = {"expired": "certificate has expired", "not-yet-valid": "certificate is not yet valid", "wrong-name": "ostname mismatch",
       "self-signed": "self-signed certificate", "unknown-ca": "unable to get local issuer certificate"}


@case
def each_bad_certificate_is_refused_for_its_own_reason():
    with proxy(None, *LISTEN):
        assert "Verify return code: 0 (ok)" in s_client()
        for word, reason in BAD.items():
            the_rule(f"{{do: {{tls: {{certificate: {word}}}}}}}")
            said = s_client()
            assert reason in said, f"{word}: {said}"
            assert "status:" not in kdig_dot() and "status:" not in kdig_doh(), word
            status, _, said = curl(URL, data=WWW)
            assert status == 60, f"{word}: {status} {said}"
            assert counts() == (4, 4, 4), counts()
        the_rule("{match: {transport: doh}, do: {tls: {certificate: expired}}}")
        assert "status: NOERROR" in kdig_dot() and "status:" not in kdig_doh()


@case
def handshakes_stall_break_and_are_of_the_past():
    with proxy(None, *LISTEN):
        the_rule("{match: {transport: dot}, do: {tls: {handshake: stall}}}")
        with connect(("127.0.0.1", DOT)) as stalled:
            stalled.settimeout(0.5)
            try:
                ssl.create_default_context(cafile=CA).wrap_socket(stalled, server_hostname="localhost")
                assert False, "there was a handshake"
            except TimeoutError:
                pass
            assert "status: NOERROR" in kdig_doh()  # the others go on
        the_rule("{do: {tls: {handshake: reset}}}")
        assert "reset" in s_client().lower() or "errno=104" in s_client()
        the_rule("{do: {tls: {handshake: alert}}}")
        assert "handshake failure" in s_client()
        the_rule("{do: {tls: {newest: 1.1}}}")
        assert re.search("protocol version|legacy sigalg disallowed", s_client())
        assert curl(URL, data=WWW)[0] == 35
        assert "TLSv1.1" in s_client("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
        the_rule("{do: {tls: {newest: 1.2}}}")
        assert "TLS1.2" in kdig_dot() and "TLS1.2" in kdig_doh()
        the_rule("{do: {tls: {handshake: stall}}, first: 1}")
        connect(("127.0.0.1", DOT)).close()
        until("the first is counted", lambda: counts() == (1, 1, 1))
        assert "status: NOERROR" in kdig_dot() and counts() == (2, 2, 1)


@case
def http_answers_are_wrong_slow_cut_and_aborted():
    with proxy(None, *LISTEN):
        def fetch(*arguments):
            return curl("-D", "-", *arguments, URL, data=WWW)
        the_rule("{do: {http: {status: 503}}}")
        fields = fetch()[1].decode()
        assert "HTTP/2 503" in fields and fields.endswith("content-length: 0\r\n\r\n"), fields
        assert "status: 503" in kdig_doh() and "status: NOERROR" in kdig_dot()
        the_rule("{do: {http: {content_type: text/html}}}")
        fields = fetch("-o", os.devnull)[1].decode()
        assert "HTTP/2 200" in fields and "content-type: text/html" in fields, fields
        the_rule("{do: {http: {truncate: 20B}}}")
        status, came, said = curl(URL, data=WWW)
        assert status in (18, 92) and len(came) <= 20, (status, came, said)
        for word in ("stream", "goaway"):
            the_rule(f"{{do: {{http: {{abort: {word}}}}}}}")
            status, came, said = curl(URL, data=WWW)
            assert status in (16, 18, 56, 92) and not came, (word, status, said)
        assert counts() == (1, 1, 1), counts()
        the_rule("{match: {qname: www.example.com}, do: {http: {body_rate: 100B/s}}}")
        begin = time.monotonic()
        whole = ask_doh(WWW)
        taken = time.monotonic() - begin
        assert len(whole) == 49 and taken >= 0.48, (len(whole), taken)  # 49 bytes: 48 pauses of 10 ms
        the_rule("{match: {transport: doh}, do: {delay: 300ms, http: {status: 500, content_type: text/plain}}}")
        begin = time.monotonic()
        fields = fetch("-o", os.devnull)[1].decode()
        assert "HTTP/2 500" in fields and "text/plain" in fields and time.monotonic() - begin >= 0.3, fields


def start_named():
    """An authoritative named that speaks DoT and DoH with a certificate of openssl's making."""
    folder = tempfile.mkdtemp(dir=FOLDER)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    f"{folder}/key.pem", "-out", f"{folder}/cert.pem", "-days", "2", "-subj", "/CN=upstream", "-addext",
                    "subjectAltName=DNS:upstream.example"], check=True, stderr=subprocess.DEVNULL)
    with open(f"{folder}/zone", "w", encoding="utf-8") as file:
        file.write(RECORDS)
    with open(f"{folder}/named.conf", "w", encoding="utf-8") as file:
        file.write(f"""tls mine {{ cert-file "{folder}/cert.pem"; key-file "{folder}/key.pem"; }};
options {{ directory "{folder}"; pid-file none; recursion no; rrset-order {{ order none; }}; listen-on-v6 {{ none; }};
  listen-on port {NAMED} {{ 127.0.0.1; }};
  listen-on port {NAMED_DOT} tls mine {{ 127.0.0.1; }};
  listen-on port {NAMED_DOH} tls mine http default {{ 127.0.0.1; }}; }};
controls {{ }};
zone "example.com" {{ type primary; file "{folder}/zone"; }};
""")
    server = subprocess.Popen(["named", "-g", "-c", f"{folder}/named.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until("named answers", lambda: proxy_bed.answers(NAMED), 20)
    return server, f"{folder}/cert.pem"


@case
def an_upstream_over_tls_and_https_is_verified_and_its_answers_pass():
    server, certificate = start_named()
    ways = ("--upstream-dot", f"127.0.0.1:{NAMED_DOT}", "--upstream-doh", f"127.0.0.1:{NAMED_DOH}")
    plain = f"127.0.0.1:{NAMED}"
    try:
        with proxy(None, *LISTEN, *ways, "--tls-ca", certificate, "--tls-hostname", "upstream.example", upstream=plain):
            for name, message in RAW.items():
                direct = ask_tcp(("127.0.0.1", NAMED), message)
                assert ask_dot(message) == direct, name
                if message[:2] == b"\0\0":  # named answers over HTTPS with the ID 0
                    assert ask_doh(message) == direct, name
            assert "status: NOERROR" in kdig_doh() and "status: NOERROR" in kdig_doh("+https-get")
            fields = curl("-D", "-", "-o", os.devnull, URL, data=WWW)[1].decode()
            assert "cache-control: max-age=300" in fields, fields
            lost = curl("-o", os.devnull, "-w", "%{http_code}", URL.replace("dns-query", "elsewhere"), data=WWW)[1]
            assert lost == b"404", lost  # the path passes, and so does what the server says of it
            with trusting() as sock:
                send_framed(sock, *(query(f"p{i}.example.com", ident=i) for i in range(100)))
                assert sorted(read_framed(sock)[:2] for _ in range(100)) == [struct.pack("!H", i) for i in range(100)]
        for distrust, why in ((["--tls-ca", certificate], "IP address mismatch"),
                              (["--tls-ca", certificate, "--tls-hostname", "other.example"], "hostname mismatch"),
                              ([], "self-signed certificate")):
            with proxy(None, *LISTEN, *ways, *distrust, upstream=plain):
                assert "status: SERVFAIL" in kdig_dot() and "status: SERVFAIL" in kdig_doh(), distrust
                said = control("count").stdout
                assert f"2 failed by the upstream; the last: {why}\n" in said, said
        server.terminate()
        server.wait(20)
        with proxy(None, *LISTEN, *ways, "--tls-ca", certificate, "--tls-hostname", "upstream.example", upstream=plain):
            assert "status: SERVFAIL" in kdig_dot() and "status: SERVFAIL" in kdig_doh()
            assert "2 failed by the upstream; the last: Connection refused\n" in control("count").stdout
    finally:
        server.kill()


@case
def a_certificate_of_the_users_own_is_shown_and_wrong_options_are_told():
    ends = ("--listen", "127.0.0.1:5300", "--upstream", "127.0.0.1:5301")
    folder = tempfile.mkdtemp(dir=FOLDER)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    f"{folder}/key", "-out", f"{folder}/cert", "-days", "2", "-subj", "/CN=mine"], check=True,
                   stderr=subprocess.DEVNULL)
    own = ("--listen-dot", f"127.0.0.1:{DOT}", "--tls-cert", f"{folder}/cert", "--tls-key", f"{folder}/key")
    with proxy(None, *own):
        assert "CN = mine" in s_client()
        assert "in use" in run("proxy", "--listen", "127.0.0.1:5399", "--upstream", "127.0.0.1:5301", *own, check=3).stderr
    for wrong, word in (((*LISTEN[:2],), "--tls-self-made"), (("--tls-cert", "x"), "go together"),
                        ((*LISTEN, "--tls-no-verify"), "--upstream-dot"), ((*own[:3], f"{folder}/key", *own[4:]), "certificate"),
                        ((*own, "--tls-name", "x"), "--tls-self-made"), (("--listen-dot", "853"), "--listen-dot")):
        said = run("proxy", *ends, *wrong, check=2).stderr
        assert said.startswith("dnsdrill: ") and word in said, said


@case
def sigterm_answers_what_is_in_flight_over_https():
    with proxy("- {do: {delay: 700ms}}", *LISTEN) as child:
        asking = subprocess.Popen(["curl", "-sS", "--http2", "--cacert", CA, "-H", "content-type: application/dns-message",
                                   "--data-binary", "@-", URL], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        asking.stdin.write(WWW)
        asking.stdin.close()
        until("it is matched", lambda: "matched 1" in control("count").stdout)
        child.terminate()
        assert asking.stdout.read()[:2] == WWW[:2] and asking.wait(10) == 0


server = proxy_bed.start_knot({"example.com": RECORDS})
try:
    main()
finally:
    server.terminate()
    server.wait(20)
