"""The benchmarks run, on tiny sizes; whether bounds are met is for quiet machines to say."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("psutil", reason="the extra `bench` is not installed")
pytest.importorskip("resource", reason="benchmarks read Unix resource usage")
sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.result import Check, Section

from benchmarks import harness, report


def test_a_bound_is_met_on_its_own_side_only() -> None:
    assert Check("low is good", 1.5, 2.0).ok
    assert not Check("low is good", 2.5, 2.0).ok
    assert Check("high is good", 2.5, 2.0, at_least=True).ok
    assert not Check("high is good", 1.5, 2.0, at_least=True).ok
    assert Check("only an aim", 0.1, None, at_least=True, aim=1.0).ok


def test_bounds_and_aims_are_shown() -> None:
    assert Check("share", 21.234, 20.0, unit=" %").shown() == "21.23 %"
    assert Check("ratio", 1.6, 2.0, aim=1.5).wanted() == "≤ 2.00 (aim 1.50)"
    assert Check("ratio", 1.6, None, at_least=True, aim=1.0).wanted() == "(aim 1.00)"


def test_cpu_time_and_memory_are_those_of_the_whole_tree(tmp_path: Path) -> None:
    child = (
        "import time; held = b'x' * 100_000_000; end = time.process_time() + 0.4\n"
        "while time.process_time() < end: pass\n"
        "time.sleep(0.8)"
    )
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    usage = harness.run([sys.executable, "-c", parent], tmp_path)
    assert 0.4 <= usage.cpu_seconds < 3
    assert usage.wall_seconds >= 1.2
    assert 100e6 < usage.peak_bytes < 300e6


def test_a_command_that_fails_says_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(harness.BenchmarkError, match="no such thing"):
        harness.run([sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path)


def test_a_program_that_is_not_installed_is_named() -> None:
    with pytest.raises(harness.BenchmarkError, match="surely-not-there is not installed"):
        harness.program("surely-not-there")


@pytest.mark.parametrize(
    ("release", "shown"),
    [("6.18.44-fc-v669", "6.18"), ("23.6.0", "23.6"), ("10", "10"), ("odd", "of unknown version")],
)
def test_the_kernel_is_told_without_the_name_of_its_build(
    release: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report.platform, "release", lambda: release)
    monkeypatch.setattr(report.platform, "system", lambda: "Linux")
    assert report.machine()["system"] == f"Linux {shown}"


def test_the_page_holds_every_figure_and_marks_missed_bounds() -> None:
    checks = [Check("speed", 3.0, 2.0), Check("size", 1.0, 2.0), Check("hope", 3.0, None, aim=2.0)]
    section = Section("x", "Title", "What it is.", ("a", "b"), [("row", "7")], checks)
    page = report.to_markdown([section], quick=False)
    assert "| Title | speed | 3.00 | ≤ 2.00 | **missed** |" in page
    assert "| Title | size | 1.00 | ≤ 2.00 | met |" in page
    assert "| Title | hope | 3.00 | (aim 2.00) | aim not reached |" in page
    assert "| row | 7 |" in page
    assert "quick run" not in page


@pytest.mark.slow
def test_every_benchmark_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The peer is an extra of its own.
    names = [n for n in BENCHMARKS if n != "peer" or shutil.which("tpchgen-cli")]
    answer = tmp_path / "figures.json"
    chosen = [part for name in names for part in ("--only", name)]
    code = main(["--tiny", "--json", str(answer), *chosen])
    printed = capsys.readouterr()
    assert code in (0, 1), printed.err
    found = json.loads(answer.read_text())
    assert [section["name"] for section in found["sections"]] == names
    rows = {row[0]: row for row in found["sections"][0]["rows"]}
    assert int(rows["receipts"][1].replace(",", "")) > 0
    values = [check["value"] for section in found["sections"] for check in section["checks"]]
    assert all(value > 0 for value in values)
    missed = any(not check["ok"] for s in found["sections"] for check in s["checks"])
    assert code == missed
    assert ("MISSED" in printed.out) == missed
