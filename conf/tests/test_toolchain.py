"""Which C compiler is used, and what is said when there is none."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from support import CONF

from sphinx_cython.core import toolchain
from sphinx_cython.core.toolchain import Toolchain, ToolchainError, candidates, find_toolchain

SYSTEMS = ("Debian", "Fedora", "macOS", "Windows")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put programs on a path of their own, which is the only one searched, and forget ziglang."""
    folder = tmp_path / "bin"
    folder.mkdir()
    real = toolchain.find_toolchain().command[0]
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: None)

    def put(name: str, works: bool = True) -> str:
        path = folder / name
        # exec -a would do, but not in every shell; PATH is needed to find the assembler.
        line = f'PATH={shlex.quote(os.environ["PATH"])} exec {real} "$@"' if works else "exit 7"
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    put.environ = {"PATH": str(folder)}  # type: ignore[attr-defined]
    return put


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch):
    """Say which compiler Python was configured with."""

    def configure(value: str | None) -> None:
        given = toolchain.sysconfig.get_config_var
        monkeypatch.setattr(
            toolchain.sysconfig,
            "get_config_var",
            lambda name: value if name == "CC" else given(name),
        )

    return configure


def test_the_order_is_cc_then_pythons_own_then_the_path_then_ziglang(monkeypatch, configured):
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: name == "ziglang")
    configured("pythons-cc -pthread")
    assert candidates({"CC": "mine -m64"}) == [
        (("mine", "-m64"), "$CC"),
        (("pythons-cc", "-pthread"), "Python's own configuration"),
        (("cc",), "PATH"),
        (("gcc",), "PATH"),
        (("clang",), "PATH"),
        ((sys.executable, "-P", "-m", "ziglang", "cc"), "the ziglang package"),
    ]


def test_cc_is_taken_when_it_works(fake):
    program = fake("my-cc")
    found = find_toolchain(fake.environ | {"CC": f"{program} -pipe"})
    assert (found.command, found.origin, found.rejected) == ((program, "-pipe"), "$CC", ())


def test_a_broken_cc_is_passed_over_and_said_so(fake, configured):
    configured(None)
    program = fake("my-cc", works=False)
    fake("cc")
    found = find_toolchain(fake.environ | {"CC": program})
    assert (found.command, found.origin) == (("cc",), "PATH")
    assert found.rejected == (f"{program} (from $CC): exit code 7",)


def test_a_compiler_that_only_answers_to_version_does_not_count(fake, configured):
    configured(None)
    path = Path(fake("cc", works=False))
    path.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo cc 1.0 && exit 0\necho broken >&2; exit 1\n'
    )
    fake("gcc")
    found = find_toolchain(fake.environ)
    assert found.command == ("gcc",)
    assert found.rejected == ("cc (from PATH): broken",)


def test_without_a_compiler_the_error_lists_what_was_tried_and_what_to_install(fake, configured):
    configured("pythons-cc -pthread")
    program = fake("my-cc", works=False)
    with pytest.raises(ToolchainError) as caught:
        find_toolchain(fake.environ | {"CC": program})
    text = str(caught.value)
    assert caught.value.exit_code == toolchain.NO_COMPILER
    assert text.startswith("No C compiler works. Tried:\n")
    tried = [
        f"{program} (from $CC): exit code 7",
        "pythons-cc -pthread (from Python's own configuration): not found",
        "cc (from PATH): not found",
        "gcc (from PATH): not found",
        "clang (from PATH): not found",
    ]
    assert text.splitlines()[1:6] == [f"  {clause}" for clause in tried]
    assert all(system in text for system in SYSTEMS)


def test_without_the_headers_of_python_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(toolchain.sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(ToolchainError) as caught:
        find_toolchain()
    text = str(caught.value)
    assert caught.value.exit_code == toolchain.NO_HEADERS
    assert text.startswith(f"Python.h was not found in {tmp_path}.")
    assert all(system in text for system in SYSTEMS)
    assert "python3-dev" in text


def test_asked_on_the_command_line_it_names_the_compiler():
    done = subprocess.run(
        [sys.executable, "-m", "sphinx_cython.core.toolchain"],
        env=os.environ | {"PYTHONPATH": str(CONF)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith(f"C compiler: {find_toolchain().name} (")


@pytest.mark.parametrize(
    ("version", "command", "name"),
    [
        ("gcc (Debian 12.2.0-14+deb12u1) 12.2.0", ("gcc",), "gcc 12.2.0"),
        ("x86_64-linux-gnu-gcc (GCC) 14.1.1 20240720", ("cc",), "gcc 14.1.1"),
        ("Debian clang version 14.0.6", ("clang",), "clang 14.0.6"),
        ("Apple clang version 15.0.0 (clang-1500.3.9.4)", ("cc",), "clang 15.0.0"),
        (
            "clang version 18.1.6 (https://example)",
            ("py", "-m", "ziglang", "cc"),
            "zig cc, clang 18.1.6",
        ),
    ],
)
def test_a_caption_names_kind_and_version(version: str, command: tuple[str, ...], name: str):
    assert Toolchain(command, version, "").name == name


def test_zig_compiles_for_no_particular_machine_and_without_traps():
    zig = Toolchain(("python", "-m", "ziglang", "cc"), "clang version 18.1.6", "")
    for command in (zig.compile_command("a.c", "a.o", ()), zig.link_command("a.o", "a.so", ())):
        assert {"-mcpu=baseline", "-fno-sanitize=undefined"} <= set(command)
