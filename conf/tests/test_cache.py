"""What the cache keeps, what is removed from it, and that no build loses what it uses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import CONF

from sphinx_cython.core import cache as caching
from sphinx_cython.core.cache import KEPT_BUILDS, Claim, claim, mark_used

FOLDER = "a-0123456789abcdef0123"
OTHER = "b-0123456789abcdef0123"
RESULT = "0123456789abcdef0123.json"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def fill(cache: Path, *names: str, age: float = 1000) -> None:
    """Put artefacts and results into a cache that were used some seconds ago."""
    when = time.time() - age
    for name in names:
        path = cache / name
        if path.suffix:
            path.parent.mkdir(exist_ok=True)
            path.write_text("x" * 100)
        else:
            path.mkdir()
            (path / "file").write_text("x" * 100)
        os.utime(path, (when, when))


def build(cache: Path, *uses: str) -> None:
    """Act as a whole build that uses some artefacts."""
    with claim(cache) as held:
        for name in uses:
            mark_used(cache / name)
        held.finish()


def names(cache: Path) -> set[str]:
    paths = (path for path in cache.rglob("*") if ".users" not in path.parts)
    return {path.relative_to(cache).as_posix() for path in paths} - {"executed", "measured"}


def tops(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()} - {".users"}


# --- what is kept


def test_what_one_of_the_last_builds_used_is_kept_and_the_rest_removed(cache):
    fill(cache, FOLDER, OTHER)
    build(cache, FOLDER, OTHER)
    for _ in range(KEPT_BUILDS):
        build(cache, FOLDER)
        assert tops(cache) == {FOLDER, OTHER}
    build(cache, FOLDER)
    assert tops(cache) == {FOLDER}


def test_many_edits_do_not_fill_the_cache(cache):
    for number in range(30):
        fill(cache, f"a-{number:020}", f"stage-{number:020}", age=0)
        build(cache, f"a-{number:020}", f"stage-{number:020}")
    assert len(tops(cache)) <= 2 * (KEPT_BUILDS + 2)
    assert f"a-{29:020}" in tops(cache)


def test_a_build_that_did_not_get_far_does_not_count(cache):
    fill(cache, FOLDER)
    build(cache, FOLDER)
    for _ in range(2 * KEPT_BUILDS):
        with claim(cache):
            pass
    assert tops(cache) == {FOLDER}


def test_nothing_but_artefacts_is_removed(cache):
    """Somebody may put the cache where there is more."""
    mine = {"docs", "a-b", "notes.txt", ".tmp-notes", ".git", "executed.txt"}
    for name in mine:
        (cache / name).mkdir()
        (cache / name / "file").write_text("")
    fill(cache, FOLDER, "executed/notes.txt")
    for _ in range(KEPT_BUILDS + 1):
        build(cache)
    assert tops(cache) == mine | {"executed"}
    assert (cache / "executed/notes.txt").is_file()


@pytest.mark.parametrize("kind", ["executed", "measured"])
def test_results_are_kept_up_to_a_limit_those_used_last_first(cache, monkeypatch, kind: str):
    """A page that is not read in a build does not look up its result, though it is still valid."""
    results = [f"{kind}/{number:020}.json" for number in range(10)]
    for number, name in enumerate(results):
        fill(cache, name, age=1000 - number)
    mark_used(cache / results[0])
    for _ in range(2 * KEPT_BUILDS):
        build(cache)
    assert {*results} <= names(cache)
    monkeypatch.setattr(caching, "RESULT_BYTES", 450)
    build(cache)
    assert names(cache) == {results[0], *results[-3:]}


# --- what a killed build left


LEFT = (".tmp-abcd_123", ".tmp-abcd1234.json", "executed/.tmp-abcd1234.json")


def leave(cache: Path) -> None:
    fill(cache, LEFT[0], "executed/" + RESULT)
    for name in LEFT[1:]:
        (cache / name.removesuffix(".json")).write_text("half")


def left(cache: Path) -> list[Path]:
    return [*cache.rglob(".tmp-*")]


def test_what_a_killed_build_left_is_removed_by_the_next(cache):
    leave(cache)
    build(cache)
    assert left(cache) == []
    assert (cache / "executed" / RESULT).is_file()


# --- two at once

HOLD = """
import sys
from pathlib import Path
from sphinx_cython.core.cache import claim
with claim(Path(sys.argv[1])) as held:
    print("ready", flush=True)
    if "fork" in sys.argv:
        import os, time
        if os.fork() == 0:
            time.sleep(300)
    sys.stdin.read()
    held.finish()
"""


def hold(cache: Path, *more: str) -> subprocess.Popen[str]:
    """Start a build that uses the cache until its input ends."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(cache), *more],
        env=os.environ | {"PYTHONPATH": str(CONF)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert other.stdout
    assert other.stdout.readline() == "ready\n"
    return other


@pytest.fixture
def other(cache) -> Iterator[subprocess.Popen[str]]:
    process = hold(cache)
    yield process
    process.communicate()


def outdate(cache: Path) -> None:
    """Put something into the cache that the next build would remove."""
    for _ in range(KEPT_BUILDS):
        build(cache)
    fill(cache, FOLDER, age=10**6)
    leave(cache)


def test_nothing_is_removed_while_another_build_runs(cache, other):
    outdate(cache)
    build(cache)
    assert FOLDER in tops(cache)
    assert len(left(cache)) == 3
    other.communicate("")
    build(cache)
    assert FOLDER not in tops(cache)
    assert left(cache) == []


def test_nothing_is_removed_while_this_process_builds_already(cache):
    with claim(cache):
        outdate(cache)
        build(cache)
        assert FOLDER in tops(cache)
    build(cache)
    assert FOLDER not in tops(cache)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_build_does_not_hold_the_cache_for_ever(cache, how: signal.Signals):
    other = hold(cache)
    outdate(cache)
    os.kill(other.pid, how)
    other.communicate()
    build(cache)
    assert FOLDER not in tops(cache)
    assert not list((cache / ".users").glob("build-*"))


def test_a_build_that_has_ended_does_not_hold_the_cache_by_what_it_forked(cache):
    other = hold(cache, "fork")
    outdate(cache)
    assert other.stdin
    assert other.stdout
    with other.stdin, other.stdout:
        other.stdin.close()
        other.wait()
        build(cache)
        assert FOLDER not in tops(cache)
        os.killpg(other.pid, signal.SIGKILL)


def test_a_fork_does_not_give_up_what_its_parent_uses(cache):
    held = claim(cache)
    outdate(cache)
    if (child := os.fork()) == 0:
        held.release()
        os._exit(0)
    os.waitpid(child, 0)
    build(cache)
    assert FOLDER in tops(cache)
    held.release()


def test_many_builds_that_start_and_end_at_once(cache):
    """None may lose what it uses while it runs."""
    code = HOLD.split("with claim")[0] + (
        "import random, time\n"
        "from sphinx_cython.core.cache import mark_used\n"
        "cache = Path(sys.argv[1])\n"
        "for number in range(20):\n"
        "    with claim(cache) as held:\n"
        f"        folder = cache / {FOLDER!r}\n"
        "        folder.mkdir(exist_ok=True)\n"
        "        mark_used(folder)\n"
        "        for _ in range(5):\n"
        "            time.sleep(random.random() / 200)\n"
        "            assert folder.is_dir()\n"
        "        held.finish()\n"
    )
    env = os.environ | {"PYTHONPATH": str(CONF)}
    processes = [subprocess.Popen([sys.executable, "-c", code, str(cache)], env=env) for _ in "123"]
    assert [process.wait() for process in processes] == [0, 0, 0]


# --- where that is not possible


def test_a_cache_that_cannot_be_written_is_left_alone(tmp_path):
    (tmp_path / "file").write_text("")
    build(tmp_path / "file")
    build(tmp_path / "file" / "cache")
    assert (tmp_path / "file").read_text() == ""


def test_without_locks_nothing_is_removed(cache, monkeypatch):
    def refuse(*rest: object) -> None:
        raise OSError("No locks available")

    outdate(cache)
    monkeypatch.setattr(caching, "_lock", refuse)
    build(cache)
    assert FOLDER in tops(cache)


def test_a_gate_that_never_opens_does_not_stop_a_build(cache, monkeypatch):
    monkeypatch.setattr(caching, "GATE_SECONDS", 0.2)
    build(cache)
    outdate(cache)
    with (cache / ".users" / "gate").open() as gate:
        caching._lock(gate.fileno())
        build(cache)
    assert FOLDER in tops(cache)


def test_a_claim_can_be_given_up_twice(cache):
    held = claim(cache)
    assert isinstance(held, Claim)
    held.release()
    held.release()
