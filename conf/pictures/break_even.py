"""Measures calls at several lengths, and draws from which length on each way is worth its set-up.

All that is drawn is measured when the page's cell runs and differs from run to run, so the whole
picture lies in an element of class ``volatile``. It is made twice from the same numbers, once for a
wide column and once for a phone; the style sheet shows one of them.
"""

from __future__ import annotations

import math
import platform
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from types import ModuleType
from typing import TypeAlias

from svg import Drawing, wide_and_tall

from sphinx_cython.core.timing import Rule, time_in_turns
from sphinx_cython.core.toolchain import processor_name

LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
# There are dozens of statements, one for each way and length, and a logarithmic scale shows less
# than a ratio in digits does.
RULE = Rule(tolerance=0.02, budget=2.0)

Scale: TypeAlias = Callable[[float], float]


@dataclass(frozen=True)
class Curve:
    """One way to do it.

    Attributes:
        label: What the reader calls it.
        seconds: The time of a call, for each of the lengths.
    """

    label: str
    seconds: tuple[float, ...]


def measure(
    module: ModuleType,
    statements: dict[str, str],
    argument: Callable[[int], object],
    lengths: tuple[int, ...] = LENGTHS,
) -> list[Curve]:
    """Time statements against each other at each length, all of them in turns.

    Args:
        module: Its names can be used in the statements.
        statements: What to time, by label. The name ``a`` stands for the argument.
        argument: Makes the argument of a given length.
        lengths: The lengths.
    """
    timers = {
        (label, length): timeit.Timer(statement, globals={**vars(module), "a": argument(length)})
        for length in lengths
        for label, statement in statements.items()
    }
    timings = time_in_turns(timers, RULE)
    return [
        Curve(label, tuple(timings[label, length].best for length in lengths))
        for label in statements
    ]


def crossing(base: Curve, other: Curve, lengths: tuple[int, ...] = LENGTHS) -> int | None:
    """Return the length from which the other way takes no more time; None if it never does.

    Between two measured lengths the times are taken to lie on straight lines.
    """
    gaps = [b - o for b, o in zip(base.seconds, other.seconds, strict=True)]
    slower = [position for position, gap in enumerate(gaps) if gap < 0]
    if not slower:
        return lengths[0]
    last = slower[-1]
    if last + 1 == len(lengths):
        return None
    share = -gaps[last] / (gaps[last + 1] - gaps[last])
    return math.ceil(lengths[last] + share * (lengths[last + 1] - lengths[last]))


def in_words(seconds: float) -> str:
    """Write a time with two digits and a unit."""
    unit, factor = ("µs", 1e6) if seconds >= 0.95e-6 else ("ns", 1e9)
    value = seconds * factor
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"


class Plot:
    """The picture."""

    def __init__(self, curves: list[Curve], lengths: tuple[int, ...] = LENGTHS) -> None:
        self.curves, self.lengths = curves, lengths
        everything = [time for curve in curves for time in curve.seconds]
        self.low = math.floor(math.log10(min(everything)))
        self.high = math.ceil(math.log10(max(everything)))

    def pays(self, curve: Curve) -> str:
        """Say from which length on a way is worth it."""
        if curve is self.curves[0]:
            return "nothing to set up"
        length = crossing(self.curves[0], curve, self.lengths)
        if length is None:
            return f"does not pay up to {self.lengths[-1]} elements"
        if length == self.lengths[0]:
            return "pays from the first element on"
        return f"pays from {length} elements on"

    def description(self) -> str:
        """Say in words what the picture shows."""
        first, last = self.lengths[0], self.lengths[-1]
        said = [
            f"{curve.label}: {in_words(curve.seconds[0])} at {first}, "
            f"{in_words(curve.seconds[-1])} at {last}, {self.pays(curve)}."
            for curve in self.curves
        ]
        return (
            f"Time of a call against the number of elements, from {first} to {last}, both on "
            f"logarithmic scales. {' '.join(said)}"
        )

    def __repr__(self) -> str:
        names = ", ".join(curve.label for curve in self.curves)
        return f"Time of a call against the number of elements: {names}"

    def _repr_html_(self) -> str:
        said = f"measured on {processor_name()}, CPython {platform.python_version()}"
        return (
            f'<div class="volatile">'
            f"{wide_and_tall(self._draw(wide=True), self._draw(wide=False), 'plot')}"
            f'<p class="plot-said">{escape(said)}</p></div>'
        )

    def _draw(self, wide: bool) -> str:
        left, top, right, bottom = (62, 30, 530, 330) if wide else (58, 30, 338, 300)
        width, height = (760, 378) if wide else (350, 352 + 38 * len(self.curves))

        def x(length: float) -> float:
            share = math.log(length / self.lengths[0]) / math.log(
                self.lengths[-1] / self.lengths[0]
            )
            return round(left + share * (right - left), 1)

        def y(seconds: float) -> float:
            share = (math.log10(seconds) - self.low) / (self.high - self.low)
            return round(bottom - share * (bottom - top), 1)

        drawing = Drawing(self.description())
        drawing.text(left, 16, "time of a call", "title")
        for power in range(self.low, self.high + 1):
            at = y(10.0**power)
            drawing.path(f"M{left} {at} H{right}", "grid")
            drawing.text(left - 8, at + 4, _decade(power), "note", "end")
        for length in self.lengths:
            if length & (length - 1) == 0:
                drawing.path(f"M{x(length)} {bottom} v5", "axis")
                drawing.text(x(length), bottom + 18, str(length), "note", "middle")
        drawing.path(f"M{left} {bottom} H{right}", "axis")
        drawing.text((left + right) / 2, bottom + 38, "elements", "title", "middle")
        for number, curve in enumerate(self.curves):
            points = " L".join(
                f"{x(n)} {y(s)}" for n, s in zip(self.lengths, curve.seconds, strict=True)
            )
            drawing.path(f"M{points}", f"curve curve-{number}")
            self._mark(drawing, curve, number, x, y)
        if wide:
            self._name_beside(drawing, x, y)
        else:
            self._name_below(drawing, left, bottom + 66)
        return drawing.svg(width, height)

    def _mark(self, drawing: Drawing, curve: Curve, number: int, x: Scale, y: Scale) -> None:
        """Put a ring where a curve goes below the first one."""
        length = crossing(self.curves[0], curve, self.lengths)
        if number == 0 or length is None or length == self.lengths[0]:
            return
        position = next(n for n, known in enumerate(self.lengths) if known >= length)
        before, after = self.lengths[position - 1], self.lengths[position]
        share = (length - before) / (after - before)
        times = self.curves[0].seconds
        time = times[position - 1] + share * (times[position] - times[position - 1])
        drawing.circle(x(length), y(time), 5, f"curve-{number}")

    def _name_beside(self, drawing: Drawing, x: Scale, y: Scale) -> None:
        """Name each curve at its right end, with room between the names."""
        ends = sorted((y(curve.seconds[-1]), n) for n, curve in enumerate(self.curves))
        places: list[float] = []
        for at, _ in ends:
            places.append(max(at, places[-1] + 36) if places else at)
        right = x(self.lengths[-1])
        for place, (at, number) in zip(places, ends, strict=True):
            curve = self.curves[number]
            drawing.path(f"M{right + 3} {at} L{right + 18} {place}", "grid")
            drawing.text(right + 22, place + 2, curve.label, f"name name-{number}")
            drawing.text(right + 22, place + 17, self.pays(curve), "note")

    def _name_below(self, drawing: Drawing, left: float, top: float) -> None:
        """Name each curve in a list, with a piece of it."""
        for number, curve in enumerate(self.curves):
            at = top + 38 * number
            drawing.path(f"M8 {at} H48", f"curve curve-{number}")
            drawing.text(left, at + 4, curve.label, f"name name-{number}")
            drawing.text(left, at + 19, self.pays(curve), "note")


def _decade(power: int) -> str:
    """Write a power of ten of a second."""
    unit = max(-3, power // 3)
    return f"{10.0 ** (power - 3 * unit):g} {('s', 'ms', 'µs', 'ns')[-unit]}"


def break_even(
    module: ModuleType, statements: dict[str, str], argument: Callable[[int], object]
) -> Plot:
    """Measure, and return the picture. The first statement is what the others are up against."""
    return Plot(measure(module, statements, argument))
