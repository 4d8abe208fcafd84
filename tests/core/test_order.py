"""Sorting by counting gives what sorting by comparing gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from retail_datagen.core.order import stable_order


@given(
    arrays(np.int64, st.integers(0, 200), elements=st.integers(0, 7))
    | arrays(np.int64, st.integers(0, 200), elements=st.integers(0, 86_400 * 2))
    | arrays(np.int64, st.integers(0, 200), elements=st.integers(0, 2**62))
)
def test_rows_come_in_order_and_equals_stay_as_they_are(key):
    assert stable_order(key).tolist() == np.argsort(key, kind="stable").tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32, np.uint32, np.int64])
def test_any_whole_numbers_can_be_ordered(dtype):
    key = np.array([3, 1, np.iinfo(dtype).max, 1, 0], dtype=dtype)

    assert stable_order(key).tolist() == [4, 1, 3, 0, 2]


def test_nothing_has_an_empty_order():
    assert stable_order(np.zeros(0, dtype=np.int64)).tolist() == []
