"""Writes SVG: what the pictures of this folder have in common.

Colours and fonts are in the style sheet, by the classes of the elements.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from html import escape


class Drawing:
    """A picture that is being drawn; what is drawn later lies on top.

    Args:
        description: What the picture shows, in words, for those who do not see it.
        variant: Tells pictures with the same description on a page apart.
        preserve_spaces: Keep spaces at the start of a text, and several in a row.
    """

    def __init__(
        self, description: str, variant: object = "", preserve_spaces: bool = False
    ) -> None:
        self._words = escape(description)
        # An id is for the whole page, and there may be several pictures on it.
        digest = hashlib.sha256(f"{self._words}{variant}".encode()).hexdigest()
        self._head = f"head-{digest[:8]}"
        self._parts: list[str] = []
        self._has_arrows = False
        self._space = ' xml:space="preserve"' if preserve_spaces else ""

    def text(
        self,
        x: float,
        y: float,
        text: str,
        kind: str | None = "",
        anchor: str | None = "start",
    ) -> None:
        """Write text.

        Args:
            x: Where it begins, ends, or has its middle, according to the anchor.
            y: Its baseline.
            text: The text.
            kind: Its class; None leaves the attribute out.
            anchor: ``start``, ``middle`` or ``end``; None leaves the attribute out.
        """
        attributes = f'x="{x}" y="{y}"'
        if kind is not None:
            attributes += f' class="{kind}"'
        if anchor is not None:
            attributes += f' text-anchor="{anchor}"'
        self._parts.append(f"<text {attributes}{self._space}>{escape(text)}</text>")

    def rect(self, x: float, y: float, width: float, height: float, hit: bool = False) -> None:
        """Draw a box, marked if it is hit."""
        marked = ' class="hit"' if hit else ""
        self._parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}"{marked}/>')

    def path(self, path: str, kind: str) -> None:
        """Draw a line."""
        self._parts.append(f'<path d="{path}" class="{kind}"/>')

    def arrow(self, path: str) -> None:
        """Draw a line with a head at its end."""
        self._has_arrows = True
        self._parts.append(f'<path d="{path}" class="arrow" marker-end="url(#{self._head})"/>')

    def circle(self, x: float, y: float, radius: float, kind: str) -> None:
        """Draw a circle around a point."""
        self._parts.append(f'<circle cx="{x}" cy="{y}" r="{radius}" class="{kind}"/>')

    def svg(self, width: float, height: float) -> str:
        """Return the picture in a size."""
        head = ""
        if self._has_arrows:
            head = (
                f'<defs><marker id="{self._head}" viewBox="0 0 8 8" refX="7" refY="4" '
                'markerWidth="7" markerHeight="7" orient="auto-start-reverse">'
                '<path d="M0 0 L8 4 L0 8 z" class="head"/></marker></defs>'
            )
        return (
            f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{self._words}">'
            f"{head}{''.join(self._parts)}</svg>"
        )


def wide_and_tall(wide: str, tall: str, kind: str = "") -> str:
    """Return two forms of a picture; the style sheet shows the one that fits the column.

    Args:
        wide: For a wide column.
        tall: For a phone.
        kind: A class of both.
    """
    classes = f"picture {kind}" if kind else "picture"
    return (
        f'<div class="{classes} picture-wide">{wide}</div>'
        f'<div class="{classes} picture-tall">{tall}</div>'
    )


def numbers(values: Iterable[int]) -> str:
    """Write integers one after the other, with minus signs."""
    return ", ".join(map(str, values)).replace("-", "−")
