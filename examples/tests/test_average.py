"""Claims of the page on building a first module."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import zipfile
from array import array
from pathlib import Path

import numpy
import pytest

ROOT = Path(__file__).parents[2]
PAGE = "guide/first-module.md"
PROJECTS = ROOT / "examples" / "packaging"


@pytest.mark.claim(PAGE, "the-page-shows-every-file-of-the-projects")
def test_the_page_shows_every_file_of_the_projects():
    page = ROOT / "docs" / PAGE
    shown = re.findall(r"^```\{literalinclude\} (.+)$", page.read_text("utf-8"), re.M)
    files = {path for path in PROJECTS.rglob("*") if path.suffix in {".pyx", ".py"}}
    files |= {path for path in PROJECTS.glob("*/*") if path.is_file()}
    assert {(page.parent / path).resolve() for path in shown} == files
    assert len(list(PROJECTS.glob("*/pyproject.toml"))) == 3


@pytest.mark.claim(
    PAGE,
    "the-function-takes-any-buffer-of-doubles",
)
def test_the_function_takes_any_buffer_of_doubles(load):
    average = load("average")
    values = numpy.array([1.0, 2.0, 6.0])
    values.flags.writeable = False
    for buffer in (array("d", values), values, values[::-1], memoryview(values)):
        assert average.mean(buffer) == 3.0
    two_dimensional, swapped = values[None], values.astype(values.dtype.newbyteorder())
    for buffer in (two_dimensional, two_dimensional[0, 0], swapped):
        with pytest.raises((ValueError, TypeError)):
            average.mean(buffer)


def test_the_script_runs(load, capsys):
    load("average")
    runpy.run_path(str(PROJECTS / "try_it.py"))
    assert capsys.readouterr().out == "3.0\n"


@pytest.mark.claim(PAGE, "the-module-imports-neither-cython-nor-numpy")
def test_the_module_imports_neither_cython_nor_numpy(builder, outcomes):
    code = "import sys, array, average\n"
    code += "print(average.mean(array.array('d', [1, 2, 6])), {'numpy', 'Cython'} & {*sys.modules})"
    env = {**os.environ, "PYTHONPATH": str(builder.stage(outcomes))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", env=env
    )
    assert (done.stdout, done.stderr) == ("3.0 set()\n", "")


@pytest.mark.claim(PAGE, "the-c-includes-no-header-of-numpy")
def test_the_c_includes_no_header_of_numpy(c_file):
    assert not re.search(r"#\s*include\s+[<\"]numpy/", c_file("packaging/average"))


@pytest.mark.claim(PAGE, "what-is-refused")
@pytest.mark.claim(PAGE, "what-is-refused-2")
def test_what_is_refused(load):
    average = load("average")
    with pytest.raises(ValueError, match="expected 'const double' but got 'int'"):
        average.mean(array("i", [1, 2, 6]))
    with pytest.raises(TypeError, match="a bytes-like object is required, not 'list'"):
        average.mean([1.0, 2.0, 6.0])


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A folder with all files of the setuptools project, as a reader of the page has it."""
    folder = tmp_path_factory.mktemp("average")
    shutil.copytree(PROJECTS / "setuptools", folder, dirs_exist_ok=True)
    for name in ("average.pyx", "try_it.py"):
        shutil.copy(PROJECTS / name, folder)
    return folder


def run(folder: Path, *arguments: str, **env: str) -> str:
    command = [sys.executable, *arguments]
    env = {**os.environ, **env}
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def wheel(project: Path) -> set[str]:
    """Build a wheel without the network, and return the files in it without the metadata."""
    shutil.rmtree(project / "dist", ignore_errors=True)
    shutil.rmtree(project / "build", ignore_errors=True)
    shutil.rmtree(project / "average.egg-info", ignore_errors=True)
    flags = "-O0 -g0 " + os.environ.get("CFLAGS", "")
    code = "import setuptools.build_meta as backend; backend.build_wheel('dist')"
    run(project, "-c", code, CFLAGS=flags)
    (path,) = (project / "dist").glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        archive.extractall(project / "dist" / "installed")
    return {name for name in names if ".dist-info/" not in name}


@pytest.mark.claim(
    PAGE,
    "setuptools-installs-one-compiled-file-2",
)
@pytest.mark.claim(PAGE, "setuptools-installs-one-compiled-file")
def test_setuptools_installs_one_compiled_file(project):
    """The other two need backends from a registry; the packaging session builds all three."""
    (name,) = wheel(project)
    assert re.fullmatch(r"average\..+\.(so|pyd)", name)
    installed = str(project / "dist" / "installed")
    assert run(project, "try_it.py", PYTHONPATH=installed) == "3.0\n"


@pytest.mark.claim(
    PAGE,
    "setuptools-by-itself-installs-the-script-too",
)
def test_setuptools_by_itself_installs_the_script_too(project):
    setup = project / "setup.py"
    before = setup.read_text("utf-8")
    setup.write_text(before.replace(", py_modules=[]", ""), "utf-8")
    try:
        assert "try_it.py" in wheel(project)
    finally:
        setup.write_text(before, "utf-8")
