"""Passwords in the URLs of targets are not shown, whatever they are made of."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from retail_datagen.sinks import SinkError, open_sink, redacted


def test_passwords_are_not_shown() -> None:
    assert (
        redacted("clickhouse://me:s3cret@host:8123/retail")
        == "clickhouse://me:***@host:8123/retail"
    )
    assert redacted("kafka://h:9092?sasl.password=s3cret&partitions=3") == (
        "kafka://h:9092?sasl.password=***&partitions=3"
    )
    unreadable = "clickhouse://me:s3@cret@[::1/retail"
    assert redacted(unreadable) == "clickhouse://me:***@[::1/retail"
    assert redacted("sqlite:///./data.db") == "sqlite:///./data.db"
    with_at = "postgresql://me:s3cret@host/retail?application_name=a@b"
    assert redacted(with_at) == with_at.replace("s3cret", "***")


@pytest.mark.parametrize("scheme", ["postgresql", "clickhouse"])
@pytest.mark.parametrize(
    "secret", ["Ge/heim", "Ge?heim", "Ge#heim", "Ge@heim", "Ge@h/eim", "Ge%zzm"]
)
def test_a_password_that_is_no_part_of_a_url_is_refused_and_not_shown(
    scheme: str, secret: str
) -> None:
    url = f"{scheme}://me:{secret}@127.0.0.1:1/retail"
    assert redacted(url) == f"{scheme}://me:***@127.0.0.1:1/retail"
    with pytest.raises(SinkError, match="write %40 for @") as refused:
        open_sink(url)
    assert "eim" not in str(refused.value)
    assert "zz" not in str(refused.value)
    encoded = f"{scheme}://me:{quote(secret, safe='')}@127.0.0.1:1/retail"
    open_sink(encoded).close()
