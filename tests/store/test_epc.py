"""SGTIN-96 against published tags, and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_datagen.store.epc import (
    COMPANY,
    MOST_REFERENCE,
    MOST_SERIAL,
    POINT_OF_SALE,
    Sgtin,
    decode,
    encode,
    epcs,
    ours,
)

PUBLISHED = [
    (Sgtin(3, "0614141", "812345", 6789), "3074257BF7194E4000001A85"),
    (Sgtin(3, "95060001343", "05", 123_456_789), "3066C4409047E140075BCD15"),
    (Sgtin(0, "000001", "0000001", 1), "301800004000004000000001"),
]


@pytest.mark.parametrize(("sgtin", "epc"), PUBLISHED)
def test_published_tags(sgtin: Sgtin, epc: str) -> None:
    assert encode(sgtin) == epc
    assert decode(epc) == sgtin


@given(
    st.integers(0, 7),
    st.integers(6, 12).flatmap(
        lambda n: st.tuples(
            st.text("0123456789", min_size=n, max_size=n),
            st.text("0123456789", min_size=13 - n, max_size=13 - n),
        )
    ),
    st.integers(0, MOST_SERIAL),
)
def test_what_is_encoded_is_decoded(filter: int, digits: tuple[str, str], serial: int) -> None:
    sgtin = Sgtin(filter, *digits, serial)
    assert decode(encode(sgtin)) == sgtin


@given(st.lists(st.tuples(st.integers(0, MOST_REFERENCE), st.integers(0, MOST_SERIAL))))
def test_columns_are_encoded_as_single_tags(pairs: list[tuple[int, int]]) -> None:
    reference, serial = (np.array([p[i] for p in pairs], dtype=np.int64) for i in (0, 1))
    made = epcs(reference, serial)
    assert made == [encode(Sgtin(POINT_OF_SALE, COMPANY, f"{r:07}", s)) for r, s in pairs]
    assert [said and int(said.item) for said in map(ours, made)] == reference.tolist()


@pytest.mark.parametrize(
    "sgtin",
    [
        Sgtin(1, "12345", "12345678", 1),
        Sgtin(1, "952000", "123456", 1),
        Sgtin(1, "952000", "000001x", 1),
        Sgtin(1, "952000", "0000001", MOST_SERIAL + 1),
        Sgtin(8, "952000", "0000001", 1),
    ],
)
def test_what_does_not_fit(sgtin: Sgtin) -> None:
    with pytest.raises(ValueError, match=r"digits together|38 bits"):
        encode(sgtin)


@pytest.mark.parametrize("epc", ["", "30", "E" * 24, "30" + "F" * 22, "301C" + "0" * 20])
def test_what_is_no_sgtin(epc: str) -> None:
    with pytest.raises(ValueError, match=r"no SGTIN-96|invalid literal"):
        decode(epc)


def test_numbers_that_do_not_fit_columns() -> None:
    with pytest.raises(ValueError, match="7 digits"):
        epcs(np.array([10 * MOST_REFERENCE + 10]), np.array([1]))
