"""Runs a command: its exit code, and what goes wrong with arguments and with the output."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import typer

from retail_datagen.config.errors import UserError

USER_ERROR = 2
INTERRUPTED = 130


def run(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name; its exit code.

    Raises UserError when the standard output cannot be written. Wrong arguments are told here.
    """
    try:
        code = app(arguments, prog_name="retail-datagen", standalone_mode=False)
        if sys.stdout:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:
            raise  # a file that could not be opened is ours to explain where it is opened
        raise UserError(f"the output cannot be written: {error.strerror}") from error
    except Exception as error:
        if not _is_usage(error):
            raise
        tell(_usage(error))
        return USER_ERROR
    return code if isinstance(code, int) else 0


def tell(text: str, color: str | None = None) -> None:
    """A line on the standard error, in `color` on a terminal that may have colours."""
    with suppress(OSError):  # nobody is left to be told
        plain = color is None or os.environ.get("NO_COLOR")
        typer.echo(text if plain else typer.style(text, fg=color), err=True)


def output_fails() -> bool:
    """Whether what waits to be written to the standard output cannot be."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        return True
    return False


def _is_usage(error: Exception) -> bool:
    """Typer's, or click's in earlier versions of it; both without a public name."""
    return isinstance(error, typer.BadParameter.__mro__[1])


def _usage(error: Exception) -> str:
    """What typer prints of it, with `error:` as elsewhere."""
    shown = io.StringIO()
    error.show(shown)  # type: ignore[attr-defined]  # see _is_usage
    return shown.getvalue().replace("\nError: ", "\nerror: ").rstrip("\n")
