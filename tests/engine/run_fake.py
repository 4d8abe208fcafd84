"""Runs a fake job in a process of its own, for tests that kill it.

python run_fake.py TARGET WORKERS CHUNK_DAYS RENDER_PAUSE
"""

from __future__ import annotations

import sys
from pathlib import Path

from fake_retailer import START, FakeSource

from retail_datagen.engine.events import Event, PartitionWritten
from retail_datagen.engine.job import JobRequest, run_job
from retail_datagen.engine.stop import JobStopped

DAYS = 20


def tell(event: Event) -> None:
    if isinstance(event, PartitionWritten):
        print(event.record.path, flush=True)


if __name__ == "__main__":
    folder, workers, chunk_days, pause = sys.argv[1:]
    source = FakeSource(render_pause=float(pause), plan_pause=float(pause) / 4)
    request = JobRequest(
        source,
        folder,
        Path(folder),
        START,
        START + DAYS - 1,
        workers=int(workers),
        chunk_days=int(chunk_days),
    )
    try:
        run_job(request, [tell])
    except JobStopped as stop:
        print(f"stopped with {stop.finished} of {stop.partitions}", flush=True)
        sys.exit(stop.exit_code)
