"""Claims of the page on building a first module."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from array import array
from pathlib import Path

import numpy
import pytest

ROOT = Path(__file__).parents[2]
PAGE = "guide/first-module.md"
PROJECTS = ROOT / "examples" / "packaging"


@pytest.mark.claim(PAGE, "all files shown are files that nox -s packaging builds")
def test_the_page_shows_every_file_of_the_projects():
    page = ROOT / "docs" / PAGE
    shown = re.findall(r"^```\{literalinclude\} (.+)$", page.read_text("utf-8"), re.M)
    files = {path for path in PROJECTS.rglob("*") if path.suffix in {".pyx", ".py"}}
    files |= {path for path in PROJECTS.glob("*/*") if path.is_file()}
    assert {(page.parent / path).resolve() for path in shown} == files
    assert len(list(PROJECTS.glob("*/pyproject.toml"))) == 3


@pytest.mark.claim(PAGE, "so the function takes any buffer of doubles, and const lets it take read")
def test_the_function_takes_any_buffer_of_doubles(load):
    average = load("average")
    values = numpy.array([1.0, 2.0, 6.0])
    values.flags.writeable = False
    for buffer in (array("d", values), values, values[::-1], memoryview(values)):
        assert average.mean(buffer) == 3.0


def test_the_script_runs(load, capsys):
    load("average")
    runpy.run_path(str(PROJECTS / "try_it.py"))
    assert capsys.readouterr().out == "3.0\n"


@pytest.mark.claim(PAGE, "It needs neither Cython nor NumPy")
def test_the_module_imports_neither_cython_nor_numpy(builder, outcomes):
    code = "import sys, array, average\n"
    code += "print(average.mean(array.array('d', [1, 2, 6])), {'numpy', 'Cython'} & {*sys.modules})"
    env = {**os.environ, "PYTHONPATH": str(builder.stage(outcomes))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", env=env
    )
    assert (done.stdout, done.stderr) == ("3.0 set()\n", "")


@pytest.mark.claim(PAGE, "a view needs no header but Python's")
def test_the_c_includes_no_header_of_numpy(c_file):
    assert not re.search(r"#\s*include\s+[<\"]numpy/", c_file("packaging/average"))


@pytest.mark.claim(PAGE, "An array of another type is refused, since a view never converts")
@pytest.mark.claim(PAGE, "A list is no buffer")
def test_what_is_refused(load):
    average = load("average")
    with pytest.raises(ValueError, match="expected 'const double' but got 'int'"):
        average.mean(array("i", [1, 2, 6]))
    with pytest.raises(TypeError, match="a bytes-like object is required, not 'list'"):
        average.mean([1.0, 2.0, 6.0])


def test_the_setup_script_builds_the_module(tmp_path):
    """The other two need backends from a registry; the packaging session builds all three."""
    shutil.copytree(PROJECTS / "setuptools", tmp_path, dirs_exist_ok=True)
    shutil.copy(PROJECTS / "average.pyx", tmp_path)
    build = [sys.executable, "setup.py", "build_ext", "--inplace"]
    env = {**os.environ, "CFLAGS": "-O0 -g0 " + os.environ.get("CFLAGS", "")}
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, encoding="utf-8", env=env)
    assert done.returncode == 0, done.stderr
    script = [sys.executable, str(PROJECTS / "try_it.py")]
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, encoding="utf-8", env=env)
    assert (done.stdout, done.stderr) == ("3.0\n", "")
