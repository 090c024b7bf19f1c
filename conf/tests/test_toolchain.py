"""Which C compiler is used, and what is said when there is none."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import CONF

from sphinx_cython.core import toolchain
from sphinx_cython.core.cache import KEPT_BUILDS, claim
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


def test_the_order_is_cc_alone_or_pythons_own_then_the_path_then_ziglang(monkeypatch, configured):
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: name == "ziglang")
    configured("pythons-cc -pthread")
    zig = shlex.join((sys.executable, "-P", "-m", "ziglang", "cc"))
    assert candidates({"CC": "mine -m64"}) == [("mine -m64", "$CC")]
    assert candidates({}) == [
        ("pythons-cc -pthread", "Python's own configuration"),
        ("cc", "PATH"),
        ("gcc", "PATH"),
        ("clang", "PATH"),
        (zig, "the ziglang package"),
    ]


def test_cc_is_taken_when_it_works(fake):
    program = fake("my-cc")
    found = find_toolchain(fake.environ | {"CC": f"{program} -pipe"})
    assert (found.command, found.origin, found.rejected) == ((program, "-pipe"), "$CC", ())


# Each is what $CC names, and what is said of it. BIN is a folder with programs of our own.
BAD_CC = {
    "nonsense": "there is no program 'nonsense' on PATH",
    "nonsense -O2 --flag": "there is no program 'nonsense' on PATH",
    "BIN/nowhere": "BIN/nowhere does not exist",
    "BIN": "BIN is a folder",
    "BIN/text": "BIN/text is not executable",
    "BIN/garbage": "cannot be started: BIN/garbage: Exec format error",
    '"BIN/cc': "No closing quotation",
    "''": "it names no program",
    "/bin/true": "ended with exit code 0 and wrote no probe.o",
    "/bin/false": "ended with exit code 1",
    "BIN/exits": "ended with exit code 7",
    "BIN/complains": "probe.c:1: error: no license",
    "BIN/silent": "ended with exit code 1",
    "BIN/killed": "was ended by SIGKILL",
    "BIN/hangs": "took longer than 0.3 s and was ended",
    "BIN/empty": "ended with exit code 0 and wrote an empty probe.o",
    "BIN/other-machine": "Python cannot load the module it made: ",
}
TO_OUTPUT = '#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" = -o ] && {} > "$2"; shift; done\n'
BAD_PROGRAMS = {
    "garbage": "\0\1\2",
    "exits": "#!/bin/sh\nexit 7\n",
    "complains": "#!/bin/sh\necho note >&2; echo 'probe.c:1: error: no license' >&2; exit 1\n",
    "silent": "#!/bin/sh\nexit 1\n",
    "killed": "#!/bin/sh\nkill -9 $$\n",
    "hangs": "#!/bin/sh\nsleep 300\n",
    "empty": TO_OUTPUT.format(":"),
    "other-machine": TO_OUTPUT.format("echo x"),
}


@pytest.mark.parametrize("cc", BAD_CC)
def test_a_cc_that_cannot_be_used_ends_the_search_with_one_sentence(fake, configured, cc: str):
    configured(None)
    folder = Path(fake("cc")).parent
    for name, text in BAD_PROGRAMS.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (folder / "text").write_text("text")
    given = cc.replace("BIN", str(folder))
    limit = 0.3 if "hangs" in cc else 60
    with pytest.raises(ToolchainError) as caught:
        find_toolchain({"PATH": f"{folder}:{os.defpath}", "CC": given}, timeout=limit)
    text = str(caught.value)
    assert caught.value.exit_code == toolchain.BAD_CC
    assert text.startswith(f"The C compiler that $CC names cannot be used: CC={given}: ")
    assert BAD_CC[cc].replace("BIN", str(folder)) in text
    assert text.endswith("Correct CC, or unset it to have a compiler looked for.")
    assert "\n" not in text


@pytest.mark.parametrize("cc", ["", "   "])
def test_an_empty_cc_names_nothing(fake, configured, cc: str):
    configured(None)
    fake("cc")
    assert find_toolchain(fake.environ | {"CC": cc}).origin == "PATH"


def test_cc_may_be_a_path_with_spaces(fake):
    program = Path(fake("my-cc"))
    folder = program.parent / "with space"
    folder.mkdir()
    spaced = str(program.rename(folder / "my cc"))
    for cc in (spaced, shlex.quote(spaced), f"{shlex.quote(spaced)} -pipe"):
        command = find_toolchain(fake.environ | {"CC": cc}).command
        assert command == (spaced, *(["-pipe"] if "-pipe" in cc else []))


def test_cc_may_be_relative_to_the_folder_of_the_build(fake, monkeypatch):
    program = Path(fake("my-cc"))
    monkeypatch.chdir(program.parent.parent)
    for cc, path in (("bin/my-cc", "/nowhere"), ("my-cc", "bin")):
        compiler = find_toolchain({"PATH": path, "CC": cc})
        assert compiler.compile_command("a.c", "a.o", ())[0] == str(program)


def test_cc_may_be_a_wrapper_around_a_compiler(fake):
    program = fake("real-cc")
    wrapper = Path(fake("cache", works=False))
    wrapper.write_text('#!/bin/sh\nexec "$@"\n')
    compiler = find_toolchain(fake.environ | {"CC": f"{wrapper} {program}"})
    assert compiler.command == (str(wrapper), program)
    assert compiler.version == find_toolchain(fake.environ | {"CC": program}).version


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("echo my cc 1.2 >&2", "my cc 1.2"),
        ("echo; echo my cc 1.2", "my cc 1.2"),
        ("printf 'my \\377 1.2'", "my \N{REPLACEMENT CHARACTER} 1.2"),
        ("exit 0", None),
        ("echo unknown option >&2; exit 1", None),
    ],
)
def test_a_compiler_may_answer_to_version_as_it_likes(fake, answer: str, version: str | None):
    program = Path(fake("my-cc"))
    test = f'[ "$1" = --version ] && {{ {answer}; exit; }}'
    program.write_text(program.read_text().replace("#!/bin/sh", f"#!/bin/sh\n{test}"))
    compiler = find_toolchain(fake.environ | {"CC": str(program)})
    if version is None:
        # What tells it from another one is then the program itself.
        assert compiler.version.startswith("my-cc, SHA-256 ")
        assert compiler.name == "my-cc"
        program.write_text(f"{program.read_text()}# changed\n")
        assert find_toolchain(fake.environ | {"CC": str(program)}).version != compiler.version
    else:
        assert compiler.version == version


def test_the_users_settings_reach_neither_probes_nor_messages(fake, monkeypatch):
    program = fake("my-cc")
    bad = {"CPATH": "/nowhere", "LC_ALL": "de_DE.UTF-8", "DEPENDENCIES_OUTPUT": "/nowhere/x"}
    assert find_toolchain(fake.environ | bad | {"CC": program}).command == (program,)


# --- what was found out is remembered


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The flags with which modules were made to try a compiler; nothing is remembered before."""
    monkeypatch.setattr(toolchain, "_remembered", set())
    tried: list[tuple[str, ...]] = []
    real = toolchain._try

    def record(tools: Toolchain, flags: tuple[str, ...], *rest: object) -> str:
        tried.append(flags)
        return real(tools, flags, *rest)

    monkeypatch.setattr(toolchain, "_try", record)
    return tried


def forget_process(monkeypatch) -> None:
    """Act as another process, which has only the files."""
    monkeypatch.setattr(toolchain, "_remembered", set())


def test_a_compiler_that_worked_is_not_tried_again(fake, probes, monkeypatch, tmp_path):
    environ = fake.environ | {"CC": fake("my-cc")}
    memory = tmp_path / "cache"
    first = find_toolchain(environ, memory=memory)
    assert first.accepts("-fno-common")
    for _ in range(2):
        assert find_toolchain(environ, memory=memory) == first
        assert find_toolchain(environ, memory=memory).accepts("-fno-common")
        assert probes == [(), ("-fno-common",)]
        forget_process(monkeypatch)


def test_a_compiler_in_use_stays_remembered(fake, probes, monkeypatch, tmp_path):
    environ = fake.environ | {"CC": fake("my-cc")}
    for _ in range(KEPT_BUILDS + 3):
        forget_process(monkeypatch)
        find_toolchain(environ, memory=tmp_path)
        with claim(tmp_path) as held:
            held.finish()
    assert probes == [()]


def change(program: Path) -> None:
    program.write_text(program.read_text() + "\n")


def change_only_times(program: Path) -> None:
    os.utime(program, (1, 1))


def change_what_it_calls(program: Path) -> None:
    """A wrapper is the same, and another compiler is behind it."""
    (program.parent / "version").write_text("another 2.0\n")


@pytest.mark.parametrize("how", [change, change_only_times, change_what_it_calls])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_changed_compiler_is_tried_again(
    fake, probes, monkeypatch, tmp_path, how: Callable[[Path], None], wrapped: bool
):
    program = Path(fake("my-cc"))
    test = f'[ "$1" = --version ] && {{ cat {program.parent}/version; exit; }}'
    (program.parent / "version").write_text("mine 1.0\n")
    program.write_text(program.read_text().replace("#!/bin/sh", f"#!/bin/sh\n{test}"))
    environ = {"PATH": f"{program.parent}:{os.defpath}", "CC": str(program)}
    if wrapped:
        environ["CC"] = f"env {program}"
    memory = tmp_path / "cache"
    find_toolchain(environ, memory=memory).accepts("-fno-common")
    how(program)
    forget_process(monkeypatch)
    find_toolchain(environ, memory=memory).accepts("-fno-common")
    assert probes == [(), ("-fno-common",)] * 2


def test_other_headers_or_another_path_are_tried(fake, probes, monkeypatch, tmp_path):
    environ = fake.environ | {"CC": fake("my-cc")}
    memory = tmp_path / "cache"
    find_toolchain(environ, memory=memory)
    find_toolchain(environ | {"PATH": f"{environ['PATH']}:/nowhere"}, memory=memory)
    assert len(probes) == 2, "an assembler is found by PATH"
    other = tmp_path / "include"
    shutil.copytree(toolchain.sysconfig.get_path("include"), other)
    monkeypatch.setattr(toolchain.sysconfig, "get_path", lambda name: str(other))
    find_toolchain(environ, memory=memory)
    assert len(probes) == 3


def test_what_did_not_work_is_tried_again_since_it_may_have_been_installed(
    fake, probes, monkeypatch, tmp_path
):
    compiler = find_toolchain(fake.environ | {"CC": fake("my-cc")}, memory=tmp_path / "cache")
    assert not compiler.accepts("-fno-such-flag")
    assert not compiler.accepts("-fno-such-flag")
    assert len(probes) == 3


def test_a_compiler_is_found_where_nothing_can_be_remembered(fake, probes, tmp_path):
    (tmp_path / "file").write_text("")
    environ = fake.environ | {"CC": fake("my-cc")}
    assert find_toolchain(environ, memory=tmp_path / "file" / "cache").origin == "$CC"


def test_a_flag_that_hangs_the_compiler_is_not_accepted(fake):
    program = Path(fake("my-cc"))
    test = 'case "$*" in *-fhang*) sleep 300;; esac'
    program.write_text(program.read_text().replace("#!/bin/sh", f"#!/bin/sh\n{test}"))
    compiler = find_toolchain(
        fake.environ | {"PATH": f"{program.parent}:{os.defpath}", "CC": str(program)}, timeout=2
    )
    assert not compiler.accepts("-fhang")


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
    configured("pythons-cc 'unbalanced")
    fake("cc", works=False)
    with pytest.raises(ToolchainError) as caught:
        find_toolchain(fake.environ)
    text = str(caught.value)
    assert caught.value.exit_code == toolchain.NO_COMPILER
    assert text.startswith("No C compiler works. Tried:\n")
    tried = [
        "pythons-cc 'unbalanced (from Python's own configuration): No closing quotation",
        "cc (from PATH): ended with exit code 7",
        "gcc (from PATH): there is no program 'gcc' on PATH",
        "clang (from PATH): there is no program 'clang' on PATH",
    ]
    assert text.splitlines()[1:5] == [f"  {clause}" for clause in tried]
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
