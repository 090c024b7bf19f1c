"""What statements cost, each relative to the fastest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sphinx_cython.core import measure as measuring
from sphinx_cython.core.measure import Group, MeasureError, Statement, measure

SHORT, LONG = Statement("s", "work", "work(1)"), Statement("l", "work", "work(200)")
GROUP = Group("", (SHORT, LONG), ("digest",))


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module to time, and a quick way of timing."""
    monkeypatch.setattr(measuring, "ROUNDS", 3)
    monkeypatch.setattr(measuring, "ROUND_SECONDS", 0.0005)
    folder = tmp_path / "stage"
    folder.mkdir()
    (folder / "work.py").write_text("def work(n):\n    for i in range(n * 10): pass\n")
    return folder


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Group]:
    """The groups that were really timed."""
    timed: list[Group] = []
    real = measuring._time
    monkeypatch.setattr(measuring, "_time", lambda g, stage: timed.append(g) or real(g, stage))
    return timed


def test_the_fastest_costs_one_and_the_others_a_multiple_of_it(stage, tmp_path):
    costs = measure(GROUP, stage, tmp_path, "this one")
    assert costs["s"] == 1.0
    assert costs["l"] > 5


def test_names_of_the_module_and_of_the_setup_can_be_used(stage, tmp_path):
    statement = Statement("s", "work", "assert work and twice == 4")
    assert measure(Group("twice = 2 * 2", (statement,), ()), stage, tmp_path, "") == {"s": 1.0}


def test_the_result_is_kept(stage, tmp_path, runs):
    first = measure(GROUP, stage, tmp_path, "this one")
    assert measure(GROUP, stage, tmp_path, "this one") == first
    assert runs == [GROUP]


@pytest.mark.parametrize(
    "other",
    [
        replace(GROUP, digests=("another",)),
        replace(GROUP, setup="x = 1"),
        replace(GROUP, statements=(SHORT, replace(LONG, code="work(3)"))),
    ],
)
def test_what_changes_the_result_is_measured_again(stage, tmp_path, runs, other):
    measure(GROUP, stage, tmp_path, "this one")
    measure(other, stage, tmp_path, "this one")
    assert runs == [GROUP, other]


def test_another_machine_measures_for_itself(stage, tmp_path, runs):
    measure(GROUP, stage, tmp_path, "this one")
    measure(GROUP, stage, tmp_path, "that one")
    assert runs == [GROUP, GROUP]


@pytest.mark.parametrize("damage", ["", "{", "{}", '{"s": 1.0}', "[]", '{"s": "x", "l": 1}'])
def test_a_damaged_result_is_measured_again(stage, tmp_path, runs, damage: str):
    measure(GROUP, stage, tmp_path, "this one")
    (kept,) = (tmp_path / "measured").iterdir()
    kept.write_text(damage)
    assert set(measure(GROUP, stage, tmp_path, "this one")) == {"s", "l"}
    assert runs == [GROUP, GROUP]


@pytest.mark.parametrize(
    ("group", "words"),
    [
        (replace(GROUP, statements=(Statement("s", "work", "work(1/0)"),)), "ZeroDivisionError"),
        (replace(GROUP, setup="nothing"), "NameError: name 'nothing' is not defined"),
        (replace(GROUP, statements=(Statement("s", "gone", "1"),)), "No module named 'gone'"),
        (replace(GROUP, setup="import os; os._exit(9)"), "exit code 9"),
    ],
)
def test_what_raises_is_told_and_not_kept(stage, tmp_path, group, words: str):
    with pytest.raises(MeasureError, match=words):
        measure(group, stage, tmp_path, "this one")
    assert not (tmp_path / "measured").exists()
