"""The store's published scripts run in this process, where the process is not what a test is about.

A process of its own takes a second to load modules; tests of signals, kills and servers have one.
"""

from __future__ import annotations

import io
import os
import runpy
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

import pytest

from retail_datagen.store.where import URL_VARIABLE

SCRIPTS = Path(__file__).parents[1] / "simulation"


def published(script: str, *words: str, **environment: str) -> CompletedProcess[str]:
    """What `python -m simulation.<script>` does with these words, and what it printed.

    No database and no key is known but by the words and `environment`.
    """
    unknown = (URL_VARIABLE, "STORE_API_KEY")
    kept = {name: value for name, value in os.environ.items() if name not in unknown}
    return _run(SCRIPTS / f"{script}.py", words, {**kept, "COLUMNS": "200", **environment})


def _run(
    file: Path, words: tuple[str, ...], environment: Mapping[str, str]
) -> CompletedProcess[str]:
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch("sys.argv", [str(file), *words]),
        mock.patch.dict(os.environ, environment, clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        runpy.run_path(str(file), run_name="__main__")
    code = ended.value.code or 0
    assert isinstance(code, int)
    return CompletedProcess([str(file), *words], code, out.getvalue(), err.getvalue())
