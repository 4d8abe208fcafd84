"""Retries, checksums, and messages without secrets."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.config.errors import UserError
from retail_datagen.objects.digests import PartedMd5, read_through
from retail_datagen.objects.failures import without_secrets
from retail_datagen.objects.retry import Backoff, retried
from services.places import a_file


def test_waits_double_up_to_the_cap_and_differ() -> None:
    waits: list[float] = []

    def fails() -> None:
        raise OSError("again")

    backoff = Backoff(attempts=8, sleep=waits.append, clock=lambda: 0.0, dice=lambda: 0.0)
    with pytest.raises(OSError, match="again"):
        retried(fails, lambda error: True, backoff)
    assert waits == [0.5, 1, 2, 4, 8, 16, 20]
    assert Backoff(dice=lambda: 1.0).pause(1) == 0.25


def test_permanent_errors_late_ones_and_successes_end_it() -> None:
    calls: list[int] = []
    now = iter([0.0, 5.0, 11.0])

    def fails_twice() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise OSError("again")
        return "done"

    quick = Backoff(sleep=lambda seconds: None, clock=lambda: 0.0)
    assert retried(fails_twice, lambda error: True, quick) == "done"
    calls.clear()
    with pytest.raises(OSError, match="again"):
        retried(fails_twice, lambda error: False, quick)
    assert len(calls) == 1
    calls.clear()
    late = Backoff(sleep=lambda seconds: None, clock=lambda: next(now), limit=10)
    with pytest.raises(OSError, match="again"):
        retried(fails_twice, lambda error: True, late)
    assert len(calls) == 2


def test_retries_by_the_environment() -> None:
    said = {"RETAIL_UPLOAD_RETRIES": "2", "RETAIL_UPLOAD_BACKOFF_BASE": "0.1"}
    backoff = Backoff.from_environment(said)
    assert (backoff.attempts, backoff.base) == (3, 0.1)
    assert Backoff.from_environment({}) == Backoff()
    for name, value in (
        ("RETAIL_UPLOAD_RETRIES", "1.5"),
        ("RETAIL_UPLOAD_RETRIES", "-1"),
        ("RETAIL_UPLOAD_BACKOFF_BASE", "nan"),
        ("RETAIL_UPLOAD_TIMEOUT", "0"),
    ):
        with pytest.raises(UserError, match=name):
            Backoff.from_environment({name: value})


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(0, 3 << 20), min_size=1, max_size=1), part=st.integers(1, 2))
def test_the_etag_of_parts(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], part: int
) -> None:
    path, _ = a_file(tmp_path_factory.mktemp("parts") / "file", sizes[0])
    parted = PartedMd5(part << 20)
    assert read_through(path, [parted]) == sizes[0]
    data, step = path.read_bytes(), part << 20
    pieces = [hashlib.md5(data[at : at + step]) for at in range(0, len(data), step)]
    expected = hashlib.md5(data).hexdigest()
    if len(pieces) > 1:
        together = hashlib.md5(b"".join(piece.digest() for piece in pieces)).hexdigest()
        expected = f"{together}-{len(pieces)}"
    assert parted.etag() == expected


def test_messages_hold_no_secrets() -> None:
    known = {"AWS_SECRET_ACCESS_KEY": "hunter22secret"}
    for text in (
        "PUT https://x.blob/y?sv=1&sig=hunter22 failed",
        "http://me:hunter22@host/x",
        "Authorization: Bearer hunter22",
        "the key hunter22secret is wrong",
        "secret_access_key=hunter22",
    ):
        said = without_secrets(text, known)
        assert "hunter22" not in said
    assert len(without_secrets("x" * 5000)) < 400
