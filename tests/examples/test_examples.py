"""Every example runs as it stands, in an empty folder, and the published script from the root."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAYS = {
    "quickstart.py": r"Generated \d+ records in \d+\.\ds under data.facts\n  ble_pings +[\d,]+",
    "demo_fact_generation.py": r"files written: 98, kept: 0(.|\n)*12:00 █+ \d+",
    "look_around.py": r"receipts +7 +[\d,]+(.|\n)*Sat 06 █+(.|\n)*12 █+",
    "custom_patterns.py": r"Christmas Day +0\.00 +0\.00\nbusiest day: 2024-11-29, mean .*: 1\.000",
    "shopping_basket.py": r"checks passed: 5, failed: 1\n  receipt_totals: lines are",
    "notebook_style.py": r"2024-01-07 +\d+\n(.|\n)*Marketing cost \d+\.\d\d that week",
}
WRITES = {"quickstart.py", "demo_fact_generation.py", "shopping_basket.py"}
EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.py"))


LOOKS_AT_A_FOLDER = "look_around.py"


def run(script: Path, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        cwd=folder,
        env={"PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_tested_and_short() -> None:
    assert set(SAYS) == set(EXAMPLES)
    for name in EXAMPLES:
        assert len((ROOT / "examples" / name).read_text().splitlines()) < 100, name


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {LOOKS_AT_A_FOLDER}))
def test_example(name: str, tmp_path: Path) -> None:
    printed = run(ROOT / "examples" / name, tmp_path)
    assert re.search(SAYS[name], printed), printed
    assert (tmp_path / "data").exists() is (name in WRITES)


def test_the_published_demonstration_runs_from_the_root(tmp_path: Path) -> None:
    printed = run(ROOT / "demo_fact_generation.py", tmp_path)
    assert re.search(SAYS["demo_fact_generation.py"], printed), printed
    again = run(ROOT / "demo_fact_generation.py", tmp_path)
    assert "files written: 0, kept: 98" in again
    seen = run(ROOT / "examples" / LOOKS_AT_A_FOLDER, tmp_path, "data/facts")
    assert re.search(SAYS[LOOKS_AT_A_FOLDER], seen), seen
