"""Events a second into a real Kafka broker on the same machine, beside a bare loop's."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import BenchmarkError, run
from benchmarks.lab import Lab
from benchmarks.result import Check, Section

_ROOT = Path(__file__).parent.parent
_SERVER = ("-Xmx1g", "-Xms1g", "-XX:+UseG1GC", "-Xshare:auto")
"""A broker that is measured compiles its code as one in use would, other than those of tests.

One that nobody measures, of a plan without runs, is one of those.
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """Events that were sent, and the seconds that it took."""

    events: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.events / self.seconds


def kafka(lab: Lab) -> Section:
    """`backfill --all` as JSON, and a loop that sends the same messages ready made."""
    ours, bare = [], []
    measured = lab.plan.stream_runs > 0
    with broker(lab.folder / "kafka", _SERVER if measured else ()) as servers:
        for number in range(lab.plan.stream_runs + 1):
            made = _backfill(lab, servers, f"ours-{number}-")
            floor = _bare(lab, servers, f"ours-{number}-", f"bare-{number}-")
            if number or not lab.plan.stream_runs:  # The first one warms the broker up.
                ours.append(Sent(floor.events, made))
                bare.append(floor)
    best, floor = (max(sent, key=lambda s: s.rate) for sent in (ours, bare))
    days = lab.plan.stream
    return Section(
        "kafka",
        "Events into Kafka",
        f"{lab.plan.medium}, {days.days} days: `retail-datagen backfill --all` as JSON, the whole "
        "command, start included, to an Apache Kafka broker on the same machine, one partition's "
        "leader each, lz4, transactions. The bare loop is a Python `for` over the same messages in "
        "the same order, day by day and table by table, read back into memory beforehand, with the "
        "same settings and as many transactions; only "
        f"the loop is timed. The best of {max(lab.plan.stream_runs, 1)} runs each, in turns.",
        ("who", "events", "seconds", "events/s"),
        [_row("backfill --all", best), _row("bare loop", floor)],
        [
            Check("share of the bare loop's rate", best.rate / floor.rate, 0.7, at_least=True),
            Check(
                "events/s",
                best.rate,
                lab.plan.stream_rate,
                at_least=True,
                aim=150_000,
            ),
        ],
    )


@contextmanager
def broker(folder: Path, java_options: tuple[str, ...]) -> Iterator[str]:
    """The address of a broker; without options for Java it has those of the tests' brokers.

    Raises BenchmarkError where none can be had.
    """
    tests = str(_ROOT / "tests")
    if tests not in sys.path:
        sys.path.append(tests)
    try:
        from services.kafka_broker import Broker
    except ImportError as error:
        raise BenchmarkError(f"there is no Kafka broker: {error}; install the extra dev") from error
    made = Broker(folder, java_options=java_options) if java_options else Broker(folder)
    try:
        made.start()
        yield made.address.servers
    except RuntimeError as error:
        raise BenchmarkError(str(error)) from error
    finally:
        made.kill()


def _backfill(lab: Lab, servers: str, prefix: str) -> float:
    """Seconds of the command."""
    return lab.backfill(lab.plan.medium, lab.plan.stream, f"kafka://{servers}", prefix).wall_seconds


def _bare(lab: Lab, servers: str, prefix: str, own_prefix: str) -> Sent:
    answer = lab.folder / "bare.json"
    arguments = [servers, prefix, own_prefix, str(lab.plan.stream.days), str(answer)]
    run([sys.executable, "-m", "benchmarks.bare", *arguments], _ROOT, watched=False)
    told = json.loads(answer.read_bytes())
    return Sent(told["events"], told["seconds"])


def _row(who: str, sent: Sent) -> tuple[str, ...]:
    return who, f"{sent.events:,}", f"{sent.seconds:.2f}", f"{sent.rate:,.0f}"
