"""Arrow columns as NumPy arrays and back, by their buffers.

Arrow's own conversions import pandas where it is installed, which costs more than reading most
worlds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from retail_datagen.core.arrays import I64
from retail_datagen.schema import Kind
from retail_datagen.schema.arrays import plain


def numpy_of(values: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """Numbers, dates or flags as a NumPy array; what stands for a null is arbitrary."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_boolean(whole.type):
        return numpy_of(whole.cast(pa.uint8())).view(np.bool_)
    if pa.types.is_date32(whole.type):
        whole = whole.view(pa.int32())
    dtype = np.dtype(whole.type.to_pandas_dtype())
    if not len(whole):
        return np.zeros(0, dtype=dtype)
    return np.frombuffer(whole.buffers()[1], dtype)[whole.offset : whole.offset + len(whole)]


def cents_of(values: pa.ChunkedArray) -> I64:
    """A column of decimal128 with two decimals, below 2**63 cents, in cents."""
    whole = values.combine_chunks()
    if not len(whole):
        return np.zeros(0, dtype=np.int64)
    words = np.frombuffer(whole.buffers()[1], np.int64)
    return words[2 * whole.offset : 2 * (whole.offset + len(whole)) : 2]


def rows(positions: NDArray[Any]) -> pa.Array:
    """Row numbers for Arrow's `take`."""
    return plain(Kind.LONG, positions)
