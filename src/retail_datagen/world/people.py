"""Addresses, phones and names of nobody: put together from dictionaries, in safe ranges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.core.ids import Digits, fixed_text
from retail_datagen.core.rng import Stream
from retail_datagen.world import words
from retail_datagen.world.files import MasterFile

_HOUSE_NUMBERS = 9_900


@dataclass(frozen=True, slots=True)
class Contact:
    """A column by which somebody could be reached, and the pattern of what is nobody's."""

    column: str
    pattern: str
    allowed: str


CONTACTS: Final = (
    Contact(
        "Email",
        r"[^@\s]+@example\.(com|org|net)",
        "an e-mail at example.com, example.org or example.net, which are nobody's",
    ),
    Contact(
        "Phone",
        r"(\+?1[ .-]?)?(\(?\d{3}\)?[ .-]?)?555-01\d\d",
        "a phone number 555-01xx, which is nobody's",
    ),
)


def check_contacts(file: MasterFile) -> None:
    """Raise MasterDataError where an e-mail or phone number of the file may be somebody's."""
    for contact in CONTACTS:
        if contact.column in file.rows.column_names:
            file.texts(contact.column, f"^(?:{contact.pattern})$", contact.allowed)


def phones(stream: Stream, count: int) -> pa.Array:
    """Phone numbers of the range 555-0100 to 555-0199, which is kept for fiction."""
    return fixed_text([b"555-01", Digits(stream.below(count, 100), 2)])


def street_addresses(folder: Path, stream: Stream, count: int) -> pa.Array:
    """A house number and a street of the dictionary."""
    streets = words.names(folder, words.STREETS, "Street")
    numbers = pa.array(stream.below(count, _HOUSE_NUMBERS) + 100)
    street = streets.take(pa.array(stream.below(count, len(streets))))
    return pc.binary_join_element_wise(numbers.cast(pa.string()), street, " ")


def spelled_for_mail(names: pa.Array) -> pa.Array:
    """Names as an e-mail's local part may spell them: a to z only."""
    plain = pc.replace_substring_regex(pc.utf8_lower(names), "[^a-z]", "")
    return pc.if_else(pc.equal(plain, ""), "x", plain)


def emails(first: pa.Array, last: pa.Array, stream: Stream, unique: pa.Array) -> pa.Array:
    """`first.last<unique>@` one of the domains that belong to nobody."""
    domains = pa.array(["@example.com", "@example.net", "@example.org"])
    domain = domains.take(pa.array(stream.below(len(first), 3)))
    local = pc.binary_join_element_wise(first, last, ".")
    return pc.binary_join_element_wise(local, unique.cast(pa.string()), domain, "")


def identifiers(prefix: bytes, stream: Stream, count: int) -> pa.Array:
    """`count` different numbers in random order behind a prefix, all of the same width.

    They lie within 500000 … 999999, or the same part of a longer range when there are more.
    """
    width = max(6, len(str(2 * count - 1)))
    first = 5 * 10 ** (width - 1)
    room = first
    step = room // max(count, 1)
    numbers = first + shuffled(stream, count) * step + stream.below(count, step)
    return fixed_text([prefix, Digits(numbers, width)])


def shuffled(stream: Stream, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """0 … count-1 in random order, for up to 2**28 of them."""
    bits = np.uint64(28)
    keys = (stream.u64(count) >> bits << bits) | np.arange(count, dtype=np.uint64)
    keys.sort()
    return (keys & np.uint64(2**28 - 1)).astype(np.int64)
