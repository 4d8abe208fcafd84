"""What a field allows, in words, from the JSON Schema that pydantic derives from a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]
"""A node of a JSON Schema: an outside format, hence no type of ours."""


def node_at(root: Schema, location: Iterable[str | int]) -> Schema | None:
    """The schema of the field at a location, or None where the model has none."""
    node: Schema | None = root
    for key in location:
        if node is None:
            return None
        node = _child(_follow(node, root), key)
    return None if node is None else {**_follow(node, root), **node}


def members(node: Schema, root: Schema) -> tuple[str, ...]:
    """The fields of a section, in order of declaration; none for plain values."""
    return tuple(_follow(node, root).get("properties", ()))


def describe(node: Schema, root: Schema) -> str:
    """What is allowed: `a whole number from 1 to 9,999`."""
    node = _follow(node, root)
    if "enum" in node:
        return f"one of {', '.join(map(str, node['enum']))}"
    if "const" in node:
        return str(node["const"])
    match node.get("type"):
        case "integer":
            return f"a whole number{_range(node, whole=True)}"
        case "number":
            step = f", in steps of {node['multipleOf']:g}" if "multipleOf" in node else ""
            return f"a number{_range(node, whole=False)}{step}"
        case "boolean":
            return "true or false"
        case "string":
            return _text(node)
        case "array":
            return _list(node, root)
        case "object":
            return _mapping(node, root)
        case _:
            return "any value"


def _follow(node: Schema, root: Schema) -> Schema:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node


def _child(node: Schema, key: str | int) -> Schema | None:
    found: object
    if isinstance(key, int):
        fixed = node.get("prefixItems", [])
        found = fixed[key] if key < len(fixed) else node.get("items")
    else:
        found = node.get("properties", {}).get(key, node.get("additionalProperties"))
    return found if isinstance(found, dict) else None


def _range(node: Schema, whole: bool) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    if whole:
        low = above + 1 if above is not None else low
        high = below - 1 if below is not None else high
        above = below = None
    bounds = []
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    if low is not None:
        bounds.append(f" of {low:,} or more")
    if above is not None:
        bounds.append(f" above {above:,}")
    if high is not None:
        bounds.append(f" up to {high:,}")
    if below is not None:
        bounds.append(f" below {below:,}")
    return " and".join(bounds)


def _text(node: Schema) -> str:
    match node.get("format"):
        case "path":
            return "text: the path of a folder"
        case "date":
            return "a date, as 2024-01-31"
    return f"text that matches {node['pattern']}" if "pattern" in node else "text"


def _list(node: Schema, root: Schema) -> str:
    if "prefixItems" in node:
        inner = [describe(item, root) for item in node["prefixItems"]]
        return f"a list of {len(inner)}: {'; '.join(inner)}"
    low, high = node.get("minItems"), node.get("maxItems")
    if low is not None and low == high:
        size = f" of {low}"
    elif low is not None and high is not None:
        size = f" of {low} to {high}"
    else:
        size = f" of {low} or more" if low else ""
    return f"a list{size}, each {describe(node.get('items', {}), root)}"


def _mapping(node: Schema, root: Schema) -> str:
    if "properties" in node:
        return f"a mapping with {', '.join(node['properties'])}"
    inner = node.get("additionalProperties")
    if isinstance(inner, dict) and inner:
        return f"a mapping of names to {describe(inner, root)}"
    return "a mapping"
