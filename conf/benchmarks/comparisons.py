"""Measure every comparison of the built site several times anew, and tell how far they vary.

A page shows the ratios of one run. Those below 3 : 1 may be a matter of where code happens to lie
or of what else the machine does, and no test asserts them; here one sees how much they can be
trusted: for each statement the smallest and the largest ratio to the fastest of its group.
"""

from __future__ import annotations

import argparse
import pickle
import runpy
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sphinx_cython.core.builder import Builder
from sphinx_cython.core.example import Examples
from sphinx_cython.core.measure import Group, measure
from sphinx_cython.core.toolchain import find_toolchain, processor_name
from sphinx_cython.domain import records
from sphinx_cython.markup import ratio


def spread(group: Group, stage: Path, repeat: int) -> dict[str, tuple[float, float]]:
    """Return the smallest and the largest ratio of each statement over several runs.

    Args:
        group: What to time.
        stage: The folder from which the modules are imported.
        repeat: How many runs, each in a process of its own and with nothing cached.

    Raises:
        MeasureError: A statement raised.
    """
    runs = []
    for _ in range(repeat):
        with TemporaryDirectory() as cache:
            runs.append(measure(group, stage, Path(cache), processor_name()).costs())
    return {label: (min(r[label] for r in runs), max(r[label] for r in runs)) for label in runs[0]}


def main(arguments: list[str]) -> None:
    """Measure the groups of all pages, or of those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("doctrees", type=Path, help="folder with Sphinx's pickled environment")
    parser.add_argument("pages", nargs="*", help="names such as guide/raw-pointers; default: all")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each group")
    conf = Path(__file__).parents[1]
    parser.add_argument("--conf", type=Path, default=conf, help="where conf.py is")
    options = parser.parse_intermixed_args(arguments)

    config = runpy.run_path(str(options.conf / "conf.py"))["cython"]
    builder = Builder(
        Examples.scan(config.folder(config.examples, options.conf), config.refused),
        config,
        config.folder(config.cache, options.conf),
        find_toolchain(),
    )
    stage = builder.stage(builder.build_all())
    with (options.doctrees / "environment.pickle").open("rb") as file:
        pages = records(pickle.load(file))
    if unknown := set(options.pages) - set(pages):
        parser.error(f"no such page: {', '.join(sorted(unknown))}")
    where = f"{processor_name()}, {builder.toolchain.name}"
    print(f"{where}: ratios to the fastest, {options.repeat} runs")
    for docname in options.pages or sorted(pages):
        for group in pages[docname].groups.values():
            print(f"\n{docname}")
            for label, (least, most) in spread(group, stage, options.repeat).items():
                print(f"  {ratio(least):>8} to {ratio(most):<8} {label.partition(': ')[2]}")


if __name__ == "__main__":
    main(sys.argv[1:])
