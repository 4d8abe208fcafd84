"""`clickhouse` and `powerbi` as people call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from retail_datagen.cli.app import build_app
from retail_datagen.config.errors import UserError

pytest.importorskip("chdb", reason="the extra `clickhouse` is not installed")


def call(*arguments: str, answer: str = "") -> str:
    result = CliRunner().invoke(build_app(arguments[0]), arguments, input=answer)
    if isinstance(result.exception, UserError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_what_is_made_is_dropped_after_asking(tmp_path: Path) -> None:
    url = f"chdb:{tmp_path / 'x.chdb'}"
    assert "tables and views are there" in call("clickhouse", "init", "--to", url)
    refused = CliRunner().invoke(
        build_app("clickhouse"), ["clickhouse", "drop", "--to", url], input="n\n"
    )
    assert (refused.exit_code, refused.output.splitlines()[-1]) == (1, "nothing was removed")
    assert "dropped" in call("clickhouse", "drop", "--to", url, answer="y\n")
    assert "nothing of ours is there" in call("clickhouse", "drop", "--to", url, "--yes")


def test_the_embedded_one_says_that_it_cannot_read_kafka(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read Kafka by itself; leave --kafka out"):
        call("clickhouse", "init", "--to", f"chdb:{tmp_path / 'x'}", "--kafka", "localhost:9092")


def test_a_topic_that_nobody_would_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="topic: --topic goes with --kafka"):
        call("clickhouse", "init", "--to", f"chdb:{tmp_path / 'x'}", "--topic", "events")
    assert not (tmp_path / "x").exists()


def test_something_else_is_no_clickhouse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLICKHOUSE_HOST", raising=False)
    with pytest.raises(UserError, match="no ClickHouse is named"):
        call("clickhouse", "init")
    with pytest.raises(UserError, match="'postgresql' is no ClickHouse"):
        call("clickhouse", "drop", "--to", "postgresql://host/retail")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = [
        call("powerbi", "--out", str(tmp_path / "files"), "--parquet", str(folder))
        for folder in (tmp_path / "nofolder", tmp_path)
    ]
    assert f"warning: parquet: there is no folder {tmp_path / 'nofolder'} yet" in told[0]
    assert "warning" not in told[1]


def test_connection_files_hold_where_and_never_who(tmp_path: Path) -> None:
    out = tmp_path / "files"
    call(
        "powerbi", "--out", str(out), "--parquet", str(tmp_path / "facts"),
        "--clickhouse", "clickhouses://clerk:t0psecret@click.example.com/retail",
        "--postgresql", "postgresql://clerk:t0psecret@post.example.com/shop",
    )  # fmt: skip
    texts = {path.name: path.read_text() for path in sorted(out.iterdir())}
    assert not any("clerk" in text or "t0psecret" in text for text in texts.values())
    details = {name: json.loads(text)["connections"][0]["details"] for name, text in texts.items()}
    assert details == {
        "retail-clickhouse.pbids": {
            "protocol": "odbc",
            "address": {
                "options": {
                    "driver": "ClickHouse ODBC Driver (Unicode)",
                    "server": "click.example.com",
                    "port": "8443",
                    "database": "retail",
                    "sslmode": "require",
                }
            },
        },
        "retail-parquet.pbids": {
            "protocol": "folder",
            "address": {"path": str(tmp_path / "facts")},
        },
        "retail-postgresql.pbids": {
            "protocol": "postgresql",
            "address": {"server": "post.example.com:5432", "database": "shop"},
        },
    }
    with pytest.raises(UserError, match="is no database; give one such as") as error:
        call("powerbi", "--postgresql", "postgresql://clerk:t0psecret@host/")
    assert "t0psecret" not in str(error.value)
