"""The program that times groups of statements: ``python -m sphinx_cython.core.timing_worker``.

Each group has a process of its own, so that none sees what another one left, and a crash ends no
other. To start Python and import NumPy takes as long as a group does, so where there is ``fork``,
the processes are forks of this one. Nothing is read from what statements print: the folder that is
the argument of the program holds the request, ``request.json``, and for each group, by its number:

``<n>.at``      which statement is executed, by its position, and in which step
``<n>.json``    the timings in the order of the statements, or why there are none
``<n>.err``     what was printed as errors
``ends.json``   (forks) how the process of each group ended, as an exit code
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import signal
import sys
import timeit
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from .process import guarded
from .timing import Rule, time_in_turns

SETUP, STATEMENT = "setup", "statement"
# The default action of this signal ends a process, whatever it is doing.
LIMIT_SIGNAL = getattr(signal, "SIGALRM", 0)

# Kept from statements that give other names to these.
_dumps = json.dumps


def time_group(request: dict[str, Any], group: dict[str, Any], place: Path) -> None:
    """Time the statements of a group in this process, and write the result to a file."""
    with open(place.with_suffix(".at"), "wb", buffering=0) as at:

        def begin(statement: tuple[str, int]) -> None:
            at.seek(0)
            at.write(_dumps(statement).encode() + b"\n")

        try:
            result: Any = {"timings": _timings(request, group, begin)}
        except BaseException as error:
            text = error.msg if isinstance(error, SyntaxError) else str(error)
            name = type(error).__name__
            result = {"raised": f"{name}: {text}" if text else name}
    place.with_suffix(".json").write_bytes(_dumps(result).encode())


def _timings(
    request: dict[str, Any],
    group: dict[str, Any],
    begin: Callable[[tuple[str, int]], object],
) -> list[dict[str, Any]]:
    timers: dict[tuple[str, int], timeit.Timer] = {}
    for position, (module, code) in enumerate(group["statements"]):
        begin((SETUP, position))
        names: dict[str, Any] = {}
        loaded = importlib.import_module(module)
        names.update((n, getattr(loaded, n)) for n in dir(loaded) if not n.startswith("__"))
        exec(group["setup"], names)
        begin((STATEMENT, position))
        timers[STATEMENT, position] = timeit.Timer(code, globals=names)
    timings = time_in_turns(timers, Rule(**request["rule"]), begin)
    return [dataclasses.asdict(timing) for timing in timings.values()]


def _redirect(place: Path) -> None:
    """Let what statements print go nowhere, but for errors, which may explain a crash."""
    with open(os.devnull, "wb") as nowhere, open(place.with_suffix(".err"), "wb") as errors:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(errors.fileno(), 2)


def _fork_group(request: dict[str, Any], group: dict[str, Any], place: Path) -> int:
    """Time a group in a fork of this process; return its exit code, negative for a signal."""
    wait, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        # Nothing is executed before somebody watches over it.
        if os.read(wait, 1):
            _become_child(request, group, place)
        os._exit(1)
    os.close(wait)
    with guarded(child), open(go, "wb", buffering=0) as starter:
        os.setpgid(child, child)
        starter.write(b"!")
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _become_child(request: dict[str, Any], group: dict[str, Any], place: Path) -> NoReturn:
    code = 1
    try:
        signal.setitimer(signal.ITIMER_REAL, request["limit"])
        _redirect(place)
        time_group(request, group, place)
        code = 0
    finally:
        os._exit(code)


def main(folder: Path) -> None:
    """Time the groups of a request, one after the other."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    sys.path.insert(0, request["stage"])
    places = [folder / str(number) for number in request["numbers"]]
    groups = list(zip(request["groups"], places, strict=True))
    if not request["forks"]:
        for group, place in groups:
            _redirect(place)
            time_group(request, group, place)
        return
    for module in request["warm"]:
        with suppress(Exception):
            importlib.import_module(module)
    ends = [_fork_group(request, group, place) for group, place in groups]
    (folder / "ends.json").write_text(json.dumps(ends))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
