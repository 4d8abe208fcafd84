"""Where partitions go: one small protocol, one module a sink, named by URL."""

from retail_datagen.sinks.base import (
    Capabilities,
    PartitionRecord,
    Sink,
    SinkError,
    Unit,
)
from retail_datagen.sinks.registry import open_sink, sink_format

__all__ = [
    "Capabilities",
    "PartitionRecord",
    "Sink",
    "SinkError",
    "Unit",
    "open_sink",
    "sink_format",
]
