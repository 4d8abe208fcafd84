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
        if self.bound is None:
            return True
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def shown(self) -> str:
        return f"{self.value:.2f}{self.unit}"

    def wanted(self) -> str:
        """The bound, and the aim if there is one: `≤ 2.00 (aim 1.50)`."""
        sign = "≥" if self.at_least else "≤"
        bound = "" if self.bound is None else f"{sign} {self.bound:.2f}{self.unit}"
        aim = "" if self.aim is None else f"(aim {self.aim:.2f}{self.unit})"
        return " ".join(filter(None, (bound, aim)))


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
