"""Texts in paths: SKUs and tags may hold slashes, line ends and whatever else people name by."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class _Text(Convertor[str]):
    """Anything, unlike Starlette's own `path`, which ends at a line end."""

    regex = r"[\s\S]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("text", _Text())
SKU, TAG = "{sku:text}", "{rfid_tag:text}"
