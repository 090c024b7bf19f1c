"""Cells run in a fork as they run in a Jupyter kernel; and what each way to run them keeps."""

# ruff: noqa: E501 (cells are lines as people write them)
from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient
from nbformat import v4

from sphinx_cython.core.process import environment
from sphinx_cython.execution import client
from sphinx_cython.execution.outputs import normalized
from sphinx_cython.execution.request import Cell, Request

# Every cell may raise. What they write must be the same in each run.
NASTY = r"""
print(1)
2
# ---
import sys
print("out 1"); print("err 1", file=sys.stderr); print("out 2")
# ---
print("out 1", flush=True); print("err 1", file=sys.stderr, flush=True); print("out 2")
# ---
print("out 1"); print("err 1", file=sys.stderr, flush=True); print("out 2")
# ---
print("no end of line", end=""); 3
# ---
print("ümläut \x1b[31mred\x1b[0m \r over \b\t tab", "\x00")
# ---
import os, subprocess
settle = lambda: __import__("time").sleep(0.3)  # a kernel reads descriptors in another thread
print("before", flush=True); os.write(1, b"to the descriptor\n"); settle()
# ---
_ = os.write(2, b"to the other\n"); settle()
# ---
_ = subprocess.run(["echo", "from a process"]); settle()
# ---
_ = os.system("echo from a shell"); settle()
# ---
_ = os.system("echo from a shell to stderr >&2"); settle()
# ---
import ctypes
libc = ctypes.CDLL(None)
libc.puts(b"from C"); _ = libc.fflush(None); settle()
# ---
!echo a line; echo an error >&2
# ---
lines = !printf 'a\nb\n'
lines, lines.n
# ---
!exit 3
_exit_code
# ---
%%bash
echo from bash
echo to stderr >&2
# ---
%%bash
exit 2
# ---
1;
# ---
None
# ---
"a", 1; "b"
# ---
_, __, Out, len(In), In[1], _i, _ih[-1]
# ---
%history -n 1-2
# ---
%who
# ---
%whos str
# ---
print?
# ---
def documented():
    "What it does."
documented??
# ---
len.nothing?
# ---
%pinfo documented
# ---
%nosuchmagic
# ---
%load_ext nosuchextension
# ---
%%capture captured
print("kept"); print("kept too", file=sys.stderr); 5
# ---
captured.show(); captured.stdout
# ---
%%writefile script.py
print("ran", __name__); value = 4
# ---
%run script.py
value
# ---
%precision 2
3.14159
# ---
%pprint
list(range(100))
# ---
%env NO_COLOR
# ---
%%html
<b>bold</b>
# ---
%%javascript
alert(1)
# ---
%%latex
$x$
# ---
%store -z
# ---
%alias_magic t time
# ---
%pwd
os.path.basename(_)
# ---
from IPython.display import *
display(1, "two", [3]); print("between"); display(HTML("<i>i</i>"), metadata={"text/html": {"a": 1}})
# ---
handle = display("first", display_id="one")
display("second", display_id="one")
# ---
handle.update("updated"); update_display(HTML("<b>again</b>"), display_id="one")
# ---
print("cleared"); clear_output(); print("left")
# ---
print("cleared later"); clear_output(wait=True); print("err", file=sys.stderr); display(1)
# ---
display(Markdown("*m*"), Latex("$l$"), JSON({"a": [1]}), SVG("<svg/>"), Math("x"), Pretty("p"))
# ---
import base64
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
Image(PIXEL, format="png", width=3)
# ---
class Rich:
    def __repr__(self): return "plain"
    def _repr_html_(self): return "<b>html</b>"
    def _repr_png_(self): return PIXEL
    def _repr_latex_(self): return "$l$"
    def _repr_json_(self): return {"a": 1}, {"expanded": True}
Rich()
# ---
class Bundle:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": "p", "application/x-own+json": {"a": [1, None]}}, {"text/plain": {"m": 1}}
Bundle()
# ---
class Displays:
    def _ipython_display_(self): print("displays itself")
Displays()
# ---
class Fails:
    def __repr__(self): return "plain"
    def _repr_html_(self): raise ValueError("no html")
Fails()
# ---
class FailsInRepr:
    def __repr__(self): raise ValueError("no repr")
FailsInRepr()
# ---
display(FailsInRepr())
# ---
import numpy
numpy.arange(6.0).reshape(2, 3), {"a", "b"}, numpy.float64(1) / 3
# ---
get_ipython().display_formatter.formatters["text/html"].for_type(complex, lambda c: "<i>c</i>")
1j
# ---
figures = ["a figure"]
def show():
    while figures: display(figures.pop())
get_ipython().events.register("post_execute", show)
figures
# ---
figures.append("another"); print("text")
# ---
1 / 0
# ---
def f(x):
    return g(x)
def g(x):
    y = "local"
    raise ValueError(x)
try:
    f(1)
except ValueError as e:
    raise KeyError("chained") from e
# ---
print("before"); f("a\nb")
# ---
raise ExceptionGroup("several", [ValueError(1), TypeError(2)])
# ---
syntax error
# ---
if True:
print("indentation")
# ---
sys.exit(3)
# ---
raise KeyboardInterrupt
# ---
raise SystemExit
# ---
def deep(n): return deep(n + 1)
try: deep(0)
except RecursionError as e: print(e)
# ---
nam = nmae
# ---
class Silent(Exception):
    def __str__(self): raise RuntimeError("no message")
class Renders(Exception):
    def _render_traceback_(self): return ["rendered", "by itself"]
raise Renders("r")
# ---
assert not "reached", "asserted"
# ---
import traceback
try: f(2)
except ValueError: traceback.print_exc()
# ---
import warnings
warnings.warn("careful"); warnings.warn("old", DeprecationWarning)
# ---
import logging
print("printed"); logging.warning("logged"); print("printed too")
# ---
numpy.array([1.0]) / 0
# ---
input("name? ")
# ---
import getpass
getpass.getpass()
# ---
import asyncio
await asyncio.sleep(0)
6
# ---
async def later():
    await asyncio.sleep(0); return 7
task = asyncio.create_task(later())
# ---
await task
# ---
asyncio.get_running_loop().is_running()
# ---
coroutine = later()
try: asyncio.run(coroutine)
finally: coroutine.close()
# ---
await asyncio.gather(later(), asyncio.sleep(0))
# ---
async def fails(): raise LookupError("in a coroutine")
await fails()
# ---
[n async for n in (lambda: (yield))()]
# ---
import threading
thread = threading.Thread(target=lambda: print("from a thread")); thread.start(); thread.join()
# ---
go_on = threading.Event()
late = threading.Thread(target=lambda: go_on.wait() and print("from a thread that was late"))
late.start()
# ---
go_on.set(); late.join()
# ---
thread = threading.Thread(target=lambda: 1 / 0, name="worker"); thread.start(); thread.join()
# ---
thread = threading.Thread(target=display, args=("in a thread",)); thread.start(); thread.join()
# ---
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as text: print("redirected")
text.getvalue()
# ---
saved = os.dup(1); file = os.open("captured", os.O_CREAT | os.O_RDWR); os.dup2(file, 1)
print("not captured"); os.write(1, b"captured"); os.dup2(saved, 1)
open("captured").read()
# ---
if not (child := os.fork()):
    print("from a fork", flush=True); os._exit(0)
_ = os.waitpid(child, 0)
# ---
import inspect, pickle, dataclasses
@dataclasses.dataclass
class Point: x: int = 1
print(inspect.getsource(f), pickle.loads(pickle.dumps(Point(2))), __name__, f.__module__)
# ---
__file__
# ---
print(type(get_ipython()), get_ipython().__class__.__name__, [os.environ.get(n) for n in
    ("TERM", "PAGER", "CLICOLOR", "FORCE_COLOR", "PYTHONHASHSEED", "MPLBACKEND")])
# ---
print(sys.stdout.encoding, sys.stdout.isatty(), sys.stdin.read() if 0 else "", sys.stdout.name)
# ---
for i in range(3): print(i, end=" ", flush=True)
# ---
print("x" * 100_000)
# ---
os.write(1, b"y" * 100_000 + b"\n"); settle()
# ---
@get_ipython().register_cell_magic if 0 else lambda f: f
def decorated(): pass
from IPython.core.magic import register_cell_magic
@register_cell_magic
def twice(line, cell): get_ipython().run_cell(cell); get_ipython().run_cell(cell)
# ---
%%twice
print("nested"); 8
# ---
get_ipython().run_line_magic("timeit", "-n1 -r1 -q -o 1") and None
# ---
get_ipython().set_next_input("next"); get_ipython().ask_exit if 0 else None
# ---
import comm
widget = comm.create_comm(target_name="jupyter.widget", comm_id="w", data={"state": {
    "_model_name": "M", "_model_module": "m", "_model_module_version": "1", "value": 1}})
widget.send({"method": "update", "state": {"value": 2}})
# ---
del print
# ---
print = 1
# ---
import builtins
builtins.print("still there")
# ---
os.kill(os.getpid(), 2); import time; time.sleep(5)
# ---
print(sorted(n for n in globals() if n.startswith("_") and not n.startswith(("_i", "__", "_o")) and n[1:2] not in "0123456789"))
# ---
%reset -f
# ---
dir()
""".strip().split("\n# ---\n")


def run_in_plain_kernel(sources: Sequence[str], folders: Sequence[Path], cwd: Path) -> Any:
    """Run cells as nbclient and ipykernel do without us."""
    cells = [v4.new_code_cell(source) for source in sources]
    variables = environment() | {
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
        "IPYTHONDIR": str(cwd / "ipython"),
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_PATH": str(cwd),
    }
    variables.pop("PYTEST_CURRENT_TEST", None)  # with it, kernels read no descriptors
    kernel = cwd / "kernels" / "plain" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "", "language": "python"}))
    os.environ["JUPYTER_PATH"] = str(cwd)
    (cwd / "work").mkdir()
    resources = {"metadata": {"path": str(cwd / "work")}}
    notebook = v4.new_notebook(cells=cells)
    client = NotebookClient(
        notebook, timeout=60, allow_errors=True, kernel_name="plain", resources=resources
    )
    client.execute(env=variables)
    return notebook


def comparable(outputs: list[dict[str, Any]]) -> str:
    """Return outputs as text, without what a kernel makes differ between runs."""
    text = json.dumps(normalized(outputs), indent=1, ensure_ascii=False, sort_keys=True)
    return re.sub(r"/\w+/ipykernel_\d+/\d+\.py|cell-\d+\.py|(?<=\()\d+\.py", "cell.py", text)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The nasty cells, as a kernel runs them."""
    return run_in_plain_kernel(NASTY, [], tmp_path_factory.mktemp("kernel"))


@pytest.fixture(params=["fork", "kernel"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each way to run cells."""
    monkeypatch.setattr(client, "CAN_FORK", request.param == "fork")
    variables = client._variables()
    variables.pop("PYTEST_CURRENT_TEST", None)
    monkeypatch.setattr(client, "_variables", lambda: variables)
    yield request.param
    client.close()


def nasty_request() -> Request:
    return Request(tuple(Cell(source, may_raise=True) for source in NASTY), timeout=60)


def test_cells_write_what_they_write_in_a_kernel(
    way: str, plain: Any, monkeypatch: pytest.MonkeyPatch
):
    # Tracebacks are left out of what a page shows; here they are compared.
    monkeypatch.setattr(client, "normalized", lambda outputs, may_raise: normalized(outputs))
    execution = client.execute(nasty_request())
    assert execution.error is None
    for source, cell, outputs in zip(NASTY, plain.cells, execution.outputs, strict=True):
        assert (source, comparable(outputs)) == (source, comparable(cell.outputs))
    assert execution.widgets == plain.metadata.widgets
