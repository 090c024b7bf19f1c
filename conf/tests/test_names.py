"""What the modules of the examples are called."""

from __future__ import annotations

from pathlib import Path

import pytest
from Cython.Build.Dependencies import fully_qualified_name
from Cython.Compiler.Main import Context
from Cython.Compiler.Options import CompilationOptions
from support import write

from sphinx_cython.core.example import Examples
from sphinx_cython.core.names import import_root, qualified_name

LAYOUTS = [
    ["four_ways.pyx"],
    ["sub/four_ways.pyx"],
    ["pkg/__init__.py", "pkg/mod.pyx"],
    ["pkg/__init__.pyx", "pkg/sub/__init__.pxd", "pkg/sub/mod.pyx", "pkg/data/mod2.pyx"],
    ["pkg/sub/__init__.py", "pkg/sub/mod.pyx"],
    ["lib/pkg/__init__.py", "lib/pkg/mod.pyx"],
    ["pkg.mod.pyx"],
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=" ".join)
@pytest.mark.parametrize("top", ["", "outer"], ids=["", "in a package"])
def test_modules_are_called_as_cython_calls_them(tmp_path, layout: list[str], top: str):
    root = tmp_path / top
    write(root, dict.fromkeys(layout, ""))
    if top:
        write(root, {"__init__.py": ""})
    context = Context.from_options(CompilationOptions())
    for path in root.rglob("*.pyx"):
        assert qualified_name(path) == context.extract_module_name(str(path), None)
        # cythonize has another rule for names with dots in them.
        if "." not in path.stem:
            assert qualified_name(path) == fully_qualified_name(str(path))
        assert import_root(path) == Path(context.find_root_package_dir(str(path)))


def names(scan, *files: str) -> dict[str, str]:
    """The import name of each example."""
    return {e.name: e.import_name for e in scan(dict.fromkeys(files, "")) if not e.refused}


def test_outside_packages_a_module_is_called_after_its_file(scan):
    assert names(scan, "one.pyx", "sub/deep/two.pyx") == {"one": "one", "sub/deep/two": "two"}


def test_in_a_package_a_module_has_its_name_in_front(scan):
    files = ("pkg/__init__.py", "pkg/mod.pyx", "pkg/sub/__init__.pyx", "pkg/sub/leaf.pyx")
    assert names(scan, *files) == {
        "pkg/mod": "pkg.mod",
        "pkg/sub/__init__": "pkg.sub",
        "pkg/sub/leaf": "pkg.sub.leaf",
    }


def test_two_modules_of_one_name_are_called_by_their_paths(scan):
    assert names(scan, "a/same.pyx", "b/deep/same.pyx", "b/other.pyx", "same.pyx") == {
        "a/same": "a.same",
        "b/deep/same": "b.deep.same",
        "b/other": "other",
        "same": "examples.same",
    }


@pytest.mark.parametrize("name", ["copy", "types", "array", "numpy", "cython", "variants"])
def test_a_module_does_not_take_the_name_of_what_pages_import(scan, name: str):
    assert names(scan, f"plain/{name}.pyx", f"refused/{name}.pyx") == {
        f"plain/{name}": f"plain.{name}"
    }
    assert names(scan, f"{name}.pyx")[name] == f"examples.{name}"


def test_a_package_does_not_take_the_name_of_what_pages_import(scan):
    files = ("json/__init__.py", "json/fast.pyx", "lib/json/__init__.py", "lib/json/slow.pyx")
    assert names(scan, *files) == {
        "json/fast": "examples.json.fast",
        "lib/json/slow": "lib.json.slow",
    }


def test_two_packages_of_one_name_are_called_by_their_paths(scan):
    files = ("a/pkg/__init__.py", "a/pkg/one.pyx", "b/pkg/__init__.py", "b/pkg/two.pyx")
    assert names(scan, *files) == {"a/pkg/one": "a.pkg.one", "b/pkg/two": "b.pkg.two"}


def test_a_module_and_a_folder_of_one_name_are_told_apart(scan):
    assert names(scan, "plain/copy.pyx", "sub/plain.pyx") == {
        "plain/copy": "plain.copy",
        "sub/plain": "sub.plain",
    }


def test_a_refused_example_takes_no_name(scan):
    assert names(scan, "refused/one.pyx", "a/one.pyx", "refused/not-a-name.pyx") == {"a/one": "one"}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["not-a-name.pyx"], "not-a-name.pyx cannot be imported as 'not-a-name'"),
        (["a b/copy.pyx"], "a b/copy.pyx cannot be imported as 'a b.copy', since 'a b' is not a"),
        (["sub/class.pyx"], "sub/class.pyx cannot be imported as 'class'"),
        (
            ["pkg/__init__.py", "pkg/m.pyx", "pkg/m/__init__.py", "pkg/m/n.pyx"],
            "pkg/m/n.pyx and pkg/m.pyx would both be the module 'pkg.m'; rename one",
        ),
        (
            ["pkg/__init__.py", "pkg/m.pyx", "pkg/m/__init__.pyx"],
            "pkg/m/__init__.pyx and pkg/m.pyx would both be the module 'pkg.m'; rename one",
        ),
        (
            ["copy.pyx", "examples/copy.pyx"],
            "examples/copy.pyx and copy.pyx would both be the module 'examples'; rename one",
        ),
    ],
)
def test_what_cannot_be_imported_has_a_problem_and_the_rest_has_none(
    scan, files: list[str], message: str
):
    examples = scan(dict.fromkeys([*files, "fine.pyx"], ""))
    (problem,) = [example.problem for example in examples if example.problem]
    assert problem.startswith(message)
    assert examples["fine"].import_name == "fine"


def test_an_examples_folder_that_hides_a_module_is_a_problem(tmp_path):
    write(tmp_path, {"code/copy.pyx": "", "code/fine.pyx": ""})
    problem, none = (example.problem for example in Examples.scan(tmp_path / "code"))
    assert problem.startswith("copy.pyx would hide the module 'code'; rename")
    assert none == ""


def test_the_examples_folder_can_be_in_a_package(tmp_path):
    write(tmp_path, {"pkg/__init__.py": "", "pkg/sub/__init__.py": "", "pkg/sub/mod.pyx": ""})
    (example,) = Examples.scan(tmp_path / "pkg" / "sub")
    assert (example.name, example.import_name) == ("mod", "pkg.sub.mod")
    assert example.package == tmp_path / "pkg"
