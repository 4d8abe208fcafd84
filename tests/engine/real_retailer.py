"""What tests of the real job share: how it is started, and what it leaves behind."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

DAYS = 12
Arguments = Callable[..., list[str]]
Run = Callable[..., tuple[object, str, str]]
Start = Callable[..., "subprocess.Popen[str]"]


def digests(root: Path) -> dict[str, str]:
    """sha256 of each partition under `root`."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in partitions(root)
    }


def partitions(root: Path) -> list[Path]:
    """The partitions under `root` that have appeared."""
    # Unlike glob, walk does not mind folders that a starting job tidies away.
    return sorted(
        Path(folder, name)
        for folder, _, names in os.walk(root)
        for name in names
        if "/dt=" in folder and not name.startswith(".")
    )
