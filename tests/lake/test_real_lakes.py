"""The shop's own lake in buckets of real servers, whole and killed, as people run the commands."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from retail_datagen.partitions.layout import MANIFEST
from retail_datagen.partitions.manifest import Manifest
from services.places import Place, place_of

ROOT = Path(__file__).parents[2]
MAIN = [sys.executable, "-c", "from retail_datagen.cli.app import main; main()"]
SHOP = """
lookup_config:
  customers: {num_customers: 900}
  product_catalog: {num_products: 200}
retailer:
  volume: {stores: 2, dcs: 1, customers_per_day: 40, online_orders_per_day: 60}
"""
QUARTER = ("--start", "2020-01-01", "--end", "2020-03-30")
KILLS = 20


@pytest.fixture(params=["s3", "gcs"])
def place(request: pytest.FixtureRequest) -> Place:
    return place_of(request.param, request)


def command(*words: object) -> list[str]:
    return [*MAIN, *map(str, words)]


def finish(*words: object, cwd: Path) -> str:
    done = subprocess.run(
        command(*words), cwd=cwd, capture_output=True, text=True, timeout=1200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def digests(place: Place) -> dict[str, str]:
    """The digest of each partition in a lake, as its manifest has it."""
    store = place.open()
    found = {}
    for listed in store.list(""):
        if listed.key.endswith(MANIFEST):
            content = store.get(listed.key)
            assert content is not None
            manifest = Manifest.from_json(bytes(content.data))
            found[manifest.partition.folder] = manifest.digest
    return found


@pytest.mark.soak
def test_a_quarter_of_the_default_backlog_in_a_bucket(place: Place, tmp_path: Path) -> None:
    config = ROOT / "gen_config" / "ecom_sales_gen_quick.yaml"
    made = json.loads(
        finish("backlog", "--config", config, *QUARTER, "--to", place.url, "--json", cwd=tmp_path)
    )
    assert made
    told = json.loads(finish("lake", "verify", place.url, "--json", cwd=tmp_path))
    assert not told.get("findings"), told
    orders = [folder for folder in digests(place) if folder.startswith("orders/")]
    assert len(orders) == 90
    left = [path for path in (tmp_path / "output").rglob("*.parquet") if path.is_file()]
    assert left == []


@pytest.mark.soak
def test_a_real_backlog_killed_again_and_again_is_an_undisturbed_one(
    place: Place, tmp_path: Path
) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    days = ("backlog", "--config", "shop.yaml", *QUARTER)
    finish(*days, "--artifact-root", "calm", "--target-root", "whole", cwd=tmp_path)
    meant = digests(Place("local", str(tmp_path / "whole"), None))
    dice = random.Random(20)
    killed = 0
    while killed < KILLS:
        chunk = dice.choice([7, 30])
        job = subprocess.Popen(
            command(*days, "--to", place.url, "--chunk-size", chunk),
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            _, err = job.communicate(timeout=dice.uniform(0.8, 6))
        except subprocess.TimeoutExpired:
            os.killpg(job.pid, signal.SIGKILL)
            job.communicate()
            killed += 1
            continue
        assert job.returncode == 0, err
        if digests(place) == meant:
            break
    finish(*days, "--to", place.url, cwd=tmp_path)
    assert killed >= 3
    assert digests(place) == meant
    finish("lake", "verify", place.url, cwd=tmp_path)
    last = json.loads((tmp_path / "artifacts" / ".id_state.json").read_text())
    calm = json.loads((tmp_path / "calm" / ".id_state.json").read_text())
    names = ("last_cart_id", "last_order_id", "last_return_id")
    assert [last[name] for name in names] == [calm[name] for name in names]
