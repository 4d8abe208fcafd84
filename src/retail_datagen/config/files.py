"""Reads a mapping from a JSON, YAML or TOML file, chosen by its extension; nothing is interpreted.

Keys given twice are errors, which YAML and JSON readers usually pass over in silence.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Hashable
from datetime import date, time
from pathlib import Path

import yaml

from retail_datagen.config.errors import ConfigError

try:  # libyaml is ten times as fast, and absent from some builds of PyYAML
    from yaml import CSafeLoader as _BaseLoader
except ImportError:  # pragma: no cover
    from yaml import SafeLoader as _BaseLoader  # type: ignore[assignment]

EXTENSIONS = (".json", ".yaml", ".yml", ".toml")
_DEEPEST = 32


def read_mapping(path: Path, what: str) -> dict[str, object]:
    """The top-level mapping of a file; `what` says in errors what the file should have been.

    Values are what JSON knows: keys are text, dates are text such as 2024-01-31. Raises
    ConfigError with the line where the syntax breaks.
    """
    if path.suffix.lower() not in EXTENSIONS:
        raise ConfigError(
            f"{path}: unknown extension {path.suffix!r} for a {what}; "
            f"allowed: {', '.join(EXTENSIONS)}"
        )
    data = _parse(path, _text(path, what))
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(
            f"{path}: a {what} is a mapping of names to values, not a "
            f"{'list' if isinstance(data, list) else 'single value'}"
        )
    return {_checked_key(path, key): _checked(path, str(key), value) for key, value in data.items()}


def _checked_key(path: Path, key: object) -> str:
    return str(_checked(path, ascii(key), str(key)))


def _checked(path: Path, key: str, value: object) -> object:
    try:
        return _plain(value, _DEEPEST)
    except UnicodeEncodeError as error:
        raise ConfigError(
            f"{path}: {key}: {error.object!a} holds half a character; allowed: text that "
            "UTF-8 can hold"
        ) from None
    except RecursionError:
        raise ConfigError(
            f"{path}: {key} contains itself, or more than {_DEEPEST} levels; allowed: plain values"
        ) from None


def _plain(value: object, levels: int) -> object:
    """The value as JSON has it. Raises RecursionError below so many levels: an alias of YAML may
    stand for what contains it; and UnicodeEncodeError for half of a surrogate pair."""
    if levels == 0:
        raise RecursionError
    if isinstance(value, dict):
        return {
            str(_plain(str(key), levels)): _plain(inner, levels - 1) for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_plain(inner, levels - 1) for inner in value]
    if isinstance(value, str):
        value.encode()
    if value is None or isinstance(value, str | int | float):
        return value
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such {what} file") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None


def _parse(path: Path, text: str) -> object:
    try:
        match path.suffix.lower():
            case ".json":
                return json.loads(text, object_pairs_hook=_unique) if text.strip() else None
            case ".toml":
                return tomllib.loads(text)
            case _:
                return yaml.load(text, Loader=_Loader)  # a safe loader, see below
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        reason = f"{where}{error.problem or error.context}"
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(error)
    raise ConfigError(f"{path}: not valid {_syntax(path)}: {reason}")


def _syntax(path: Path) -> str:
    return {".json": "JSON", ".toml": "TOML"}.get(path.suffix.lower(), "YAML")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    seen: dict[str, object] = {}
    for key, value in pairs:
        if key in seen:
            raise ValueError(f"the key {key!r} is given twice")
        seen[key] = value
    return seen


class _Loader(_BaseLoader):
    """A safe loader that does not let a second key replace the first.

    A day that no month has stays text, which is refused with its field like any other.
    """

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, object]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key.value, str) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} is given twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _day(loader: _Loader, node: yaml.ScalarNode) -> object:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        return node.value


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _day)
