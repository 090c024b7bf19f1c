"""Time builds of one site made in three ways, in turns, and record what was measured.

``python -m benchmarks.builds`` measures how long it takes to build a site of examples with MyST-NB
and ``%%cython -a`` (*peer*), to build the same pages without executing anything (*bare*), and with
the extension of this repository (*ours*). With ``--growth`` it measures ours with more and more
examples. The times are printed and recorded in ``builds.json`` beside this module, from which a
page of the site is made.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from .sites import BARE, OURS, PEER, WAYS, Site

RECORD = Path(__file__).with_suffix(".json")
EXAMPLES = 12
SIZES = (12, 48, 192)
JOBS = 2
PACKAGES = ("Cython", "Sphinx", "MyST-NB", "jupyter-cache", "ipykernel", "NumPy")

COLD, EXAMPLE, PROSE, NOTHING = CASES = (
    "cold",
    "one example edited",
    "prose edited",
    "nothing changed",
)
# What is done to the site before each build; a cold one has just been written.
EDITS: Mapping[str, Callable[[Site, int], None]] = {
    COLD: lambda site, number: None,
    NOTHING: lambda site, number: None,
    PROSE: Site.edit_prose,
    EXAMPLE: Site.edit_example,
}

# The goals: so many times faster than the peer, or at most so many seconds more than bare.
FACTOR = 5.0
ALLOWANCE = 0.2
COMPARED_WITH = {COLD: PEER, EXAMPLE: PEER, PROSE: BARE, NOTHING: BARE}

# The seconds of each run, by case, and by way or by number of examples.
Seconds: TypeAlias = dict[str, dict[str, list[float]]]


class BuildError(RuntimeError):
    """A build failed, or its pages lack something; the text says which."""


@dataclass(frozen=True)
class Verdict:
    """Whether a goal is met.

    Attributes:
        case: What was built.
        goal: What it should have taken, in words.
        result: What it took, in words.
        met: Whether that is so.
    """

    case: str
    goal: str
    result: str
    met: bool

    @property
    def word(self) -> str:
        """One word for it."""
        return "met" if self.met else "missed"


def variables(site: Site) -> dict[str, str]:
    """Return the environment in which a site is built: the user's settings play no part."""
    home = site.root / "home"
    # Installed packages have their bytecode. Without that of this repository, which is not
    # installed, each build would compile our modules and none of the peer's.
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "IPYTHONDIR": str(home / ".ipython"),
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }


def build(site: Site) -> float:
    """Build a site as a process of its own and return the seconds that took.

    Raises:
        BuildError: The build failed, or a page lacks something.
    """
    options = ("-j", str(JOBS), "-b", "html", "-d", "doctrees", "docs", "html")
    command = [sys.executable, "-m", "sphinx", *options]
    started = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=site.root,
        env=variables(site),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise BuildError(f"{site.way}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    if problems := site.problems():
        raise BuildError("\n".join([f"{site.way}: not as it should be", *problems, done.stderr]))
    return seconds


def new_site(root: Path, way: str, count: int) -> Site:
    """Write a site into a folder, where nothing of an earlier one is left."""
    shutil.rmtree(root, ignore_errors=True)
    site = Site(root, way, count)
    if way == PEER:
        # jupyter-cache makes its database when it is first used. With -j 2, two processes of
        # Sphinx do so at once, and one of them may fail.
        code = "import sys; from jupyter_cache import get_cache; get_cache(sys.argv[1]).db"
        subprocess.run([sys.executable, "-c", code, str(site.notebooks)], check=True)
    return site


def measure(plans: Mapping[str, tuple[str, int]], cases: Sequence[str], repeat: int) -> Seconds:
    """Time builds of several sites, in turns.

    Args:
        plans: The way in which each site is made and the number of its examples, by its label.
        cases: What to build, in this order. The first build of a site is a cold one.
        repeat: How many times everything is done.

    Raises:
        BuildError: A build failed, or a page lacks something.
    """
    seconds: Seconds = {case: {label: [] for label in plans} for case in cases}
    with TemporaryDirectory(prefix="benchmark-") as folder:
        for way in dict.fromkeys(way for way, _ in plans.values()):
            build(new_site(Path(folder, "first"), way, 1))  # until all bytecode is there
        for number in range(repeat):
            sites = {
                label: new_site(Path(folder, label), way, count)
                for label, (way, count) in plans.items()
            }
            for case in cases:
                for label, site in sites.items():
                    EDITS[case](site, number)
                    seconds[case][label].append(round(build(site), 3))
                    took = f"{seconds[case][label][-1]:.2f} s"
                    print(f"[{number + 1}/{repeat}] {case}, {label}: {took}", file=sys.stderr)
    return seconds


def surroundings() -> dict[str, Any]:
    """Describe when, where and with what is measured."""
    from sphinx_cython import __version__
    from sphinx_cython.core.toolchain import find_toolchain, processor_name

    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "date": datetime.date.today().isoformat(),
        "processor": processor_name(),
        "cores": os.cpu_count(),
        # What else the machine did; the mean of the last minute.
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {_numbers(platform.release())}",
        "versions": {
            "sphinx_cython": __version__,
            "CPython": platform.python_version(),
            "C compiler": find_toolchain().name,
            **versions,
        },
    }


def _numbers(release: str) -> str:
    """Return the numbers of a release; what follows them may name a machine or its owner."""
    match = re.match(r"[\d.]*\d", release)
    return match[0] if match else ""


def compare(count: int, repeat: int) -> dict[str, Any]:
    """Measure all ways against each other."""
    around = surroundings()
    plans = {way: (way, count) for way in WAYS}
    seconds = measure(plans, (COLD, NOTHING, PROSE, EXAMPLE), repeat)
    return {**around, "examples": count, "jobs": JOBS, "seconds": seconds}


def grow(sizes: Sequence[int], repeat: int) -> dict[str, Any]:
    """Measure ours with more and more examples."""
    around = surroundings()
    plans = {str(size): (OURS, size) for size in sizes}
    seconds = measure(plans, (COLD, NOTHING, PROSE, EXAMPLE), repeat)
    return {**around, "jobs": JOBS, "seconds": seconds}


def in_words(runs: Sequence[float]) -> str:
    """Write the median of some times, and between which they lie."""
    digits = 1 if median(runs) >= 9.995 else 2
    low, high = f"{min(runs):.{digits}f}", f"{max(runs):.{digits}f}"
    spread = f" ({low}–{high})" if low != high else ""
    return f"{median(runs):.{digits}f} s{spread}"


def medians(seconds: Seconds) -> dict[str, dict[str, float]]:
    """Return the median of each list of times."""
    return {
        case: {label: median(runs) for label, runs in row.items()} for case, row in seconds.items()
    }


def verdicts(seconds: Seconds) -> list[Verdict]:
    """Compare what was measured with the goals."""
    rows = []
    for case, way in COMPARED_WITH.items():
        times = medians(seconds)[case]
        ours, other = times[OURS], times[way]
        if way == PEER:
            goal = f"at least {FACTOR:g} × faster than the peer"
            result, met = f"{other / ours:.1f} ×", other >= FACTOR * ours
        else:
            goal = f"bare + {ALLOWANCE:g} s at most"
            result, met = f"bare {ours - other:+.2f} s", ours <= other + ALLOWANCE
        rows.append(Verdict(case, goal, result, met))
    return rows


def peer_wins(seconds: Seconds) -> list[str]:
    """Return the cases in which the peer is faster."""
    return [case for case, times in medians(seconds).items() if times[PEER] < times[OURS]]


def growth_verdicts(seconds: Seconds) -> list[Verdict]:
    """Tell of each case whether an example costs more on a larger site."""
    rows = []
    for case, times in medians(seconds).items():
        costs = [time / int(size) for size, time in times.items()]
        met = all(after <= before for before, after in pairwise(costs))
        result = ", ".join(f"{cost:.3f} s" for cost in costs)
        rows.append(Verdict(case, "the time per example does not rise", result, met))
    return rows


def comparison_table(seconds: Seconds) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of the table of all ways."""
    rows = [[case, *(in_words(seconds[case][way]) for way in WAYS)] for case in CASES]
    return ["build", *WAYS], rows


def growth_table(seconds: Seconds) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of the table of growth."""
    sizes = list(seconds[COLD])
    rows = [[case, *(in_words(seconds[case][size]) for size in sizes)] for case in CASES]
    rows.append(["each further example, cold", "", *_further(medians(seconds)[COLD])])
    return ["build", *(f"{size} examples" for size in sizes)], rows


def _further(times: Mapping[str, float]) -> list[str]:
    """Return what each example costs that a site has more than the one before."""
    steps = pairwise(times.items())
    costs = ((after - before) / (int(more) - int(few)) for (few, before), (more, after) in steps)
    return [f"{cost:.3f} s" for cost in costs]


def verdict_table(judged: Iterable[Verdict]) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of the table of goals."""
    rows = [[verdict.case, verdict.goal, verdict.result, verdict.word] for verdict in judged]
    return ["build", "goal", "measured", "verdict"], rows


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table for a terminal."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "\n".join(line.rstrip() for line in padded)


def load(path: Path = RECORD) -> dict[str, Any]:
    """Read what was recorded; an empty dictionary if nothing was."""
    recorded: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return recorded


def save(part: str, measured: dict[str, Any], path: Path = RECORD) -> None:
    """Record a measurement, and keep what was recorded of the other part."""
    text = json.dumps(load(path) | {part: measured}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")


def main(arguments: list[str]) -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=3, help="runs of each build")
    parser.add_argument("--growth", action="store_true", help="ours, with more and more examples")
    parser.add_argument("--examples", type=int, nargs="+", help="how many; several with --growth")
    parser.add_argument("--record", type=Path, default=RECORD, help="the file to write")
    options = parser.parse_args(arguments)
    if options.growth:
        measured = grow(options.examples or SIZES, options.repeat)
        save("growth", measured, options.record)
        tables = growth_table(measured["seconds"])
        judged = growth_verdicts(measured["seconds"])
    else:
        (count,) = options.examples or (EXAMPLES,)
        measured = compare(count, options.repeat)
        save("comparison", measured, options.record)
        tables = comparison_table(measured["seconds"])
        judged = verdicts(measured["seconds"])
    print(aligned(*tables), aligned(*verdict_table(judged)), sep="\n\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except BuildError as error:
        sys.exit(str(error))
