"""Shows how long builds took, from what ``nox -s benchmark`` recorded."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from benchmarks import builds
from tables import Table


class Report:
    """Paragraphs and tables, one below the other.

    Args:
        parts: A paragraph is a text.
    """

    def __init__(self, parts: Sequence[str | Table]) -> None:
        self.parts = parts

    def __repr__(self) -> str:
        return "\n\n".join(part if isinstance(part, str) else repr(part) for part in self.parts)

    def _repr_html_(self) -> str:
        return "".join(
            f"<p>{escape(part)}</p>" if isinstance(part, str) else part._repr_html_()
            for part in self.parts
        )


def comparison(path: Path = builds.RECORD) -> Report:
    """Show the three ways side by side, and where a goal is missed or the peer is faster."""
    recorded = builds.load(path)["comparison"]
    seconds = recorded["seconds"]
    judged = builds.verdicts(seconds)
    return Report(
        [
            f"{recorded['examples']} examples, -j {recorded['jobs']}. {_runs(seconds)}",
            Table(*builds.comparison_table(seconds)),
            _summary(judged),
            Table(*builds.verdict_table(judged)),
            _peer_wins(builds.peer_wins(seconds)),
            _surroundings(recorded),
        ]
    )


def growth(path: Path = builds.RECORD) -> Report:
    """Show what happens when the site grows."""
    recorded = builds.load(path)["growth"]
    seconds = recorded["seconds"]
    judged = builds.growth_verdicts(seconds)
    return Report(
        [
            f"With the extension, -j {recorded['jobs']}. {_runs(seconds)}",
            Table(*builds.growth_table(seconds)),
            _summary(judged),
            Table(*builds.verdict_table(judged)),
            _surroundings(recorded),
        ]
    )


def _runs(seconds: builds.Seconds) -> str:
    count = len(next(iter(seconds[builds.COLD].values())))
    if count == 1:
        return "Each build was timed once."
    return f"The median of {count} runs, and in brackets the fastest and the slowest."


def _summary(judged: Sequence[builds.Verdict]) -> str:
    """Say first which goals are missed."""
    missed = [verdict.case for verdict in judged if not verdict.met]
    if not missed:
        return f"All {len(judged)} goals are met."
    verb = "is" if len(missed) == 1 else "are"
    return f"{len(missed)} of {len(judged)} goals {verb} missed: {', '.join(missed)}."


def _peer_wins(cases: Sequence[str]) -> str:
    if not cases:
        return "In none of these builds is the peer faster."
    return f"The peer is faster where the build is: {', '.join(cases)}."


def _surroundings(recorded: dict[str, Any]) -> str:
    """Say when, where and with what it was measured."""
    versions = ", ".join(f"{name} {version}" for name, version in recorded["versions"].items())
    load = "" if recorded["load"] is None else f", load {recorded['load']} before the first build"
    return (
        f"Measured on {recorded['date']} on {recorded['cores']} cores of {recorded['processor']} "
        f"({recorded['system']}{load}) with {versions}."
    )
