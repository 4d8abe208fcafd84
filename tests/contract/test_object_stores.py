"""What every object store promises, on a folder and on real servers."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from retail_datagen.objects import ObjectStore, StoreError, open_store
from services.places import Place, a_file, content, keys, place_of

KINDS = ("folder", "s3", "gcs")
ODD_KEYS = (
    "plain.json",
    "orders/ingest_dt=2024-01-01/part-0000.parquet",
    "with space/ü+ö & co%20.json",
    "a#b?c/*",
    "_SUCCESS",
    ".id_state.json",
)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest) -> Place:
    return place_of(request.param, request)


@pytest.fixture
def store(place: Place) -> Iterator[ObjectStore]:
    opened = place.open()
    yield opened
    opened.close()
    opened.close()


@pytest.mark.parametrize("key", ODD_KEYS)
def test_what_is_put_is_got_and_found(store: ObjectStore, key: str) -> None:
    assert store.get(key) is None
    assert store.find(key) is None
    store.put(key, b"one")
    store.put(key, b"three")
    store.flush()
    got, found = content(store, key), store.find(key)
    assert got.data == b"three"
    assert found is not None
    assert (found.key, found.bytes, found.version) == (key, 5, got.version)
    assert list(store.list()) == [found]


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put("orders/_SUCCESS", b"")
    assert content(store, "orders/_SUCCESS").data == b""
    assert keys(store) == ["orders/_SUCCESS"]


# The last is three parts of S3's.
@pytest.mark.parametrize("size", [0, 1, 100_000, 8 << 20, (16 << 20) + 1])
def test_files_arrive_as_they_are_and_come_back(
    store: ObjectStore, tmp_path: Path, size: int
) -> None:
    source, sha256 = a_file(tmp_path / "source", size)
    store.upload(source, "orders/part-0000.parquet", sha256)
    back = tmp_path / "back" / "file"
    store.download("orders/part-0000.parquet", back)
    assert back.read_bytes() == source.read_bytes()
    found = store.find("orders/part-0000.parquet")
    assert found is not None
    assert found.bytes == size
    assert list(back.parent.iterdir()) == [back]


def test_uploading_again_replaces_and_the_source_stays_or_goes(
    store: ObjectStore, tmp_path: Path
) -> None:
    for seed in (1, 1, 2):
        source, sha256 = a_file(tmp_path / f"source{seed}", 1000, seed)
        store.upload(source, "k", sha256)
        store.upload(source, "k", sha256)
        assert content(store, "k").data == source.read_bytes()
    source.unlink()
    assert hashlib.sha256(content(store, "k").data).hexdigest() == sha256
    assert keys(store) == ["k"]


def test_a_version_changes_with_the_content(store: ObjectStore) -> None:
    versions = set()
    for number in range(5):
        store.put("k", f"content {number}".encode())
        versions.add(content(store, "k").version)
    assert len(versions) == 5


def test_create_does_not_replace(store: ObjectStore) -> None:
    assert store.create("lease", b"first")
    assert not store.create("lease", b"second")
    assert not store.create("lease", b"first")
    assert content(store, "lease").data == b"first"
    store.delete("lease")
    assert store.create("lease", b"third")


def test_swap_replaces_only_what_was_seen(store: ObjectStore) -> None:
    store.put("lease", b"first")
    seen = content(store, "lease").version
    assert store.swap("lease", b"second", seen)
    assert not store.swap("lease", b"third", seen)
    assert content(store, "lease").data == b"second"
    assert not store.swap("none", b"third", seen)
    store.delete("lease")
    assert not store.swap("lease", b"third", seen)
    assert keys(store) == []


@pytest.mark.parametrize("what", ["create", "swap"])
def test_of_many_at_once_one_wins(place: Place, what: str) -> None:
    stores = [place.open() for _ in range(8)]
    for number in range(5):
        key = f"lease{number}"
        version = ""
        if what == "swap":
            stores[0].put(key, b"before")
            version = content(stores[0], key).version
        together = threading.Barrier(len(stores))

        def win(
            index: int, key: str = key, version: str = version, gate: threading.Barrier = together
        ) -> bool:
            gate.wait()
            data = f"claim {index}".encode()
            if what == "swap":
                return stores[index].swap(key, data, version)
            return stores[index].create(key, data)

        with ThreadPoolExecutor(len(stores)) as pool:
            won = list(pool.map(win, range(len(stores))))
        assert won.count(True) == 1
        assert content(stores[0], key).data == f"claim {won.index(True)}".encode()
    for opened in stores:
        opened.close()


def test_lists_are_in_order_and_of_whole_folders(store: ObjectStore) -> None:
    names = ["a/2", "a/1", "a-b/1", "a=b/1", "a/b/c", "ab", "a.b", "é/1", "z", ".hidden", "a/b-c"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: store.put(name, name.encode()), names))
    assert keys(store) == sorted(names)
    assert keys(store, "a") == keys(store, "a/") == ["a/1", "a/2", "a/b-c", "a/b/c"]
    assert keys(store, "none") == []
    assert keys(store, "a/b") == ["a/b/c"]


def test_lists_go_on_over_pages(store: ObjectStore) -> None:
    names = [f"d{number % 7}/{number:04}" for number in range(1050)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: store.put(name, b"x"), names))
    assert keys(store) == sorted(names)


def test_what_is_deleted_is_gone(store: ObjectStore) -> None:
    store.put("a/b/1", b"x")
    store.put("a/b/2", b"x")
    store.delete("a/b/1")
    store.delete("a/b/1")
    store.delete("none/at/all")
    assert keys(store) == ["a/b/2"]
    assert store.get("a/b/1") is None


def test_what_is_not_there_cannot_be_downloaded(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="none/k"):
        store.download("none/k", tmp_path / "target")
    assert list(tmp_path.glob("*target*")) == []


def test_a_source_that_is_not_there_or_not_what_it_was(
    place: Place, store: ObjectStore, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=r"cannot read .*nothing-here"):
        store.upload(tmp_path / "nothing-here", "k", "0" * 64)
    if place.kind != "folder":
        source, _ = a_file(tmp_path / "source", 10)
        with pytest.raises(StoreError, match="not the one that its sha256 was taken of"):
            store.upload(source, "k", "0" * 64)
    assert keys(store) == []


@pytest.mark.parametrize("key", ["", "/a", "a//b", "../a", "a/../b", "./a", "a/", "a\nb", "a\0"])
def test_keys_that_lead_elsewhere_are_refused(store: ObjectStore, tmp_path: Path, key: str) -> None:
    source, sha256 = a_file(tmp_path / "source", 10)
    calls: list[Callable[[], object]] = [
        lambda: store.put(key, b""),
        lambda: store.create(key, b""),
        lambda: store.swap(key, b"", "1"),
        lambda: store.get(key),
        lambda: store.find(key),
        lambda: store.delete(key),
        lambda: store.download(key, tmp_path / "target"),
        lambda: store.upload(source, key, sha256),
    ]
    for call in calls:
        with pytest.raises(StoreError, match="cannot be the name of an object"):
            call()


def test_two_prefixes_do_not_see_each_other(place: Place) -> None:
    one, two = open_store(f"{place.url}/one"), open_store(f"{place.url}/one-more/")
    one.put("k", b"1")
    two.put("k", b"2")
    assert (keys(one), keys(two)) == (["k"], ["k"])
    assert content(one, "k").data == b"1"
    assert one.url == f"{place.url}/one"
    assert two.url == f"{place.url}/one-more"
