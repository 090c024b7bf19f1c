"""Outputs of cells as a page shows them: the same in every run."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

_COLORS = re.compile(r"\x1b\[[0-9;]*m")
_TOKENS = re.compile(
    r"(?P<line>\n)"
    r"|[-=]>"  # an arrow closes nothing
    r"|(?P<open><|&lt;)"
    r"|(?P<close>>|&gt;)"
    r"|(?P<before> at )(?P<address>0x[0-9a-fA-F]{6,16})\b"
)
# NumPy's own form of a repr.
_GENERATORS = re.compile(r"\b((?:Generator|RandomState)\(\w+\) at )0x[0-9A-F]{6,16}\b")


def mask_addresses(text: str) -> str:
    """Replace the addresses of objects, which differ between runs, by ``0x…``.

    An address of an object is what follows ``at`` between angle brackets, as in
    ``<function f at 0x7f3a2c0d5e10>``, also in HTML. Other numbers are what a page is there to
    show.
    """
    if " at 0x" not in text:
        return text
    depth = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal depth
        if match["line"]:
            depth = 0
        elif match["open"]:
            depth += 1
        elif match["close"]:
            depth = max(depth - 1, 0)
        elif match["address"] and depth:
            return f"{match['before']}0x…"
        return match[0]

    return _GENERATORS.sub(r"\g<1>0x…", _TOKENS.sub(replace, text))


def without_colors(text: str) -> str:
    """Return text without the codes by which a terminal colors it."""
    return _COLORS.sub("", text)


def normalized(outputs: Sequence[dict[str, Any]], may_raise: bool = False) -> list[dict[str, Any]]:
    """Return the outputs of a cell without what differs between runs.

    What is written to one stream is one output: how it is divided depends on how fast it came.
    Of an exception that the page is there to show, the message is kept and not the traceback,
    which leads through IPython and through Cython's own code.

    Args:
        outputs: The outputs as in a notebook.
        may_raise: Whether the page is there to show an exception.
    """
    merged: list[dict[str, Any]] = []
    for output in json.loads(json.dumps(outputs), object_hook=_valid):
        output.get("metadata", {}).pop("execution", None)
        if output["output_type"] == "error" and may_raise:
            output["traceback"] = [f"{output['ename']}: {output['evalue']}"]
        last = merged[-1] if merged else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            merged.append(output)
    for output in merged:
        for name in ("text", "evalue"):
            if name in output:
                output[name] = mask_addresses(output[name])
        if "traceback" in output:
            output["traceback"] = [mask_addresses(line) for line in output["traceback"]]
        for kind, data in output.get("data", {}).items():
            if isinstance(data, str) and kind.startswith("text/"):
                output["data"][kind] = mask_addresses(data)
    return merged


def _valid(item: dict[str, Any]) -> dict[str, Any]:
    """Replace text that no file can hold: halves of surrogate pairs."""

    def valid(value: Any) -> Any:
        if isinstance(value, str):
            return value.encode("utf-8", "backslashreplace").decode()
        return [valid(each) for each in value] if isinstance(value, list) else value

    return {valid(name): valid(value) for name, value in item.items()}
