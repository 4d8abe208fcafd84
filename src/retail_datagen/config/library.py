"""Where profiles come from: the packaged ones by name, the user's own by the path of a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import takewhile
from pathlib import Path

from pydantic import ValidationError

from retail_datagen.config.errors import ConfigError
from retail_datagen.config.files import EXTENSIONS, read_mapping
from retail_datagen.config.overrides import Applied, OverrideProblems, apply
from retail_datagen.config.problems import Location, explain, refuse, show, suggest_near
from retail_datagen.config.profile import Profile

_FOLDER = Path(__file__).parent / "profiles"


@dataclass(frozen=True, slots=True)
class Tailored:
    """A profile with the overrides that shaped it."""

    profile: Profile
    file: Path
    applied: tuple[Applied, ...]


def packaged() -> tuple[str, ...]:
    """The names of the profiles that come with the package, sorted."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.yaml")))


def profile_file(name: str) -> Path:
    """The file of a profile: a packaged one's name, or a path. Raises ConfigError."""
    problem = unknown_profile(name)
    if problem:
        raise ConfigError(f"profile {problem}")
    return Path(name) if _is_path(name) else _FOLDER / f"{name}.yaml"


def unknown_profile(name: str) -> str:
    """What is wrong with a profile's name or path, or nothing."""
    if _is_path(name):
        return "" if Path(name).is_file() else f"is {show(name)}: there is no such file"
    if name in packaged():
        return ""
    near = suggest_near(name, packaged())
    hint = f"{near} " if near else ""
    return f"is {show(name)}; {hint}allowed: {', '.join(packaged())}, or the path of a YAML file"


def read_profile(file: Path) -> Profile:
    """The profile in a file. Raises ConfigError that lists what is wrong in it.

    The last one read is kept until its file changes.
    """
    with suppress(OSError):
        state = file.stat()
        return _read_profile(file, state.st_mtime_ns, state.st_size)
    return _read_profile(file, 0, 0)


@lru_cache(maxsize=1)
def _read_profile(file: Path, _modified: int, _size: int) -> Profile:
    data = read_mapping(file, "profile")
    try:
        return _validated(data)
    except ValidationError as error:
        raise refuse(explain(error, Profile, data, lambda location: str(file))) from None


def _nobody(path: str) -> str:
    return ""


def tailor(
    name: str, overrides: Mapping[str, object], source: Callable[[str], str] = _nobody
) -> Tailored:
    """A profile by name or path with overrides applied.

    `source` tells which file or variable gave the override with a path. Raises ConfigError.
    """
    file = profile_file(name)
    profile = read_profile(file)
    if not overrides:
        return Tailored(profile, file, ())
    tree = profile.model_dump(mode="json")
    try:
        applied = apply(tree, overrides)
    except OverrideProblems as error:
        named = [replace(p, source=source(str(p.location[0]))) for p in error.problems]
        raise refuse(named) from None
    try:
        return Tailored(_validated(tree), file, tuple(applied))
    except ValidationError as error:
        problems = explain(
            error, Profile, tree, lambda location: _culprit(location, applied, source)
        )
        raise refuse(problems) from None


def _validated(data: Mapping[str, object]) -> Profile:
    # As JSON, because its strict mode takes lists for tuples and nothing else for anything else.
    return Profile.model_validate_json(json.dumps(data), strict=True)


def _is_path(name: str) -> bool:
    return name.lower().endswith(EXTENSIONS) or "/" in name or "\\" in name


def _culprit(location: Location, applied: Sequence[Applied], source: Callable[[str], str]) -> str:
    """The override that lies nearest to a location: there, above, below or beside it."""

    def shared(change: Applied) -> int:
        pairs = zip(location, change.location, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    nearest = max(applied, key=shared)
    path = nearest.override.path
    where = f"{source(path)}: " if source(path) else ""
    return f'{where}override "{path}"' if shared(nearest) else f"{where}overrides"
