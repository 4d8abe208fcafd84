"""Where partitions go: one small protocol, one module a sink, named by URL."""

from retail_datagen.sinks.base import (
    Capabilities,
    DimensionSink,
    EventSink,
    RawSink,
    RememberingSink,
    Sink,
    SinkError,
    Unit,
)
from retail_datagen.sinks.options import StreamOptions, redacted
from retail_datagen.sinks.progress import PartitionRecord, Progress
from retail_datagen.sinks.registry import open_sink, sink_format
from retail_datagen.sinks.size import encoded_bytes

__all__ = [
    "Capabilities",
    "DimensionSink",
    "EventSink",
    "PartitionRecord",
    "Progress",
    "RawSink",
    "RememberingSink",
    "Sink",
    "SinkError",
    "StreamOptions",
    "Unit",
    "encoded_bytes",
    "open_sink",
    "redacted",
    "sink_format",
]
