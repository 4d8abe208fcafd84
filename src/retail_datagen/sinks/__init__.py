"""Where partitions go: one small protocol, one module a sink, named by URL."""

from retail_datagen.sinks.base import (
    Capabilities,
    PartitionRecord,
    Sink,
    SinkError,
    Unit,
)
from retail_datagen.sinks.registry import open_sink, sink_format
from retail_datagen.sinks.size import encoded_bytes

__all__ = [
    "Capabilities",
    "PartitionRecord",
    "Sink",
    "SinkError",
    "Unit",
    "encoded_bytes",
    "open_sink",
    "sink_format",
]
