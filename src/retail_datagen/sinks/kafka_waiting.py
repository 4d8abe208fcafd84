"""Waiting for a Kafka broker that does not answer, and what its clients hear of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.waiting import Waiting

if TYPE_CHECKING:
    from confluent_kafka import KafkaError


class Troubles:
    """What clients say of their connections, which they tell callbacks and not their callers.

    `kept` is what to say of the work that was done where a broker stays away.
    """

    def __init__(
        self, servers: str, kept: str = "what is committed is kept, nothing is there twice"
    ) -> None:
        self.servers, self.kept = servers, kept
        self._last = ""
        self._refused = False

    def hear(self, error: KafkaError) -> None:
        """For a client's `error_cb`."""
        # `host:9092/bootstrap: Connect to … failed: Connection refused (after 0ms in state …)`
        self._last = error.str().partition(": ")[2].partition(" (after")[0] or error.str()
        if error.code() == error._AUTHENTICATION:
            self._refused = True

    @property
    def last(self) -> str:
        return self._last or "no answer"

    def check(self) -> None:
        """Raises SinkError once the broker has refused who we are: waiting would not help."""
        if self._refused:
            raise SinkError(
                f"the Kafka broker at {self.servers} refuses the credentials ({self.last}); see "
                "sasl.mechanism, sasl.username and sasl.password in the Kafka properties"
            )


class Patience:
    """How long an unanswered call is tried again; `renew` when something moved."""

    def __init__(self, troubles: Troubles, seconds: float) -> None:
        self._troubles = troubles
        self._seconds = seconds
        self._waiting = Waiting(f"the Kafka broker at {troubles.servers}", seconds)

    def renew(self) -> None:
        self._waiting.renew()

    def spent(self, pause: bool) -> None:
        """Called after each try in vain; with `pause`, the next one is put off a little longer.

        Raises SinkError when patience is at its end.
        """
        self._troubles.check()
        if not self._waiting.lasts(self._troubles.last, pause):
            raise SinkError(
                f"no Kafka broker at {self._troubles.servers} has answered for "
                f"{self._seconds:.0f} s ({self._troubles.last}); {self._troubles.kept}: start the "
                "broker, or name another one, and run the same command again (--broker-timeout "
                "waits longer)"
            )
