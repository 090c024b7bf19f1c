"""The programs that measure how fast something is: that they run, and tell what they measured."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import builds, sites
from benchmarks.sites import BARE, KINDS, OURS, PEER, WAYS, Example
from support import CONF, VARIABLES, Site

COMPARISON = """
    # Index

    ```{cython-comparison} return a + b
    :example: plain/add

    add | One | add(1, 2)
    add | Two | add(1, 10**30)
    ```
"""

PAGE = """
    # Index

    ```{code-cell}
    from build_times import comparison, growth
    from recorded import PATH

    comparison(PATH)
    ```

    ```{code-cell}
    growth(PATH)
    ```
"""


def run(site: Site, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of the programs in the folder of a site."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    return subprocess.run(
        command, cwd=site.root, env=os.environ | VARIABLES, capture_output=True, text=True
    )


def test_comparisons_are_measured_anew(site: Site):
    site.write({"docs/index.md": COMPARISON})
    site.passes()
    arguments = ("comparisons", "doctrees", "--conf", "docs", "--repeat", "2")
    done = run(site, *arguments, "index")
    assert done.returncode == 0, done.stderr
    head, rows = done.stdout.split("\n\n")
    assert head.endswith("2 runs")
    page, *statements = rows.strip().split("\n")
    assert page == "index"
    lines = [re.fullmatch(r" *([\d.]+) × to ([\d.]+) × +(add\(1, .+\))", s) for s in statements]
    assert [line and line[3] for line in lines] == ["add(1, 2)", "add(1, 10**30)"]
    assert all(line and 1 <= float(line[1]) <= float(line[2]) for line in lines)
    assert 1.0 in [line and float(line[1]) for line in lines], "one of them is the fastest"

    unknown = run(site, *arguments, "nothing")
    assert unknown.returncode == 2
    assert "no such page: nothing" in unknown.stderr


def lists(**medians: tuple[float, float, float]) -> dict[str, dict[str, list[float]]]:
    """Recorded times of peer, bare and ours, with some spread around the medians."""
    return {
        case.replace("_", " "): {
            way: [time * 1.5, time, time * 0.9] for way, time in zip(WAYS, times, strict=True)
        }
        for case, times in medians.items()
    }


GOOD = lists(
    cold=(40, 2, 6),
    one_example_edited=(6, 1, 1.1),
    prose_edited=(1.2, 1, 1.1),
    nothing_changed=(1, 0.9, 1),
)
BAD = lists(
    cold=(40, 2, 6),
    one_example_edited=(6, 1, 1.25),
    prose_edited=(1, 0.9, 1.2),
    nothing_changed=(1, 0.9, 1),
)


@pytest.mark.parametrize("way", WAYS)
def test_every_kind_of_example_is_a_python_call_that_yields_what_is_expected(way: str):
    pages = [Example(number).page(way) for number in range(len(KINDS))]
    assert len({page.partition("# ")[2] for page in pages}) == len(KINDS)
    assert all(("%%cython -a" in page) == (way != OURS) for page in pages)
    assert all(("cython-listing" in page) == (way == OURS) for page in pages)


def test_no_two_examples_have_the_same_source():
    sources = {Example(number, edition).source for number in range(48) for edition in (0, 1)}
    assert len(sources) == 96


@pytest.mark.slow
@pytest.mark.parametrize("way", [BARE, OURS])
def test_a_site_is_built_and_edits_arrive(way: str, tmp_path: Path):
    site = builds.new_site(tmp_path / "site", way, 2)
    builds.build(site)
    site.edit_prose(1)
    assert site.problems() == ["scale_001: no 'This is version 1 of the text.'"]
    site.edit_example(0)
    builds.build(site)


def test_no_way_is_timed_without_bytecode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    site = builds.new_site(tmp_path / "site", BARE, 1)
    assert "PYTHONDONTWRITEBYTECODE" not in builds.variables(site)


def test_a_build_that_fails_is_not_timed(tmp_path: Path):
    site = builds.new_site(tmp_path / "site", BARE, 1)
    (site.docs / "conf.py").unlink()
    with pytest.raises(builds.BuildError, match=r"(?s)bare: exit code 2\n.*conf\.py"):
        builds.build(site)


def test_builds_are_timed_in_turns(monkeypatch: pytest.MonkeyPatch):
    built: list[tuple[str, int, int]] = []

    def build(site: sites.Site) -> float:
        example = site.examples[0]
        built.append((site.way, example.edition, example.revision))
        return float(len(built))

    monkeypatch.setattr(builds, "build", build)
    plans = {way: (way, 1) for way in (BARE, OURS)}
    seconds = builds.measure(plans, (builds.COLD, builds.PROSE, builds.EXAMPLE), 2)
    states = [(0, 0), (0, 1), (1, 1)]
    turns = [(way, *state) for state in states for way in (BARE, OURS)]
    assert built == [(BARE, 0, 0), (OURS, 0, 0), *turns, *turns]
    assert seconds[builds.PROSE] == {BARE: [5.0, 11.0], OURS: [6.0, 12.0]}


def test_verdicts_compare_medians_with_the_goals():
    assert all(verdict.met for verdict in builds.verdicts(GOOD))
    assert builds.peer_wins(GOOD) == []
    table = builds.aligned(*builds.verdict_table(builds.verdicts(BAD)))
    assert table.splitlines() == [
        "build               goal                               measured      verdict",
        "cold                at least 5 × faster than the peer  6.7 ×         met",
        "one example edited  at least 5 × faster than the peer  4.8 ×         missed",
        "prose edited        bare + 0.2 s at most               bare +0.30 s  missed",
        "nothing changed     bare + 0.2 s at most               bare +0.10 s  met",
    ]
    assert builds.peer_wins(BAD) == ["prose edited"]
    assert builds.aligned(*builds.comparison_table(BAD)).splitlines()[1] == (
        "cold                40.0 s (36.0–60.0)  2.00 s (1.80–3.00)  6.00 s (5.40–9.00)"
    )


GROWN = {
    case: {"12": [1.2], "48": [4.0], "192": [19.2 if case == builds.COLD else 8.0]}
    for case in builds.CASES
}


def test_an_example_that_costs_more_on_a_larger_site_is_a_missed_goal():
    judged = {verdict.case: verdict for verdict in builds.growth_verdicts(GROWN)}
    assert judged[builds.COLD].result == "0.100 s, 0.083 s, 0.100 s"
    assert [case for case, verdict in judged.items() if not verdict.met] == [builds.COLD]
    assert builds.growth_table(GROWN)[1][-1][2:] == ["0.078 s", "0.106 s"]


def test_a_part_is_recorded_and_the_other_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "builds.json"
    monkeypatch.setattr(builds, "measure", lambda plans, *_: BAD if PEER in plans else GROWN)
    builds.main(["--record", str(path)])
    builds.main(["--record", str(path), "--growth", "--repeat", "1"])
    recorded = json.loads(path.read_text("utf-8"))
    assert recorded["comparison"]["seconds"] == BAD
    assert recorded["growth"]["seconds"] == GROWN
    assert recorded["comparison"]["versions"]["Cython"]
    assert capsys.readouterr().out.count("missed") == 3


def test_the_page_is_made_from_the_record_and_tells_what_is_missed(site: Site):
    around = {"date": "2026-01-02", "processor": "A <fast> one", "cores": 2, "load": 0.1}
    around |= {"system": "Linux", "versions": {"Cython": "3.3.1"}, "jobs": 2}
    record = {
        "comparison": {**around, "examples": 12, "seconds": BAD},
        "growth": {**around, "seconds": GROWN},
    }
    place = "from pathlib import Path\nPATH = Path(__file__).with_name('recorded.json')\n"
    files = {"recorded.py": place, "recorded.json": json.dumps(record)}
    site.write({"docs/index.md": PAGE, **{f"helpers/{name}": files[name] for name in files}})
    helpers = ("../helpers", str(CONF / "pictures"), str(CONF))
    site.configure(more=f"import dataclasses\ncython = dataclasses.replace(cython, {helpers=})\n")
    site.passes()
    page = site.page("index")
    text = " ".join(page.get_text(" ").split())
    assert "2 of 4 goals are missed: one example edited, prose edited." in text
    assert "The peer is faster where the build is: prose edited." in text
    assert "1 of 4 goals is missed: cold." in text
    assert text.count("Measured on 2026-01-02 on 2 cores of A <fast> one (Linux, load 0.1") == 2
    cells = [[cell.get_text() for cell in row(["th", "td"])] for row in page("tr")]
    assert ["prose edited", "bare + 0.2 s at most", "bare +0.30 s", "missed"] in cells
    assert ["cold", "40.0 s (36.0–60.0)", "2.00 s (1.80–3.00)", "6.00 s (5.40–9.00)"] in cells
    # A new record has the page made anew.
    record["comparison"]["seconds"] = GOOD
    site.write({"helpers/recorded.json": json.dumps(record)})
    assert site.passes().executed == {"index"}
    assert "All 4 goals are met." in site.page("index").get_text()
    assert "In none of these builds is the peer faster." in site.page("index").get_text()
