"""Options that take several words.

`--templates "Running Shoes" "Yoga Mat"` goes up to the next option; Click knows only the form that
repeats the option, which works as well. `--tables receipts,receipt_lines` separates by commas.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from typer.core import TyperCommand

from retail_datagen.config.errors import UserError


class ListedOptions(TyperCommand):
    """A command some of whose options may be followed by several values."""

    listed: tuple[str, ...] = ()

    @classmethod
    def of(cls, *names: str) -> type[ListedOptions]:
        """Such a command for the options with these names."""
        return type("ListedOptions", (cls,), {"listed": names})

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: Any = None,
        **extra: Any,
    ) -> Any:
        """See Click: the arguments are taken apart here."""
        return super().make_context(info_name, list(repeated(args, self.listed)), parent, **extra)


def repeated(args: Iterable[str], listed: Iterable[str]) -> Iterable[str]:
    """The arguments with each further word of a listed option preceded by the option."""
    names = tuple(listed)
    current, taken = "", False
    for word in args:
        if word.startswith("-") and word != "-":
            current, taken = word if word in names else "", False
        elif current and taken:
            yield current
        else:
            taken = True
        yield word


def names_of(tables: list[str] | None) -> tuple[str, ...]:
    """Names that a user wrote separated by commas. Raises UserError for an empty one."""
    names = [name.strip() for given in tables or [] for name in given.split(",")]
    if tables and not all(names):
        raise UserError(
            f"tables: {','.join(tables)!r} has an empty name; separate names by commas, such as "
            "receipts,receipt_lines"
        )
    return tuple(names)
