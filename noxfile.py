"""What can be done with this repository: ``nox -l`` lists it, ``nox -s NAME`` does it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2026.10.20"
# venv comes with Python, so that a fresh machine needs nothing besides nox.
nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"

BUILD = Path("build")
LOCKS = Path("conf", "locks")
SITE = BUILD / "html"
# One spelling for every session: a site that passes in one passes in the other.
STRICT = ("-n", "-T", "-W", "-j", "2")

LIGHTHOUSE_PAGES = ("index.html", "guide/view-items.html", "examples/view_items.html")

NO_COMPILER = 3  # exit code of sphinx_cython.core.toolchain


def install(session: nox.Session, group: str) -> None:
    """Install the versions locked for a dependency group, unless they are there already."""
    locked = LOCKS / f"{group}.txt"
    # A copy of what was installed last: pip takes four seconds to find out that nothing changed.
    installed = session.env_dir / f"{group}.txt"
    if installed.is_file() and installed.read_bytes() == locked.read_bytes():
        return
    pip = ("python", "-m", "pip", "install", "--require-hashes", "-r", str(locked))
    if session.run_install(*pip, silent=True) is not None:  # None: `nox -R` leaves it out
        shutil.copyfile(locked, installed)


def find_compiler(session: nox.Session) -> str:
    """Return the line that names the C compiler, after installing one if there is none."""

    def probe() -> subprocess.CompletedProcess[str]:
        # Not session.run: it hides either the exit code or the message.
        return subprocess.run(
            [str(Path(session.bin, "python")), "-m", "sphinx_cython.core.toolchain"],
            env={**os.environ, "PYTHONPATH": "conf"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
        )

    done = probe()
    if done.returncode == NO_COMPILER:
        session.log("No C compiler works here; installing the one in the ziglang package")
        install(session, "zig")
        done = probe()
    if done.returncode != 0:
        session.error(f"{done.stderr.strip()}\nNothing was built")
    print(done.stdout, end="", flush=True)
    return done.stdout.strip().splitlines()[-1]


def compiler_variables(session: nox.Session) -> dict[str, str]:
    """Return the variables by which build tools take the compiler that was found."""
    compiler = find_compiler(session)
    env: dict[str, str] = {}
    # They take Python's own compiler; name ours where it is another one.
    if match := re.search(r"\((.+), from (?!\$CC|Python)[^()]*\)$", compiler):
        env["CC"] = match[1]
        if "ziglang" in match[1]:
            # zig puts traps where C is undefined, which no reader's compiler does.
            env["CFLAGS"] = "-fno-sanitize=undefined"
    return env


def sphinx(session: nox.Session, builder: str, out: Path, *options: str) -> None:
    """Run Sphinx on docs/ with the settings in conf/."""
    doctrees = str(BUILD / "doctrees")
    places = ("-c", "conf", "-d", doctrees, "-b", builder, "docs", str(out))
    session.run("python", "-m", "sphinx", *STRICT, *places, *options)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into build/html."""
    install(session, "docs")
    find_compiler(session)
    sphinx(session, "html", SITE, *session.posargs)
    page = (SITE / "index.html").resolve()
    python = "py" if sys.platform == "win32" else "python3"
    serve = [python, "-m", "http.server", "-d", str(page.parent)]
    quoted = subprocess.list2cmdline(serve) if sys.platform == "win32" else shlex.join(serve)
    print(f"\nThe site is in  {page}")
    print(f"Open it as      {page.as_uri()}")
    print(f"or serve it by  {quoted}", flush=True)


@nox.session(default=False)
def tests(session: nox.Session) -> None:
    """Build the site, then test the extension, the examples and the site (slow)."""
    install(session, "tests")
    find_compiler(session)
    sphinx(session, "html", SITE)
    # Without a path among them, pytest takes both folders of tests from pyproject.toml. All of them
    # take a quarter of an hour in one process; who asks for some may want a debugger.
    chosen = session.posargs or ["-n", "2", "--dist", "loadfile"]
    site = {"SITE_HTML": str(SITE.resolve())}
    session.run("python", "-m", "pytest", *chosen, env=site)


@nox.session(default=False)
def weigh(session: nox.Session) -> None:
    """Build the site and measure every page: its weight, and what moves while it loads."""
    install(session, "tests")
    find_compiler(session)
    sphinx(session, "html", SITE)
    site = {"SITE_HTML": str(SITE.resolve())}
    test = "conf/tests/website/test_weight.py"
    session.run("python", "-m", "pytest", "-q", test, *session.posargs, env=site)


@nox.session(default=False)
def lighthouse(session: nox.Session) -> None:
    """Build the site and let Lighthouse judge three pages (needs Node and the network)."""
    if not shutil.which("npm"):
        session.error("Lighthouse is a program for Node: install Node 18.16 or newer, with npm")
    install(session, "docs")
    find_compiler(session)
    sphinx(session, "html", SITE)
    # Outside conf/, whose files are linted.
    folder = BUILD / "lighthouse"
    shutil.copytree(Path("conf", "lighthouse"), folder, dirs_exist_ok=True)
    npm = ("npm", "--prefix", str(folder), "ci", "--ignore-scripts")
    session.run_install(*npm, external=True, silent=True)
    program = str(folder / "node_modules" / "lighthouse" / "cli" / "index.js")
    pages = session.posargs or LIGHTHOUSE_PAGES
    command = ("python", "-m", "publishing.lighthouse", program, str(SITE), *pages)
    session.run(*command, env={"PYTHONPATH": "conf"})


@nox.session(default=False)
def picture(session: nox.Session) -> None:
    """Build the site and take the picture of README.md and the card for links to the site."""
    install(session, "tests")
    find_compiler(session)
    sphinx(session, "html", SITE)
    session.run("python", "-m", "publishing.pictures", str(SITE), env={"PYTHONPATH": "conf"})


@nox.session(default=False)
def live(session: nox.Session) -> None:
    """Serve the site; rebuild and reload it whenever a file is saved."""
    install(session, "live")
    find_compiler(session)
    # A folder of its own, so that `nox -s docs` can run meanwhile. Warnings do not stop it.
    out = BUILD / "live"
    places = ("-c", "conf", "-d", str(out / "doctrees"), "docs", str(out / "html"))
    watch = ("--watch", "conf", "--watch", "examples", "--re-ignore", r"__pycache__|/conf/tests/")
    session.run("python", "-m", "sphinx_autobuild", "-n", "-T", *places, *watch, *session.posargs)


@nox.session(default=False)
def examples(session: nox.Session) -> None:
    """Compile, import and test the examples, with no Sphinx at all."""
    install(session, "examples")
    env = compiler_variables(session)
    where = "import numpy; print(numpy.get_include())"
    include = str(session.run("python", "-c", where, silent=True, log=False)).strip()
    env["CPATH"] = os.pathsep.join(filter(None, [include, os.environ.get("CPATH")]))

    copy = BUILD / "examples"
    shutil.rmtree(copy, ignore_errors=True)
    leave_out = shutil.ignore_patterns("refused", "tests", "__pycache__", "*.so", "*.pyd", "*.c")
    shutil.copytree("examples", copy, ignore=leave_out)
    sources = sorted(copy.rglob("*.pyx"))
    session.run("cythonize", "-i", "-j", "2", *map(str, sources), env=env)
    folders = sorted({str(source.parent.resolve()) for source in sources})
    load = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    names = [source.stem for source in sources]
    session.run("python", "-c", load, *names, env={"PYTHONPATH": os.pathsep.join(folders)})
    session.run("python", "-m", "pytest", "examples/tests", *session.posargs)


@nox.session(default=False)
def comparisons(session: nox.Session) -> None:
    """Measure the comparisons of the site again and again, and show how far they vary (slow)."""
    install(session, "docs")
    find_compiler(session)
    sphinx(session, "html", SITE)
    command = ("python", "-m", "benchmarks.comparisons", str(BUILD / "doctrees"))
    session.run(*command, *session.posargs, env={"PYTHONPATH": "conf"})


@nox.session(default=False)
def benchmark(session: nox.Session) -> None:
    """Time builds of a site with, without and instead of the extension, and record it (slow)."""
    install(session, "docs")
    env = compiler_variables(session)
    command = ("python", "-m", "benchmarks.builds", *session.posargs)
    session.run(*command, env={**env, "PYTHONPATH": "conf"})


@nox.session(default=False)
def packaging(session: nox.Session) -> None:
    """Build the projects of *Your first module* and run what is installed (needs the network)."""
    env = compiler_variables(session)
    projects = Path("examples", "packaging")
    for backend in sorted(path.parent for path in projects.glob("*/pyproject.toml")):
        # The folder that the page tells its reader to fill. (From one named scikit-build, pip
        # would keep the wheel for the next time: it reads that as a name and a version.)
        folder = BUILD / "packaging" / backend.name / "average"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(backend, folder)
        shutil.copy(projects / "average.pyx", folder)
        wheels, fresh = folder / "dist", folder / ".venv"
        session.run("python", "-m", "venv", str(fresh))
        python = str(fresh / ("Scripts" if sys.platform == "win32" else "bin") / "python")
        pip = ("-m", "pip", "--disable-pip-version-check")
        session.run("python", *pip, "wheel", "--no-deps", "-w", str(wheels), str(folder), env=env)
        (wheel,) = wheels.glob("*.whl")
        # Without an index: what was built must need nothing besides Python.
        session.run(python, *pip, "install", "--no-index", str(wheel), external=True)
        script = str(projects / "try_it.py")
        printed = session.run(python, script, external=True, silent=True)
        if str(printed).strip() != "3.0":
            session.error(f"{backend}: {script} printed {printed!r} instead of 3.0")
        session.log(f"{backend}: built, installed and run")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and spelling, and change nothing."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("cython-lint", "--exclude", r"(^|/)refused/", "examples")
    session.run("codespell")
    ours = ("conf/sphinx_cython", "conf/publishing")
    session.run("sphinx-lint", "README.md", "CHANGELOG.md", "docs", *ours)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Write conf/locks from pyproject.toml (`-- --upgrade` renews the versions)."""
    session.install("uv==0.13.9")
    groups = list(nox.project.load_toml("pyproject.toml")["dependency-groups"])
    compile_ = ("uv", "pip", "compile", "--quiet", "--python-version", "3.11", "--universal")
    style = ("--fork-strategy", "fewest", "--no-header", "--no-annotate")
    # All groups are resolved at once first, so that no two locks differ on a package. uv keeps
    # the versions it finds in the output file, hence it starts as the locks there are.
    every = session.create_tmp() + "/every.txt"
    LOCKS.mkdir(exist_ok=True)
    present = [path.read_text("utf-8") for path in sorted(LOCKS.glob("*.txt"))]
    Path(every).write_text("".join(present), "utf-8")
    together = [f"--group={group}" for group in groups]
    session.run(*compile_, *style, *together, "-o", every, *session.posargs)
    for group in groups:
        out = LOCKS / f"{group}.txt"
        out.unlink(missing_ok=True)
        hashed = ("--generate-hashes", "-c", every, f"--group={group}", "-o", str(out))
        session.run(*compile_, *style, *hashed)


@nox.session(default=False)
def linkcheck(session: nox.Session) -> None:
    """Follow every link that leaves the site (needs the network)."""
    install(session, "docs")
    find_compiler(session)
    sphinx(session, "linkcheck", BUILD / "linkcheck", *session.posargs)


@nox.session(default=False, venv_backend="none")
def clean(session: nox.Session) -> None:
    """Remove build/ with everything in it."""
    shutil.rmtree(BUILD, ignore_errors=True)
