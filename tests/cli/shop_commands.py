"""A small shop, and its commands as people run them, in a working directory of their own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from programs import PROGRAMS, called

ROOT = Path(__file__).parents[2]
SHOP = """
lookup_config:
  customers: {num_customers: 800}
  product_catalog: {num_products: 200}
retailer:
  volume: {stores: 2, dcs: 1, customers_per_day: 40, online_orders_per_day: 60}
  signups: {first: 2019-12-15, last: 2020-01-10}
"""
"""Customers of few days: each day is a partition, which takes longer than all of its rows."""
FEW_ORDERS = SHOP.replace("online_orders_per_day: 60", "online_orders_per_day: 8")
FACTS = ("cart_items", "order_items", "orders", "return_items", "returns", "shopping_carts")
_OURS = ("RETAIL_", "START_", "END_", "CHUNK_", "BUCKET", "PREFIX", "MESSINESS_", "ID_STATE_")
_OURS += ("CHECKPOINT_", "POST_EXPORT_", "CONFIG_PATH", "ARTIFACT_", "TARGET_")


def run(
    program: str, *arguments: object, cwd: Path, code: int = 0, **environment: object
) -> subprocess.CompletedProcess[str]:
    """Run `retail-datagen`, `ecomlake` or a path, and hold that it ends with `code`.

    The two programs run in this process, which has imported them: starting one takes longer than
    most of what they do here. What scripts start is a process of its own.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
    settings = {name: str(value) for name, value in environment.items()}
    environ = {**kept, "PATH": path, "COLUMNS": "200", **settings}
    words = [str(word) for word in arguments]
    if program in PROGRAMS:
        done = called(program, words, cwd, environ)
    else:
        done = subprocess.run(
            [program, *words],
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def shop_in(folder: Path, shop: str = SHOP) -> Path:
    """A working directory with the small shop's `shop.yaml`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shop.yaml").write_text(shop, encoding="utf-8")
    return folder


def digests(lake: Path) -> dict[str, str]:
    """The sha256 of each data file, by its path."""
    return {
        path.relative_to(lake).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in lake.rglob("*.parquet")
    }
