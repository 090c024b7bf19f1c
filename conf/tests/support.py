"""What the tests share: examples in temporary folders, small sites, and runs of Sphinx."""

from __future__ import annotations

import copy
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from textwrap import dedent
from typing import Any

import myst_nb.sphinx_  # noqa: F401  (for builds in forks, like the next one)
import pytest
import sphinx.cmd.build
from bs4 import BeautifulSoup, Tag
from docutils import nodes

from publishing.browser import FLAGS, NAMES
from sphinx_cython.core.builder import Builder
from sphinx_cython.core.config import Config, Profile
from sphinx_cython.core.example import Examples
from sphinx_cython.core.toolchain import Toolchain, find_toolchain
from sphinx_cython.core.translate import SHARED_MODULE

CONF = Path(__file__).resolve().parents[1]
SAMPLES = Path(__file__).parent / "samples"
# Of the environment in which the sites are built.
VARIABLES = {"PYTHONPATH": str(CONF), "NO_COLOR": "1", "PYTHONUTF8": "1"}
# Compiling at -O0 takes a fifth of the time, and no test is about speed.
QUICK = Profile("default", flags=("-O0",))


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write files below a folder; the text may be indented like the code around it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).removeprefix("\n"), encoding="utf-8", newline="")


def parse(html: str) -> BeautifulSoup:
    """Parse a page without losing white space, as BeautifulSoup does outside ``pre``."""
    return BeautifulSoup(html, "html.parser", preserve_whitespace_tags={"html"})


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return find_toolchain()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for the whole run: what is cached by content is compiled once.

    The shared utility module takes as long to build as all samples together. If the site has just
    been built, as ``nox -s tests`` does, its module is taken; it is known by its digest.
    """
    folder = tmp_path_factory.mktemp("cache")
    for built in (CONF.parent / "build" / "cython").glob(f"{SHARED_MODULE}-*"):
        shutil.copytree(built, folder / built.name)
    return folder


@pytest.fixture
def scan(tmp_path: Path) -> Callable[[Mapping[str, str]], Examples]:
    """Write examples and scan them."""

    def scan(files: Mapping[str, str]) -> Examples:
        write(tmp_path / "examples", files)
        return Examples.scan(tmp_path / "examples")

    return scan


@pytest.fixture
def make_builder(
    scan: Callable[[Mapping[str, str]], Examples], tmp_path: Path, toolchain: Toolchain
) -> Callable[..., Builder]:
    """Make a builder of some examples, with a cache of its own unless told otherwise."""

    def make(files: Mapping[str, str], *profiles: Profile, cache: Path | None = None) -> Builder:
        config = Config(profiles=profiles or (QUICK,))
        return Builder(scan(files), config, cache or tmp_path / "cache", toolchain, jobs=2)

    return make


@pytest.fixture(scope="session")
def samples(cache: Path, toolchain: Toolchain) -> Builder:
    """A builder of the examples in ``samples``; what it builds is shared by all tests."""
    config = Config(
        profiles=(QUICK, Profile("shared", flags=("-O0",), shared=True, examples=("ways",)))
    )
    return Builder(Examples.scan(SAMPLES), config, cache, toolchain, jobs=2)


@dataclass
class Run:
    """What a run of Sphinx did.

    Attributes:
        code: Its exit code.
        out: What it told.
        err: What it complained about.
    """

    code: int
    out: str
    err: str

    @property
    def compiled(self) -> set[str]:
        """The variants that were compiled or refused."""
        return set(re.findall(r"^examples \[\d+/\d+\] (\S+): ", self.out, re.M))

    @property
    def executed(self) -> set[str]:
        """The pages whose cells ran."""
        return set(re.findall(r"^executing (\S+) \(", self.out, re.M))

    @property
    def read(self) -> set[str]:
        """The pages that were read (known in serial builds only)."""
        return set(re.findall(r"reading sources\.\.\. \[ *\d+%\] (\S+)", self.out))

    @property
    def written(self) -> set[str]:
        """The pages that were written (known in serial builds only)."""
        return set(re.findall(r"writing output\.\.\. \[ *\d+%\] (\S+)", self.out))

    @property
    def warnings(self) -> list[str]:
        """The first line of each warning and error, from its place on."""
        return re.findall(r"^.*(?:WARNING|ERROR): .*$", self.err, re.M)


@dataclass
class Site:
    """A small site in a folder of its own.

    Attributes:
        root: Holds ``docs`` (with ``conf.py``), ``examples``, ``helpers`` and what is built.
        cache: Where artefacts are kept.
    """

    root: Path
    cache: Path

    def write(self, files: Mapping[str, str]) -> None:
        """Write files below the root."""
        write(self.root, files)

    def with_own_cache(self) -> Site:
        """Return the site with a cache below its root; artefacts are taken along, outputs not."""
        keep_out = shutil.ignore_patterns("executed", "measured", ".tmp-*", "stage-*")
        shutil.copytree(self.cache, self.root / "cache", ignore=keep_out)
        return replace(self, cache=self.root / "cache")

    def configure(self, profiles: str = "QUICK,", more: str = "", **settings: object) -> None:
        """Write ``conf.py``.

        Args:
            profiles: The profiles as Python; QUICK is the default one.
            more: Python at the end.
            settings: Of the extension.
        """
        settings = {"examples": "../examples", **settings}
        given = "".join(f"    {name}={value!r},\n" for name, value in settings.items())
        self.write(
            {
                "docs/conf.py": (
                    "from sphinx_cython.core.config import Config, Profile\n"
                    "project, author, release = 'Small', 'Somebody', '1'\n"
                    "copyright = '2026'\n"
                    "extensions = ['myst_nb', 'sphinx_cython']\n"
                    "html_theme = 'basic'\n"
                    "html_copy_source = False\n"
                    f"QUICK = {QUICK!r}\n"
                    f"cython = Config(\n{given}    cache={str(self.cache)!r},\n"
                    f"    helpers=('../helpers',),\n    profiles=({profiles}),\n)\n{more}"
                )
            }
        )

    @staticmethod
    def arguments(*options: str, builder: str = "html", doctrees: str = "doctrees") -> list[str]:
        """Return the arguments for Sphinx: as in noxfile.py; -a and -E are never needed."""
        return ["-n", "-T", "-W", *options, "-b", builder, "-d", doctrees, "docs", builder]

    def start(
        self, *options: str, env: Mapping[str, str] = {}, **how: str
    ) -> subprocess.Popen[str]:
        """Start a build in a process group of its own, and do not wait for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "sphinx", *self.arguments(*options, **how)],
            cwd=self.root,
            env=os.environ | VARIABLES | env,
            text=True,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def build(
        self, *options: str, fork: bool = True, env: Mapping[str, str] = {}, **how: str
    ) -> Run:
        """Build, and return what happened.

        Args:
            options: For Sphinx.
            fork: Build in a fork of this process, which has Sphinx loaded already and saves two
                seconds, unless there are variables to set; otherwise as a process of its own.
            env: Variables to set.
            how: See ``arguments``.
        """
        if fork and not env and hasattr(os, "fork"):
            return self._build_in_a_fork(self.arguments(*options, **how))
        process = self.start(*options, env=env, **how)
        out, err = process.communicate()
        return Run(process.returncode, out, err)

    def _build_in_a_fork(self, arguments: list[str]) -> Run:
        with (
            TemporaryFile("w+", encoding="utf-8") as out,
            TemporaryFile("w+", encoding="utf-8") as err,
        ):
            if (process := os.fork()) == 0:
                code = 99
                try:
                    os.dup2(out.fileno(), 1)
                    os.dup2(err.fileno(), 2)
                    sys.stdout, sys.stderr = out, err
                    os.chdir(self.root)
                    os.environ |= VARIABLES
                    try:
                        code = sphinx.cmd.build.main(arguments)
                    except SystemExit as end:
                        code = end.code
                    out.flush()
                    err.flush()
                finally:
                    os._exit(code)
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            return Run(code, *(file.seek(0) or file.read() for file in (out, err)))

    def kill(self, when: Callable[[], object], *options: str, **how: Any) -> None:
        """Start a build, and kill it with all its compilers as soon as something is true."""
        process = self.start(*options, **how)
        while not when():
            if process.poll() is not None:
                pytest.fail(f"ended before it was killed\n{process.communicate()}", pytrace=False)
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL

    def passes(self, *options: str, **how: Any) -> Run:
        """Build, and expect no complaint."""
        run = self.build(*options, **how)
        if run.code != 0 or run.err:
            pytest.fail(f"exit code {run.code}\n{run.err or run.out}", pytrace=False)
        return run

    def fails(self, *options: str, **how: Any) -> Run:
        """Build, and expect it to fail in an orderly way."""
        run = self.build(*options, **how)
        if run.code != 1 or "Exception occurred" in run.err:
            pytest.fail(f"exit code {run.code}\n{run.err or run.out}", pytrace=False)
        return run

    def page(self, name: str, out: str = "html") -> BeautifulSoup:
        """Return a built page."""
        text = (self.root / out / f"{name}.html").read_text(encoding="utf-8")
        return parse(text)

    def doctree(self, name: str) -> nodes.document:
        """Return a page as it was read."""
        with (self.root / "doctrees" / f"{name}.doctree").open("rb") as stream:
            document: nodes.document = pickle.load(stream)
        return document

    @staticmethod
    def exact_c(element: Tag) -> str:
        """Return the C in an element: its text without the labels of what opens and closes."""
        element = copy.copy(element)
        for label in element.find_all("summary"):
            label.decompose()
        return element.get_text()

    def raw_c(self, folder: str, number: int) -> str:
        """Return the C of a source line as Cython's own page in the built site shows it."""
        (path,) = (self.root / "html" / "_cython" / folder).glob("*.html")
        raw = parse(path.read_text(encoding="utf-8"))
        line = raw.select("pre.cython.line")[number - 1]
        following = line.find_next_sibling()
        assert isinstance(following, Tag)
        assert "code" in following["class"]
        return following.get_text()


class Snapshot:
    """A built site and a copy of its folder, so that many tests can start from it.

    It is put back at the same place, since Sphinx reads everything again in another one.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.copy = site.root.with_name("copy")
        shutil.copytree(site.root, self.copy)

    def restore(self) -> Site:
        """Put the site back as it was, time stamps included."""
        shutil.rmtree(self.site.root)
        shutil.copytree(self.copy, self.site.root)
        return self.site


@pytest.fixture
def site(tmp_path: Path, cache: Path) -> Site:
    """A site with the sample ``plain/add``, and no pages yet."""
    made = Site(tmp_path / "site", cache)
    made.write({"examples/plain/add.pyx": (SAMPLES / "plain/add.pyx").read_text()})
    made.configure()
    return made


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The system's Chromium: one for all tests, since Playwright does not start twice."""
    api = pytest.importorskip("playwright.sync_api")
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if not executable:
        pytest.skip(f"there is no browser here: none of {', '.join(NAMES)}")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let the process be interrupted: a shell that starts it in the background forbids that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
