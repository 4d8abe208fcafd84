"""Errors for people: what was wrong, where, what is allowed. The CLI prints them and exits 2."""

from __future__ import annotations


class UserError(Exception):
    """Something that the user can put right. Its text is all that he is shown."""


class ConfigError(UserError):
    """A configuration, environment variable or profile that cannot be used."""
