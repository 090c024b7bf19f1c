"""The two commands, the locks, the sessions, and that no file knows of one machine."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "conf" / "locks"
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]

# Paths that are true on one machine only. (Written so that they do not match this file.)
HOMES = r"/(?:root|work|home/\w+|Users/\w+)/(?=\w)"
# Where packages come from is the business of whoever installs them.
REGISTRIES = r"-{2}(?:extra-)?index-url|-{2}find-links|pypi[.]org/simple|files[.]pythonhosted"


def readme_commands() -> dict[str, str]:
    """The commands of README.md, by the session each of them ends with."""
    text = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)\n```$", text, re.M | re.S)
    return {block.rpartition(" ")[2]: block for block in blocks}


def sessions() -> dict[str, str | None]:
    """The sessions of noxfile.py with their docstrings, read without importing nox."""
    tree = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
    return {
        node.name: ast.get_docstring(node)
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any("nox.session" in ast.unparse(decorator) for decorator in node.decorator_list)
    }


def direct(group: str) -> list[Requirement]:
    """The direct dependencies of a group, those of the groups it includes among them."""
    found = []
    for entry in GROUPS[group]:
        found += [Requirement(entry)] if isinstance(entry, str) else direct(entry["include-group"])
    return found


def locked(group: str) -> dict[str, tuple[str, int]]:
    """What a lock pins: name to (version, number of hashes)."""
    pins = {}
    text = (LOCKS / f"{group}.txt").read_text("utf-8")
    for entry in re.sub(r"\\\n", "", text).splitlines():
        requirement, *hashes = re.split(r"\s+--hash=", entry)
        parsed = Requirement(requirement)
        pin = re.fullmatch(r"==([^*,]+)", str(parsed.specifier))
        assert pin, f"{group}: not pinned: {requirement}"
        valid = [value for value in hashes if re.fullmatch(r"sha256:[0-9a-f]{64}\s*", value)]
        pins[parsed.name] = (pin[1], len(valid) if len(valid) == len(hashes) else 0)
    return pins


def test_readme_has_one_command_for_the_site_and_one_for_the_tests():
    assert list(readme_commands()) == ["docs", "tests"]


def test_ci_runs_the_test_command_of_the_readme():
    lines = [line.strip() for line in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()]
    assert readme_commands()["tests"] in lines


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no executable bit")
def test_ci_script_can_be_executed():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_nox_the_readme_installs_is_the_one_the_sessions_need():
    needs = re.search(r'needs_version = "(.+)"', (ROOT / "noxfile.py").read_text("utf-8"))
    assert needs
    for command in readme_commands().values():
        pin = re.search(r"nox==(\S+)", command)
        assert pin, command
        assert SpecifierSet(needs[1]).contains(pin[1])
        assert locked("lint")["nox"][0] == pin[1]


def test_every_session_has_a_docstring_of_one_line():
    assert sessions()
    assert [name for name, text in sessions().items() if not text or "\n" in text] == []


def test_the_readme_lists_every_session_and_no_other():
    listed = re.findall(r"^\| `(\w+)` \|", (ROOT / "README.md").read_text("utf-8"), re.M)
    assert listed == list(sessions())


def test_there_is_one_lock_for_each_group():
    assert {path.stem for path in LOCKS.glob("*.txt")} == set(GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_everything_in_a_lock_has_hashes(group):
    assert locked(group)
    assert [name for name, (_, hashes) in locked(group).items() if not hashes] == []


@pytest.mark.parametrize("group", GROUPS)
def test_a_lock_says_nothing_of_where_packages_come_from(group):
    text = (LOCKS / f"{group}.txt").read_text("utf-8")
    assert re.findall(r"^.*(?:https?:|file:|@|^-|/).*$", text, re.M) == []


@pytest.mark.parametrize("group", GROUPS)
def test_a_lock_satisfies_every_direct_dependency(group):
    pins = locked(group)
    missing = [
        str(wanted)
        for wanted in direct(group)
        if wanted.name not in pins
        or not wanted.specifier.contains(pins[wanted.name][0], prereleases=True)
    ]
    assert missing == [], "run `nox -s lock`"


def test_locks_agree_on_the_version_of_what_they_share():
    versions: dict[str, dict[str, list[str]]] = {}
    for group in GROUPS:
        for name, (version, _) in locked(group).items():
            versions.setdefault(name, {}).setdefault(version, []).append(group)
    assert {name: seen for name, seen in versions.items() if len(seen) > 1} == {}


WORKFLOW = ROOT / ".github" / "workflows" / "site.yml"


def workflow_steps() -> dict[str, list[dict[str, Any]]]:
    """The steps of each job of the workflow."""
    jobs = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]
    return {name: job["steps"] for name, job in jobs.items()}


def check_command(command: str) -> None:
    """Check that the files a command names are there, and that nox knows the session."""
    for path in re.findall(r"(?<![\w$./{-])(?:conf|docs|[.]ci)(?:/[\w./-]+)?", command):
        assert (ROOT / path).exists(), command
    for session in re.findall(r"nox -s (\w+)", command):
        assert session in sessions(), command


def test_the_workflow_runs_what_is_there():
    for name, steps in workflow_steps().items():
        commands = [step["run"] for step in steps if "run" in step]
        assert commands, name
        for command in commands:
            check_command(command)
            # The version is the README's, so that a new one is not forgotten here.
            for pin in re.findall(r"nox==(\S+)", command):
                assert f"nox=={pin}" in readme_commands()["docs"]
    assert {"run": ".ci/run"} in workflow_steps()["test"]


def test_the_workflow_publishes_what_the_docs_session_builds():
    steps = workflow_steps()["publish"]
    (build,) = [step for step in steps if "run" in step]
    assert build["run"].replace("python3", "", 1) in readme_commands()["docs"].replace(
        "python3", "", 1
    )
    named = (ROOT / "conf" / "publishing").glob("*.py")
    read = "".join(path.read_text("utf-8") for path in named)
    assert [name for name in build["env"] if f'"{name}"' not in read] == []
    (upload,) = [step for step in steps if "upload-pages-artifact" in step.get("uses", "")]
    assert upload["with"]["path"] == "build/html"


def test_every_action_of_the_workflow_has_a_version():
    used = [step["uses"] for steps in workflow_steps().values() for step in steps if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"actions/[\w-]+@v\d+", action)] == []


def test_read_the_docs_runs_sphinx_as_nox_does():
    build = yaml.safe_load((ROOT / ".readthedocs.yaml").read_text("utf-8"))["build"]
    commands = [*build["jobs"]["install"], *build["jobs"]["build"]["html"]]
    for command in commands:
        check_command(command)
    assert "conf/locks/docs.txt" in commands[0]
    noxfile = (ROOT / "noxfile.py").read_text("utf-8")
    strict = re.search(r"^STRICT = (.+)$", noxfile, re.M)
    assert strict
    assert " ".join(ast.literal_eval(strict[1])) in commands[1]
    assert commands[1].endswith('-c conf -d build/doctrees -b html docs "$READTHEDOCS_OUTPUT/html"')


def test_the_lock_of_lighthouse_says_nothing_of_where_packages_come_from():
    folder = ROOT / "conf" / "lighthouse"
    lock = json.loads((folder / "package-lock.json").read_text("utf-8"))
    wanted = json.loads((folder / "package.json").read_text("utf-8"))["dependencies"]
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages["node_modules/lighthouse"]["version"] == wanted["lighthouse"]
    assert [name for name, package in packages.items() if "integrity" not in package] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_the_readme_shows_a_picture_that_is_there_and_small():
    shown = re.findall(r"!\[(.+)\]\((\S+)\)", (ROOT / "README.md").read_text("utf-8"))
    ((words, path),) = shown
    assert len(words) > 20
    assert (ROOT / path).stat().st_size < 150_000


def own_registries() -> list[str]:
    """The hosts that pip is told to ask on this machine, other than the public one."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, encoding="utf-8"
    )
    addresses = re.findall(r"https?://[^\s']+", listed.stdout)
    hosts = {urlsplit(address).hostname or "localhost" for address in addresses}
    return sorted(hosts - {"localhost", "pypi.org"})


def test_no_file_names_a_registry_or_a_path_of_this_machine():
    # Files that git does not know yet are read too: better found before they are committed.
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    try:
        done = subprocess.run(listed, cwd=ROOT, capture_output=True, encoding="utf-8")
    except FileNotFoundError:
        pytest.skip("git is not installed, so the files of the project are not known")
    if done.returncode != 0:
        pytest.skip(f"not a checkout that git reads: {done.stderr.strip()}")
    names = [name for name in done.stdout.split("\0") if name]
    assert "noxfile.py" in names
    own = own_registries()
    # A clone in a folder such as /src would forbid a word that has every right to be there.
    own += [str(ROOT)] if len(ROOT.parts) > 2 else []
    patterns = [rf"(?<![\w./]){HOMES}", REGISTRIES, *map(re.escape, own)]
    pattern = re.compile("|".join(patterns))
    found = []
    for name in filter(lambda name: (ROOT / name).is_file(), names):
        text = (ROOT / name).read_text("utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            found += [f"{name}:{number}: {match[0]}" for match in pattern.finditer(line)]
    assert found == []
