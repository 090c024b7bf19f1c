"""What statements cost, each relative to the fastest, whatever they do to their process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support import VARIABLES
from test_process import assert_gone, eventually, posix

from sphinx_cython.core import measure as measuring
from sphinx_cython.core.measure import Group, MeasureError, Statement, measure, measure_all
from sphinx_cython.core.timing import Rule

SHORT, LONG = Statement("s", "work", "work(1)"), Statement("l", "work", "work(200)")
GROUP = Group("", (SHORT, LONG), ("digest",), "a + b")
# What never ends, in C and with the GIL held: no thread and no handler of Python gets a turn.
NEVER = "import itertools; sum(itertools.repeat(0))"


def group(code: str = "work(1)", setup: str = "", title: str = "a + b") -> Group:
    """A group of a statement that works and another one."""
    return Group(setup, (SHORT, Statement("x", "work", code)), (), title)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module to time, and a quick way of timing."""
    monkeypatch.setattr(measuring, "RULE", Rule(round_seconds=0.0001, budget=0.001))
    monkeypatch.setattr(measuring, "WARM", ())
    folder = tmp_path / "stage"
    folder.mkdir()
    (folder / "work.py").write_text("def work(n):\n    for i in range(n * 10): pass\n")
    return folder


@pytest.fixture(params=[pytest.param(True, marks=posix), False], ids=["fork", "no fork"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether groups run in forks of one process, or each in a process that is started for it."""
    if request.param and not measuring.FORKS:
        pytest.skip("no fork here")
    monkeypatch.setattr(measuring, "FORKS", request.param)
    return request.param


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Group]:
    """The groups that were really timed."""
    timed: list[Group] = []
    real = measuring._time

    def time(groups: list[Group], *rest: object) -> object:
        timed.extend(groups)
        return real(groups, *rest)

    monkeypatch.setattr(measuring, "_time", time)
    return timed


def test_the_fastest_costs_one_and_the_others_a_multiple_of_it(stage, tmp_path, way):
    costs = measure(GROUP, stage, tmp_path, "this one").costs()
    assert costs["s"] == 1.0
    assert costs["l"] > 5


def test_names_of_the_module_and_of_the_setup_can_be_used(stage, tmp_path, way):
    statement = Statement("s", "work", "assert work and twice == 4")
    group = Group("twice = 2 * 2", (statement,), ())
    assert measure(group, stage, tmp_path, "").costs() == {"s": 1.0}


def test_the_spread_is_kept_beside_the_best(stage, tmp_path, way):
    timings = measure(GROUP, stage, tmp_path, "this one").timings
    for timing in timings.values():
        assert 0 < timing.best <= timing.quartiles[0] <= timing.quartiles[1] <= timing.quartiles[2]
        assert timing.rounds >= 2
    (kept,) = (tmp_path / "measured").iterdir()
    data = json.loads(kept.read_text())
    assert data["version"] == measuring.VERSION
    assert data["processor"] == "this one"
    assert data["timings"]["l"]["best"] == timings["l"].best
    assert tuple(data["timings"]["l"]["quartiles"]) == timings["l"].quartiles
    assert data["timings"]["l"]["rounds"] == timings["l"].rounds


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


def test_what_a_group_is_called_and_where_changes_nothing(stage, tmp_path, runs):
    measure(GROUP, stage, tmp_path, "this one")
    measure(replace(GROUP, title="c", line=7), stage, tmp_path, "this one")
    assert runs == [GROUP]


def test_another_machine_measures_for_itself(stage, tmp_path, runs):
    measure(GROUP, stage, tmp_path, "this one")
    measure(GROUP, stage, tmp_path, "that one")
    assert runs == [GROUP, GROUP]


@pytest.mark.parametrize("changed", ["VERSION", "RULE"])
def test_another_way_of_measuring_measures_again(stage, tmp_path, runs, monkeypatch, changed):
    measure(GROUP, stage, tmp_path, "this one")
    other = {"VERSION": measuring.VERSION + 1, "RULE": Rule(budget=0.002)}
    monkeypatch.setattr(measuring, changed, other[changed])
    measure(GROUP, stage, tmp_path, "this one")
    assert runs == [GROUP, GROUP]


@pytest.mark.parametrize("damage", ["", "{", "{}", '{"s": 1.0}', "[]", '{"s": "x", "l": 1}'])
def test_a_damaged_result_is_measured_again(stage, tmp_path, runs, damage: str):
    measure(GROUP, stage, tmp_path, "this one")
    (kept,) = (tmp_path / "measured").iterdir()
    kept.write_text(damage)
    assert set(measure(GROUP, stage, tmp_path, "this one").costs()) == {"s", "l"}
    assert runs == [GROUP, GROUP]


def test_a_result_of_another_version_is_not_read(stage, tmp_path, runs):
    measure(GROUP, stage, tmp_path, "this one")
    (kept,) = (tmp_path / "measured").iterdir()
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"version": 2}))
    measure(GROUP, stage, tmp_path, "this one")
    assert runs == [GROUP, GROUP]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (group("work(1/0)"), "a + b: 'work(1/0)' raised ZeroDivisionError: division by zero"),
        (group("work("), "a + b: 'work(' raised SyntaxError: '(' was never closed"),
        (
            group(setup="nothing"),
            "a + b: the setup of 'work(1)' raised NameError: name 'nothing' is not defined",
        ),
        (
            replace(GROUP, statements=(SHORT, Statement("x", "gone", "1"))),
            "a + b: the setup of '1' raised ModuleNotFoundError: No module named 'gone'",
        ),
        (group("import os; os._exit(9)"), "'import os; os._exit(9)' ended with exit code 9"),
        (group("raise SystemExit(3)"), "'raise SystemExit(3)' raised SystemExit: 3"),
        pytest.param(
            group("import os; os.kill(os.getpid(), 11)"),
            "'import os; os.kill(os.getpid(), 11)' was ended by SIGSEGV",
            marks=posix,
        ),
        (group("import os; os.write(2, b'free: bad'); os._exit(1)"), "exit code 1\nfree: bad"),
    ],
)
def test_a_failure_names_the_group_and_the_statement_and_is_not_kept(
    stage, tmp_path, way, wrong, words: str
):
    with pytest.raises(MeasureError) as raised:
        measure(wrong, stage, tmp_path, "this one")
    assert words in str(raised.value)
    assert "Traceback" not in str(raised.value)
    assert not (tmp_path / "measured").exists()


@pytest.mark.parametrize("where", ["setup", "code"])
def test_a_statement_that_never_ends_is_ended(stage, tmp_path, way, where: str):
    wrong = group(**{where: NEVER})
    with pytest.raises(MeasureError) as raised:
        measure(wrong, stage, tmp_path, "this one", limit=1)
    what = f"{NEVER!r}" if where == "code" else "the setup of 'work(1)'"
    assert str(raised.value) == f"a + b: {what} took longer than 1 s and was ended"


@posix
def test_what_a_statement_started_is_ended_with_it(stage, tmp_path, way):
    note = tmp_path / "note"
    start = (
        "import os, subprocess\n"
        "p = subprocess.Popen(['sleep', '300'])\n"
        f"print(p.pid, os.getpid(), file=open({str(note)!r}, 'w'))"
    )
    with pytest.raises(MeasureError):
        measure(group(NEVER, setup=start), stage, tmp_path, "this one", limit=1)
    assert_gone([int(number) for number in note.read_text().split()])


def test_a_group_that_fails_does_not_stop_the_others(stage, tmp_path, way):
    groups = {
        "a": group("import os; os._exit(1)"),
        "b": GROUP,
        "c": group(NEVER, title="c * d"),
        "d": replace(GROUP, setup="x = 1"),
    }
    results = measure_all(groups, stage, tmp_path, "this one", limit=1)
    assert list(results) == ["a", "b", "c", "d"]
    assert [isinstance(result, MeasureError) for result in results.values()] == [True, False] * 2
    assert str(results["c"]).startswith("c * d: ")
    assert results["b"].costs()["l"] > 5
    assert len([*(tmp_path / "measured").iterdir()]) == 2


def test_groups_are_timed_once_though_many_pages_show_them(stage, tmp_path, runs):
    results = measure_all({"a": GROUP, "b": GROUP}, stage, tmp_path, "this one")
    assert runs == [GROUP]
    assert results["a"] == results["b"]


def test_what_statements_print_is_not_taken_for_the_result(stage, tmp_path, way, capfd):
    noisy = group(
        "print('{}'); import os; os.write(1, b'[1]\\n'); os.write(2, b'oh\\n')",
        setup="print('[]')\nimport json, sys\njson.dump = json.dumps = sys.stderr = None",
    )
    assert set(measure(noisy, stage, tmp_path, "this one").costs()) == {"s", "x"}
    assert capfd.readouterr() == ("", "")


def test_one_group_does_not_see_what_another_one_left(stage, tmp_path, way):
    leaves = "import sys; sys.mark = sys.modules['work'].mark = 1"
    looks = "import sys; assert not any(hasattr(m, 'mark') for m in (sys, sys.modules['work']))"
    results = measure_all(
        {"a": group(setup=leaves), "b": group(setup=looks)}, stage, tmp_path, "this one"
    )
    assert [type(result).__name__ for result in results.values()] == ["Measurement"] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_groups_are_timed_one_after_the_other(stage, tmp_path, way):
    note = tmp_path / "note"
    setup = f"import os, time\nprint('begin', time.monotonic(), file=open({str(note)!r}, 'a'))"
    final = f"print('end', __import__('time').monotonic(), file=open({str(note)!r}, 'a'))"
    groups = {str(n): group(final, setup=f"{setup}\nn = {n}") for n in range(3)}
    results = measure_all(groups, stage, tmp_path, "this one")
    assert all(not isinstance(result, MeasureError) for result in results.values())
    lines = [line.split() for line in note.read_text().splitlines()]
    times = [float(time) for _, time in lines]
    assert times == sorted(times)
    words = [word for word, _ in lines]
    starts = [n for n, word in enumerate(words) if word == "begin" and words[n - 1] != "begin"]
    assert len(starts) == 3


@posix
@pytest.mark.skipif(not measuring.FORKS, reason="no fork here")
def test_forks_have_what_started_processes_have(stage, tmp_path, monkeypatch):
    """The two ways differ in how long they take to start, and in nothing that a statement sees."""
    seen: dict[bool, str] = {}
    for forks in (True, False):
        note = tmp_path / f"note-{forks}"
        look = (
            "import os, sys\n"
            "facts = [os.environ.get('PYTHONHASHSEED'), sys.flags.hash_randomization, "
            "sys.path[0], __name__, sys.stdin.read(), os.getpgid(0) == os.getpid()]\n"
            f"print(facts, file=open({str(note)!r}, 'w'))"
        )
        monkeypatch.setattr(measuring, "FORKS", forks)
        measure(group(setup=look), stage, tmp_path / str(forks), "this one")
        seen[forks] = note.read_text()
    assert seen[True] == seen[False]
    assert repr(str(stage)) in seen[True]


KILLED = """
import os
import subprocess
import sys
from pathlib import Path
from sphinx_cython.core import measure as measuring
from sphinx_cython.core.measure import Group, Statement, measure

measuring.FORKS = {forks!r}
statement = Statement("x", "work", {code!r})
measure(Group("", (statement,), ()), Path({stage!r}), Path({cache!r}), "this one")
"""


@posix
def test_a_build_that_is_killed_takes_its_measurements_with_it(stage, tmp_path, way):
    note = tmp_path / "note"
    write = f"import os; print(os.getpid(), os.getppid(), file=open({str(note)!r}, 'w'))"
    code = KILLED.format(
        forks=way, code=f"{write}; {NEVER}", stage=str(stage), cache=str(tmp_path / "cache")
    )
    build = subprocess.Popen([sys.executable, "-c", code], env=os.environ | VARIABLES)
    eventually(lambda: note.exists() and note.read_text().endswith("\n"))
    build.kill()
    build.wait()
    # Without forks, the parent of the process that measures is the build itself.
    assert_gone([int(number) for number in note.read_text().split()])
