"""URLs that mean one target are known as such, however they are written."""

from __future__ import annotations

import pytest

from retail_datagen.sinks.place import place_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jsonl:-", "JSONL:-"),
        ("jsonl:out/x.jsonl", "jsonl:./out/x.jsonl"),
        ("folder", "file:./folder?format=csv"),
        ("sqlite:retail.db", "sqlite:///retail.db"),
        ("duckdb:./retail.duckdb", "duckdb:retail.duckdb"),
        ("chdb:retail.chdb", "chdb:./retail.chdb"),
        ("kafka://broker", "kafka://Broker:9092/?format=avro"),
        ("kafka://b:9092,a:9092", "kafka://a:9092,b:9092"),
        ("kafka:", "kafka://of-the-environment:9092"),
        ("clickhouse://host", "clickhouse://u:pw@HOST:8123/retail"),
        ("postgres://u@host/retail", "postgresql://u:pw@host:5432/retail?keys=off"),
        ("postgresql://host:5433/retail", "postgresql:///?host=HOST&port=5433&dbname=retail"),
        ("postgresql://host/retail?user=one", "postgresql://host/retail?user=two"),
        ("postgresql://host/one", "postgresql://host?user=one"),
    ],
)
def test_the_same_place(one: str, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "of-the-environment:9092")
    assert place_of(one) == place_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jsonl:x", "sqlite:x"),
        ("sqlite:///retail.db", "sqlite:////retail.db"),
        ("kafka://broker?topic_prefix=a-", "kafka://broker?topic_prefix=b-"),
        ("clickhouse://host/one", "clickhouse://host/two"),
        ("clickhouse://host:8123", "clickhouse://host:9000"),
        ("clickhouse://host:none", "clickhouse://host"),
        ("postgresql://host/a?options=-csearch_path=x", "postgresql://host/a"),
        ("postgresql:///a?host=host&port=5433", "postgresql:///a?host=host&port=5434"),
        ("postgresql://host/?user=one", "postgresql://host/?user=two"),
    ],
)
def test_different_places(one: str, other: str) -> None:
    assert place_of(one) != place_of(other)
