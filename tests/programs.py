"""Our programs, called in the process of the tests, which has imported what they need.

Starting a process takes longer than most of what tests let commands do.
"""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

PROGRAMS = {"retail-datagen": "app", "ecomlake": "ecomlake"}
"""Programs, and the modules of `retail_datagen.cli` that have their `main`."""


def called(
    program: str, words: list[str], cwd: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """The program's `main`, with a working directory, an environment and outputs of its own.

    `words` are its arguments. What it leaves is as of a process: code, output, messages.
    """
    main = import_module(f"retail_datagen.cli.{PROGRAMS[program]}").main
    with (
        chdir(cwd),
        patch.object(tempfile, "tempdir", environ.get("TMPDIR")),
        patch.object(sys, "stdin", io.StringIO()),
        _modules_of(cwd),
    ):
        return captured(lambda: main(words), words, environ)


def captured(
    run: Callable[[], object], words: list[str], environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """What `run` leaves with only this environment, as a process called with `words` would."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    code = 0
    with patch.dict(os.environ, environ, clear=True), redirect_stdout(out), redirect_stderr(err):
        try:
            run()
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else int(left.code is not None)
        except Exception:
            traceback.print_exc()
            code = 1
    said = [text.buffer.getvalue().decode() for text in (out, err)]
    return subprocess.CompletedProcess(words, code, *said)


@contextmanager
def _modules_of(folder: Path) -> Iterator[None]:
    """Forget at the end what was imported from `folder`, such as hooks: others have the name."""
    try:
        yield
    finally:
        gc.unfreeze()
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(f"{folder}{os.sep}"):
                del sys.modules[name]
