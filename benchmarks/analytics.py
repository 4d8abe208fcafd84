"""How long each question to the store's service takes, on PostgreSQL, with a year of history."""

from __future__ import annotations

import time

from benchmarks.harness import BenchmarkError, program, run
from benchmarks.lab import Lab
from benchmarks.result import Check, Section
from benchmarks.servers import postgres, served

P95_MS = 100.0
QUESTIONS = (
    "overview",
    "product-velocity",
    "top-products",
    "category-performance",
    "sales-time-series",
    "stock-heatmap",
    "abc",
    "affinity",
    "forecast/RUN-0042",
    "anomalies",
)


def analytics(lab: Lab) -> Section:
    """Each question with its defaults, and about the whole past where that can be asked."""
    plan = lab.plan
    with postgres() as url:
        lab.tell(f"analytics: {plan.store_items:,} items and {plan.store_days} days of history")
        command, where = program("retail-datagen"), ["--database-url", url]
        count, days = str(plan.store_items), str(plan.store_days)
        run([command, "inventory", "generate", "--items", count, *where], lab.folder)
        past = ["--days", days, "--density", "dense"]
        run([command, "inventory", "backfill", *past, *where], lab.folder)
        _analyze(url)
        with served(url) as address:
            lab.tell("analytics: questions")
            warm, times = plan.store_warm_ups, plan.store_requests
            plain = {name: _ask(address, name, warm, times) for name in QUESTIONS}
            whole = {name: _ask(address, f"{name}?days={days}", warm, times) for name in QUESTIONS}
    return Section(
        "analytics",
        "Questions to a store",
        "`retail-datagen serve` on PostgreSQL, asked one question after the other over HTTP, "
        f"{times} times each, about a store of {plan.store_items:,} items with {days} days of "
        "dense history: with the questions' defaults (30 or 90 days), and about all those days.",
        ("question", "p50 ms", "p95 ms", "all days: p50 ms", "p95 ms"),
        [
            (
                f"/analytics/{name}",
                *(f"{ms:.1f}" for ms in plain[name]),
                *(f"{ms:.1f}" for ms in whole[name]),
            )
            for name in QUESTIONS
        ],
        [
            Check("slowest question, p95", _slowest(plain), P95_MS, unit=" ms"),
            Check("the same about all days", _slowest(whole), None, aim=P95_MS, unit=" ms"),
        ],
    )


def _slowest(taken: dict[str, tuple[float, float]]) -> float:
    return max(p95 for _, p95 in taken.values())


def _ask(address: str, question: str, warm: int, times: int) -> tuple[float, float]:
    """Median and 95th percentile of answers, in ms, after `warm` that do not count."""
    import httpx

    taken = []
    with httpx.Client(base_url=address, timeout=60) as client:
        for number in range(warm + times):
            begun = time.perf_counter()
            answer = client.get(f"/analytics/{question}")
            spent = (time.perf_counter() - begun) * 1000
            if answer.status_code != 200:
                raise BenchmarkError(f"{question} was answered with {answer.text}")
            if number >= warm:
                taken.append(spent)
    taken.sort()
    return taken[len(taken) // 2], taken[min(round(0.95 * len(taken)), len(taken) - 1)]


def _analyze(url: str) -> None:
    """What the server does by itself some minutes later."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
