"""Faults that are the same for a seed: in front of a store, and between a client and its server.

    store = FaultyStore(open_store(url), seed=7, share=0.1)

    with FaultyProxy(s3_server, seed=7, share=0.1) as proxy:
        store = open_store(url, proxy.url)

Which call meets which fault follows from the seed and from how many calls came before.
"""

from __future__ import annotations

import http.client
import random
import shutil
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from retail_datagen.core.files import sha256_of
from retail_datagen.objects import Content, Found, ObjectStore, StoreError


class Dice:
    """Draws faults: one of `kinds` for a share of the calls, else nothing. Counts what it drew."""

    def __init__(self, seed: int, share: float, kinds: Sequence[str]) -> None:
        self._random = random.Random(seed)
        self._share = share
        self._kinds = tuple(kinds)
        self._turn = threading.Lock()
        self.drawn: Counter[str] = Counter()

    def draw(self) -> str:
        with self._turn:
            happens, kind = self._random.random() < self._share, self._random.choice(self._kinds)
            self.drawn[kind if happens else ""] += 1
            return kind if happens else ""


class FaultyStore:
    """A store in front of another that fails now and then, as if all retries were used up.

    `error` and `timeout` before anything happens, `lost` although it happened, `cut` after a part
    of an upload arrived: that part stands under the key then, which is worse than real stores are.
    """

    def __init__(self, inner: ObjectStore, seed: int, share: float = 0.1) -> None:
        self.inner = inner
        self.dice = Dice(seed, share, ("error", "timeout", "lost", "cut"))

    @property
    def url(self) -> str:
        return self.inner.url

    def upload(self, source: Path, key: str, sha256: str) -> None:
        fault = self._before(key)
        if fault == "cut":
            with tempfile.TemporaryDirectory() as folder:
                part = Path(shutil.copy(source, folder))
                with part.open("r+b") as file:
                    file.truncate(source.stat().st_size // 2)
                self.inner.upload(part, key, sha256_of(part))
            raise StoreError(f"{self.url}/{key}: the connection was cut")
        self.inner.upload(source, key, sha256)
        self._after(key, fault)

    def put(self, key: str, data: bytes) -> None:
        fault = self._before(key)
        self.inner.put(key, data)
        self._after(key, fault)

    def create(self, key: str, data: bytes) -> bool:
        fault = self._before(key)
        created = self.inner.create(key, data)
        self._after(key, fault)
        return created

    def swap(self, key: str, data: bytes, version: str) -> bool:
        fault = self._before(key)
        swapped = self.inner.swap(key, data, version)
        self._after(key, fault)
        return swapped

    def get(self, key: str) -> Content | None:
        fault = self._before(key)
        content = self.inner.get(key)
        self._after(key, fault)
        return content

    def download(self, key: str, target: Path) -> None:
        fault = self._before(key)
        self.inner.download(key, target)
        self._after(key, fault)

    def find(self, key: str) -> Found | None:
        fault = self._before(key)
        found = self.inner.find(key)
        self._after(key, fault)
        return found

    def list(self, folder: str = "") -> Iterator[Found]:
        fault = self._before(folder)
        yield from self.inner.list(folder)
        self._after(folder, fault)

    def delete(self, key: str) -> None:
        fault = self._before(key)
        self.inner.delete(key)
        self._after(key, fault)

    def flush(self) -> None:
        self.inner.flush()

    def close(self) -> None:
        self.inner.close()

    def _before(self, key: str) -> str:
        fault = self.dice.draw()
        if fault == "error":
            raise StoreError(f"{self.url}/{key}: the server said 500")
        if fault == "timeout":
            raise StoreError(f"{self.url}/{key}: the server did not answer in time")
        return fault

    def _after(self, key: str, fault: str) -> None:
        if fault:
            raise StoreError(f"{self.url}/{key}: the connection was lost before the answer came")


class FaultyProxy:
    """An HTTP server on a loopback port that hands requests on to another one, mostly.

    `error`: 500 at once. `lost`: 500 although the request was handed on. `stall`: nothing for
    `stall_seconds`, then the end. `cut`: the connection ends in the middle of the upload, or of
    the answer where nothing is uploaded.
    """

    KINDS = ("error", "lost", "stall", "cut")

    def __init__(
        self,
        upstream: str,
        seed: int,
        share: float = 0.1,
        stall_seconds: float = 3.0,
        kinds: Sequence[str] = KINDS,
    ) -> None:
        self.dice = Dice(seed, share, kinds)
        self._server = _Server(urlsplit(upstream).netloc, self.dice, stall_seconds)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FaultyProxy:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.ended.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: str, dice: Dice, stall_seconds: float) -> None:
        self.upstream = upstream
        self.dice = dice
        self.stall_seconds = stall_seconds
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _hand_on(self) -> None:
        fault = self.server.dice.draw()
        length = int(self.headers.get("Content-Length") or 0)
        if fault == "stall":
            self.server.ended.wait(self.server.stall_seconds)
        if fault == "stall" or (fault == "cut" and length):
            with suppress(OSError):
                self.rfile.read(length // 2)
            self._hang_up()
            return
        body = self._body(length)
        if fault == "error":
            self._answer(500, [], b"<Error><Code>InternalError</Code></Error>")
            return
        try:
            status, headers, data = self._ask(body)
        except (OSError, http.client.HTTPException):
            self._hang_up()
            return
        if fault == "lost":
            status, headers, data = 500, [], b"<Error><Code>InternalError</Code></Error>"
        self._answer(status, headers, data, len(data) // 2 if fault == "cut" else None)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = _hand_on

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is said."""

    def _body(self, length: int) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(length)
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.server.upstream, timeout=60)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                    connection.putheader(name, value)
            if body or self.command in ("PUT", "POST", "PATCH"):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _answer(
        self, status: int, headers: list[tuple[str, str]], data: bytes, cut: int | None = None
    ) -> None:
        said = {name.lower(): value for name, value in headers}
        length = said.get("content-length", "0") if self.command == "HEAD" else str(len(data))
        try:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data if cut is None else data[:cut])
        except OSError:
            cut = 0
        if cut is not None:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
