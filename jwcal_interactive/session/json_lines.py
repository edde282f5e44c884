"""JSON that people can read: a line for each member of a list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["json_lines"]


def json_lines(document: Mapping[str, Any]) -> str:
    """Text of a document, with its lists opened one level deep, ending with a line break."""
    return (
        "{\n" + ",\n".join(f" {json.dumps(key)}: {_lines(value)}" for key, value in document.items()) + "\n}\n"
    )


def _lines(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value)
    return "[\n" + ",\n".join(f"  {json.dumps(member)}" for member in value) + "\n ]"
