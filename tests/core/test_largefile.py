"""Large files hold what was written, wherever they are written."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.core.largefile import LargeFile

MEBIBYTE = 1 << 20
SIZES = st.lists(
    st.sampled_from([0, 1, 4095, 4096, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 9 * MEBIBYTE + 77]),
    max_size=4,
)


def pieces(sizes: list[int]) -> list[bytes]:
    return [os.urandom(min(size, 64)) * (size // 64) + bytes(size % 64) for size in sizes]


@settings(deadline=None)
@given(sizes=SIZES)
def test_a_file_holds_what_was_written(sizes: list[int], tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("large") / "file"
    written = pieces(sizes)
    with LargeFile(path) as file:
        for piece in written:
            file.write(memoryview(piece))
    assert path.read_bytes() == b"".join(written)


def test_it_goes_past_the_page_cache_and_ends_as_any_file(tmp_path: Path, monkeypatch) -> None:
    asked = []
    real = fcntl.fcntl

    def watched(descriptor: int, command: int, *flags: int) -> int:
        asked.extend(bool(f & os.O_DIRECT) for f in flags)
        return real(descriptor, command, *flags)

    monkeypatch.setattr(fcntl, "fcntl", watched)
    with LargeFile(tmp_path / "file") as file:
        file.write(bytes(10 * MEBIBYTE + 5))
    assert asked == [True, False]
    asked.clear()
    with LargeFile(tmp_path / "small") as file:
        file.write(bytes(8 * MEBIBYTE))
    assert asked == []


@pytest.mark.parametrize("refuses", ["flag", "write"])
def test_where_direct_writing_is_unknown_it_writes_as_usual(
    refuses: str, tmp_path: Path, monkeypatch
) -> None:
    direct: set[int] = set()
    real_fcntl, real_write = fcntl.fcntl, os.write

    def flag(descriptor: int, command: int, *flags: int) -> int:
        if flags and flags[0] & os.O_DIRECT:
            if refuses == "flag":
                raise OSError(errno.EINVAL, "not here")
            direct.add(descriptor)
            return 0
        direct.discard(descriptor)
        return real_fcntl(descriptor, command, *flags)

    def write(descriptor: int, data: memoryview) -> int:
        if descriptor in direct:
            raise OSError(errno.EINVAL, "not here")
        return real_write(descriptor, data)

    monkeypatch.setattr(fcntl, "fcntl", flag)
    monkeypatch.setattr(os, "write", write)
    data = os.urandom(10 * MEBIBYTE + 1)
    with LargeFile(tmp_path / "file") as file:
        file.write(data)
    assert (tmp_path / "file").read_bytes() == data


def test_a_full_disk_is_an_error() -> None:
    with pytest.raises(OSError, match="No space left"), LargeFile(Path("/dev/full")) as file:
        file.write(b"x")
