"""Damage to files as a whole."""

from __future__ import annotations

from copies import Copy
from damage import Damage, is_


def header(copy: Copy) -> str:
    file = copy.files("marketing")[0]
    file.write_text(file.read_text().replace("Cost", "Price", 1))
    return file.name


def unreadable_value(copy: Copy) -> str:
    row = copy.rows("foot_traffic", lambda r: r["Zone"] != "ENTRANCE")[5]
    copy.set("foot_traffic", is_(TraceId=row["TraceId"]), Dwell="1O")
    return "1O"


def other_name(copy: Copy) -> str:
    copy.set("stores", StoreName="Elsewhere")
    return "master data"


def stranger(copy: Copy) -> str:
    beside = copy.files("receipts")[0].parent / "receipts (copy).csv"
    beside.write_text("")
    return beside.name


def missing_day(copy: Copy) -> str:
    file = copy.files("marketing")[1]
    file.unlink()
    return file.parent.name[3:]


DAMAGES = (
    Damage("files.readable", header, alone=True),
    Damage("files.parse", unreadable_value, ("foot_traffic.traces",)),
    Damage("files.known", stranger),
    Damage("files.complete", missing_day, alone=True),
    Damage("files.master", other_name),
)
