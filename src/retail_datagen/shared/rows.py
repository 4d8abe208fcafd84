"""What every row record is: a frozen model whose fields are the columns of one table.

Fields are `snake_case`, columns as files spell them: `store_id` is `StoreID`, `receipt_id` is
`ReceiptId`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from retail_datagen.config.errors import UserError

Money = Annotated[Decimal, Field(max_digits=12, decimal_places=2)]
_UPPER = ("dc", "ts", "eta", "etd", "rssi", "ble", "sku", "msrp")
_MASTER = ("dc", "store", "product", "customer", "geography", "supplier")
"""What has its `ID` in capitals; all other identifiers end in `Id`."""


class RowError(UserError):
    """A row that is not one of its table; the text names column, value and what is wrong."""


def column_name(field: str) -> str:
    """The column that a field stands for."""
    words = field.split("_")
    spelled = []
    for before, word in zip(["", *words], words, strict=False):
        if word == "id":
            spelled.append("ID" if before in _MASTER else "Id")
        else:
            spelled.append(word.upper() if word in _UPPER else word.capitalize())
    return "".join(spelled)


class Row(BaseModel):
    """A row of `table`. Made with field names, or from a file's row by `from_row`."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        alias_generator=column_name,
        allow_inf_nan=False,
    )
    table: ClassVar[str]

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The columns in file order."""
        return tuple(column_name(field) for field in cls.model_fields)

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Self:
        """The record of a row by column names, such as `csv.DictReader` or Arrow give it.

        Texts are read as what the column holds; columns that the table does not know are passed
        over. Raises RowError that lists what is missing or cannot be read.
        """
        try:
            return cls.model_validate(dict(row), by_alias=True, by_name=False)
        except ValidationError as error:
            problems = "; ".join(_problem(detail["loc"], detail) for detail in error.errors())
            raise RowError(f"{cls.table}: {problems}") from None

    def to_row(self) -> dict[str, object]:
        """The values by column names: what `from_row` reads."""
        return self.model_dump(by_alias=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: object) -> object:
        """CSV has no null: an empty value of a column that may be absent is one."""
        if not isinstance(data, dict):
            return data
        optional = {
            name
            for field, info in cls.model_fields.items()
            if type(None) in getattr(info.annotation, "__args__", ())
            for name in (field, column_name(field))
        }
        return {k: None if v == "" and k in optional else v for k, v in data.items()}


def _problem(place: tuple[int | str, ...], detail: Mapping[str, object]) -> str:
    column = ".".join(map(str, place))
    if detail["type"] == "missing":
        return f"column {column} is missing"
    return f"column {column}: {detail['input']!r} is not allowed: {detail['msg']}"
