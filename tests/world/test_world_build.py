"""Master data appears whole, the same for the same seed, and only where it may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.world import master
from retail_datagen.world.build import build_world, build_world_files
from retail_datagen.world.errors import MasterDataError
from retail_datagen.world.master import MASTER_TABLES, digest
from retail_datagen.world.read import ensure_world, read_world

FILES = sorted(f"{table.name}.csv" for table in MASTER_TABLES)


def entries(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def moved_to(config: RetailConfig, master_folder: Path, seed: int = 42) -> RetailConfig:
    paths = config.paths.model_copy(update={"master": master_folder})
    return config.model_copy(update={"paths": paths, "seed": seed})


def test_the_same_seed_writes_the_same_bytes(
    config: RetailConfig, profile: Profile, built: Path, tmp_path: Path
) -> None:
    build_world_files(config, profile, tmp_path / "again")
    assert digest(tmp_path / "again") == digest(built)
    other = config.model_copy(update={"seed": 43})
    build_world_files(other, profile, tmp_path / "other")
    assert digest(tmp_path / "other") != digest(built)


def test_every_file_depends_on_the_seed_but_those_that_list_what_is_given(
    config: RetailConfig, profile: Profile, tables: dict[str, pa.Table]
) -> None:
    other = build_world(config.model_copy(update={"seed": 43}), profile)
    same = {name for name, rows in tables.items() if rows.equals(other[name])}
    assert same == {"geographies", "sensors", "beacons"}


def test_the_cpu_does_not_show(built: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from conftest import small_config;"
        "from retail_datagen.world.build import build_world_files as build;"
        "c = small_config(Path(sys.argv[2])); build(c, c.load_profile(), c.paths.master)"
    )
    source = str(Path(master.__file__).parents[2])
    environment = os.environ | {
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL "
        "AVX512_ICL AVX512_SPR",
        "ARROW_USER_SIMD_LEVEL": "NONE",
        "PYTHONPATH": source,
        "PYTHONWARNINGS": "ignore",
    }
    arguments = [sys.executable, "-c", program, str(Path(__file__).parent), str(tmp_path / "m")]
    subprocess.run(arguments, env=environment, check=True)
    assert digest(tmp_path / "m") == digest(built)


def test_an_absent_or_empty_folder_is_filled(
    config: RetailConfig, profile: Profile, built: Path, tmp_path: Path
) -> None:
    for name in ("absent/deep", "empty", "hidden"):
        folder = tmp_path / name
        if "absent" not in name:
            folder.mkdir()
        if name == "hidden":
            (folder / ".gitkeep").touch()
        world = ensure_world(moved_to(config, folder), profile)
        assert world.digest == digest(built)
        assert [e for e in entries(folder) if e != ".gitkeep"] == FILES
    assert (tmp_path / "hidden" / ".gitkeep").exists()
    assert entries(tmp_path) == ["absent", "empty", "hidden"]


def test_a_complete_folder_is_read_and_not_written(
    config: RetailConfig, profile: Profile, folder: Path
) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    ensure_world(moved_to(config, folder, seed=7), profile)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize("gone", [["stores.csv"], ["beacons.csv", "customers.csv"]])
def test_missing_files_are_named(
    config: RetailConfig, profile: Profile, folder: Path, gone: list[str]
) -> None:
    for name in gone:
        (folder / name).unlink()
    with pytest.raises(MasterDataError) as error:
        ensure_world(moved_to(config, folder), profile)
    assert str(error.value).startswith(f"Master data not found: {folder} has no ")
    assert all(name in str(error.value) for name in gone)
    assert [name for name in FILES if name in str(error.value)] == sorted(gone)


def test_other_peoples_files_are_no_master_data(
    config: RetailConfig, profile: Profile, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(MasterDataError, match="Master data not found"):
        ensure_world(moved_to(config, tmp_path), profile)
    assert entries(tmp_path) == ["notes.txt"]


def test_a_folder_that_is_written_over_keeps_what_is_not_master_data(
    config: RetailConfig, profile: Profile, folder: Path
) -> None:
    (folder / "notes.txt").write_text("mine")
    (folder / "stores.csv").write_text("spoilt")
    build_world_files(config, profile, folder)
    assert entries(folder) == sorted([*FILES, "notes.txt"])
    assert (folder / "notes.txt").read_text() == "mine"
    read_world(folder, profile)
    assert entries(folder.parent) == ["master"]


def test_a_folder_that_cannot_be_renamed_is_filled_file_by_file(
    config: RetailConfig, profile: Profile, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "stores.csv").write_text("spoilt")

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "rename", refuse)
    build_world_files(config, profile, folder)
    assert entries(folder) == FILES
    read_world(folder, profile)
    assert entries(folder.parent) == ["master"]


def test_a_build_that_fails_leaves_nothing(
    config: RetailConfig, profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def full(path: Path, *_: object) -> None:
        if len(written) == 5:
            raise OSError(28, "No space left on device")
        written.append(path.name)
        path.write_text("some")

    monkeypatch.setattr("retail_datagen.world.build.write_table", full)
    with pytest.raises(OSError, match="No space left"):
        build_world_files(config, profile, tmp_path / "master")
    assert len(written) == 5
    assert entries(tmp_path) == []


def test_what_killed_runs_left_is_swept_away(
    config: RetailConfig, profile: Profile, tmp_path: Path
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], check=True, capture_output=True
    )
    mine, theirs = f".master.new-{os.getppid()}", f".master.new-{int(ended.stdout)}"
    for name in (mine, theirs):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stores.csv").write_text("half")
    build_world_files(config, profile, tmp_path / "master")
    assert entries(tmp_path) == [mine, "master"]


def test_a_folder_that_somebody_else_fills_first_stays_his(
    config: RetailConfig, profile: Profile, built: Path, tmp_path: Path
) -> None:
    def slow(fresh: Path) -> None:
        shutil.copytree(built, tmp_path / "master")
        (fresh / "stores.csv").write_text("late")

    master.write_whole(tmp_path / "master", slow, fill=True)
    assert digest(tmp_path / "master") == digest(built)
    assert entries(tmp_path) == ["master"]


def test_own_dictionaries_serve(config: RetailConfig, profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "streets.csv").write_text('Street\n"Long Lane, East"\n')
    paths = config.paths.model_copy(update={"dict": tmp_path})
    own = config.model_copy(update={"paths": paths})
    build_world_files(own, profile, tmp_path / "master")
    text = (tmp_path / "master" / "stores.csv").read_text()
    assert text.count("Long Lane, East") == own.volume.stores
    assert len(read_world(tmp_path / "master", profile).stores.store_id) == own.volume.stores
