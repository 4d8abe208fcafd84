"""Trying again: how often, how long to wait in between, and when it is of no use."""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from retail_datagen.config.errors import UserError

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")
RETRIES = "RETAIL_UPLOAD_RETRIES"
BASE = "RETAIL_UPLOAD_BACKOFF_BASE"
TIMEOUT = "RETAIL_UPLOAD_TIMEOUT"


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from `base` to `cap` seconds, each shortened at random by up to `jitter`.

    No try begins more than `limit` seconds after the first. `timeout` is how many seconds a server
    may take for one answer.
    """

    attempts: int = 6
    base: float = 0.5
    cap: float = 20.0
    jitter: float = 0.5
    limit: float = 600.0
    timeout: float = 120.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    # Not the seed's business: hosts that failed together are not to come back together.
    dice: Callable[[], float] = random.SystemRandom().random

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Backoff:
        """What RETAIL_UPLOAD_… variables say. Raises UserError for one that is no such number."""
        usual = cls()
        return cls(
            attempts=1 + round(_number(environment, RETRIES, usual.attempts - 1, whole=True)),
            base=_number(environment, BASE, usual.base),
            timeout=_number(environment, TIMEOUT, usual.timeout, least=0.1),
        )

    def pause(self, attempt: int) -> float:
        """Seconds to wait after a failed attempt; the first is number 1."""
        longest = min(self.cap, self.base * 2.0 ** min(attempt - 1, 60))
        return longest * (1.0 - self.jitter * self.dice())


def retried(call: Callable[[], _T], transient: Callable[[Exception], bool], backoff: Backoff) -> _T:
    """What `call` gives. It is tried again after an error that is `transient`.

    Raises its last error.
    """
    began = backoff.clock()
    attempt = 1
    while True:
        try:
            return call()
        except Exception as error:
            pause = backoff.pause(attempt)
            late = backoff.clock() + pause - began > backoff.limit
            if attempt >= backoff.attempts or late or not transient(error):
                raise
            # Only its kind: the text of an error may hold secrets.
            _LOG.info("%s; attempt %d follows in %.1f s", type(error).__name__, attempt + 1, pause)
        backoff.sleep(pause)
        attempt += 1


def _number(
    environment: Mapping[str, str],
    name: str,
    usual: float,
    least: float = 0.0,
    whole: bool = False,
) -> float:
    text = environment.get(name, "").strip()
    if not text:
        return usual
    try:
        number = float(int(text) if whole else float(text))
    except ValueError:
        number = -1.0
    if not least <= number <= 3600:
        kind = "a whole number" if whole else "a number of seconds"
        raise UserError(f"{name} is {text!r}; it must be {kind} from {least:g} to 3600")
    return number
