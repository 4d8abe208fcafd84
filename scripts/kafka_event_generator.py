#!/usr/bin/env python3
"""Live retail events with random waits of 10 to 60 seconds between them.

They go where KAFKA_BOOTSTRAP_SERVERS and CLICKHOUSE_HOST say, else to the standard output. The same
as `retail-datagen stream`, which has more options.
"""

from __future__ import annotations

import argparse

from retail_datagen.cli.app import main as retail_datagen


def main() -> None:
    parser = argparse.ArgumentParser(description="Realistic Kafka Event Generator")
    parser.add_argument("--duration", type=float, help="Duration in minutes; else continuous")
    parser.add_argument("--continuous", action="store_true", help="Run continuously")
    parser.add_argument("--min-delta", type=float, help="Minimum seconds between events (10)")
    parser.add_argument("--max-delta", type=float, help="Maximum seconds between events (60)")
    parser.add_argument("--debug", action="store_true", help="Log waits, and all else")
    args, further = parser.parse_known_args()
    command = ["--debug", "stream"] if args.debug else ["stream"]
    if args.duration is not None and not args.continuous:
        command.append(f"--duration={args.duration}")
    if args.min_delta is not None:
        command.append(f"--min-delta={args.min_delta}")
    if args.max_delta is not None:
        command.append(f"--max-delta={args.max_delta}")
    retail_datagen([*command, *further])


if __name__ == "__main__":
    main()
