"""The version of this program, which is part of a history's identity."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    """Such as `0.1.0`; `unknown` where the program runs without being installed."""
    try:
        return version("retail-datagen")
    except PackageNotFoundError:
        return "unknown"
