"""ARCHITECTURE.md says that a topic is one module. Its example becomes one here, and is sent."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What registers topics is read when modules are loaded, so the command runs in a fresh process.
COMMAND = """
import sys
from retail_datagen.events import topics
topics.__path__.append(sys.argv[1])
from retail_datagen.cli.app import main
main(sys.argv[2:])
"""
CONFIG = {
    "volume": {"stores": 3, "customers_per_day": 120, "online_orders_per_day": 5, "products": 200}
}


def test_one_module_makes_a_topic_that_is_sent(tmp_path: Path) -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- topic: first_sales -->\n```python\n(.*?)```", page, re.DOTALL)
    assert found
    folder = tmp_path / "more_topics"
    folder.mkdir()
    (folder / "first_sales.py").write_text(found[1], encoding="utf-8")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, str(folder), "backfill", "--config", "config.json",
         "--feed", "topics", "--start", "2024-01-01", "--end", "2024-01-04",
         "--to", "jsonl:events.jsonl", "--quiet"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    first = [row for row in rows if row["event_type"] == "first_sale"]
    assert len({(row["store_id"], row["timestamp"][:10]) for row in first}) == len(first) == 12
    sold = [row for row in rows if row["event_type"] == "sale"]
    for row in first:
        day = [
            one["timestamp"]
            for one in sold
            if (one["store_id"], one["timestamp"][:10]) == (row["store_id"], row["timestamp"][:10])
        ]
        assert row["timestamp"] == min(day)
