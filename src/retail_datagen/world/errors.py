"""Errors of master data: what is wrong, where, and how to get files that fit each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from retail_datagen.config.errors import UserError


class MasterDataError(UserError):
    """Master data that cannot be used; the text names file, line, column, value and remedy."""


class Misfit(MasterDataError):
    """A `file`, such as trucks.csv, that does not fit the `other`.

    If the files in `keep` stayed as they are, the others could be rebuilt to fit them.
    """

    def __init__(self, problem: str, file: str, other: str, keep: Sequence[str]) -> None:
        super().__init__(problem, file, other, keep)
        self._problem, self._file, self._other, self._keep = problem, file, other, keep

    def __str__(self) -> str:
        return f"{self._problem}; or {rebuild(self._keep)}"

    def among(self, kept: Collection[str]) -> MasterDataError:
        """The error as it reads to somebody who has named the files `kept` already."""
        leave = self._other if self._file in self._keep else self._file
        more = "" if self._other in kept else f", or name {self._other} there too"
        return MasterDataError(
            f"{self._problem}; or leave {leave} out of --keep, which rebuilds it{more}"
        )


def rebuild(keep: Sequence[str]) -> str:
    """What to run so that all files fit those in `keep`."""
    return (
        f"run `retail-datagen master --keep {','.join(keep)}`, naming every file of your own, to "
        "rebuild the others around them"
    )


def some(names: Collection[str], limit: int = 40) -> str:
    """The names, or the first of them and how many more there are."""
    shown = list(names)[:limit]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" … and {rest} more" if rest else "")
