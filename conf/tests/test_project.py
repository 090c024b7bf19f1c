"""The two commands, the locks, the sessions, and that no file knows of one machine."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
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
