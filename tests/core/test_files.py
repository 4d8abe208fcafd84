"""Files that appear whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from retail_datagen.core.files import (
    atomic_file,
    discard,
    publish,
    remove_temporaries,
    sha256_of,
    staged_file,
    write_atomic,
)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_appears_when_its_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.csv"
    with atomic_file(path) as file:
        file.write(b"one")
        assert not path.exists()
        file.write(b"two")
    assert path.read_bytes() == b"onetwo"
    assert names(path.parent) == {"a.csv"}
    assert (file.bytes, file.sha256) == (6, hashlib.sha256(b"onetwo").hexdigest())
    assert sha256_of(path) == file.sha256


def test_a_failed_block_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_atomic(path, b"old")

    def stopped_halfway() -> None:
        with atomic_file(path) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_halfway()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == {"a.csv"}


def test_staged_files_appear_together(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.csv" for i in range(20)]
    for path in paths:
        with staged_file(path) as file:
            file.write(path.name.encode())
    assert not any(path.exists() for path in paths)
    publish(paths)
    assert [path.read_text() for path in paths] == [path.name for path in paths]
    assert names(tmp_path) == {path.name for path in paths}
    publish([])


def test_discarded_files_never_appear(tmp_path: Path) -> None:
    with staged_file(tmp_path / "a.csv"):
        pass
    discard([tmp_path / "a.csv"])
    assert names(tmp_path) == set()


def test_publishing_all_or_cleaning_up(tmp_path: Path) -> None:
    (tmp_path / "b.csv").mkdir()
    (tmp_path / "b.csv" / "full").touch()
    for name in ("a.csv", "b.csv", "c.csv"):
        with staged_file(tmp_path / name):
            pass
    with pytest.raises(OSError, match=r"b\.csv"):
        publish([tmp_path / name for name in ("a.csv", "b.csv", "c.csv")])
    assert names(tmp_path) == {"a.csv", "b.csv"}


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_that_cannot_take_its_place_leaves_nothing(tmp_path: Path, durable: bool) -> None:
    (tmp_path / "a.bin").mkdir()
    (tmp_path / "a.bin" / "full").touch()
    with pytest.raises(OSError, match=r"a\.bin"):
        write_atomic(tmp_path / "a.bin", b"new", durable)
    assert names(tmp_path) == {"a.bin"}


def test_only_temporaries_are_removed(tmp_path: Path) -> None:
    for name in (".a.csv.12.tmp", "a.csv", ".hidden", "a.csv.12.tmp", ".a.csv.tmp"):
        (tmp_path / name).touch()
    remove_temporaries(tmp_path)
    assert names(tmp_path) == {"a.csv", ".hidden", "a.csv.12.tmp", ".a.csv.tmp"}
    remove_temporaries(tmp_path / "absent")


@pytest.mark.parametrize("durable", [True, False])
def test_writing_at_once(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "state.bin"
    for data in (b"first", b"second"):
        write_atomic(path, data, durable)
        assert path.read_bytes() == data
    assert names(tmp_path) == {"state.bin"}
