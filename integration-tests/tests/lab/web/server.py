"""A web server whose answers the tests choose: by the path that is asked for. What was asked stands in `asked`."""

import base64
import gzip
import http.server
import json
import os
import ssl
import sys
import threading

ROOT, ADDRESS = sys.argv[1], sys.argv[2]
WHEN = "Wed, 01 Jan 2020 10:00:00 GMT"


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_GET(self):
        path = self.path.split("?")[0]
        note = f"{self.command} {self.path} {self.headers.get('Range', '-')}\n"
        with open(os.path.join(ROOT, "asked"), "a") as asked:
            asked.write(note)
        self.close_connection = True
        if path == "/missing":
            return self.answer(404, b"there is no such thing\n")
        if path == "/moved":
            return self.answer(302, b"", {"Location": "/file/f.txt"})
        if path == "/private":
            wanted = "Basic " + base64.b64encode(b"me:s3cret-4711").decode()
            fits = self.headers.get("Authorization") == wanted and self.headers.get("X-Token") == "s3cret-0815"
            return self.answer(200, b"private\n") if fits else self.answer(401, b"no\n")
        name = os.path.join(ROOT, os.path.basename(path))
        if not os.path.exists(name):
            return self.answer(404, b"")
        with open(name, "rb") as file:
            body = file.read()
        if path.startswith("/plain/"):
            return self.answer(200, body)
        if path.startswith("/named/"):
            named = {"Content-Disposition": 'attachment; filename="../../../etc/evil.txt"', "Last-Modified": WHEN}
            return self.answer(200, body, named)
        if path.startswith("/packed/"):
            return self.answer(200, gzip.compress(body, mtime=0), {"Content-Encoding": "gzip", "Last-Modified": WHEN})
        if path.startswith("/stall/"):
            self.answer(200, body[:5], {}, len(body))
            return self.rfile.read()  # until the client goes away
        headers = {"Last-Modified": WHEN, "ETag": '"one"'}
        if path.startswith("/cut/"):
            begin, status = 0, 200
            if self.headers.get("Range") and self.headers.get("If-Range") == '"one"':
                begin, status = int(self.headers["Range"][len("bytes=") : -1]), 206
                headers["Content-Range"] = f"bytes {begin}-{len(body) - 1}/{len(body)}"
            rest = body[begin:]
            end = len(rest) if begin else len(rest) // 2
            return self.answer(status, rest[:end], headers, len(rest))
        return self.answer(200, body, headers)

    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.close_connection = True
        if self.path == "/moved":
            return self.answer(303, b"", {"Location": "/file/f.txt"})
        told = {"method": self.command, "type": self.headers.get("Content-Type"), "body": body.decode()}
        told["login"] = self.headers.get("Authorization") is not None
        told["agent"] = self.headers.get("User-Agent", "").encode("latin-1").decode()
        headers = {"Content-Type": "application/json", "Set-Cookie": "id=4711; Path=/"}
        return self.answer(201, json.dumps(told).encode(), headers)

    do_PUT = do_DELETE = do_PATCH = do_POST

    def answer(self, status, body, headers=None, length=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            if self.command != "HEAD":
                self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass


http.server.ThreadingHTTPServer.allow_reuse_address = True
plain = http.server.ThreadingHTTPServer((ADDRESS, 8080), Answers)
if os.path.exists(os.path.join(ROOT, "cert.pem")):
    safe = http.server.ThreadingHTTPServer((ADDRESS, 8443), Answers)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(ROOT, "cert.pem"), os.path.join(ROOT, "key.pem"))
    safe.socket = context.wrap_socket(safe.socket, server_side=True)
    threading.Thread(target=safe.serve_forever, daemon=True).start()
print("up", flush=True)
plain.serve_forever()
