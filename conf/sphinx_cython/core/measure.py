"""What statements cost, each relative to the fastest of its group.

Statements of a group are timed against each other (see ``timing``) in a process that can neither
stop the build nor outlive it. Results are kept by a digest of all that they depend on: what is
executed, the artefacts, the processor, and the rule of measuring.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from . import process, timing_worker
from .forks import AVAILABLE as FORKS
from .store import write_atomic
from .timing import RULE, Timing

# Of the files with results; raise it when they mean something else.
VERSION = 3
# What the statements of a group may take, all together.
GROUP_SECONDS = 60.0
# What most groups import: it is there already when a group is forked. It need not be installed.
WARM = ("numpy",)
# Of what was printed before a crash.
_LAST_WORDS = 2000


@dataclass(frozen=True)
class Statement:
    """A statement to time.

    Attributes:
        label: Identifies it in the result.
        module: Import name of the module whose public names it can use.
        code: The statement.
    """

    label: str
    module: str
    code: str


@dataclass(frozen=True)
class Group:
    """Statements that are timed against each other.

    Attributes:
        setup: Run once for each statement, before it is timed.
        statements: Two or more.
        digests: Of the artefacts they use.
        title: What a message calls the group.
        line: Where it is on its page, if known. Neither this nor the title changes the digest.
    """

    setup: str
    statements: tuple[Statement, ...]
    digests: tuple[str, ...]
    title: str = field(default="", compare=False)
    line: int | None = field(default=None, compare=False)

    def digest(self, processor: str) -> str:
        """Return the digest under which the result is kept: the processor's name is part of it."""
        parts = [VERSION, RULE, processor, self.setup, self.statements, self.digests]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


class MeasureError(RuntimeError):
    """A statement could not be timed; the text names the group and the statement, and why.

    Attributes:
        group: The group.
        statement: The statement, or None if it is not known.
    """

    def __init__(self, group: Group, statement: Statement | None, reason: str) -> None:
        super().__init__(f"{group.title}: {reason}" if group.title else reason)
        self.group = group
        self.statement = statement


@dataclass(frozen=True)
class Measurement:
    """The result for a group.

    Attributes:
        timings: What is known of each statement, by its label.
    """

    timings: dict[str, Timing]

    def costs(self) -> dict[str, float]:
        """Return the cost of each statement, by label, as a multiple of the cheapest."""
        fastest = min(timing.best for timing in self.timings.values())
        return {label: timing.best / fastest for label, timing in self.timings.items()}


def measure_all(
    groups: Mapping[str, Group],
    stage: Path,
    cache: Path,
    processor: str,
    limit: float = GROUP_SECONDS,
) -> dict[str, Measurement | MeasureError]:
    """Return the result for each group, or why there is none; only results are kept.

    Call it when nothing else runs: a compiler at work slows down some statements and not others.

    Args:
        groups: What to time, by any key.
        stage: The folder from which the modules are imported.
        cache: Where results are kept.
        processor: Its name.
        limit: The seconds that the statements of a group may take.
    """
    results: dict[Group, Measurement | MeasureError] = {}
    todo = []
    for group in dict.fromkeys(groups.values()):
        kept = _load(_path(group, cache, processor), group)
        if kept is None:
            todo.append(group)
        else:
            results[group] = kept
    for group, result in zip(todo, _time(todo, stage, limit) if todo else (), strict=True):
        results[group] = result
        if isinstance(result, Measurement):
            _keep(result, _path(group, cache, processor), processor)
    return {key: results[group] for key, group in groups.items()}


def measure(
    group: Group, stage: Path, cache: Path, processor: str, limit: float = GROUP_SECONDS
) -> Measurement:
    """Return the result for one group; see ``measure_all``.

    Raises:
        MeasureError: A statement raised, ended its process, or took longer than the limit.
    """
    (result,) = measure_all({"": group}, stage, cache, processor, limit).values()
    if isinstance(result, MeasureError):
        raise result
    return result


def _path(group: Group, cache: Path, processor: str) -> Path:
    return cache / "measured" / f"{group.digest(processor)}.json"


def _keep(measurement: Measurement, path: Path, processor: str) -> None:
    timings = {label: dataclasses.asdict(timing) for label, timing in measurement.timings.items()}
    text = json.dumps({"version": VERSION, "processor": processor, "timings": timings}, indent=1)
    write_atomic(path, f"{text}\n")


def _load(path: Path, group: Group) -> Measurement | None:
    """Return what was measured before, or None if there is nothing whole."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["version"] != VERSION:
            return None
        labels = [statement.label for statement in group.statements]
        return Measurement({label: _timing(kept["timings"][label]) for label in labels})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _timing(data: dict[str, Any]) -> Timing:
    first, second, third = map(float, data["quartiles"])
    return Timing(
        float(data["best"]), (first, second, third), int(data["rounds"]), bool(data["settled"])
    )


def _time(groups: Sequence[Group], stage: Path, limit: float) -> list[Measurement | MeasureError]:
    """Time groups, one after the other; return the results in the same order."""
    with TemporaryDirectory(prefix="sphinx-cython-") as name:
        folder = Path(name)
        if FORKS:
            return _run(groups, range(len(groups)), stage, folder, limit)
        results = []
        for number, group in enumerate(groups):
            results += _run([group], [number], stage, folder, limit)
        return results


def _run(
    groups: Sequence[Group], numbers: Sequence[int], stage: Path, folder: Path, limit: float
) -> list[Measurement | MeasureError]:
    """Run the program that times groups."""
    request = {
        "stage": str(stage),
        "groups": [
            {"setup": group.setup, "statements": [(s.module, s.code) for s in group.statements]}
            for group in groups
        ],
        "numbers": list(numbers),
        "rule": dataclasses.asdict(RULE),
        "limit": limit,
        "forks": FORKS,
        "warm": WARM,
    }
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    # Forks have limits of their own; this one is for the process that starts them.
    timeout = limit * len(groups) + 30 if FORKS else limit
    took_longer = f"took longer than {limit:g} s and was ended"
    ends: list[str]
    try:
        done = process.run(
            process.python_command(timing_worker.__name__, str(folder)),
            step="Measuring",
            cwd=folder,
            timeout=timeout,
        )
        ends = [done.end] * len(groups)
        if FORKS and done.returncode == 0:
            codes = json.loads((folder / "ends.json").read_text())
            ends = [
                took_longer
                if code == -timing_worker.LIMIT_SIGNAL
                else process.Completed(code, "", "").end
                for code in codes
            ]
    except process.StepError as error:
        ends = [took_longer if error.limit and not FORKS else error.reason] * len(groups)
    return [
        _result(group, folder / str(number), end)
        for group, number, end in zip(groups, numbers, ends, strict=True)
    ]


def _result(group: Group, place: Path, end: str) -> Measurement | MeasureError:
    """Return what the files of a group tell, or how its process ended if they do not."""
    try:
        result = json.loads(place.with_suffix(".json").read_bytes())
    except (OSError, ValueError):
        result = {}
    if "timings" in result:
        labels = (statement.label for statement in group.statements)
        return Measurement(dict(zip(labels, map(_timing, result["timings"]), strict=True)))
    reason = f"raised {result['raised']}" if "raised" in result else end
    try:
        step, position = json.loads(place.with_suffix(".at").read_bytes().split(b"\n")[0])
    except (OSError, ValueError):
        return MeasureError(group, None, f"the process that measures {reason}")
    statement = group.statements[position]
    what = f"{statement.code!r}"
    if step == timing_worker.SETUP:
        what = f"the setup of {what}"
    if "raised" not in result:
        reason += _last_words(place)
    return MeasureError(group, statement, f"{what} {reason}")


def _last_words(place: Path) -> str:
    try:
        text = place.with_suffix(".err").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
    return f"\n{text[-_LAST_WORDS:]}" if text else ""
