"""The store's published scripts run in this process, where the process is not what a test is about.

A process of its own takes a second to load modules; tests of signals, kills and servers have one.
"""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

from programs import captured
from retail_datagen.store.where import URL_VARIABLE

SCRIPTS = Path(__file__).parents[1] / "simulation"


def published(script: str, *words: str, **environment: str) -> CompletedProcess[str]:
    """What `python -m simulation.<script>` does with these words, and what it printed.

    No database and no key is known but by the words and `environment`.
    """
    unknown = (URL_VARIABLE, "STORE_API_KEY")
    kept = {name: value for name, value in os.environ.items() if name not in unknown}
    file = str(SCRIPTS / f"{script}.py")
    with mock.patch("sys.argv", [file, *words]):
        return captured(
            lambda: runpy.run_path(file, run_name="__main__"),
            [file, *words],
            {**kept, "COLUMNS": "200", **environment},
        )
