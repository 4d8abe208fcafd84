"""Waiting for a server that does not answer: with patience, in sight, and not for ever."""

from __future__ import annotations

import logging
import time

_LOG = logging.getLogger(__name__)
_FIRST_SECONDS, _MOST_SECONDS = 0.25, 5.0
_SILENT_SECONDS = 2.0
"""A pause that is shorter is not worth a word."""


class Waiting:
    """How long `whom`, such as `the Kafka broker at HOST`, is asked again: for so many seconds."""

    def __init__(self, whom: str, seconds: float) -> None:
        self._whom, self._seconds = whom, seconds
        self.renew()

    def renew(self) -> None:
        """Something moved: patience begins anew."""
        self._since = self._told = time.monotonic()
        self._pause = _FIRST_SECONDS

    def lasts(self, why: str, pause: bool) -> bool:
        """Called after each try in vain, with what was heard: whether there is to be another.

        Says so now and then. With `pause` the next try is put off, each time a little longer.
        """
        now = time.monotonic()
        waited = now - self._since
        left = self._seconds - waited
        if left <= 0:
            return False
        is_time = now - self._told >= min(self._pause, _SILENT_SECONDS)
        if is_time and waited >= _SILENT_SECONDS / 2:
            self._told = now
            _LOG.warning("waiting for %s (%s), %.0f s more", self._whom, why, left)
        if pause:
            time.sleep(min(self._pause, left))
        self._pause = min(self._pause * 2, _MOST_SECONDS)
        return True
