"""One CSV file of master data: written plainly, read with types, refused with a line number."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from retail_datagen.core.arrays import I32, I64, Bool
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.world.arrow import cents_of, numpy_of
from retail_datagen.world.control import CONTROL, holds_controls
from retail_datagen.world.errors import MasterDataError, Misfit, rebuild, some

_ALLOWED = {
    Kind.INT: "a whole number, such as 12",
    Kind.LONG: "a whole number, such as 12",
    Kind.MONEY: "an amount with at most two decimals, such as 12.99",
    Kind.DATE: "a date as YYYY-MM-DD",
    Kind.TEXT: "a text",
    Kind.CATEGORY: "a text",
    Kind.FLAG: "true or false",
    Kind.FLOAT: "a number, such as 1.25",
}
_READ_AS = {
    Kind.INT: pa.int32(),
    Kind.LONG: pa.int64(),
    Kind.MONEY: pa.decimal128(12, 2),
    Kind.DATE: pa.date32(),
    Kind.TEXT: pa.string(),
    Kind.CATEGORY: pa.dictionary(pa.int32(), pa.string()),
    Kind.FLAG: pa.bool_(),
    Kind.FLOAT: pa.float64(),
}


def write_table(path: Path, table: Table, rows: pa.Table) -> None:
    """Write `rows` as CSV with the declared header, quoted only where a value needs it."""
    body = io.BytesIO()
    options = pa.csv.WriteOptions(include_header=False, quoting_style="none")
    try:
        pa.csv.write_csv(rows, body, options)
    except pa.ArrowInvalid:
        body = io.BytesIO()
        options = pa.csv.WriteOptions(include_header=False, quoting_style="needed")
        pa.csv.write_csv(rows, body, options)
    with path.open("wb") as file:
        file.write((",".join(table.header) + "\n").encode())
        file.write(body.getbuffer())


ADDED = {"stores": ("GeographyID", "DCID", "DCDistanceKm"), "products": ("SupplierID",)}
"""Columns that own files may lack when the other files are rebuilt around them."""
_BLOCKS = pa.csv.ReadOptions(block_size=1 << 18)
"""Small enough for a processor's cache, which is worth a third of the time."""
_MOST_MONEY = 500_000
"""Plans hold prices in 32 bits, those after a century of inflation too."""
_DENSE = 1_000_000
"""Identifiers that lie within such a range are looked up in a table."""


class MasterFile:
    """One CSV file of master data, read and checked column by column.

    Reading raises MasterDataError when the header or the type of a value is wrong. Row numbers are
    those of the data rows in file order; lines, as people count them, are found only for an error.
    """

    def __init__(
        self,
        path: Path,
        table: Table,
        columns: Sequence[str] = (),
        shown: Path | None = None,
        optional: Collection[str] = (),
    ) -> None:
        """Read `columns` of the file (all that are declared, when none are named).

        Errors name the file `shown`, where it is read before it is in its place. Columns that are
        `optional` may be absent; `absent` then names them.
        """
        self.path = shown or path
        self.table = table
        self._source = path
        header = self._header(optional)
        self.absent = tuple(name for name in table.header if name not in header)
        wanted = [name for name in columns or table.header if name in header]
        self._declared = [table.column(name) for name in wanted]
        if holds_controls(path):
            self._explain("control characters")
        convert = pa.csv.ConvertOptions(
            column_types={c.name: _READ_AS[c.kind] for c in self._declared},
            include_columns=[c.name for c in self._declared],
            null_values=[""],
            strings_can_be_null=False,
        )
        try:
            self.rows = _read(path, convert)
        except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
            self._explain(str(error))
        for column in self._declared:
            if not column.null and self.rows[column.name].null_count:
                there = numpy_of(pc.is_valid(self.rows[column.name]))
                self.require(there, column.name, _ALLOWED[column.kind])

    @property
    def name(self) -> str:
        """The file's name, such as stores.csv."""
        return f"{self.table.name}.csv"

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def filled(self) -> MasterFile:
        """The file itself. Raises MasterDataError when it has no rows."""
        if len(self) == 0:
            raise MasterDataError(f"{self.path}: has no rows; at least one is needed")
        return self

    def _header(self, optional: Collection[str]) -> list[str]:
        """The header. Raises MasterDataError unless it names every column that is needed."""
        with self._source.open("rb") as file:
            line = file.readline()
        try:
            header = next(csv.reader([line.decode("utf-8-sig")]), [])
        except UnicodeDecodeError:
            raise MasterDataError(f"{self.path}, line 1: not UTF-8 text") from None
        missing = [name for name in self.table.header if name not in (*header, *optional)]
        twice = sorted({name for name in header if header.count(name) > 1})
        if missing or twice:
            what = f"has no column {missing[0]}" if missing else f"names {twice[0]} twice"
            can_add = missing and missing[0] in ADDED.get(self.table.name, ())
            raise MasterDataError(
                f"{self.path}, line 1: the header {what}; allowed is "
                f"{','.join(self.table.header)}, in any order, and further columns"
                + (f"; or {rebuild([self.name])}, and add that column" if can_add else "")
            )
        return header

    # What a column holds, as NumPy arrays in file order.

    def ints(self, name: str, low: int | None = None, high: int | None = None) -> I64:
        """A column of whole numbers, each from `low` to `high`."""
        values: I64 = numpy_of(self.rows[name]).astype(np.int64)
        if low is not None and high is not None:
            ok = (values >= low) & (values <= high)
            self.require(ok, name, f"a whole number from {low} to {high}")
        return values

    def scaled(self, name: str, scale: int, low: float, high: float) -> I64:
        """A column of numbers from `low` to `high`, times `scale` and rounded."""
        values = numpy_of(self.rows[name])
        ok = (values >= low) & (values <= high)
        self.require(ok, name, f"a number from {low:g} to {high:g}")
        scaled: I64 = np.rint(values * scale).astype(np.int64)
        return scaled

    def cents(self, name: str) -> I64:
        """A column of money above 0, in cents."""
        values: I64 = cents_of(self.rows[name])
        ok = (values > 0) & (values <= 100 * _MOST_MONEY)
        self.require(ok, name, f"an amount above 0 and up to {_MOST_MONEY}")
        return values

    def days(self, name: str) -> I64:
        """A column of dates, in days since 1970-01-01."""
        return numpy_of(self.rows[name]).astype(np.int64)

    def optional_days(self, name: str, absent: int) -> I64:
        """A column of dates as `days`; `absent` where there is none."""
        days = self.rows[name].cast(pa.int32())
        values: I64 = numpy_of(pc.fill_null(days, absent)).astype(np.int64)
        return values

    def flags(self, name: str) -> Bool:
        """A column of true and false."""
        flags: Bool = numpy_of(self.rows[name])
        return flags

    def texts(self, name: str, pattern: str = "", allowed: str = "") -> pa.Array:
        """A column of text; every value matches the regular expression `pattern`."""
        values = self.rows[name].combine_chunks()
        if pattern:
            self.require(numpy_of(pc.match_substring_regex(values, pattern)), name, allowed)
        return values

    def choices(
        self,
        name: str,
        names: Sequence[str],
        also: str | None = None,
        of: str = "",
        keep: Sequence[str] = (),
    ) -> I64:
        """A column of names as positions in `names`; -1 for `also`, such as an empty text.

        Where the names are those `of` another file, keeping `keep` makes them fit.
        """
        values = self.rows[name]
        if pa.types.is_dictionary(values.type):
            values = values.unify_dictionaries().combine_chunks()
        else:
            values = values.combine_chunks().dictionary_encode()
        place = {text: row for row, text in enumerate(names)}
        found = values.dictionary.to_pylist()
        of_text = np.array([place.get(text, -1) for text in found], dtype=np.int64)
        known = np.array([text in place or text == also for text in found], dtype=np.bool_)
        codes = numpy_of(values.indices)
        allowed = "one of " + some(names) + (" or nothing" if also == "" else "")
        self.require(known[codes], name, allowed + (f", which {of} has" if of else ""), keep)
        positions: I64 = of_text[codes]
        return positions

    def references(self, name: str, ids: I32, keep: Sequence[str] = (), remedy: str = "") -> I32:
        """A column of identifiers as positions in the sorted `ids` of the file it refers to.

        Keeping `keep` makes them fit; an error ends with the `remedy`.
        """
        values = numpy_of(self.rows[name])
        known = np.clip(values, ids[0], ids[-1])
        if int(ids[-1]) - int(ids[0]) <= _DENSE:
            place = np.zeros(int(ids[-1]) - int(ids[0]) + 1, dtype=np.int32)
            place[ids - ids[0]] = np.arange(len(ids))
            positions: I32 = place[known - ids[0]]
        else:
            positions = np.searchsorted(ids, known).astype(np.int32)
        allowed = f"an identifier that {self._referred(name)} has{remedy}"
        self.require(ids[positions] == values, name, allowed, keep)
        return positions

    def numbers(self, name: str, prefix: str) -> I32:
        """A column of a prefix and 6 to 9 digits, all equally many: the numbers behind it."""
        values = self.rows[name].combine_chunks()
        allowed = f"{prefix} and 6 to 9 digits, as many as in the first row"
        lengths = numpy_of(pc.binary_length(values))
        width = int(lengths[0]) if len(values) else 0
        if not len(prefix) + 6 <= width <= len(prefix) + 9:
            self.require(np.zeros(len(values), dtype=np.bool_), name, allowed)
        self.require(lengths == width, name, allowed)
        _, offsets, content = values.buffers()
        start = int(np.frombuffer(offsets, np.int32)[values.offset]) if len(values) else 0
        text = np.frombuffer(content or b"", np.uint8)[start : start + width * len(values)]
        columns = np.ascontiguousarray(text.reshape(len(values), max(width, len(prefix) + 1)).T)
        ok = columns[len(prefix)] > ord("0")
        for letters, letter in zip(columns, prefix.encode(), strict=False):
            ok &= letters == letter
        numbers = np.zeros(len(values), dtype=np.int32)
        for letters in columns[len(prefix) :]:
            digit = letters - np.uint8(ord("0"))
            ok &= digit < 10
            numbers = numbers * 10 + digit
        self.require(ok, name, allowed)
        self.distinct(numbers, name)
        return numbers

    def unique(self, *names: str) -> None:
        """Refuse a second row with the same values of these columns."""
        number = np.zeros(len(self), dtype=np.int64)
        for name in names:
            codes = self.rows[name].combine_chunks()
            if not pa.types.is_dictionary(codes.type):
                codes = codes.dictionary_encode()
            number = number * max(len(codes.dictionary), 1) + numpy_of(codes.indices)
        self.distinct(number, names[-1], " and ".join(names))

    def distinct(self, values: NDArray[Any], name: str, what: str = "") -> None:
        """Refuse a second row with the same one of `values`, which stand for column `name`."""
        ordered = values if (values[1:] > values[:-1]).all() else np.sort(values)
        if (ordered[1:] != ordered[:-1]).all():
            return
        order = np.argsort(values, kind="stable")
        again = np.diff(values[order], prepend=values[order[0]] - 1) == 0
        first = np.ones(len(values), dtype=np.bool_)
        first[order] = ~again
        self.require(first, name, f"each {what or name} once")

    def require(self, ok: Bool, name: str, allowed: str, keep: Sequence[str] = ()) -> None:
        """Raise MasterDataError for the first row, in file order, that is not ok.

        It is a Misfit where keeping `keep` makes the value fit.
        """
        if not ok.all():
            row = int(np.argmin(ok))
            line, values = self._row(row)
            self._refuse(line, name, values[name], allowed, keep)

    # Only errors come here: slow and exact.

    def _refuse(
        self, line: int, column: str, value: str, allowed: str, keep: Sequence[str] = ()
    ) -> NoReturn:
        shown = repr(value) if value else "an empty value"
        problem = (
            f"{self.path}, line {line}, column {column}: {shown} is not allowed; allowed: {allowed}"
        )
        if keep:
            raise Misfit(problem, self.name, self._referred(column) or keep[0], keep)
        raise MasterDataError(problem)

    def _referred(self, column: str) -> str:
        """The file that a column refers to, or nothing."""
        table, dot, _ = self.table.column(column).references.partition(".")
        return f"{table}.csv" if dot else ""

    def _lines(self) -> list[tuple[int, list[str]]]:
        """(line number, fields) of every row that is not empty; the header comes first."""
        try:
            text = self._source.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            line = self._source.read_bytes()[: error.start].count(b"\n") + 1
            raise MasterDataError(f"{self.path}, line {line}: not UTF-8 text") from None
        reader = csv.reader(io.StringIO(text, newline=""))
        rows: list[tuple[int, list[str]]] = []
        line = 1
        for fields in reader:
            if fields:
                rows.append((line, fields))
            line = reader.line_num + 1
        return rows

    def _row(self, row: int) -> tuple[int, dict[str, str]]:
        (_, header), *rows = self._lines()
        line, fields = rows[row]
        return line, dict(zip(header, fields, strict=False))

    def _explain(self, reason: str) -> NoReturn:
        """Find what Arrow stumbled over and say it as a person would."""
        (_, header), *rows = self._lines()
        for line, fields in rows:
            if len(fields) != len(header):
                raise MasterDataError(
                    f"{self.path}, line {line}: {len(fields)} values, where the header names "
                    f"{len(header)} columns; a value with a comma needs double quotes around it"
                )
            values = dict(zip(header, fields, strict=True))
            for name in (name for name in header if CONTROL.search(values[name])):
                self._refuse(line, name, values[name], "a text without control characters")
            for column in self._declared:
                if not _readable(column, values[column.name]):
                    self._refuse(line, column.name, values[column.name], _ALLOWED[column.kind])
        raise MasterDataError(f"{self.path}: not a CSV file that can be read ({reason})")


def _read(path: Path, convert: pa.csv.ConvertOptions) -> pa.Table:
    try:
        return pa.csv.read_csv(path, _BLOCKS, convert_options=convert)
    except pa.ArrowInvalid:
        # Slower, and right where a quoted line break lies at the edge of a block.
        parse = pa.csv.ParseOptions(newlines_in_values=True)
        return pa.csv.read_csv(path, _BLOCKS, parse, convert)


def _readable(column: Column, value: str) -> bool:
    """Whether a text can be read as a value of the column."""
    if value == "":
        return column.null or column.kind in (Kind.TEXT, Kind.CATEGORY)
    return _READABLE[column.kind](value)


def _whole(limit: int) -> Callable[[str], bool]:
    return lambda text: bool(re.fullmatch(r"-?\d+", text)) and abs(int(text)) < limit


def _date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_FLAGS = ("0", "1", "true", "false", "True", "False", "TRUE", "FALSE")
_READABLE: dict[Kind, Callable[[str], bool]] = {
    Kind.INT: _whole(2**31),
    Kind.LONG: _whole(2**63),
    Kind.MONEY: lambda text: bool(re.fullmatch(r"-?\d{1,10}(\.\d\d?)?", text)),
    Kind.DATE: _date,
    Kind.TEXT: lambda text: True,
    Kind.CATEGORY: lambda text: True,
    Kind.FLAG: lambda text: text in _FLAGS,
    Kind.FLOAT: _number,
}
