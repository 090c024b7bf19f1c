"""Executed cells, by real builds: what reaches a page, what must not, and how a run ends."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from support import Run, Site

INDEX = "# Index\n\n```{toctree}\n:glob:\n*\n```\n"


def page(title: str, *cells: str) -> str:
    return f"# {title}\n\n" + "\n".join(f"```{{code-cell}}\n{cell}\n```\n" for cell in cells)


def outputs(site: Site, name: str) -> list[str]:
    """The text of each output of a page."""
    found = site.page(name).select(".cell_output .output")
    return [element.get_text().rstrip("\n") for element in found]


def warning(site: Site, run: Run) -> str:
    """The one warning of a build, with its place relative to the site."""
    (line,) = run.warnings
    return line.replace(f"{site.root}/", "")


def ended(process: Path, seconds: float = 10) -> bool:
    """Tell whether the process whose number is in a file ends."""
    number = int(process.read_text())
    for _ in range(int(seconds * 50)):
        stat = Path("/proc", str(number), "stat")
        if not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.02)
    os.kill(number, signal.SIGKILL)
    return False


def writes_its_number(process: Path) -> str:
    """A statement that keeps the number of its process."""
    return (
        f"__import__('pathlib').Path({str(process)!r}).write_text(str(__import__('os').getpid()))"
    )


# --- what the page imported: nothing it does reaches the report

TALKS = '''
    """A module that prints when something reads its attributes."""
    import sys, types

    class Talks(types.ModuleType):
        @property
        def __file__(self):
            print("my file was read")
            raise OSError("no")

    sys.modules[__name__].__class__ = Talks
'''
REBINDS = """
import add
import atexit, builtins, io, json, os, sys
print(add.add(20, 1))
builtins.print = json.dumps = json.loads = os.write = os.open = os.fork = os.close = None
del sys.modules["add"]
atexit.register(lambda: 1 / 0)
os.chdir("/")
"""


@pytest.mark.parametrize(
    "cell",
    [
        "import add, talks\nprint(add.add(20, 1))",
        REBINDS,
        "import add, sys\nprint(add.add(20, 1))\nsys.modules.clear()",
        "import add, sys\nprint(add.add(20, 1))\nsys.stdout = sys.stderr = None",
        "import add, os\nprint(add.add(20, 1), flush=True)\nos.closerange(3, 1024)",
        "import add, sys\nprint(add.add(20, 1))\nfor f in (sys.stdout, sys.stderr): f.close()",
        "import add\nprint(add.add(20, 1))\nimport threading\n"
        "threading.Thread(target=threading.Event().wait).start()",
        "import subprocess, sys\n"
        "run = [sys.executable, '-c', 'import add; print(add.add(20, 1))']\n"
        "print(subprocess.run(run, capture_output=True, text=True).stdout, end='')",
        "import os\nread, write = os.pipe()\nif not os.fork():\n    import add\n"
        "    os.write(write, str(add.add(20, 1)).encode())\n    os._exit(0)\n"
        "os.wait()\nprint(os.read(read, 9).decode())",
    ],
    ids=[
        "talks",
        "rebinds",
        "clears",
        "replaces-streams",
        "closes-files",
        "closes-streams",
        "thread",
        "subprocess",
        "fork",
    ],
)
def test_nothing_a_page_does_reaches_the_report_of_its_imports(site: Site, cell: str):
    site = site.with_own_cache()
    site.configure()
    site.write({"docs/index.md": page("Index", cell), "helpers/talks.py": TALKS})
    site.passes()
    assert outputs(site, "index") == ["21"]
    example = site.root / "examples/plain/add.pyx"
    example.write_text(example.read_text().replace("return a + b\n", "return a + b + 21\n", 1))
    assert site.passes().executed == {"index"}, "it is recorded what the page imported"
    assert outputs(site, "index") == ["42"]


def test_a_file_that_a_helper_reads_is_part_of_the_page(site: Site):
    site = site.with_own_cache()
    site.configure()
    reads = "from pathlib import Path\ntext = Path(__file__).with_name('data.txt').read_text()\n"
    site.write(
        {
            "docs/index.md": page("Index", "import reads\nprint(reads.text)"),
            "helpers/reads.py": reads,
            "helpers/data.txt": "one",
        }
    )
    site.passes()
    site.write({"helpers/data.txt": "two"})
    assert site.passes().executed == {"index"}
    assert outputs(site, "index") == ["two"]


# --- addresses

ADDRESSES = """
class Plain: pass
def function(): pass
import threading, weakref
from concurrent.futures import Future
plain = Plain()
print(hex(0x030B0000), "the word at 0x030B0000, and 0xDEADBEEF0123")
print([plain, function, plain.__init__, Future(), function.__code__], weakref.ref(plain))
print(memoryview(b""), (n for n in ()), "a > b -> stored at 0x0123456789ab")
"""
SHOWN = """0x30b0000 the word at 0x030B0000, and 0xDEADBEEF0123
[<__main__.Plain object at 0x…>, <function function at 0x…>, <method-wrapper '__init__' of Plain \
object at 0x…>, <Future at 0x… state=pending>, <code object function at 0x…, file "cell-1.py", \
line 2>] <weakref at 0x…; to 'Plain' at 0x…>
<memory at 0x…> <generator object <genexpr> at 0x…> a > b -> stored at 0x0123456789ab"""


def test_only_the_addresses_of_objects_are_masked(site: Site):
    site = site.with_own_cache()
    site.configure()
    site.write({"docs/index.md": page("Index", ADDRESSES.strip())})
    site.passes()
    assert outputs(site, "index") == [SHOWN]


# --- cells that never end, or never stop writing

LOOPS_IN_C = """
from libc.signal cimport SIG_IGN, SIGINT, signal

def loop():
    "With the GIL held, and SIGINT ignored."
    signal(SIGINT, SIG_IGN)
    while True:
        pass
"""
SLEEPS = "__import__('subprocess').Popen(['sleep', '1000'])"


@pytest.fixture
def looping(site: Site) -> Site:
    site.write({"examples/looping.pyx": LOOPS_IN_C, "docs/index.md": INDEX})
    site.configure(more="nb_execution_timeout = 2")
    return site


def test_a_cell_that_loops_in_c_ends_at_its_limit(looping: Site):
    process, child = looping.root / "process", looping.root / "child"
    start = f"{writes_its_number(process)}\nimport looping, pathlib\nchild = {SLEEPS}\n"
    start += f"pathlib.Path({str(child)!r}).write_text(str(child.pid))"
    looping.write({"docs/loops.md": page("Loops", start, "looping.loop()", "1")})
    run = looping.fails()
    assert warning(looping, run) == (
        "docs/loops.md:10: WARNING: cell 2 of loops ran longer than 2 s [cython.cell]"
    )
    assert ended(process, 0.5)
    assert ended(child, 0.5), "and all it had started"


def test_an_import_that_never_ends_ends_at_its_limit(looping: Site):
    looping.write({"helpers/waits.py": "import threading\nthreading.Event().wait()\n"})
    looping.write({"docs/waits.md": page("Waits", "import waits")})
    assert warning(looping, looping.fails()) == (
        "docs/waits.md:3: WARNING: cell 1 of waits ran longer than 2 s [cython.cell]"
    )


def test_a_killed_build_leaves_no_process(looping: Site):
    process, child = looping.root / "process", looping.root / "child"
    start = f"import looping, pathlib\nchild = {SLEEPS}\n"
    start += f"pathlib.Path({str(child)!r}).write_text(str(child.pid))\n"
    start += f"{writes_its_number(process)}\nlooping.loop()"
    looping.configure()
    looping.write({"docs/loops.md": page("Loops", start)})
    looping.kill(lambda: process.exists() and process.read_text())
    assert ended(process, 2)
    assert ended(child, 2)


def test_a_cell_that_leaves_a_process_with_its_streams_does_not_delay_the_build(site: Site):
    child = site.root / "child"
    escapes = f"import subprocess, pathlib\nprint('done', flush=True)\nchild = {SLEEPS[:-1]}, "
    escapes += "start_new_session=True)\n"
    escapes += f"pathlib.Path({str(child)!r}).write_text(str(child.pid));"
    site.write({"docs/index.md": page("Index", escapes)})
    started = time.monotonic()
    site.passes()
    assert time.monotonic() - started < 100
    assert outputs(site, "index") == ["done"]
    assert ended(child, 0.5)


@pytest.mark.parametrize(
    "writes",
    [
        "while True:\n    print('x' * 999)",
        "import os\nwhile True:\n    os.write(2, b'x' * 999)",
        "from IPython.display import HTML, display\ndisplay(HTML('x' * 50_000_000))",
        "from IPython.display import HTML, display\nwhile True:\n    display(HTML('x' * 999))",
        "'x' * 50_000_000",
        "raise ValueError('x' * 50_000_000)",
    ],
    ids=["prints", "writes", "displays", "displays-often", "returns", "raises"],
)
def test_a_cell_that_writes_without_end_ends_at_its_limit(site: Site, writes: str):
    site = site.with_own_cache()
    site.configure(cell_output_limit=1_000_000)
    site.write({"docs/index.md": page("Index", "1", writes)})
    assert warning(site, site.fails()) == (
        "docs/index.md:7: WARNING: cell 2 of index wrote more than 1,000,000 bytes "
        "(the setting cell_output_limit) [cython.cell]"
    )
    assert (site.root / "html/index.html").stat().st_size < 1_100_000


# --- pages do not see each other


def test_a_page_never_sees_the_state_of_another(site: Site):
    site = site.with_own_cache()
    site.configure()
    leaves = (
        "import builtins, os, sys, numpy, random, tempfile, time\n"
        "builtins.left = numpy.left = sys.left = os.left = 1\n"
        "os.environ['LEFT'] = '1'\nopen('left', 'w').close()\nsys.path.append('/left')\n"
        "sys.modules['left'] = sys\n%store -z\n_ = 1\nget_ipython().db['left'] = 1\n"
        "os.environ['TZ'] = 'Asia/Tokyo'\ntime.tzset()"
    )
    looks = (
        "import builtins, os, sys, numpy, time\n"
        "print([hasattr(m, 'left') for m in (builtins, numpy, sys, os)], 'LEFT' in os.environ,\n"
        "      os.listdir(), '/left' in sys.path, 'left' in sys.modules,\n"
        "      'left' in get_ipython().db, time.tzname != ('JST', 'JST'), len(In), sorted(Out))"
    )
    site.write(
        {"docs/index.md": INDEX, "docs/a.md": page("A", leaves), "docs/b.md": page("B", looks)}
    )
    site.passes(env={"TZ": "UTC"})
    assert outputs(site, "b") == [
        "[False, False, False, False] False [] False False False True 2 []"
    ]


# --- odd surroundings


def test_a_checkout_whose_path_has_a_colon_with_a_read_only_home_under_the_c_locale(
    tmp_path: Path, cache: Path
):
    site = Site(tmp_path / "a:b ü", cache).with_own_cache()
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    add = "def add(a, b):\n    return a + b\n"
    site.write({"examples/plus.pyx": add, "helpers/helps.py": "text = 'hélp'\n"})
    site.configure()
    cell = "import plus, helps\nprint(plus.add(20, 1), helps.text)\nopen('f', 'w').write('é')"
    site.write({"docs/index.md": page("Index", cell)})
    env = {"HOME": str(home), "LANG": "C", "LC_ALL": "C", "PYTHONUTF8": ""}
    site.passes(fork=False, env=env)
    assert outputs(site, "index") == ["21 hélp", "1"]
