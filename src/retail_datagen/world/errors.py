"""Errors of master data: what is wrong, where, and how to get files that fit each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from retail_datagen.config.errors import UserError


class MasterDataError(UserError):
    """Master data that cannot be used; the text names file, line, column, value and remedy."""


class Misfit(MasterDataError):
    """Files that do not fit each other, such as stores.csv; the one at fault comes first.

    If those in `keep` stayed as they are, the others could be rebuilt to fit them.
    """

    def __init__(self, problem: str, files: Sequence[str], keep: Sequence[str]) -> None:
        super().__init__(problem, files, keep)
        self._problem, self._files, self._keep = problem, files, keep

    def __str__(self) -> str:
        return f"{self._problem}; or {rebuild(self._keep)}"

    def among(self, kept: Collection[str]) -> MasterDataError:
        """The error as it reads to somebody who has named the files `kept` already."""
        leave = next((name for name in self._files if name not in self._keep), self._files[0])
        more = [name for name in self._keep if name not in kept]
        name_more = f", or name {' and '.join(more)} there too" if more else ""
        return MasterDataError(
            f"{self._problem}; or leave {leave} out of --keep, which rebuilds it{name_more}"
        )


def rebuild(keep: Sequence[str]) -> str:
    """What to run so that all files fit those in `keep`."""
    return (
        f"run `retail-datagen master --keep {','.join(keep)}`, naming every file of your own, to "
        "rebuild the others around them"
    )
