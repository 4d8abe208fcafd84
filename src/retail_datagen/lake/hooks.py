"""Functions of the user's own that are told of each published partition.

They are called at least once for each content of a partition: again, should the job be killed
before it noted that they were, or should its notes be lost. One call at a time.
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retail_datagen.config.errors import UserError
from retail_datagen.partitions.manifest import Manifest

Call = Callable[[str, str, str, dict[str, Any]], object]
"""(table, partition such as `ingest_dt=2020-01-01`, where its manifest is, the manifest)."""


class HookError(UserError):
    """A hook that cannot be found, or failed; the message says why."""


@dataclass(frozen=True, slots=True)
class Hook:
    """`name` is what the user wrote: `module:function`."""

    name: str
    call: Call


def load_hooks(asked: Iterable[str]) -> tuple[Hook, ...]:
    """The hooks that are asked for, each text one `module:function` or several with commas.

    Modules are found in the working directory, too. Raises HookError.
    """
    names = [name.strip() for text in asked for name in text.split(",") if name.strip()]
    with _working_directory_first():
        return tuple(Hook(name, _find(name)) for name in dict.fromkeys(names))


def run_hook(hook: Hook, manifest: Manifest, manifest_path: str) -> None:
    """Call a hook. Raises HookError that says what went wrong in it."""
    partition = manifest.partition
    document: dict[str, Any] = json.loads(manifest.to_json())
    try:
        hook.call(partition.table, f"{partition.by}={partition.value}", manifest_path, document)
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise HookError(f"the hook {hook.name} failed for {partition.folder}: {reason}") from error


class Hooks:
    """Hooks and the notes of their calls, in a file that only one job writes."""

    def __init__(self, hooks: Iterable[Hook], notes: Path) -> None:
        self._hooks = tuple(hooks)
        self._notes = notes
        self._done = set(_lines(notes)) if self._hooks else set()
        self._lock = threading.Lock()

    def pending(self, manifest: Manifest) -> bool:
        """Whether some hook was not told of this content yet."""
        return any(_note(hook, manifest) not in self._done for hook in self._hooks)

    def run(self, manifest: Manifest, manifest_path: str) -> None:
        """Tell those that were not told yet. Raises HookError; those before it stay told."""
        for hook in self._hooks:
            with self._lock:
                note = _note(hook, manifest)
                if note not in self._done:
                    run_hook(hook, manifest, manifest_path)
                    self._remember(note)

    def forget(self) -> None:
        """Everybody is told again: the target was emptied."""
        with self._lock:
            self._notes.unlink(missing_ok=True)
            self._done.clear()

    def _remember(self, note: str) -> None:
        self._done.add(note)
        with self._notes.open("ab") as file:
            # Set apart from what a killed job left half-written.
            file.write(b"\n" + note.encode() + b"\n")


def _note(hook: Hook, manifest: Manifest) -> str:
    return f"{hook.name} {manifest.partition.folder} {manifest.digest}"


def _lines(path: Path) -> Iterator[str]:
    if path.exists():
        yield from path.read_text(encoding="utf-8", errors="replace").splitlines()


def _find(name: str) -> Call:
    module_name, colon, function = name.partition(":")
    if not colon or not module_name or not function:
        raise HookError(
            f"post-export-hook: {name!r} is not allowed; write module:function, for example "
            "my_hooks:on_partition"
        )
    try:
        found: object = importlib.import_module(module_name)
    except Exception as error:
        raise HookError(
            f"post-export-hook: {module_name!r} (in {name!r}) cannot be imported: "
            f"{type(error).__name__}: {error}; it is looked for in {Path.cwd()} and among the "
            "installed packages"
        ) from error
    for part in function.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise HookError(
            f"post-export-hook: {module_name!r} has no function {function!r} (in {name!r}); it "
            "takes table, partition, manifest path and manifest"
        )
    return found


@contextmanager
def _working_directory_first() -> Iterator[None]:
    """A hook may import its neighbours later, too: the folder stays on the path."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    yield
