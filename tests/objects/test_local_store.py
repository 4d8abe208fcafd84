"""Folders as object stores: what remains, links, races, and faults that follow from a seed."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.objects import StoreError
from retail_datagen.objects.failures import os_failure
from retail_datagen.objects.local import LocalStore
from services.faults import FaultyStore
from services.places import a_file, content, keys


def test_nothing_remains_of_writing_and_deleting(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "lake")
    source, sha256 = a_file(tmp_path / "source", 10)
    store.upload(source, "a/b/c", sha256)
    store.upload(tmp_path / "lake/a/b/c", "a/b/c", sha256)
    store.put("a/d", b"x")
    assert store.create("e/f", b"x")
    assert store.swap("e/f", b"y", content(store, "e/f").version)
    for key in ("a/b/c", "a/d", "e/f"):
        store.delete(key)
    store.close()
    assert list((tmp_path / "lake").iterdir()) == []


def test_what_the_killed_left_is_not_listed_and_goes(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "lake")
    store.put("a", b"x")
    left = store._temporary()
    running = store._temporary()
    left = left.with_name(left.name.replace(f"-{os.getpid()}-", "-99999999-"))
    left.write_bytes(b"half")
    running.write_bytes(b"half")
    assert keys(store) == ["a"]
    LocalStore(tmp_path / "lake").put("a", b"y")
    assert not left.exists()
    assert running.exists()


def test_a_store_that_closes_does_not_break_others_locks(tmp_path: Path) -> None:
    def count_up(_: int) -> None:
        for _ in range(40):
            while True:
                store = LocalStore(tmp_path / "lake")
                seen = content(store, "count")
                done = store.swap("count", str(int(seen.data) + 1).encode(), seen.version)
                store.close()
                if done:
                    break

    LocalStore(tmp_path / "lake").put("count", b"0")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count_up, range(4)))
    assert content(LocalStore(tmp_path / "lake"), "count").data == b"160"


def test_folders_come_and_go_while_others_write(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "lake")

    def write_and_delete(number: int) -> None:
        for _ in range(100):
            store.put(f"same/folder/{number}", b"x")
            store.delete(f"same/folder/{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write_and_delete, range(8)))
    assert keys(store) == []


def test_without_links_files_are_copied_and_still_exclusive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*paths: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    store = LocalStore(tmp_path / "lake")
    source, sha256 = a_file(tmp_path / "source", 10)
    store.upload(source, "a", sha256)
    assert content(store, "a").data == source.read_bytes()
    assert store.create("b", b"1")
    assert not store.create("b", b"2")
    with pytest.raises(StoreError, match="sha256"):
        store.upload(source, "c", "0" * 64)
    assert keys(store) == ["a", "b"]


def test_errors_of_the_disk_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="choose another target"):
        LocalStore(tmp_path / "file")
    store = LocalStore(tmp_path)
    for call in (store.put, store.create):
        with pytest.raises(StoreError, match="a file stands where a folder is needed"):
            call("file/below", b"")
    assert store.get("file/below") is None
    for number, advice in ((errno.ENOSPC, "free space"), (errno.EACCES, "rights")):
        said = os_failure("write", "/lake/k", OSError(number, os.strerror(number)))
        assert advice in str(said)
        assert os.strerror(number) in str(said)


NAMES = st.lists(
    st.tuples(st.sampled_from("abc-=. é"), st.sampled_from("abc-=. é")).map("".join),
    min_size=1,
    max_size=3,
).map(lambda parts: "/".join(f"{part}d" for part in parts[:-1]) + f"/{parts[-1]}f")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "create", "swap", "delete"]),
        NAMES.map(lambda name: name.lstrip("/")),
        st.binary(max_size=3),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_a_folder_behaves_like_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, bytes]]
) -> None:
    store = LocalStore(tmp_path_factory.mktemp("lake"))
    known: dict[str, bytes] = {}
    for what, key, data in steps:
        if what == "put":
            store.put(key, data)
            known[key] = data
        elif what == "create":
            assert store.create(key, data) == (key not in known)
            known.setdefault(key, data)
        elif what == "swap":
            found = store.get(key)
            assert (found.data if found else None) == known.get(key)
            assert store.swap(key, data, found.version if found else "1") == (key in known)
            if key in known:
                known[key] = data
        else:
            store.delete(key)
            known.pop(key, None)
    assert [(found.key, found.bytes) for found in store.list()] == [
        (key, len(known[key])) for key in sorted(known)
    ]


def test_faults_follow_from_the_seed(tmp_path: Path) -> None:
    def outcomes(seed: int, folder: str) -> list[str]:
        store = FaultyStore(LocalStore(tmp_path / folder), seed, share=0.3)
        source, sha256 = a_file(tmp_path / "source", 100)
        said = []
        for number in range(60):
            try:
                store.upload(source, f"k{number}", sha256)
                said.append("done")
            except StoreError as error:
                found = store.inner.find(f"k{number}")
                said.append(f"{str(error)[-20:]} {found.bytes if found else None}")
        return said

    one = outcomes(1, "one")
    assert one == outcomes(1, "two")
    assert one != outcomes(2, "three")
    assert 5 < 60 - one.count("done") < 35
    assert len(set(one)) == 5
