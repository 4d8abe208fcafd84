"""ClickHouse over HTTP in front of the embedded engine: `run_clickhouse.py FOLDER PASSWORD [PORT]`.

The engine is the real one; only the line is ours: what drivers ask for (queries, inserts, settings,
users, databases) and how errors come back. It prints the port on which it listens and serves until
its input ends.
"""

from __future__ import annotations

import re
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import chdb

FOLDER, PASSWORD, *_PORT = sys.argv[1:]
_FORMAT = re.compile(r"\s+FORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_OF_THE_LINE = {
    "buffer_size",
    "client_protocol_version",
    "compress",
    "database",
    "decompress",
    "enable_http_compression",
    "http_headers_progress_interval_ms",
    "query",
    "query_id",
    "send_progress_in_http_headers",
    "session_id",
    "wait_end_of_query",
}
_ENGINE = chdb.connect(FOLDER)
_ONE_AT_A_TIME = threading.Lock()


class Refused(Exception):
    """An error as a server words it."""


def answer(query: str, database: str, settings: dict[str, str], data: bytes) -> bytes:
    with _ONE_AT_A_TIME:
        if database:
            try:
                _ENGINE.query(f"USE `{database}`")
            except Exception as error:
                raise Refused(
                    f"Code: 81. DB::Exception: Database {database} does not exist. "
                    "(UNKNOWN_DATABASE)"
                ) from error
        for name, value in settings.items():
            _ENGINE.query(f"SET {name} = '{value}'")
        asked = _FORMAT.search(query)
        format = asked[1] if asked else "TabSeparated"
        plain = _FORMAT.sub("", query)
        if not data:
            return bytes(_ENGINE.query(plain, format).bytes())
        with tempfile.NamedTemporaryFile(suffix=".data") as file:
            file.write(data)
            file.flush()
            _ENGINE.query(f"{plain} FROM INFILE '{file.name}' COMPRESSION 'none' FORMAT {format}")
        return b""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        told = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self._body()
        try:
            if self._password() != PASSWORD:
                raise Refused(
                    "Code: 516. DB::Exception: default: Authentication failed: password is "
                    "incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)"
                )
            if "client_protocol_version" in told:
                raise Refused("Code: 115. DB::Exception: this line speaks the plain format")
            settings = {k: v for k, v in told.items() if k not in _OF_THE_LINE}
            query, data = told.get("query") or body.decode(), body if "query" in told else b""
            found = answer(query, told.get("database", ""), settings, data)
        except Refused as error:
            self._reply(404, str(error).encode())
        except Exception as error:
            self._reply(500, str(error).encode())
        else:
            self._reply(200, found)

    def _password(self) -> str:
        if key := self.headers.get("X-ClickHouse-Key"):
            return key
        import base64

        scheme, _, told = self.headers.get("Authorization", "").partition(" ")
        return base64.b64decode(told).decode().partition(":")[2] if scheme == "Basic" else ""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _reply(self, status: int, content: bytes) -> None:
        self.send_response(status)
        code = re.match(rb"Code: (\d+)", content)
        if status != 200 and code:
            self.send_header("X-ClickHouse-Exception-Code", code[1].decode())
        self.send_header("X-ClickHouse-Summary", "{}")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


with ThreadingHTTPServer(("127.0.0.1", int((*_PORT, 0)[0])), Handler) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    server.shutdown()
