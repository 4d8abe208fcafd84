"""A lake that is uploaded arrives whole, once, in an order that never lets a manifest lie."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from folder_store import FolderStore, RemoteStore
from small_lake import STAMP, TABLES, edit_manifest, make_lake, partition_of

from retail_datagen.config.errors import UserError
from retail_datagen.lake.lease import Lease, LeaseError
from retail_datagen.lake.ls import Gap, list_tables
from retail_datagen.lake.read import read_lake
from retail_datagen.lake.upload import Step, UploadProgress, upload_lake
from retail_datagen.lake.verify import verify_lake
from retail_datagen.partitions.layout import CATALOG, LEASE, MANIFEST, SUCCESS
from retail_datagen.partitions.manifest import Stamp


@pytest.fixture(scope="session")
def short_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_lake(tmp_path_factory.mktemp("lakes") / "short", 4)
    (folder / CATALOG).write_bytes(b"{}")
    return folder


@pytest.fixture
def source(short_lake: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(short_lake, tmp_path / "source"))


@pytest.fixture
def target(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "target")


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


@pytest.mark.parametrize("store", [FolderStore, RemoteStore])
def test_all_arrives_manifests_after_their_files(
    source: Path, target: FolderStore, store: Callable[[Path], FolderStore]
) -> None:
    seen: list[UploadProgress] = []
    summary = upload_lake(store(source), target, listeners=[seen.append])
    assert files_of(target.folder) == files_of(source)
    assert {action.step for action in summary.actions} == {Step.UPLOAD}
    assert seen[-1].partitions == seen[-1].total_partitions == len(summary.actions)
    assert seen[-1].bytes == summary.bytes_sent > 0
    order = {key: at for at, (_, key) in enumerate(target.calls)}
    for action in summary.actions:
        own = action.partition
        assert order[own.part(0)] < order[own.manifest] < order[own.success]
    assert target.calls[-2:] == [("put", CATALOG), ("delete", LEASE)]
    assert verify_lake(target, TABLES).passed


def test_a_dry_run_changes_nothing(source: Path, target: FolderStore) -> None:
    summary = upload_lake(FolderStore(source), target, dry_run=True)
    assert len(summary.of(Step.UPLOAD)) == 7 * 4 + 21
    assert not target.folder.exists()


def test_what_is_there_is_not_sent_again(source: Path, target: FolderStore) -> None:
    upload_lake(FolderStore(source), target)
    orders, visits, returns = (partition_of(name, 2) for name in ("orders", "visits", "returns"))
    (target.folder / orders.manifest).unlink()
    (target.folder / visits.part(0)).write_bytes(b"short")
    (target.folder / visits.part(1)).write_bytes(b"stale")
    (target.folder / returns.success).unlink()
    target.calls.clear()
    summary = upload_lake(FolderStore(source), target)
    assert {a.partition for a in summary.of(Step.REPLACE)} == {orders, visits, returns}
    assert files_of(target.folder) == files_of(source)
    assert {key for call, key in target.calls if call == "upload"} == {
        orders.part(0),
        visits.part(0),
        returns.part(0),
    }
    first = target.calls.index(("delete", visits.manifest))
    assert first < target.calls.index(("upload", visits.part(0)))
    target.calls.clear()
    assert not upload_lake(FolderStore(source), target).of(Step.UPLOAD, Step.REPLACE)
    assert target.calls == [("put", CATALOG), ("delete", LEASE)]


def test_a_target_that_is_being_written_is_left_alone(source: Path, target: FolderStore) -> None:
    lease = Lease.take(target)
    with pytest.raises(LeaseError, match="is being written by process"):
        upload_lake(FolderStore(source), target)
    lease.release()
    assert target.calls == [("delete", LEASE)]


class Breaking(FolderStore):
    """A target that fails after so many uploads."""

    left = 20

    def upload(self, source: Path, key: str, sha256: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise UserError("the bucket is gone")
        super().upload(source, key, sha256)


def test_an_upload_that_failed_goes_on(source: Path, target: FolderStore) -> None:
    with pytest.raises(UserError, match="the bucket is gone"):
        upload_lake(FolderStore(source), Breaking(target.folder))
    contents = read_lake(target)
    assert all(held.is_whole for held in contents.partitions)
    assert 0 < len(contents.partitions) <= 20
    assert not (target.folder / CATALOG).exists()
    summary = upload_lake(FolderStore(source), target)
    assert len(summary.of(Step.KEEP)) == sum(held.success for held in contents.partitions)
    assert files_of(target.folder) == files_of(source)


def test_another_history_is_replaced_only_when_asked(source: Path, target: FolderStore) -> None:
    other = Stamp("batch", "1.0", "0ther")
    longer = make_lake(target.folder, 6)
    for held in read_lake(target).partitions:
        edit_manifest(longer, held.partition, stamp=other)
    with pytest.raises(UserError, match=rf"config_hash {other.config_hash}.*--overwrite"):
        upload_lake(FolderStore(source), target)
    summary = upload_lake(FolderStore(source), target, overwrite=True)
    assert len(summary.of(Step.REMOVE)) == 14
    hashes = {h.manifest.stamp for h in read_lake(target).partitions if h.manifest}
    assert (hashes, files_of(target.folder)) == ({STAMP}, files_of(source))


@pytest.mark.parametrize("inside", [".", "sub", ".."])
def test_a_lake_is_not_put_into_itself(source: Path, inside: str) -> None:
    before = files_of(source.parent)
    with pytest.raises(UserError, match=f"choose a folder outside of .*{source.name}"):
        upload_lake(FolderStore(source), FolderStore(source / inside))
    assert files_of(source.parent) == before


def test_damage_is_not_uploaded(source: Path, target: FolderStore) -> None:
    path = source / partition_of("orders", 2).part(0)
    content = path.read_bytes()
    path.write_bytes(bytes(len(content)))
    with pytest.raises(UserError, match="is damaged: its sha256 is"):
        upload_lake(FolderStore(source), target)
    assert not (target.folder / partition_of("orders", 2).manifest).exists()
    path.write_bytes(content[:9])
    with pytest.raises(UserError, match=r"1 partitions are damaged.*lake repair"):
        upload_lake(FolderStore(source), target)


def test_no_lake_is_said(target: FolderStore, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UserError, match="holds no partition"):
        upload_lake(FolderStore(empty), target)


def test_a_lake_is_listed(source: Path) -> None:
    shutil.rmtree(source / partition_of("orders", 2).folder)
    (source / partition_of("visits", 3).manifest).write_bytes(b"{}")
    (source / partition_of("visits", 2).manifest).unlink()
    for folder in (source / "returns").iterdir():
        (folder / MANIFEST).unlink()
        (folder / SUCCESS).unlink()
    listed = {table.table: table for table in list_tables(read_lake(FolderStore(source)))}
    orders = listed["orders"]
    assert (orders.partitions, orders.rows, orders.by) == (3, 6, "ingest_dt")
    assert orders.gaps == (Gap("2020-01-03", "2020-01-03", 1),)
    assert (orders.first, orders.last) == ("2020-01-01", "2020-01-04")
    assert (listed["visits"].damaged, listed["visits"].unfinished) == (1, 1)
    assert (listed["returns"].partitions, listed["returns"].unfinished) == (0, 4)
    assert listed["customers"].gaps == ()
    assert listed["product_catalog"].rows == 10
