"""What goes wrong with databases is one clear error, loses nothing, and can be put right."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import pyarrow as pa
import pytest
from database_targets import (
    FIRST,
    MOVES,
    RECEIPTS,
    STORES,
    Target,
    chdb,
    duckdb,
    moves,
    postgresql,
    receipts,
    sqlite,
    stores,
)

from retail_datagen.sinks import SinkError, StreamOptions, open_sink
from retail_datagen.sinks.clickhouse_client import address_of, explain
from retail_datagen.sinks.options import KafkaOptions
from services.clickhouse import PASSWORD_IN_URL, engine_behind_our_line
from services.service import free_port, unavailable, until

MANY = 200_000
SMALL, LARGE = "3m", "400m"


class Disk:
    """A disk of its own that is soon full, and can be made larger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "none", str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            unavailable(f"no small disk can be mounted: {done.stderr.strip()}")

    def enlarge(self) -> None:
        subprocess.run(["mount", "-o", f"remount,size={LARGE}", str(self.folder)], check=True)

    def remove(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    made = Disk(folder)
    yield made
    made.remove()


def _that_do_not_shrink() -> pa.Table:
    """A day of receipts whose texts no database can compress."""
    random = np.random.default_rng(3)
    texts = [random.bytes(16).hex() for _ in range(MANY)]
    rows = receipts(FIRST, MANY)
    return rows.set_column(0, rows.schema.field(0), pa.array(texts))


@pytest.mark.parametrize("kind", [sqlite, duckdb, chdb])
def test_a_full_disk_loses_nothing_and_with_room_it_goes_on(
    disk: Disk, kind: Callable[[Path], Target]
) -> None:
    target, rows = kind(disk.folder), _that_do_not_shrink()
    try:
        sink = target.open()
        sink.write_partition(MOVES, FIRST, moves(FIRST, 10))
        sink.commit()
        sink.write_partition(RECEIPTS, FIRST, rows)
        with pytest.raises(SinkError, match="free some space"):
            sink.commit()
        sink.close()
        disk.enlarge()
        sink = target.open()
        sink.recover([RECEIPTS.name, MOVES.name])
        assert list(sink.progress()) == [("moves", FIRST)]
        sink.write_partition(RECEIPTS, FIRST, rows)
        sink.commit()
        sink.close()
        assert len(set(target.ids("receipts"))) == len(target.ids("receipts")) == MANY
        assert len(target.ids("moves")) == 10
    finally:
        target.close()


def test_a_reference_to_nothing_is_told(postgres_url: str) -> None:
    sink: Any = open_sink(postgres_url)
    sink.write_dimension(STORES, stores(1))
    sink.write_partition(RECEIPTS, FIRST, receipts(FIRST, 3))
    with pytest.raises(SinkError, match=r"\(storeid\)=\(2\).*without keys \(\?keys=off\)"):
        sink.commit()
    sink.close()
    mark = "&" if "?" in postgres_url else "?"
    target = postgresql(postgres_url)
    keyless: Any = open_sink(f"{postgres_url}{mark}keys=off")
    keyless.write_partition(RECEIPTS, FIRST, receipts(FIRST, 3))
    keyless.commit()
    keyless.close()
    assert len(target.ids("receipts")) == 3


def test_a_row_that_comes_twice_is_told(postgres_url: str) -> None:
    sink: Any = open_sink(postgres_url)
    sink.write_partition(RECEIPTS, FIRST, receipts(FIRST, 3))
    sink.write_partition(RECEIPTS, FIRST + 1, receipts(FIRST, 3))
    with pytest.raises(SinkError, match=r"already exists.*came twice"):
        sink.commit()
    sink.close()


def test_a_database_that_is_missing_is_told(postgres_url: str) -> None:
    url = urlunsplit(urlsplit(postgres_url)._replace(path="/no_such_database"))
    with pytest.raises(SinkError, match=r"does not exist.*create that database"):
        open_sink(url).progress()  # type: ignore[attr-defined]


def test_a_wrong_password_is_told_and_never_shown(postgres_server: str, postgres_url: str) -> None:
    import psycopg

    with psycopg.connect(postgres_server, autocommit=True) as connection:
        (name,) = connection.execute("SHOW hba_file").fetchone() or ("",)
        if not os.access(str(name), os.W_OK):
            pytest.skip("the server is somebody else's: it asks for passwords as it likes")
        rules = Path(str(name)).read_text()
        asked = "local all clerk scram-sha-256\nhost all clerk all scram-sha-256\n"
        Path(str(name)).write_text(asked + rules)
        try:
            connection.execute("CREATE ROLE clerk LOGIN PASSWORD 'right one'")
            connection.execute("SELECT pg_reload_conf()")
            parts = urlsplit(postgres_url)
            host = f"@{parts.hostname}:{parts.port}" if parts.hostname else "@"
            wrong = urlunsplit(parts._replace(netloc=f"clerk:t0p%20secret{host}"))
            with pytest.raises(SinkError, match="user or password is wrong") as error:
                _ask_again_and_again(wrong)
            assert "t0p" not in str(error.value)
            assert "clerk:***@" in str(error.value)
        finally:
            Path(str(name)).write_text(rules)
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("DROP ROLE clerk")


def _ask_again_and_again(url: str) -> None:
    """Until the server has read its rules."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        open_sink(url).progress()  # type: ignore[attr-defined]


@pytest.mark.parametrize("scheme", ["postgresql", "clickhouse"])
def test_a_server_that_does_not_answer_is_told(scheme: str) -> None:
    url = f"{scheme}://clerk:t0psecret@127.0.0.1:{free_port()}/retail"
    options = StreamOptions(kafka=KafkaOptions(wait_seconds=1.5))
    began = time.monotonic()
    with pytest.raises(SinkError, match="is the server running and reachable there") as error:
        open_sink(url, options=options).progress()  # type: ignore[attr-defined]
    assert "t0psecret" not in str(error.value)
    assert time.monotonic() - began < 30  # of the minute that is waited by default


def test_a_clickhouse_that_comes_late_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    port, comes = free_port(), threading.Event()

    def serve() -> None:
        until(lambda: "waiting for ClickHouse" in caplog.text)
        with engine_behind_our_line(port):
            comes.wait(600)

    server = threading.Thread(target=serve)
    server.start()
    try:
        sink: Any = open_sink(f"clickhouse://default:{PASSWORD_IN_URL}@127.0.0.1:{port}/default")
        with caplog.at_level(logging.WARNING):
            sink.write_partition(RECEIPTS, FIRST, receipts(FIRST, 3))
            sink.commit()
        assert len(sink.progress()) == 1
        sink.close()
    finally:
        comes.set()
        server.join()
    where = f"clickhouse://default@127.0.0.1:{port}/default"
    assert f"waiting for ClickHouse at {where} (Connection refused)" in caplog.text


def test_clickhouse_says_what_it_refuses(clickhouse_url: str) -> None:
    parts = urlsplit(clickhouse_url)
    missing = urlunsplit(parts._replace(path="/no_such_database"))
    with pytest.raises(SinkError, match="make the database with `retail-datagen clickhouse init`"):
        open_sink(missing).progress()  # type: ignore[attr-defined]
    wrong = f"{parts.scheme}://{parts.username}:an0ther@{parts.hostname}:{parts.port}{parts.path}"
    with pytest.raises(SinkError, match="user or password is wrong") as error:
        open_sink(wrong).progress()  # type: ignore[attr-defined]
    assert "an0ther" not in str(error.value)


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    for scheme, told in (("sqlite", "is no SQLite database"), ("duckdb", "is no DuckDB database")):
        path = tmp_path / f"{scheme}.db"
        path.write_bytes(b"something else entirely" * 1000)
        with pytest.raises(SinkError, match=told):
            open_sink(f"{scheme}:///{path}").progress()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (
            "Code: 516. DB::Exception: default: Authentication failed: t0psecret",
            "password is wrong",
        ),
        ("Code: 81. DB::Exception: Database retail does not exist.", "clickhouse init"),
        ("Code: 243. DB::Exception: Cannot reserve 1.00 MiB", "free some space"),
        ("Code: 497. DB::Exception: default: Not enough privileges.", "let the user create tables"),
        ("HTTPDriver: Connection refused", "is the server running"),
    ],
)
def test_what_clickhouse_says_is_put_plainly(error: str, advice: str) -> None:
    told = str(explain(address_of("clickhouse://default:t0psecret@h/retail"), Exception(error)))
    assert advice in told
    assert "t0psecret" not in told


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:", "names no file; write sqlite:./retail.db"),
        ("sqlite:x.db?keys=maybe", "keys: 'maybe' is not known; allowed are on and off"),
        ("duckdb:x?keys=off", "option 'keys' is not known"),
        ("chdb:", "names no folder; write chdb:./retail.chdb"),
        ("clickhouse:///retail", "names no server"),
        ("clickhouse://default:t0psecret@host:port/retail", "with a number for the port"),
        ("clickhouse://host/retail?x=1", "ClickHouse has no options"),
    ],
)
def test_a_wrong_url_says_what_is_allowed(url: str, message: str) -> None:
    with pytest.raises(SinkError) as error:
        open_sink(url)
    assert message in str(error.value)
    assert "t0psecret" not in str(error.value)
