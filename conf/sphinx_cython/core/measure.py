"""What statements cost, each relative to the fastest of its group.

All statements of a group are timed in one process of their own, in turns, and the best of many
rounds counts: interruptions only ever make a round slower. Only ratios are kept for the page.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .process import environment
from .store import write_atomic

# Many short rounds: on a busy machine some of them fall into a moment of quiet.
ROUNDS = 100
ROUND_SECONDS = 0.002


class MeasureError(RuntimeError):
    """A statement raised; the text is the traceback."""


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
    """

    setup: str
    statements: tuple[Statement, ...]
    digests: tuple[str, ...]

    def digest(self, machine: str) -> str:
        """Return the digest under which the result is kept: the machine's name is part of it."""
        parts = [2, ROUNDS, ROUND_SECONDS, machine, self.setup, self.statements, self.digests]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


_WORKER = """
import importlib, json, sys, timeit
spec = json.load(sys.stdin)
timers = {}
for label, module, code in spec["statements"]:
    names = {}
    loaded = importlib.import_module(module)
    names.update((n, getattr(loaded, n)) for n in dir(loaded) if not n.startswith("__"))
    exec(spec["setup"], names)
    timer = timeit.Timer(code, globals=names)
    number = 1
    # The best of three: an interruption must not pass for a slow statement.
    while min(timer.repeat(3, number)) < spec["seconds"]:
        number *= 2
    timers[label] = timer, number
best = dict.fromkeys(timers, float("inf"))
for _ in range(spec["rounds"]):
    for label, (timer, number) in timers.items():
        best[label] = min(best[label], timer.timeit(number) / number)
json.dump(best, sys.stdout)
"""


def measure(group: Group, stage: Path, cache: Path, machine: str) -> dict[str, float]:
    """Return the cost of each statement, by label, as a multiple of the cheapest.

    Args:
        group: What to time.
        stage: The folder from which the modules are imported.
        cache: Where results are kept.
        machine: The processor's name.

    Raises:
        MeasureError: A statement raised.
    """
    path = cache / "measured" / f"{group.digest(machine)}.json"
    seconds = _load(path, group)
    if seconds is None:
        seconds = _time(group, stage)
        write_atomic(path, json.dumps(seconds))
    fastest = min(seconds.values())
    return {label: value / fastest for label, value in seconds.items()}


def _load(path: Path, group: Group) -> dict[str, float] | None:
    """Return what was measured before, or None if there is nothing whole."""
    try:
        kept = json.loads(path.read_text())
        return {statement.label: float(kept[statement.label]) for statement in group.statements}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _time(group: Group, stage: Path) -> dict[str, float]:
    spec = {
        "setup": group.setup,
        "statements": [(s.label, s.module, s.code) for s in group.statements],
        "rounds": ROUNDS,
        "seconds": ROUND_SECONDS,
    }
    done = subprocess.run(
        [sys.executable, "-c", _WORKER],
        input=json.dumps(spec),
        capture_output=True,
        text=True,
        env=environment() | {"PYTHONPATH": str(stage)},
    )
    if done.returncode != 0:
        raise MeasureError(done.stderr.strip() or f"exit code {done.returncode}")
    result: dict[str, float] = json.loads(done.stdout)
    return result
