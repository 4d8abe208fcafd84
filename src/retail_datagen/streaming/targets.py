"""Where events go: the targets that are asked for, opened for streams, with or without problems."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast
from urllib.parse import quote

from retail_datagen.config.errors import UserError
from retail_datagen.sinks import (
    DimensionSink,
    EventSink,
    Sink,
    StreamOptions,
    open_sink,
    redacted,
)
from retail_datagen.sinks.jsonl import STDOUT
from retail_datagen.sinks.place import place_of
from retail_datagen.streaming.line import Line
from retail_datagen.streaming.problems import Problems
from retail_datagen.streaming.told import Listener, Troubled
from retail_datagen.streaming.trouble import TroubledLine
from retail_datagen.streaming.truth import Truth
from retail_datagen.world.dimensions import read_dimensions

LIVE = "live"
"""The feed of events that are sent as of now: they belong to no history."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
MakeTrouble = Callable[[int], TroubledLine | None]
"""The trouble on a line that begins at an instant."""


def targets_of(asked: Sequence[str] | None) -> tuple[str, ...]:
    """The targets asked for, else those of the environment, else the standard output.

    Raises UserError for one that is asked for twice.
    """
    if asked:
        return each_once(asked)
    found = []
    if servers := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        found.append(f"kafka://{servers}")
    if host := os.environ.get("CLICKHOUSE_HOST"):
        user = quote(os.environ.get("CLICKHOUSE_USER", "default"), safe="")
        password = quote(os.environ.get("CLICKHOUSE_PASSWORD", ""), safe="")
        port = os.environ.get("CLICKHOUSE_PORT", "8123")
        database = os.environ.get("CLICKHOUSE_DATABASE", "retail")
        found.append(f"clickhouse://{user}:{password}@{host}:{port}/{database}")
    return tuple(found) or (STDOUT,)


def each_once(targets: Sequence[str]) -> tuple[str, ...]:
    """These targets. Raises UserError for two that are one: it would get everything twice."""
    known: dict[str, str] = {}
    for url in targets:
        place, shown = place_of(url), redacted(url)
        if place in known:
            also = "" if known[place] == shown else f", as {known[place]!r} too"
            raise UserError(f"to: {shown!r} is given twice{also}; name each target once")
        known[place] = shown
    return tuple(targets)


@contextmanager
def opened(
    targets: Sequence[str], options: StreamOptions, append: bool = True
) -> Iterator[list[EventSink]]:
    """The sinks of targets. Raises UserError.

    Files go on, for events that are sent as of now, unless `append` is off.
    """
    with ExitStack() as stack:
        sinks = []
        for url in targets:
            sink = open_sink(url, options=replace(options, append=append))
            stack.enter_context(closing(sink))
            sinks.append(event_sink(sink, url))
        yield sinks


def event_sink(sink: Sink, url: str) -> EventSink:
    """The sink as one that takes events. Raises UserError where it does not."""
    if not hasattr(sink, "send"):
        raise UserError(
            f"to: {redacted(url)} takes whole days, no streams; choose kafka:, jsonl: or a database"
        )
    return cast(EventSink, sink)


def bring_master_data(sinks: Sequence[Sink], master: Path | None) -> None:
    """Let databases hold the tables of a folder of master data, so that events can be joined.

    Nothing is written where they hold them already, nor without a folder. Raises UserError.
    """
    for sink in sinks:
        if master is not None and sink.capabilities.dimensions:
            for table, data in read_dimensions(master):
                cast(DimensionSink, sink).write_dimension(table, data)


def check_truth(truth: str, targets: Sequence[str]) -> None:
    """Raises UserError where the truth about a stream would get into one of its targets' lines.

    Elsewhere it has a topic or a table of its own.
    """
    place = place_of(_truth_url(truth))
    if place.startswith("jsonl:") and place in map(place_of, targets):
        raise UserError(
            f"truth: {truth!r} is where the events go, too; give the truth a file of its own"
        )


def _truth_url(truth: str) -> str:
    return truth if _SCHEME.match(truth) else f"jsonl:{truth}"


@contextmanager
def troubled(
    problems: Problems,
    truth: str | None,
    options: StreamOptions,
    listeners: Sequence[Listener] = (),
    append: bool = True,
) -> Iterator[MakeTrouble]:
    """Trouble for lines, with the truth to a file or URL while the context is open.

    A file of the truth begins anew, as that of the stream does, where `append` is off. Raises
    UserError.
    """
    if truth is not None and not problems:
        raise UserError("truth: --truth tells of problems; give --problem, or leave it out")
    with ExitStack() as stack:
        told = Truth()
        if truth is not None:
            told_to = replace(options, feed="truth")
            (sink,) = stack.enter_context(opened([_truth_url(truth)], told_to, append))
            told = Truth(sink)

        def tell(problem: str, events: int) -> None:
            for listener in listeners:
                listener(Troubled(problem, events))

        yield lambda began: TroubledLine(problems, began, told, tell) if problems else None


def line_of(sinks: Sequence[EventSink], make: MakeTrouble, began: int) -> Line:
    """A line that begins at an instant. Raises UserError where a sink takes no trouble."""
    trouble = make(began)
    if trouble is not None:
        check_takes_trouble(sinks)
    return Line(sinks, trouble)


def check_takes_trouble(sinks: Sequence[EventSink]) -> None:
    """Raises UserError where a sink takes none of a stream's problems."""
    if not all(sink.capabilities.raw for sink in sinks):
        raise UserError(
            "problem: this target takes no messages that are late or broken; "
            "choose kafka:, jsonl: or memory:"
        )
