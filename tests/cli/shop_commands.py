"""A small shop, and its commands as people run them: in a process of their own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHOP = """
lookup_config:
  customers: {num_customers: 800}
  product_catalog: {num_products: 200}
retailer:
  volume: {stores: 2, dcs: 1, customers_per_day: 40, online_orders_per_day: 60}
"""
FACTS = ("cart_items", "order_items", "orders", "return_items", "returns", "shopping_carts")
_OURS = ("RETAIL_", "START_", "END_", "CHUNK_", "BUCKET", "PREFIX", "MESSINESS_", "ID_STATE_")
_OURS += ("CHECKPOINT_", "POST_EXPORT_", "CONFIG_PATH", "ARTIFACT_", "TARGET_")
_MAIN = {"retail-datagen": "app", "ecomlake": "ecomlake"}


def run(
    program: str, *arguments: object, cwd: Path, code: int = 0, **environment: object
) -> subprocess.CompletedProcess[str]:
    """Run `retail-datagen`, `ecomlake` or a path, and hold that it ends with `code`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
    command = [program]
    if program in _MAIN:
        start = f"from retail_datagen.cli.{_MAIN[program]} import main; main()"
        command = [sys.executable, "-c", start]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        cwd=cwd,
        env={
            **kept,
            "PATH": path,
            "COLUMNS": "200",
            **{name: str(value) for name, value in environment.items()},
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def shop_in(folder: Path) -> Path:
    """A working directory with the small shop's `shop.yaml`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shop.yaml").write_text(SHOP, encoding="utf-8")
    return folder


def digests(lake: Path) -> dict[str, str]:
    """The sha256 of each data file, by its path."""
    return {
        path.relative_to(lake).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in lake.rglob("*.parquet")
    }
