"""Commands that are killed over and over, and the broker that they talk to with them."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from contextlib import suppress

from services.kafka_broker import Broker

Seconds = tuple[float, float]
"""From, to."""


def killed_over_and_over(
    start: Callable[[], subprocess.Popen[str]],
    rounds: int,
    broker: Broker,
    dice: random.Random,
    before: Seconds,
    after: Seconds,
) -> int:
    """Start a command so many times and `kill -9` it at a random moment; how often it still ran.

    In every third round the broker is killed `before`, and the command some time `after` that.
    """
    killed = 0
    for turn in range(rounds):
        process = start()
        with suppress(subprocess.TimeoutExpired):
            process.wait(dice.uniform(*before))
        if turn % 3 == 2:
            broker.kill()
            broker.start()
            with suppress(subprocess.TimeoutExpired):
                process.wait(dice.uniform(*after))
        killed += process.poll() is None
        process.kill()
        process.wait()
    return killed
