"""What a benchmark says: a table for people, and the figures that have a bound."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Check:
    """A measured figure and its bound; without one it is never missed.

    `at_least` turns the bound around; `aim` is what we would like, printed beside it. `unit` is
    put behind the figures.
    """

    label: str
    value: float
    bound: float | None
    at_least: bool = False
    aim: float | None = None
    unit: str = ""

    @property
    def ok(self) -> bool:
        return self.bound is None or self._reaches(self.bound)

    @property
    def verdict(self) -> str:
        """`met` or `missed`; where there is no bound, whether the aim was reached."""
        if self.bound is not None or self.aim is None:
            return "met" if self.ok else "missed"
        return "aim reached" if self._reaches(self.aim) else "aim not reached"

    def shown(self) -> str:
        return f"{self.value:.2f}{self.unit}"

    def wanted(self) -> str:
        """The bound, and the aim if there is one: `≤ 2.00 (aim 1.50)`."""
        sign = "≥" if self.at_least else "≤"
        bound = "" if self.bound is None else f"{sign} {self.bound:.2f}{self.unit}"
        aim = "" if self.aim is None else f"(aim {self.aim:.2f}{self.unit})"
        return " ".join(filter(None, (bound, aim)))

    def _reaches(self, figure: float) -> bool:
        return self.value >= figure if self.at_least else self.value <= figure


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark's outcome. `about` says what was measured and how."""

    name: str
    title: str
    about: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    checks: list[Check] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)
