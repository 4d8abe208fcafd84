"""The API as a target: what is tried again, and what is told about a server that is no store."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from retail_datagen.config.errors import UserError
from retail_datagen.store import http
from retail_datagen.store.backfill import Backfill
from retail_datagen.store.http import StoreClient
from retail_datagen.store.items import Inventory
from retail_datagen.store.origin import claim_server
from retail_datagen.store.remote import LATE, StoreApi
from retail_datagen.store.remote_backfill import backfill_on
from stores import items, products

Answer = tuple[int, Any]


@contextmanager
def answering(
    answer: Callable[[int, Any], Answer], asked: list[str] | None = None
) -> Iterator[str]:
    """A server that answers the n-th call with a status and a body; `asked` is what was."""
    asked = [] if asked is None else asked
    calls = iter(range(1000))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.do_POST()

        def do_PUT(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.loads(sent) if sent not in (b"", b"null") else None
            asked.append(f"{self.command} {self.path}")
            status, content = answer(next(calls), body)
            text = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_WAIT_SECONDS", 0.001)


def results(*words: str) -> dict[str, Any]:
    rows = [{"row": n, "status": w, "detail": "sku: no"} for n, w in enumerate(words)]
    return {"created": 0, "skipped": 0, "failed": 0, "results": rows}


def test_each_row_has_its_outcome() -> None:
    def answer(_call: int, body: Any) -> Answer:
        assert body["items"][0] == {
            "rfid_tag": "RFID-00000001",
            "epc": None,
            "sku": "T-0001",
            "x_position": 1000.0,
            "y_position": 950.5,
            "zone_id": None,
        }
        return 207, results("created", "exists", "error")

    with answering(answer) as url, StoreClient(url, None, 60, LATE) as client:
        added = StoreApi(client).add_items(items([0, 1, 2]))
    assert (added.created, added.skipped, added.failed) == (1, 1, 1)
    assert added.errors == {2: "sku: no"}


def test_what_will_pass_is_tried_again() -> None:
    def answer(call: int, _body: Any) -> Answer:
        return (503, {"detail": "busy"}) if call < 2 else (201, results("created"))

    with answering(answer) as url, StoreClient(url, None, 60, LATE) as client:
        assert StoreApi(client).add_products(products(1)).created == 1


def test_an_answer_that_comes_too_late_is_asked_for_again() -> None:
    def answer(call: int, _body: Any) -> Answer:
        time.sleep(3 if call == 0 else 0)
        return 200, results("exists")

    with answering(answer) as url, StoreClient(url, None, 2, LATE) as client:
        assert StoreApi(client).add_products(products(1)).skipped == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((401, {"detail": "a key is needed"}), "says 401: a key is needed; give the key with"),
        ((413, {"detail": "too large"}), "says 413: too large"),
        ((404, b"not json"), "says 404: Not Found"),
        ((503, {"detail": "busy"}), "says 503: busy"),
        ((200, {"hello": "world"}), "does not answer as a store does"),
        ((200, b"<html>"), "does not answer as a store does"),
        ((200, {"results": [{"row": 7, "status": "created"}]}), "does not answer as a store does"),
        ((200, {"results": [{"row": -1, "status": "created"}]}), "does not answer as a store"),
        ((200, {"results": [{"row": 0, "status": "nice"}]}), "does not answer as a store does"),
    ],
)
def test_what_is_told(answer: Answer, told: str) -> None:
    with (
        answering(lambda _call, _body: answer) as url,
        StoreClient(url, None, 60, LATE) as client,
        pytest.raises(UserError) as error,
    ):
        StoreApi(client).add_products(products(1))
    assert told in str(error.value)


def test_rows_that_nobody_speaks_of_are_not_taken_for_created() -> None:
    def answer(_call: int, _body: Any) -> Answer:
        return 200, results("created")

    with answering(answer) as url, StoreClient(url, None, 60, LATE) as client:
        assert StoreApi(client).add_products(products(3)).failed == 2


RUNNING = {"id": "7", "state": "running", "progress": 0.5, "message": ""}
WRITTEN = {
    "first_day": "2024-01-01",
    "last_day": "2024-01-02",
    "purchases": 3,
    "restocked": 2,
    "snapshots": 1,
    "missed": 0,
    "replaced": {"runs": 0, "first_day": "", "last_day": ""},
}


def ignored(_doing: str, _done: int, _total: int) -> None:
    """No bar."""


def test_a_poll_that_fails_is_made_again_and_the_job_goes_on() -> None:
    answers: list[Answer] = [
        (202, RUNNING),
        (503, {"detail": "busy"}),
        (502, b"<html>"),
        (200, RUNNING | {"state": "done", "result": WRITTEN}),
    ]
    asked: list[str] = []
    with answering(lambda n, _body: answers[n], asked) as url, StoreClient(url) as client:
        assert backfill_on(client, Backfill(2), ignored).purchases == 3
    assert asked == ["POST /analytics/backfill", *["GET /jobs/7"] * 3]


def test_a_server_that_is_not_heard_of_any_more_keeps_its_job() -> None:
    asked: list[str] = []

    def answer(call: int, _body: Any) -> Answer:
        return (503, {"detail": "busy"}) if call else (202, RUNNING)

    with (
        answering(answer, asked) as url,
        StoreClient(url) as client,
        pytest.raises(UserError, match=r"503: busy; the server's job may go on: .*/jobs/7"),
    ):
        backfill_on(client, Backfill(2), ignored)
    assert not [call for call in asked if "cancel" in call]


def test_an_interruption_cancels_the_job_and_is_what_is_told() -> None:
    asked: list[str] = []

    def answer(call: int, _body: Any) -> Answer:
        return (500, {"detail": "no"}) if call else (202, RUNNING)

    def interrupted(_doing: str, _done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with (
        answering(answer, asked) as url,
        StoreClient(url) as client,
        pytest.raises(KeyboardInterrupt),
    ):
        backfill_on(client, Backfill(2), interrupted)
    assert asked == ["POST /analytics/backfill", "POST /jobs/7/cancel"]


def test_a_servers_other_items_are_no_retailers_store() -> None:
    rows = items([0, 1])
    inventory = Inventory(products(2), rows, {}, 0, store=1)
    same = [{"rfid_tag": t, "sku": s} for t, s in zip(rows.rfid_tag, rows.sku, strict=True)]
    asked: list[str] = []
    for held, told in (
        (same, ""),
        ([{"rfid_tag": rows.rfid_tag[1], "sku": "RUN-0001"}], "is RUN-0001, not"),
        ([{"tag": 1}], "does not answer as a store does"),
    ):
        with (
            answering(lambda _n, _body, held=held: (200, held), asked) as url,  # type: ignore[misc]
            StoreClient(url) as server,
        ):
            if not told:
                claim_server(server, inventory)
                claim_server(server, replace(inventory, store=None))
                assert asked == ["GET /items?limit=1000", "PUT /origin"] * 2
                continue
            with pytest.raises(UserError, match=told):
                claim_server(server, inventory)
