#!/usr/bin/env python3
"""The function as a web server, which the user's wrapper starts: each POST is an event."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

import app


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(app.handler(event, None)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


HTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
