"""Against the fastest generator known: `tpchgen-cli`, which makes TPC-H's eight tables."""

from __future__ import annotations

from benchmarks.lab import Lab, Output
from benchmarks.result import Check, Section


def peer(lab: Lab) -> Section:
    retailer, days = lab.plan.large, lab.plan.month
    ours = lab.job(retailer, days, "parquet", 1)
    text = lab.job(retailer, days, "csv", 1)
    theirs = lab.peer("parquet")
    their_text = lab.peer("csv")
    scale = f"{lab.plan.tpch_scale:g}"
    return Section(
        "peer",
        "Against tpchgen-cli",
        f"Ours: {retailer}, {days.days} days, all tables as Parquet, one worker. Theirs: "
        f"`tpchgen-cli parquet -s {scale}` with its defaults (Snappy, as many threads as cores); "
        "CPU time is that of all threads. Bytes are those of the same rows as CSV, so that neither "
        "side's encodings count.",
        ("generator", "rows", "CSV MB", "CPU-s", "rows/CPU-s", "MB/CPU-s", "Parquet MB"),
        [
            _row("retail-datagen", ours, text.bytes),
            _row(f"tpchgen-cli, SF {scale}", theirs, their_text.bytes),
        ],
        [
            Check(
                "rows per CPU-second, ours ÷ theirs",
                _speed(ours, ours.rows) / _speed(theirs, theirs.rows),
                2.0,
                at_least=True,
            ),
            Check(
                "bytes per CPU-second, ours ÷ theirs",
                _speed(ours, text.bytes) / _speed(theirs, their_text.bytes),
                None,
                at_least=True,
                aim=1.0,
            ),
        ],
    )


def _row(name: str, output: Output, text_bytes: int) -> tuple[str, ...]:
    return (
        name,
        f"{output.rows:,}",
        f"{text_bytes / 1e6:,.0f}",
        f"{output.usage.cpu_seconds:.2f}",
        f"{_speed(output, output.rows):,.0f}",
        f"{_speed(output, text_bytes) / 1e6:,.0f}",
        f"{output.bytes / 1e6:,.0f}",
    )


def _speed(output: Output, amount: int) -> float:
    return amount / output.usage.cpu_seconds
